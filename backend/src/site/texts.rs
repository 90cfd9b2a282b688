//! The operator's own words, in the place of ours.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::locale::{self, Locale};

/// The name under which words for every language stand.
pub const EVERY: &str = "all";

type Words = BTreeMap<String, String>;

/// The operator's own words by language, and for every language under [`EVERY`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "BTreeMap<String, Words>")]
pub struct Texts {
    given: BTreeMap<String, Words>,
    /// The languages that they change, put together when one is first asked for.
    changed: BTreeMap<&'static str, OnceLock<Locale>>,
}

impl From<BTreeMap<String, Words>> for Texts {
    fn from(given: BTreeMap<String, Words>) -> Self {
        let is_changed = |name: &&'static str| given.contains_key(EVERY) || given.contains_key(*name);
        let changed = locale::names().into_iter().filter(is_changed);
        Self { changed: changed.map(|name| (name, OnceLock::new())).collect(), given }
    }
}

impl Texts {
    /// What the operator has given, by language and key.
    pub fn given(&self) -> impl Iterator<Item = (&String, &Words)> {
        self.given.iter()
    }

    /// The texts of a language as this site says them.
    pub fn of<'a>(&'a self, locale: &'static Locale) -> &'a Locale {
        let Some(changed) = self.changed.get(locale.name) else { return locale };
        changed.get_or_init(|| {
            let words = [EVERY, locale.name].into_iter().filter_map(|name| self.given.get(name));
            let words = words.flatten().map(|(key, text)| (key.clone(), text.clone()));
            let texts = locale.texts.clone().into_iter().chain(words).collect();
            Locale { name: locale.name, direction: locale.direction, texts }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        [("form.send".to_owned(), text.to_owned())].into()
    }

    #[test]
    fn words_of_a_language_go_before_words_of_every_language_and_both_before_ours() {
        let given = [(EVERY.to_owned(), words("Go")), ("de".to_owned(), words("Los"))];
        let texts = Texts::from(BTreeMap::from(given));
        let of = |name| texts.of(locale::exact(name).unwrap());
        assert_eq!(
            (of("de").texts["form.send"].as_str(), of("fr").texts["form.send"].as_str()),
            ("Los", "Go")
        );
        assert_eq!(of("de").texts.len(), locale::exact("de").unwrap().texts.len());
        assert_eq!(of("de").texts["form.close"], "Schließen");
    }

    #[test]
    fn a_language_that_nobody_changes_is_ours() {
        let texts = Texts::from(BTreeMap::from([("de".to_owned(), words("Los"))]));
        let english = locale::exact("en").unwrap();
        assert!(std::ptr::eq(texts.of(english), english));
    }
}
