//! Shortens the names under which the module and its script know each other. wasm-bindgen ends each in a hash, which no
//! compression makes smaller, and each is sent twice.

use std::collections::BTreeMap;

/// The short name of each long one.
#[derive(Default)]
pub(crate) struct Names {
    short: BTreeMap<String, String>,
}

impl Names {
    /// The short name for a name; the same for the same.
    pub(crate) fn shorten(&mut self, long: &str) -> String {
        let next = self.short.len();
        self.short.entry(long.to_owned()).or_insert_with(|| name(next)).clone()
    }

    /// The script with every long name replaced by its short one.
    pub(crate) fn apply(&self, script: &str) -> String {
        let mut applied = String::with_capacity(script.len());
        let mut rest = script;
        while let Some(start) = rest.find(is_word) {
            applied.push_str(&rest[..start]);
            let word = &rest[start..];
            let word = &word[..word.find(|character| !is_word(character)).unwrap_or(word.len())];
            applied.push_str(self.short.get(word).map_or(word, String::as_str));
            rest = &rest[start + word.len()..];
        }
        applied + rest
    }
}

pub(super) fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$')
}

/// The name of a number: `$a` to `$z`, then `$aa` and so on. The sign keeps it apart from every name in the script.
pub(super) fn name(mut number: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b"abcdefghijklmnopqrstuvwxyz"[number % 26]);
        if number < 26 {
            break;
        }
        number = number / 26 - 1;
    }
    letters.push(b'$');
    letters.into_iter().rev().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_replaced() {
        let mut names = Names::default();
        assert_eq!(names.shorten("__wbg_open_1f"), "$a");
        assert_eq!(names.shorten("__wbg_close_2e"), "$b");
        assert_eq!(names.shorten("__wbg_open_1f"), "$a");
        assert_eq!(
            names.apply("{__wbg_open_1f:f(__wbg_open_1ff),__wbg_close_2e}"),
            "{$a:f(__wbg_open_1ff),$b}"
        );
    }

    #[test]
    fn numbers_have_different_names() {
        let names: std::collections::BTreeSet<_> = (0..2_000).map(name).collect();
        assert_eq!(names.len(), 2_000);
        assert_eq!((name(25).as_str(), name(26).as_str()), ("$z", "$aa"));
    }
}
