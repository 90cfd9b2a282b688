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

/// Text of others (an error message of Webex) as it may be logged: whatever has five digits or more, with separators
/// between them or without, and words with an `@` are taken out, and its length is bounded.
pub fn masked(text: &str) -> String {
    const LONGEST: usize = 300;
    let is_of_number = |character: char| character.is_ascii_digit() || " +-()./".contains(character);
    let mut without_numbers = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit() || character == '+') {
        let (before, from) = rest.split_at(start);
        let end = from.find(|character| !is_of_number(character)).unwrap_or(from.len());
        let (number, after) = from.split_at(end);
        without_numbers.push_str(before);
        let digits = number.bytes().filter(u8::is_ascii_digit).count();
        without_numbers.push_str(if digits >= 5 { "[masked] " } else { number });
        rest = after;
    }
    without_numbers.push_str(rest);
    let words =
        without_numbers.split_whitespace().map(|word| if word.contains('@') { "[masked]" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
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
        assert_eq!(masked("to (+1) 202 555-0142, 3 times"), "to ([masked] , 3 times");
        assert_eq!(masked("x+1 202.555/0142y"), "x[masked] y");
        assert_eq!(masked(&"x".repeat(1000)).len(), 300);
    }
}
