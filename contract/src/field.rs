//! The rules for each field. A rule answers `Ok(())` or the [`Code`] of what is wrong.
//!
//! Lengths are in Unicode scalar values unless a rule says bytes. Values are judged as they stand:
//! callers trim first where [`trimmed`] says so.

mod phone;

pub(crate) use self::phone::{append, is_phone_separator};
pub use self::phone::{phone, phone_digits, without_scheme};
pub use crate::code::Code;

/// Longest accepted name, in characters.
pub const NAME_MAX: usize = 100;
/// Longest accepted e-mail address, in bytes (RFC 5321 section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_MAX: usize = 254;
/// Longest local part of an e-mail address, in bytes (RFC 5321 section 4.5.3.1.1).
pub const EMAIL_LOCAL_MAX: usize = 64;
/// Longest free text, in characters.
pub const MESSAGE_MAX: usize = 1000;
/// Longest page address, in bytes.
pub const PAGE_MAX: usize = 2048;
/// Longest identifier (site, reason, agent handle, field), in bytes.
pub const IDENTIFIER_MAX: usize = 64;
/// Longest telephone number as typed, in characters, separators included.
pub const PHONE_TYPED_MAX: usize = 40;
/// Fewest digits of a telephone number as typed. National numbers this short exist; whether a
/// number exists in its country is for the service to say.
pub const PHONE_DIGITS_MIN: usize = 5;
/// Most digits: 15 of E.164 (ITU-T E.164 section 6.2.1) and the prefix `00`.
pub const PHONE_DIGITS_MAX: usize = 17;
/// Longest language tag, in bytes.
pub const LOCALE_MAX: usize = 35;
/// Longest reference of a CRM, in characters.
pub const REFERENCE_MAX: usize = 100;

/// Most fields of an operator's own that a site may have.
pub const CUSTOM_FIELDS_MAX: usize = 12;
/// Most choices that one of them may offer.
pub const CHOICES_MAX: usize = 50;
/// Longest text that one of them may take, in characters. UTF-8 needs at most 1,000 bytes for it, so an attribute of a
/// task holds it whole.
pub const CUSTOM_TEXT_MAX: usize = 250;

/// Longest key of an attribute, in bytes (Webex OpenAPI, `CreateTaskRequest.attributes`).
pub const ATTRIBUTE_KEY_MAX: usize = 200;
/// Longest value of an attribute, in bytes (same place).
pub const ATTRIBUTE_VALUE_MAX: usize = 1024;
/// Longest life of a preferred-agent link, in seconds: two years.
pub const LINK_LIFETIME_MAX_S: u64 = 2 * 365 * 24 * 60 * 60;

/// Whether a field must be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// The form cannot be sent without it.
    Required,
    /// It may stay empty.
    Optional,
}

/// The value without white space at its ends: what the service stores, and what the rules judge.
pub fn trimmed(value: &str) -> &str {
    value.trim()
}

/// A person's name: 1 to [`NAME_MAX`] characters, none of them a control character.
pub fn name(value: &str, presence: Presence) -> Result<(), Code> {
    text(value, NAME_MAX, presence)
}

/// The key of an attribute that a CRM adds: 1 to [`ATTRIBUTE_KEY_MAX`] bytes, no control characters.
pub fn attribute_key(key: &str) -> Result<(), Code> {
    match key.len() {
        0 => Err(Code::Required),
        1..=ATTRIBUTE_KEY_MAX if key.chars().any(is_hidden) => Err(Code::ControlCharacter),
        1..=ATTRIBUTE_KEY_MAX => Ok(()),
        _ => Err(Code::TooLong),
    }
}

/// Its value: at most [`ATTRIBUTE_VALUE_MAX`] bytes, no control characters. What people type is cut and cleaned on its
/// way to Webex; a program is told.
pub fn attribute_value(value: &str) -> Result<(), Code> {
    if value.len() > ATTRIBUTE_VALUE_MAX {
        Err(Code::TooLong)
    } else if value.chars().any(is_hidden) {
        Err(Code::ControlCharacter)
    } else {
        Ok(())
    }
}

/// The shape of an e-mail address: one `@`, a local part of at most [`EMAIL_LOCAL_MAX`] bytes, a domain of
/// labels parted by dots (RFC 5321 section 4.1.2 without quoted strings and address literals, which no
/// contact centre accepts). Letters of any script pass, as RFC 6531 allows them.
pub fn email(value: &str, presence: Presence) -> Result<(), Code> {
    let value = trimmed(value);
    if value.is_empty() {
        return empty(presence);
    }
    if value.len() > EMAIL_MAX {
        return Err(Code::TooLong);
    }
    let Some((local, domain)) = value.split_once('@') else {
        return Err(Code::EmailShape);
    };
    let local_ok = !local.is_empty()
        && local.len() <= EMAIL_LOCAL_MAX
        && local.split('.').all(|atom| !atom.is_empty())
        && local.chars().all(|character| !is_email_special(character));
    let domain_ok = domain.contains('.') && domain.split('.').all(is_domain_label);
    if local_ok && domain_ok { Ok(()) } else { Err(Code::EmailShape) }
}

fn is_email_special(character: char) -> bool {
    is_hidden(character)
        || character.is_whitespace()
        || matches!(character, '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | '@' | '\\' | ',' | '"')
}

fn is_domain_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|character| {
            character.is_ascii_alphanumeric()
                || character == '-'
                || (!character.is_ascii() && !is_hidden(character))
        })
}

/// A reason for the call: one of the site's.
pub fn reason<'a>(
    value: &str,
    known: impl IntoIterator<Item = &'a str>,
    presence: Presence,
) -> Result<(), Code> {
    choice(value, known, presence).map_err(|code| match code {
        Code::ChoiceUnknown => Code::ReasonUnknown,
        other => other,
    })
}

/// One of the choices of a field.
pub fn choice<'a>(
    value: &str,
    known: impl IntoIterator<Item = &'a str>,
    presence: Presence,
) -> Result<(), Code> {
    if value.is_empty() {
        return empty(presence);
    }
    if known.into_iter().any(|choice| choice == value) { Ok(()) } else { Err(Code::ChoiceUnknown) }
}

/// A box: where it must be ticked, it is.
pub fn checkbox(checked: bool, presence: Presence) -> Result<(), Code> {
    if checked { Ok(()) } else { empty(presence) }
}

/// Free text of several lines: at most [`MESSAGE_MAX`] characters, no control character but tab and line end.
pub fn message(value: &str, presence: Presence) -> Result<(), Code> {
    let value = trimmed(value);
    if value.is_empty() {
        return empty(presence);
    }
    if value.chars().nth(MESSAGE_MAX).is_some() {
        return Err(Code::TooLong);
    }
    if value.chars().any(|character| is_hidden(character) && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(Code::ControlCharacter);
    }
    Ok(())
}

/// Consent to be called: where the site asks for it (`current` is the version of its text), it must be
/// given, and to the text in force.
pub fn consent(accepted: bool, version: &str, current: Option<&str>) -> Result<(), Code> {
    match current {
        Some(_) if !accepted => Err(Code::ConsentRequired),
        Some(current) if version != current => Err(Code::ConsentOutdated),
        None | Some(_) => Ok(()),
    }
}

/// The address of the page that the visitor came from: `http` or `https`, at most [`PAGE_MAX`] bytes. Empty is
/// accepted: a page may hide its address.
pub fn page(value: &str) -> Result<(), Code> {
    if value.is_empty() {
        return Ok(());
    }
    if value.len() > PAGE_MAX {
        return Err(Code::TooLong);
    }
    let host = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let clean = value.chars().all(|character| !is_hidden(character) && !character.is_whitespace());
    match host {
        Some(host) if clean && !host.is_empty() && !host.starts_with(['/', '?', '#']) => Ok(()),
        _ => Err(Code::PageAddress),
    }
}

/// A language tag (RFC 5646 section 2.1, shape only). Empty is accepted: the site's language is used.
pub fn locale(value: &str) -> Result<(), Code> {
    let tag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if value.is_empty() || (value.len() <= LOCALE_MAX && value.split('-').all(tag)) {
        Ok(())
    } else {
        Err(Code::LocaleShape)
    }
}

/// A country: two capital letters (ISO 3166-1 alpha-2). Empty is accepted: the site's first country is used.
pub fn country(value: &str) -> Result<(), Code> {
    if value.is_empty() || (value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase())) {
        Ok(())
    } else {
        Err(Code::CountryShape)
    }
}

/// An identifier from the operator's configuration (site, reason, agent handle): 1 to [`IDENTIFIER_MAX`] lower-case
/// ASCII letters, digits, `-` and `_`, the first a letter or digit.
pub fn identifier(value: &str) -> Result<(), Code> {
    let first = value.bytes().next().ok_or(Code::Required)?;
    if value.len() > IDENTIFIER_MAX {
        return Err(Code::TooLong);
    }
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    let leads = first.is_ascii_lowercase() || first.is_ascii_digit();
    if leads && value.bytes().all(inner) { Ok(()) } else { Err(Code::IdentifierShape) }
}

/// A CRM's own reference for the callback: at most [`REFERENCE_MAX`] characters on one line. May be empty.
pub fn reference(value: &str) -> Result<(), Code> {
    text(value, REFERENCE_MAX, Presence::Optional)
}

/// One line of text: at most `max` characters, none of them a control character.
pub fn text(value: &str, max: usize, presence: Presence) -> Result<(), Code> {
    let value = trimmed(value);
    if value.is_empty() {
        return empty(presence);
    }
    if value.chars().nth(max).is_some() {
        return Err(Code::TooLong);
    }
    if value.chars().any(is_hidden) { Err(Code::ControlCharacter) } else { Ok(()) }
}

fn empty(presence: Presence) -> Result<(), Code> {
    match presence {
        Presence::Required => Err(Code::Required),
        Presence::Optional => Ok(()),
    }
}

/// Characters that an agent would not see, but that change what the agent sees: control characters, line
/// separators, direction overrides and isolates (Unicode TR 36 section 2.5), the byte-order mark, tag characters.
#[inline(never)]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_one_line_of_visible_text() {
        for good in ["Ann", " Ann Example ", "Łukasz Żółć", "山田 太郎", "O'Neil-Smith Jr.", "مريم"]
        {
            assert_eq!(name(good, Presence::Required), Ok(()), "{good}");
        }
        assert_eq!(name("  ", Presence::Required), Err(Code::Required));
        assert_eq!(name("  ", Presence::Optional), Ok(()));
        assert_eq!(name("Ann\nExample", Presence::Required), Err(Code::ControlCharacter));
        assert_eq!(name("Ann\u{202e}elpmaxE", Presence::Required), Err(Code::ControlCharacter));
        assert_eq!(name("Ann\0", Presence::Required), Err(Code::ControlCharacter));
        assert_eq!(name(&"x".repeat(NAME_MAX), Presence::Required), Ok(()));
        assert_eq!(name(&"ü".repeat(NAME_MAX + 1), Presence::Required), Err(Code::TooLong));
    }

    #[test]
    fn an_email_address_has_the_shape_of_one() {
        for good in ["ann@example.com", "a.b+c@mail.example.co.uk", "jürgen@exämple.de", "o'neil@example.org"]
        {
            assert_eq!(email(good, Presence::Required), Ok(()), "{good}");
        }
        let long_local = format!("{}@example.com", "x".repeat(EMAIL_LOCAL_MAX + 1));
        for bad in [
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "ann@@example.com",
            "ann@exa mple.com",
            "ann@.com",
            "ann@example..com",
            "a..b@example.com",
            "ann@-example.com",
            "<ann@example.com>",
            "ann@example.com,b@example.com",
            "ann\r\nBcc: x@example.com",
            &long_local,
        ] {
            assert_eq!(email(bad, Presence::Required), Err(Code::EmailShape), "{bad}");
        }
        assert_eq!(email(&format!("ann@{}.com", "x.".repeat(130)), Presence::Required), Err(Code::TooLong));
        assert_eq!(email("", Presence::Optional), Ok(()));
        assert_eq!(email("", Presence::Required), Err(Code::Required));
    }

    #[test]
    fn a_reason_is_one_of_the_site() {
        let known = ["billing", "orders"];
        assert_eq!(reason("billing", known, Presence::Required), Ok(()));
        assert_eq!(reason("Billing", known, Presence::Required), Err(Code::ReasonUnknown));
        assert_eq!(reason("", known, Presence::Required), Err(Code::Required));
        assert_eq!(reason("", known, Presence::Optional), Ok(()));
    }

    #[test]
    fn a_choice_is_one_of_the_field_and_a_box_is_ticked_where_it_must_be() {
        let known = ["tent", "stove"];
        assert_eq!(choice("stove", known, Presence::Optional), Ok(()));
        assert_eq!(choice("Stove", known, Presence::Optional), Err(Code::ChoiceUnknown));
        assert_eq!(choice("", known, Presence::Required), Err(Code::Required));
        assert_eq!(checkbox(true, Presence::Required), Ok(()));
        assert_eq!(checkbox(false, Presence::Required), Err(Code::Required));
        assert_eq!(checkbox(false, Presence::Optional), Ok(()));
    }

    #[test]
    fn a_line_of_text_is_as_long_as_its_field_allows() {
        assert_eq!(text(" äöü ", 3, Presence::Required), Ok(()));
        assert_eq!(text("äöüß", 3, Presence::Required), Err(Code::TooLong));
        assert_eq!(text("a\u{7f}", 3, Presence::Optional), Err(Code::ControlCharacter));
        assert_eq!(text("   ", 3, Presence::Required), Err(Code::Required));
    }

    #[test]
    fn free_text_may_have_lines_but_no_hidden_characters() {
        assert_eq!(message("First line\r\n\tSecond line", Presence::Optional), Ok(()));
        assert_eq!(message("bell \u{7}", Presence::Optional), Err(Code::ControlCharacter));
        assert_eq!(message(&"x".repeat(MESSAGE_MAX + 1), Presence::Optional), Err(Code::TooLong));
    }

    #[test]
    fn consent_is_to_the_text_in_force() {
        assert_eq!(consent(false, "", None), Ok(()));
        assert_eq!(consent(true, "2", Some("2")), Ok(()));
        assert_eq!(consent(false, "2", Some("2")), Err(Code::ConsentRequired));
        assert_eq!(consent(true, "1", Some("2")), Err(Code::ConsentOutdated));
    }

    #[test]
    fn a_page_is_a_web_address() {
        for good in ["", "https://www.example.com/contact", "http://localhost:8080/"] {
            assert_eq!(page(good), Ok(()), "{good}");
        }
        for bad in
            ["www.example.com", "javascript:alert(1)", "https://", "https:///x", "https://exam ple.com/"]
        {
            assert_eq!(page(bad), Err(Code::PageAddress), "{bad}");
        }
        assert_eq!(page(&format!("https://example.com/{}", "x".repeat(PAGE_MAX))), Err(Code::TooLong));
    }

    #[test]
    fn tags_countries_and_identifiers_have_their_shape() {
        assert_eq!(locale("pt-BR"), Ok(()));
        assert_eq!(locale("en_US"), Err(Code::LocaleShape));
        assert_eq!(locale("-"), Err(Code::LocaleShape));
        assert_eq!(country("DE"), Ok(()));
        assert_eq!(country("de"), Err(Code::CountryShape));
        assert_eq!(identifier("acme-eu_1"), Ok(()));
        assert_eq!(identifier(""), Err(Code::Required));
        assert_eq!(identifier("-acme"), Err(Code::IdentifierShape));
        assert_eq!(identifier("Acme"), Err(Code::IdentifierShape));
        assert_eq!(identifier(&"a".repeat(IDENTIFIER_MAX + 1)), Err(Code::TooLong));
    }

    proptest! {
        #[test]
        fn no_rule_panics(text in any::<String>()) {
            let _ = name(&text, Presence::Required);
            let _ = email(&text, Presence::Required);
            let _ = message(&text, Presence::Required);
            let _ = page(&text);
            let _ = locale(&text);
            let _ = country(&text);
            let _ = identifier(&text);
            let _ = reference(&text);
        }

        #[test]
        fn a_field_that_passes_shows_an_agent_what_it_holds(text in any::<String>()) {
            if name(&text, Presence::Optional).is_ok() {
                prop_assert!(!trimmed(&text).chars().any(is_hidden));
            }
        }
    }
}
