//! Which numbers may be called.

use std::str::FromStr as _;

use ringback_contract::field::{self, Code};
use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region};

use crate::phone::PhoneNumber;
use crate::site::NumberCheck;

/// Digits, without the country's code, of the shortest number that is taken though no plan knows its range.
const NEW_NUMBER_MIN: usize = 7;

/// Reads the numbering plans, so that the first visitor does not wait for it.
pub fn warm_up() {
    let _ = parse("+12025550100", "US", &["US".to_owned()], NumberCheck::Valid);
}

/// Reads a number as typed and judges whether it may be called.
///
/// A number without `+` is read by the rules of `country`, or of the first of the allowed countries. Numbers of other
/// countries, and kinds of numbers that cost the caller or reach no person, are refused.
pub fn parse(
    typed: &str,
    country: &str,
    allowed: &[String],
    check: NumberCheck,
) -> Result<PhoneNumber, Code> {
    field::phone(typed)?;
    let region = if country.is_empty() { allowed.first().map_or("", String::as_str) } else { country };
    let region = Region::from_str(region).ok();
    let number =
        PHONE_NUMBER_UTIL.parse(field::phone_digits(typed), region).map_err(|_| Code::PhoneNotValid)?;
    // A number that can be dialled from the next house alone is not whole.
    if PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) != Ok(NumberLengthType::IsPossible) {
        return Err(Code::PhoneNotValid);
    }
    let of_code: Vec<Region> = allowed
        .iter()
        .filter_map(|code| Region::from_str(code).ok())
        .filter(|region| {
            let code = PHONE_NUMBER_UTIL.get_country_code_for_region(*region);
            code.is_some_and(|code| i64::from(code) == i64::from(number.country_code))
        })
        .collect();
    let known = PHONE_NUMBER_UTIL.get_region_for_number(&number);
    // Some countries share their numbers with others, such as Christmas Island with Australia.
    let is_of_one = || {
        known.is_some_and(|region| of_code.contains(&region))
            || of_code.iter().any(|region| PHONE_NUMBER_UTIL.is_valid_number_for_region(&number, *region))
    };
    let is_known = known.is_some();
    if is_known && !(is_of_one() && reaches_a_person(PHONE_NUMBER_UTIL.get_number_type(&number))) {
        return Err(Code::PhoneNotAllowed);
    }
    // In no range that the plans know. A range that is newer than they has numbers of the usual length; what is shorter is a
    // service's, whose plans are other ones.
    let written = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164);
    let is_short = written.len() < "+".len() + number.country_code.to_string().len() + NEW_NUMBER_MIN;
    if !is_known && (check == NumberCheck::Valid || is_short) {
        return Err(Code::PhoneNotValid);
    }
    if !is_known && of_code.is_empty() {
        return Err(Code::PhoneNotAllowed);
    }
    // With a zero too many, what is written reads as another number: who would be called is not clear then.
    if !is_known && PHONE_NUMBER_UTIL.parse(&*written, None).ok().as_ref() != Some(&number) {
        return Err(Code::PhoneNotValid);
    }
    PhoneNumber::from_e164(&written).ok_or(Code::PhoneNotValid)
}

/// Numbers that are charged to the caller, or that no visitor of a website answers, are not called back.
fn reaches_a_person(kind: PhoneNumberType) -> bool {
    use PhoneNumberType::{FixedLine, FixedLineOrMobile, Mobile, VoIP};
    matches!(kind, FixedLine | Mobile | FixedLineOrMobile | VoIP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(typed: &str, country: &str, allowed: &[&str], check: NumberCheck) -> Result<String, Code> {
        let allowed: Vec<_> = allowed.iter().map(|&code| code.to_owned()).collect();
        parse(typed, country, &allowed, check).map(|number| number.e164().to_owned())
    }

    #[test]
    fn a_number_is_read_by_the_rules_of_its_country() {
        use NumberCheck::Valid;
        assert_eq!(parsed("(202) 555-0142", "", &["US", "DE"], Valid).unwrap(), "+12025550142");
        assert_eq!(parsed("030 123456", "DE", &["US", "DE"], Valid).unwrap(), "+4930123456");
        assert_eq!(parsed("+49 (0)30 123456", "", &["US", "DE"], Valid).unwrap(), "+4930123456");
        assert_eq!(parsed("011 49 30 123456", "US", &["US", "DE"], Valid).unwrap(), "+4930123456");
        assert_eq!(parsed("٢٠٢٥٥٥٠١٤٢", "US", &["US"], Valid).unwrap(), "+12025550142");
    }

    #[test]
    fn a_number_of_a_country_that_the_site_does_not_call_is_refused() {
        assert_eq!(parsed("+4930123456", "", &["US"], NumberCheck::Possible), Err(Code::PhoneNotAllowed));
        // Canada shares the country code of the United States.
        assert_eq!(parsed("+16135550142", "", &["US"], NumberCheck::Possible), Err(Code::PhoneNotAllowed));
    }

    #[test]
    fn numbers_that_cost_the_caller_are_refused() {
        for (premium, country) in [("+19002345678", "US"), ("+499001234567", "DE"), ("+449012345678", "GB")] {
            assert_eq!(
                parsed(premium, "", &[country], NumberCheck::Possible),
                Err(Code::PhoneNotAllowed),
                "{premium}"
            );
        }
    }

    /// Every country of the metadata, by its code.
    fn countries() -> Vec<(Region, String)> {
        let regions = PHONE_NUMBER_UTIL.get_supported_regions();
        regions.map(|region| (region, region.to_string())).collect()
    }

    /// An example as it is written abroad and at home.
    fn written(number: &rlibphonenumber::PhoneNumber) -> [String; 2] {
        [PhoneNumberFormat::E164, PhoneNumberFormat::National]
            .map(|format| PHONE_NUMBER_UTIL.format(number, format).into_owned())
    }

    #[test]
    fn no_example_of_a_kind_that_costs_passes_in_any_country() {
        use PhoneNumberType::{Pager, PersonalNumber, PremiumRate, SharedCost, TollFree, UAN, VoiceMail};
        let all: Vec<String> = countries().into_iter().map(|(_, code)| code).collect();
        let mut seen = 0;
        for (region, code) in countries() {
            for kind in [PremiumRate, SharedCost, PersonalNumber, Pager, UAN, VoiceMail, TollFree] {
                let example = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind);
                let Ok(example) = example else { continue };
                for (text, check) in written(&example)
                    .iter()
                    .flat_map(|text| [NumberCheck::Valid, NumberCheck::Possible].map(|check| (text, check)))
                {
                    seen += 1;
                    for allowed in [&all, &vec![code.clone()]] {
                        let judged = parse(text, &code, allowed, check);
                        assert!(judged.is_err(), "{code} {kind:?} {text} {check:?}: {judged:?}");
                    }
                }
            }
        }
        assert!(seen > 1000, "{seen}");
    }

    #[test]
    fn no_satellite_or_other_number_without_a_country_passes() {
        let all: Vec<String> = countries().into_iter().map(|(_, code)| code).collect();
        for code in PHONE_NUMBER_UTIL.get_supported_global_network_calling_codes() {
            let example = PHONE_NUMBER_UTIL.get_example_number_for_non_geo_entity(code).unwrap();
            let [abroad, _] = written(&example);
            for check in [NumberCheck::Valid, NumberCheck::Possible] {
                assert!(parse(&abroad, "", &all, check).is_err(), "{abroad} {check:?}");
            }
        }
    }

    #[test]
    fn no_short_or_local_number_passes() {
        for (country, numbers) in [
            ("US", ["911", "988", "411", "711", "555-0142", "5550142"]),
            ("DE", ["110", "112", "115", "116117", "11833", "22833"]),
            ("GB", ["999", "111", "118500", "150", "61016", "70070"]),
        ] {
            for number in numbers {
                for check in [NumberCheck::Valid, NumberCheck::Possible] {
                    let judged = parsed(number, country, &[country], check);
                    assert!(judged.is_err(), "{country} {number} {check:?}: {judged:?}");
                }
            }
        }
    }

    /// The example numbers of libphonenumber's metadata of short numbers (9.0.43, Apache-2.0), by country.
    const SHORT_NUMBERS: &str = include_str!("destination/short_numbers.txt");

    #[test]
    fn no_example_of_a_short_number_passes_in_any_country() {
        let mut seen = 0;
        for line in SHORT_NUMBERS.lines() {
            let (country, numbers) = line.split_once(' ').unwrap();
            for number in numbers.split(' ') {
                for check in [NumberCheck::Valid, NumberCheck::Possible] {
                    seen += 1;
                    let judged = parsed(number, country, &[country], check);
                    assert!(judged.is_err(), "{country} {number} {check:?}: {judged:?}");
                }
            }
        }
        assert!(seen > 900, "{seen}");
    }

    #[test]
    fn no_example_of_a_telephone_of_somebody_is_refused_in_its_country() {
        use PhoneNumberType::{FixedLine, Mobile};
        let mut seen = 0;
        for (region, code) in countries() {
            for kind in [FixedLine, Mobile] {
                let Ok(example) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind)
                else {
                    continue;
                };
                let [abroad, home] = written(&example);
                // Where numbers are as short as in Tristan da Cunha, they are asked for with the country's code.
                let is_whole = field::phone(&home).is_ok();
                for check in [NumberCheck::Valid, NumberCheck::Possible] {
                    for text in [Some(&abroad), is_whole.then_some(&home)].into_iter().flatten() {
                        seen += 1;
                        let judged = parse(text, &code, std::slice::from_ref(&code), check);
                        let judged = judged.map(|number| number.e164().to_owned());
                        assert_eq!(judged, Ok(abroad.clone()), "{code} {kind:?} {text} {check:?}");
                    }
                }
            }
        }
        assert!(seen > 1500, "{seen}");
    }

    #[test]
    fn a_number_in_no_known_range_passes_only_where_that_is_asked_for() {
        assert_eq!(parsed("+15555550142", "", &["US"], NumberCheck::Possible).unwrap(), "+15555550142");
        assert_eq!(parsed("+15555550142", "", &["US"], NumberCheck::Valid), Err(Code::PhoneNotValid));
        assert_eq!(parsed("+15555550142", "", &["DE"], NumberCheck::Possible), Err(Code::PhoneNotAllowed));
        assert_eq!(parsed("+1555555", "", &["US"], NumberCheck::Possible), Err(Code::PhoneNotValid));
        assert_eq!(parsed("+999 123456789", "", &["US"], NumberCheck::Possible), Err(Code::PhoneNotValid));
    }
}
