//! The rules for telephone numbers as people write them.

use super::{Code, PHONE_DIGITS_MAX, PHONE_DIGITS_MIN, PHONE_TYPED_MAX, is_hidden, trimmed};

/// A telephone number as a person types or pastes it: digits of any common script, an optional `+`
/// before them, the separators white space, `-`, `(`, `)`, `.` and `/`, and the scheme of a copied link (RFC 3966). Only
/// the shape: whether the number exists and may be called is judged by the service, which has the numbering plans.
pub fn phone(value: &str) -> Result<(), Code> {
    let value = without_scheme(value);
    if value.is_empty() {
        return Err(Code::Required);
    }
    if value.chars().nth(PHONE_TYPED_MAX).is_some() {
        return Err(Code::PhoneTooLong);
    }
    let mut digits = 0;
    let mut plus = false;
    for character in value.chars() {
        match character {
            _ if decimal_digit(character).is_some() => digits += 1,
            _ if is_plus(character) && digits == 0 && !plus => plus = true,
            _ if is_phone_separator(character) => {}
            _ => return Err(Code::PhoneCharacter),
        }
    }
    match digits {
        0..PHONE_DIGITS_MIN => Err(Code::PhoneTooShort),
        PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX => Ok(()),
        _ => Err(Code::PhoneTooLong),
    }
}

/// The number without the scheme that a browser puts before one that is copied as a link.
#[inline(never)]
pub fn without_scheme(value: &str) -> &str {
    let value = trimmed(value);
    match value.split_at_checked(4) {
        Some((scheme, number)) if scheme.eq_ignore_ascii_case("tel:") => trimmed(number),
        _ => value,
    }
}

#[inline(never)]
pub(crate) fn is_phone_separator(character: char) -> bool {
    // Address books put direction marks around a number that they copy; other programs put other dashes and spaces in.
    (is_hidden(character) && !character.is_control())
        || character.is_whitespace()
        || matches!(
            character,
            '-' | '(' | ')' | '.' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff08}' | '\u{ff09}' | '\u{ff0d}'..='\u{ff0f}'
        )
}

/// The digits of a number that passed [`phone`], in ASCII and without separators, with its `+`.
pub fn phone_digits(value: &str) -> String {
    let mut digits = String::new();
    for character in without_scheme(value).chars() {
        let digit = if is_plus(character) { Some('+') } else { decimal_digit(character) };
        if let Some(digit) = digit {
            append(&mut digits, digit);
        }
    }
    digits
}

// What is called from several places of the form would cost every visitor bytes for each, inlined.

#[inline(never)]
pub(crate) fn append(text: &mut String, character: char) {
    text.push(character);
}

const fn is_plus(character: char) -> bool {
    matches!(character, '+' | '\u{ff0b}')
}

/// The ASCII digit that a decimal digit of a common script stands for: people type a telephone
/// number in the digits of their keyboard.
#[inline(never)]
fn decimal_digit(character: char) -> Option<char> {
    // Zeros of: ASCII, Arabic-Indic, Extended Arabic-Indic, Devanagari, fullwidth.
    const ZEROS: [u32; 5] = [0x30, 0x0660, 0x06f0, 0x0966, 0xff10];
    let point = character as u32;
    ZEROS
        .into_iter()
        .find(|zero| (*zero..zero + 10).contains(&point))
        .and_then(|zero| char::from_digit(point - zero, 10))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_phone_number_is_accepted_as_people_write_it() {
        for good in [
            "+1 555 123 0101",
            "(555) 123-0101",
            "(+1) 555.123.0101",
            "0049 30/1234567",
            "٠٣٠١٢٣٤٥٦٧",
            "＋81 3-1234-5678",
            "\u{202d}+1 555 123 0101\u{202c}",
            "tel:+1-555-123-0101",
            " TEL: (555)\u{a0}123\u{2013}0101",
            "（03）1234－5678",
            "+44 (0)20\u{2009}7946\u{200b}0142",
        ] {
            assert_eq!(phone(good), Ok(()), "{good}");
        }
        assert_eq!(phone(""), Err(Code::Required));
        assert_eq!(phone("1234"), Err(Code::PhoneTooShort));
        assert_eq!(phone("+1 555 123 0101 555 123 0101"), Err(Code::PhoneTooLong));
        assert_eq!(phone(&"1 ".repeat(PHONE_TYPED_MAX)), Err(Code::PhoneTooLong));
        for bad in [
            "call me",
            "555-CALL-NOW",
            "1+5551230101",
            "++15551230101",
            "+1 555 123 0101;ext=5",
            "tel:tel:+15551230101",
            "call:5551230101",
            "+1555123\u{0}0101",
        ] {
            assert_eq!(phone(bad), Err(Code::PhoneCharacter), "{bad}");
        }
    }

    #[test]
    fn digits_of_every_script_become_ascii() {
        assert_eq!(phone_digits(" +1 (555) 123-0101 "), "+15551230101");
        assert_eq!(phone_digits("٠٣٠ ۱۲۳ ０９ ९"), "030123099");
        assert_eq!(phone_digits("tel:+49-30-123456"), "+4930123456");
    }

    proptest! {
        #[test]
        fn a_number_that_passes_is_a_plus_and_digits(text in any::<String>()) {
            if phone(&text).is_ok() {
                let digits = phone_digits(&text);
                prop_assert!(digits.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit()));
            }
        }
    }
}
