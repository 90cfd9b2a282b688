//! Telephone numbers and the countries that have them.

use std::fmt;
use std::str::FromStr as _;

use ringback_contract::field;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

/// A telephone number in E.164 form, with its `+`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Takes a number that is in E.164 form already: `+` and 4 to 15 digits (ITU-T E.164 section 6.2.1).
    pub fn from_e164(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let shaped = (4..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        shaped.then(|| Self(text.to_owned()))
    }

    /// The number in clear, for Webex and the store.
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// The number in clear as people write it, with the code of its country.
    pub fn written(&self) -> String {
        match PHONE_NUMBER_UTIL.parse(&*self.0, None) {
            Ok(number) => PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::International).into_owned(),
            Err(_) => self.0.clone(),
        }
    }
}

/// Shows where the number is from and its last two digits: enough to recognise, not enough to call.
impl fmt::Display for PhoneNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, tail) = (self.0.get(..3).unwrap_or_default(), self.0.len().saturating_sub(2).max(3));
        write!(formatter, "{head}…{}", self.0.get(tail..).unwrap_or_default())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Whether there is a country of that code (ISO 3166-1 alpha-2) that has telephone numbers.
pub fn is_country(code: &str) -> bool {
    field::country(code).is_ok() && calling_code(code).is_some()
}

/// What the numbers of a country begin with when they are dialled from abroad: `+` and the country's code.
pub fn calling_code(country: &str) -> Option<String> {
    let region = Region::from_str(country).ok()?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|code| format!("+{code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_prints_masked() {
        let number = PhoneNumber::from_e164("+15555550142").unwrap();
        assert_eq!(format!("{number} {number:?}"), "+15…42 +15…42");
        assert_eq!(number.e164(), "+15555550142");
        for bad in ["15555550142", "+1", "+1555555014212345", "+1555x", ""] {
            assert_eq!(PhoneNumber::from_e164(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_phone_number_is_written_as_people_of_its_country_do() {
        for (number, written) in
            [("+12025550142", "+1 202-555-0142"), ("+33199005501", "+33 1 99 00 55 01"), ("+0000", "+0000")]
        {
            assert_eq!(PhoneNumber::from_e164(number).unwrap().written(), written);
        }
    }

    #[test]
    fn countries_are_those_with_telephones() {
        assert!(is_country("US") && is_country("DE") && is_country("JP"));
        assert_eq!(calling_code("DE").as_deref(), Some("+49"));
        assert!(!is_country("XX") && !is_country("us") && !is_country(""));
    }
}
