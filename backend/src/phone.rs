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

/// How numbers are grouped in each country, by its code: at home, and behind the calling code. Made from the numbering plans by
/// `examples/phone_groups.rs`.
const GROUPS: &str = include_str!("phone/groups.txt");

/// The rules of [`ringback_contract::grouping`] by which numbers of a country are grouped while they are typed: at home, and behind the
/// calling code.
pub fn groups(country: &str) -> (&'static str, &'static str) {
    let mut lines = GROUPS.lines().filter_map(|line| line.split_once('\t'));
    let rules = lines.find(|(code, _)| *code == country).and_then(|(_, rules)| rules.split_once('\t'));
    rules.unwrap_or_default()
}

/// What the numbers of a country begin with when they are dialled from abroad: `+` and the country's code.
pub fn calling_code(country: &str) -> Option<String> {
    let region = Region::from_str(country).ok()?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|code| format!("+{code}"))
}

#[cfg(test)]
mod tests {
    use ringback_contract::grouping::Typed;
    use rlibphonenumber::PhoneNumberType;

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
    fn groups_are_those_of_the_numbering_plans_that_are_in_use() {
        let locked =
            include_str!("../../Cargo.lock").split("name = \"rlibphonenumber\"\nversion = \"").nth(1);
        let version = locked.unwrap().split('"').next().unwrap();
        assert!(
            GROUPS.lines().next().unwrap().contains(&format!("rlibphonenumber {version} ")),
            "the plans have changed: cargo run -p ringback --example phone_groups > backend/src/phone/groups.txt"
        );
    }

    /// How numbers of a country are dialled: how they are written then, what stands before them, and the rules for the rest.
    fn ways(country: &str) -> [(PhoneNumberFormat, String, &'static str); 2] {
        let (national, international) = groups(country);
        [
            (PhoneNumberFormat::National, String::new(), national),
            (PhoneNumberFormat::International, calling_code(country).unwrap(), international),
        ]
    }

    /// A number that the rule knows, with as many digits as its groups take.
    fn known_to(rule: &str) -> Option<String> {
        let (starts, groups) = rule.split_once(':')?;
        let length: u32 = groups.chars().filter_map(|sign| sign.to_digit(10)).sum();
        let starts = starts.split(',').filter_map(|digits| digits.chars().last());
        Some(starts.chain("23456789012345".chars()).take(length as usize).collect())
    }

    /// The number as the form groups it.
    fn grouped(number: &str, country: &str, rules: &str) -> Option<String> {
        let typed = Typed::read(number, 0)?.grouped(&calling_code(country)?, rules);
        typed.map(|(shown, _)| shown)
    }

    #[test]
    fn every_rule_groups_as_the_numbering_plan_does() {
        let mut held = 0;
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            let country = region.to_string();
            for (format, start, rules) in ways(&country) {
                for number in rules.split(';').filter_map(known_to) {
                    let number = [&start, &*number].concat();
                    let Ok(parsed) = PHONE_NUMBER_UTIL.parse(&number, Some(region)) else { continue };
                    if PHONE_NUMBER_UTIL.is_valid_number(&parsed) {
                        let written = PHONE_NUMBER_UTIL.format(&parsed, format).into_owned();
                        assert_eq!(grouped(&number, &country, rules), Some(written), "{country}");
                        held += 1;
                    }
                }
            }
        }
        assert!(held > 1000, "{held}");
    }

    #[test]
    fn the_numbers_that_most_people_have_are_grouped_in_most_countries() {
        let (mut right, mut all) = (0, 0);
        for region in PHONE_NUMBER_UTIL.get_supported_regions() {
            let country = region.to_string();
            for (format, _, rules) in ways(&country) {
                for kind in [PhoneNumberType::FixedLine, PhoneNumberType::Mobile] {
                    let example = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind);
                    let Ok(number) = example else { continue };
                    let written = PHONE_NUMBER_UTIL.format(&number, format).into_owned();
                    all += 1;
                    if let Some(shown) = grouped(&field::phone_digits(&written), &country, rules) {
                        assert_eq!(shown, written, "{country}");
                        right += 1;
                    }
                }
            }
        }
        // Of the others, some are written without any gap.
        assert!(right * 10 > all * 8, "{right} of {all}");
    }

    #[test]
    fn countries_are_those_with_telephones() {
        assert!(is_country("US") && is_country("DE") && is_country("JP"));
        assert_eq!(calling_code("DE").as_deref(), Some("+49"));
        assert!(!is_country("XX") && !is_country("us") && !is_country(""));
    }
}
