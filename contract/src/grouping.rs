//! How a telephone number is grouped while it is typed: its digits stay what and where they are, and only what stands between
//! them changes.
//!
//! Groups come from the service, which has the numbering plans, as rules parted by `;`. A rule says what a number begins with, for each
//! place the digits that may stand there, parted by commas; and behind a colon the groups, in which each digit says how many
//! stand there. By `0,1,67:4 7`, what begins with `016` or `017` is written as `0171 2345678`. A number that no rule knows, or
//! that is longer than its groups, is left as it was typed: no grouping is better than a wrong one.
//!
//! Digits of other scripts are left as they were typed, too: where separators stand between them, they run from right to left
//! (Unicode Standard Annex 9, rule N1).

use crate::field::{append, is_phone_separator};

/// What stands in a telephone field, by its digits.
#[derive(Debug)]
pub struct Typed {
    /// The digits, and the `+` where one stands before them.
    number: Vec<u8>,
    /// How many of these stand before the caret.
    before: usize,
    /// Whether anything else stands between or around them.
    separated: bool,
}

impl Typed {
    /// Reads what was typed; before the caret stand so many UTF-16 code units, as browsers count. `None`: something stands
    /// there that is of no number, or a digit of another script.
    pub fn read(text: &str, caret: usize) -> Option<Self> {
        let mut typed = Self { number: Vec::new(), before: 0, separated: false };
        let mut at = 0;
        for character in text.chars() {
            let is_number = character.is_ascii_digit() || character == '+' && typed.number.is_empty();
            if let (true, Ok(byte)) = (is_number, u8::try_from(character)) {
                typed.number.push(byte);
                typed.before += usize::from(at < caret);
            } else if is_phone_separator(character) {
                typed.separated = true;
            } else {
                return None;
            }
            at += character.len_utf16();
        }
        Some(typed)
    }

    /// How many digits there are, the `+` among them.
    pub fn count(&self) -> usize {
        self.number.len()
    }

    /// Whether anything stands there besides digits and the `+`.
    pub fn is_separated(&self) -> bool {
        self.separated
    }

    /// Whether a `+` stands before it: it tells its country by itself.
    pub fn is_international(&self) -> bool {
        self.number.first() == Some(&b'+')
    }

    /// Whether it is a number of a country with that calling code, such as `+49`.
    pub fn is_of(&self, calling_code: &str) -> bool {
        self.number.starts_with(calling_code.as_bytes())
    }

    /// Deletes the digit before the caret, or behind it, where there is one.
    pub fn delete(&mut self, behind: bool) {
        let Some(index) = self.before.checked_sub(usize::from(!behind)) else { return };
        self.before = index;
        if index < self.number.len() {
            self.number.remove(index);
        }
    }

    /// The number in groups, and where the caret stands then: behind the same digit. `rules` are for what follows the calling code where
    /// a `+` stands before the number, and else for how it is dialled at home. `None`: it is left as it is.
    pub fn grouped(&self, calling_code: &str, rules: &str) -> Option<(String, usize)> {
        let start = if self.is_international() { calling_code } else { "" };
        let number = self.number.strip_prefix(start.as_bytes())?;
        let mut written = Written { text: String::new(), caret: 0, left: self.before };
        for byte in start.bytes() {
            written.put(byte);
        }
        if !number.is_empty() {
            let groups = groups(rules, number)?;
            if !start.is_empty() {
                written.put(b' ');
            }
            written.fill(groups, number)?;
        }
        Some((written.text, written.caret))
    }
}

/// The groups of the rule that knows the number.
fn groups<'a>(rules: &'a str, number: &[u8]) -> Option<&'a [u8]> {
    rules.as_bytes().split(|byte| *byte == b';').find_map(|rule| {
        let mut digits = number.iter();
        let mut digit = digits.next();
        let mut fits = false;
        for (index, byte) in rule.iter().enumerate() {
            match byte {
                b',' | b':' if !fits => break,
                b':' => return rule.get(index + 1..),
                b',' => {
                    digit = digits.next();
                    fits = false;
                }
                _ => fits |= digit == Some(byte),
            }
        }
        None
    })
}

/// A number that is being written in its groups.
struct Written {
    text: String,
    /// Where the caret stands.
    caret: usize,
    /// How many digits are still to be written before it.
    left: usize,
}

impl Written {
    // Inlined, each call would cost every visitor bytes.
    #[inline(never)]
    fn put(&mut self, byte: u8) {
        append(&mut self.text, char::from(byte));
        if self.left > 0 {
            self.caret += 1;
            self.left -= usize::from(byte == b'+' || byte.is_ascii_digit());
        }
    }

    /// Writes digits into groups. What stands between two groups is written once there is a digit behind it, so that the last thing in
    /// the field is always a digit, and a key that deletes deletes one.
    fn fill(&mut self, groups: &[u8], digits: &[u8]) -> Option<()> {
        let mut groups = groups.iter();
        let mut room = 0;
        for digit in digits {
            while room == 0 {
                match *groups.next()? {
                    count @ b'0'..=b'9' => room = count - b'0',
                    separator => self.put(separator),
                }
            }
            room -= 1;
            self.put(*digit);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::field::phone_digits;

    const US: &str = "23456789:(3) 3-4";
    const DE: &str = "0,1,5:5 7;0,1,67:4 7;0,3:3 8";

    fn grouped(text: &str, calling_code: &str, rules: &str) -> Option<String> {
        let typed = Typed::read(text, 0)?;
        typed.grouped(calling_code, rules).map(|(text, _)| text)
    }

    #[test]
    fn a_number_grows_into_its_groups_and_ends_with_a_digit() {
        for (typed, shown) in
            [("2", "(2"), ("202", "(202"), ("2025", "(202) 5"), ("(202) 5550142", "(202) 555-0142")]
        {
            assert_eq!(grouped(typed, "+1", US).as_deref(), Some(shown));
        }
        assert_eq!(grouped("01512 3456789", "+49", DE).unwrap(), "01512 3456789");
        assert_eq!(grouped("0171.2345678", "+49", DE).unwrap(), "0171 2345678");
        assert_eq!(grouped("+1.202.5550142", "+1", "2:3-3-4").unwrap(), "+1 202-555-0142");
        assert_eq!(grouped("+49", "+49", "").unwrap(), "+49");
    }

    #[test]
    fn what_no_rule_knows_is_left_as_it_was_typed() {
        for (typed, rules) in [
            ("1 202 555 0142", US),
            ("20255501423", US),
            ("0201 12345", DE),
            ("+1 (0)202", "2:3-3-4"),
            ("+", ""),
            ("202 ext", US),
            ("+1+2", US),
            ("٢٠٢٥٥٥٠١٤٢", US),
            ("＋1202", "2:3"),
        ] {
            assert_eq!(grouped(typed, "+1", rules), None, "{typed}");
        }
    }

    #[test]
    fn the_caret_stays_behind_its_digit() {
        let caret = |text: &str, caret| Typed::read(text, caret)?.grouped("+1", US);
        assert_eq!(caret("(20) 255-014", 3).unwrap(), ("(202) 550-14".to_owned(), 3));
        assert_eq!(caret("2025550142", 10).unwrap(), ("(202) 555-0142".to_owned(), 14));
        assert_eq!(caret("2025550142", 0).unwrap().1, 0);
        assert_eq!(caret("2025", 3).unwrap(), ("(202) 5".to_owned(), 4));
    }

    #[test]
    fn a_digit_can_be_deleted_across_what_separates_it() {
        let deleted = |text: &str, caret, behind| {
            let mut typed = Typed::read(text, caret).unwrap();
            typed.delete(behind);
            typed.grouped("+1", if typed.is_international() { "2:3-3-4" } else { US }).unwrap()
        };
        assert_eq!(deleted("(202) 5550142", 9, false), ("(202) 550-142".to_owned(), 8));
        assert_eq!(deleted("(202) 5550142", 9, true), ("(202) 555-142".to_owned(), 9));
        assert_eq!(deleted("(202)555", 5, false), ("(205) 55".to_owned(), 3));
        assert_eq!(deleted("+2 2", 0, true), ("(22".to_owned(), 0));
        // There is none to delete.
        assert_eq!(deleted("202) 5", 0, false), ("(202) 5".to_owned(), 0));
        assert_eq!(deleted("(202) 5", 7, true), ("(202) 5".to_owned(), 7));
    }

    #[test]
    fn a_number_with_a_plus_tells_its_country() {
        let of = |text: &str, code| Typed::read(text, 0).unwrap().is_of(code);
        assert!(of("+49 30", "+49") && of(" (+4)9", "+49"));
        assert!(!of("+4", "+49") && !of("49 30", "+49") && !of("+1 202", "+49"));
    }

    fn rules() -> impl Strategy<Value = String> {
        "([0-9]{1,10}(,[0-9]{1,10}){0,3}:[(]?[1-9]([)]? ?[-/. ]?[1-9]){0,4};?){0,4}"
    }

    proptest! {
        #[test]
        fn digits_stay_and_so_does_the_caret(
            text in "[+]?[0-9 ().\u{2009}-]{0,20}",
            caret in 0_usize..22,
            code in "[+][0-9]{1,3}",
            rules in rules(),
        ) {
            let Some(typed) = Typed::read(&text, caret) else { return Ok(()) };
            if let Some((grouped, moved)) = typed.grouped(&code, &rules) {
                prop_assert_eq!(phone_digits(&grouped), phone_digits(&text));
                let before = |text: &str, caret: usize| {
                    let units: Vec<u16> = text.encode_utf16().take(caret).collect();
                    phone_digits(&String::from_utf16(&units).unwrap())
                };
                prop_assert_eq!(before(&grouped, moved), before(&text, caret));
                // Grouped again, it stays as it is.
                let again = Typed::read(&grouped, moved).unwrap().grouped(&code, &rules);
                prop_assert_eq!(again, Some((grouped, moved)));
            }
        }

        #[test]
        fn nothing_panics(
            text in "[+]?[0-9 -]{0,5}|.{0,9}",
            caret in any::<usize>(),
            code in any::<String>(),
            rules in any::<String>(),
            behind in any::<bool>(),
        ) {
            if let Some(mut typed) = Typed::read(&text, caret) {
                let _ = (typed.is_of(&code), typed.grouped(&code, &rules));
                typed.delete(behind);
            }
        }
    }
}
