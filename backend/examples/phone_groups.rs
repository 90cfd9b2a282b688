//! Prints how numbers are grouped in each country, as `src/phone/groups.txt` keeps it:
//! `cargo run --package ringback --example phone_groups > backend/src/phone/groups.txt`.
//!
//! The numbering plans are asked, not read: for every start of a few digits, numbers of the lengths that the country has are written
//! by the plans, and where all of them come out in the same groups, that is a rule. The plans are those of Google's libphonenumber
//! (Apache-2.0), as `rlibphonenumber` holds them.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::collections::{BTreeMap, HashMap};

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

/// Longest start that is looked at, in digits: at home there is a prefix before what is dialled from abroad.
const fn deepest(from: From) -> usize {
    match from {
        From::Home => 4,
        From::Abroad => 3,
    }
}

/// Most rules that a form is told of a country, and each list is told apart.
const MOST: usize = 12;

/// What the places behind a start are filled with.
const FILLS: [&str; 20] = [
    "0", "1", "2", "3", "41", "58", "6", "7", "8", "9", "230145", "345678", "567890", "912345", "02", "13",
    "27", "31", "73", "86",
];

/// How numbers are dialled.
#[derive(Clone, Copy)]
enum From {
    Home,
    Abroad,
}

/// What numbers of one start come out as.
#[derive(Clone, PartialEq)]
enum Shape {
    /// No number has this start.
    None,
    One(String),
    Several,
}

/// For each place of a number's start the digits that may stand there, and the groups.
type Rule = (Vec<String>, String);

/// The numbers of a country, as they are dialled.
struct Plan {
    region: Region,
    from: From,
    /// How many digits numbers of people have.
    lengths: Vec<usize>,
    /// What is known of starts.
    shapes: HashMap<String, Shape>,
}

fn main() {
    println!(
        "# Derived from the metadata of libphonenumber (Apache-2.0), as rlibphonenumber {} has it.",
        version()
    );
    let mut regions: Vec<Region> = PHONE_NUMBER_UTIL.get_supported_regions().collect();
    regions.sort_by_key(ToString::to_string);
    for region in regions {
        let of = |from| {
            let mut plan = Plan { region, from, lengths: lengths(region, from), shapes: HashMap::new() };
            let mut rules = Vec::new();
            plan.collect("", &mut rules);
            // The plans name examples, and a few of these begin as no fill does.
            for (number, groups) in examples(region, from) {
                let same = |rule: &Rule| {
                    groups.as_ref().is_some_and(|groups| all_but_last(groups) == all_but_last(&rule.1))
                };
                rules.retain(|rule| !knows(rule, &number) || same(rule));
            }
            merge(&mut rules);
            // Mobile telephones first, then the short area codes of large cities, then what most numbers fall under. A rule that is
            // left out leaves its numbers as they are typed.
            rules.sort_by(|left, right| share(right).total_cmp(&share(left)));
            let mobile = dialled(region, from, PhoneNumberType::Mobile);
            let is_mobile = |rule: &Rule| mobile.as_ref().is_some_and(|number| knows(rule, number));
            rules.sort_by_key(|rule| (!is_mobile(rule), rule.0.len()));
            rules.truncate(MOST);
            let rules: Vec<_> =
                rules.into_iter().map(|(starts, groups)| format!("{}:{groups}", starts.join(","))).collect();
            rules.join(";")
        };
        println!("{region}\t{}\t{}", of(From::Home), of(From::Abroad));
    }
}

/// The version of the crate that holds the plans: a test compares it.
fn version() -> &'static str {
    let locked = include_str!("../../Cargo.lock").split("name = \"rlibphonenumber\"\nversion = \"").nth(1);
    locked.and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

/// Makes one rule of two that differ in one place.
fn merge(rules: &mut Vec<Rule>) {
    let pair = |rules: &[Rule]| {
        (0..rules.len()).find_map(|later| {
            let (starts, groups) = rules.get(later)?;
            rules.get(..later)?.iter().enumerate().find_map(|(sooner, (others, same))| {
                let differ: Vec<_> =
                    (0..starts.len()).filter(|place| starts.get(*place) != others.get(*place)).collect();
                let fit = groups == same && starts.len() == others.len();
                match differ[..] {
                    [place] if fit => Some((sooner, later, place)),
                    _ => None,
                }
            })
        })
    };
    while let Some((sooner, later, place)) = pair(rules) {
        let (starts, _) = rules.remove(later);
        let into = rules.get_mut(sooner).and_then(|(others, _)| others.get_mut(place));
        if let (Some(into), Some(more)) = (into, starts.get(place)) {
            let mut digits: Vec<char> = into.chars().chain(more.chars()).collect();
            digits.sort_unstable();
            *into = digits.into_iter().collect();
        }
    }
}

/// What part of all numbers a rule knows.
fn share((starts, _): &Rule) -> f64 {
    starts.iter().map(|digits| f64::from(u32::try_from(digits.len()).unwrap_or_default()) / 10.0).product()
}

fn knows((starts, _): &Rule, number: &str) -> bool {
    number.len() >= starts.len()
        && starts.iter().zip(number.chars()).all(|(digits, digit)| digits.contains(digit))
}

/// The examples of numbers of people, and how they are grouped.
fn examples(region: Region, from: From) -> Vec<(String, Option<String>)> {
    let kinds = [PhoneNumberType::FixedLine, PhoneNumberType::Mobile];
    kinds
        .iter()
        .filter_map(|kind| {
            let number = dialled(region, from, *kind)?;
            let groups = written(region, from, &number).and_then(|text| groups(&text));
            Some((number, groups))
        })
        .collect()
}

/// The example of a number of that kind, as it is dialled.
fn dialled(region: Region, from: From, kind: PhoneNumberType) -> Option<String> {
    let example = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind).ok()?;
    Some(match from {
        From::Home => digits(&PHONE_NUMBER_UTIL.format(&example, PhoneNumberFormat::National)),
        From::Abroad => example.national_number.to_string(),
    })
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// How many digits numbers of people have there.
fn lengths(region: Region, from: From) -> Vec<usize> {
    let mut lengths: Vec<_> = examples(region, from).iter().map(|(number, _)| number.len()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// How a number is written; `None` where no person has it.
fn written(region: Region, from: From, number: &str) -> Option<String> {
    let code = PHONE_NUMBER_UTIL.get_country_code_for_region(region)?;
    let start = match from {
        From::Home => String::new(),
        From::Abroad => format!("+{code}"),
    };
    let parsed =
        PHONE_NUMBER_UTIL.parse(format!("{start}{number}"), Some(region)).ok().filter(is_of_people)?;
    let format = match from {
        From::Home => PhoneNumberFormat::National,
        From::Abroad => PhoneNumberFormat::International,
    };
    let text = PHONE_NUMBER_UTIL.format(&parsed, format);
    Some(text.strip_prefix(&start).unwrap_or_default().trim_start().to_owned())
}

/// Whether a person may have it.
fn is_of_people(number: &PhoneNumber) -> bool {
    matches!(
        PHONE_NUMBER_UTIL.get_number_type(number),
        PhoneNumberType::FixedLine | PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile
    )
}

/// The groups of a written number.
fn groups(written: &str) -> Option<String> {
    let mut groups = String::new();
    let mut count = 0;
    for character in written.chars().chain([' ']) {
        if character.is_ascii_digit() {
            count += 1;
        } else {
            if count > 9 {
                return None;
            }
            if count > 0 {
                groups.push(char::from_digit(count, 10)?);
            }
            groups.push(character);
            count = 0;
        }
    }
    groups.pop();
    // Without a gap there is nothing to group, and what ends with another sign than a digit is no pattern to type by.
    let gap = groups.chars().any(|sign| !sign.is_ascii_digit());
    (gap && groups.ends_with(|sign: char| sign.is_ascii_digit()) && !groups.contains([',', ';', '*', '#']))
        .then_some(groups)
}

impl Plan {
    /// What numbers of that start come out as.
    fn shape(&mut self, start: &str) -> Shape {
        if let Some(known) = self.shapes.get(start) {
            return known.clone();
        }
        let shape = self.asked_shape(start);
        self.shapes.insert(start.to_owned(), shape.clone());
        shape
    }

    fn asked_shape(&self, start: &str) -> Shape {
        let mut found: Option<String> = None;
        for length in &self.lengths {
            for fill in FILLS {
                let rest = length.saturating_sub(start.len());
                let number = format!("{start}{}", fill.repeat(rest).get(..rest).unwrap_or_default());
                let Some(text) = written(self.region, self.from, &number) else { continue };
                // Whoever leaves out a prefix types digits that are not those that are written.
                let Some(these) = groups(&text).filter(|_| digits(&text) == number) else {
                    return Shape::Several;
                };
                match &found {
                    None => found = Some(these),
                    Some(known) if *known == these => {}
                    // Numbers of several lengths may differ in their last group.
                    Some(known) if all_but_last(known) == all_but_last(&these) => {
                        if these > *known {
                            found = Some(these);
                        }
                    }
                    Some(_) => return Shape::Several,
                }
            }
        }
        found.map_or(Shape::None, Shape::One)
    }

    /// The rules for numbers of that start.
    fn collect(&mut self, start: &str, rules: &mut Vec<Rule>) {
        let mut same: BTreeMap<String, String> = BTreeMap::new();
        for digit in '0'..='9' {
            let next = format!("{start}{digit}");
            match self.shape(&next) {
                Shape::One(groups) if self.is_sure(&next, &groups) => {
                    same.entry(groups).or_default().push(digit);
                }
                Shape::None => {}
                _ if next.len() < deepest(self.from) => self.collect(&next, rules),
                _ => {}
            }
        }
        rules.extend(
            same.into_iter()
                .map(|(groups, digits)| (start.chars().map(String::from).chain([digits]).collect(), groups)),
        );
    }

    /// Whether longer starts come out in the same groups.
    fn is_sure(&mut self, start: &str, groups: &str) -> bool {
        start.len() >= deepest(self.from)
            || ('0'..='9').all(|digit| {
                let next = format!("{start}{digit}");
                match self.shape(&next) {
                    Shape::None => true,
                    Shape::One(these) => {
                        all_but_last(&these) == all_but_last(groups) && self.is_sure(&next, groups)
                    }
                    Shape::Several => false,
                }
            })
    }
}

fn all_but_last(groups: &str) -> &str {
    groups.get(..groups.len().saturating_sub(1)).unwrap_or_default()
}
