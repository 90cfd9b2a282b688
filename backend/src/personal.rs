//! Personal data. The type does not print what it holds: it can reach Webex and the store, not a log.

use std::fmt;

/// A text about a person: a name, an e-mail address, what they wrote.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Personal(String);

impl Personal {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text in clear, for Webex and the store.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_empty() { "\"\"" } else { "[personal]" })
    }
}

/// Text of others (an error message of Webex) as it may be logged: runs of five digits or more and words with an `@`
/// are taken out, and its length is bounded.
pub fn masked(text: &str) -> String {
    const LONGEST: usize = 300;
    let words = text.split_whitespace().map(|word| {
        let longest_run =
            word.split(|character: char| !character.is_ascii_digit()).map(str::len).max().unwrap_or(0);
        if word.contains('@') || longest_run >= 5 { "[masked]" } else { word }
    });
    let mut masked = words.collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = masked.char_indices().nth(LONGEST) {
        masked.truncate(end);
    }
    masked
}

/// An identifier of others as it may be logged: at most 100 letters, digits, `-` and `_`.
pub fn masked_identifier(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_'))
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_about_a_person_does_not_print() {
        assert_eq!(format!("{:?} {:?}", Personal::new("Ann"), Personal::new("")), "[personal] \"\"");
    }

    #[test]
    fn the_text_of_others_is_masked() {
        assert_eq!(
            masked("Invalid destination: +15555550142 for ann@example.com (400)"),
            "Invalid destination: [masked] for [masked] (400)"
        );
        assert_eq!(masked(&"x".repeat(1000)).len(), 300);
    }
}
