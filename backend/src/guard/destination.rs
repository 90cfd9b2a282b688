//! Which numbers may be called.

use std::str::FromStr as _;

use ringback_contract::field::{self, Code};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region};

use crate::phone::PhoneNumber;
use crate::site::NumberCheck;

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
    if !PHONE_NUMBER_UTIL.is_possible_number(&number) {
        return Err(Code::PhoneNotValid);
    }
    match PHONE_NUMBER_UTIL.get_region_for_number(&number) {
        Some(region) => {
            if !allowed.iter().any(|allowed| Region::from_str(allowed) == Ok(region)) {
                return Err(Code::PhoneNotAllowed);
            }
            if !reaches_a_person(PHONE_NUMBER_UTIL.get_number_type(&number)) {
                return Err(Code::PhoneNotAllowed);
            }
        }
        // In no range that the plans know.
        None if check == NumberCheck::Valid => return Err(Code::PhoneNotValid),
        None => {
            let shares_code = |allowed: &String| {
                Region::from_str(allowed)
                    .ok()
                    .and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region))
                    .is_some_and(|of_region| i64::from(of_region) == i64::from(number.country_code))
            };
            if !allowed.iter().any(shares_code) {
                return Err(Code::PhoneNotAllowed);
            }
        }
    }
    PhoneNumber::from_e164(&PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164))
        .ok_or(Code::PhoneNotValid)
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

    #[test]
    fn a_number_in_no_known_range_passes_only_where_that_is_asked_for() {
        assert_eq!(parsed("+15555550142", "", &["US"], NumberCheck::Possible).unwrap(), "+15555550142");
        assert_eq!(parsed("+15555550142", "", &["US"], NumberCheck::Valid), Err(Code::PhoneNotValid));
        assert_eq!(parsed("+15555550142", "", &["DE"], NumberCheck::Possible), Err(Code::PhoneNotAllowed));
        assert_eq!(parsed("+1555555", "", &["US"], NumberCheck::Possible), Err(Code::PhoneNotValid));
        assert_eq!(parsed("+999 123456789", "", &["US"], NumberCheck::Possible), Err(Code::PhoneNotValid));
    }
}
