//! The parsers that read what comes from outside, each with what must hold of whatever it reads. `cargo xtask fuzz` feeds them for as
//! long as one likes; the tests beside feed a few thousand inputs in each run.

#![expect(clippy::panic, reason = "a panic is how a target says that it found something")]

use std::sync::LazyLock;

use jiff::Timestamp;
use ringback::agent::{AgentLink, AgentName};
use ringback::guard::destination;
use ringback::phone::PhoneNumber;
use ringback::schedule::Window;
use ringback::site::NumberCheck;
use ringback::token::{Purpose, Signer, SigningKey};
use ringback::webex::{error, webhook};
use ringback::{api_key, callback, locale};
use ringback_contract::field::{self, Presence};
use ringback_contract::proof::{self, Puzzle};
use ringback_contract::request::{CallbackChange, NewAgentLink, NewCallback, NewCrmCallback, Rules, object};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use validator::ValidateArgs;

/// A parser, and what it is fed with. Inputs to begin with lie in the folder `seeds` under its name.
#[derive(Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Feeds it; a panic is a finding.
    pub feed: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 10] = [
    Target { name: "visitor", feed: visitor },
    Target { name: "crm", feed: crm },
    Target { name: "phone", feed: phone },
    Target { name: "token", feed: token },
    Target { name: "proof", feed: proven },
    Target { name: "webhook", feed: webhook_event },
    Target { name: "error", feed: error_body },
    Target { name: "window", feed: window },
    Target { name: "key", feed: key },
    Target { name: "fields", feed: fields },
];

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

/// Reads JSON as the doors do. What is read and written again reads the same.
fn read<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(input: &[u8]) -> Option<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(input);
    let value: T = object(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    let written = serde_json::to_vec(&value).unwrap_or_else(|error| panic!("it cannot be written: {error}"));
    let again: T =
        serde_json::from_slice(&written).unwrap_or_else(|error| panic!("it cannot be read again: {error}"));
    assert_eq!(value, again);
    Some(value)
}

fn rules() -> Rules {
    Rules {
        name: Presence::Required,
        email: Presence::Optional,
        reason: Presence::Optional,
        message: Presence::Optional,
        reasons: vec!["orders".to_owned()],
        consent_version: Some("1".to_owned()),
    }
}

fn visitor(input: &[u8]) {
    let Some(posted) = read::<NewCallback>(input) else { return };
    if posted.validate_with_args(&rules()).is_ok() {
        assert!(!field::trimmed(&posted.name).is_empty());
        assert!(!field::trimmed(&posted.name).chars().any(char::is_control));
        judge(&posted.phone, &posted.country);
    }
}

fn crm(input: &[u8]) {
    let _ = read::<CallbackChange>(input);
    let _ = read::<NewAgentLink>(input);
    let Some(posted) = read::<NewCrmCallback>(input) else { return };
    let rules = Rules { name: Presence::Optional, consent_version: None, ..rules() };
    if posted.validate_with_args(&rules).is_ok() {
        judge(&posted.phone, &posted.country);
    }
    for (name, value) in &posted.attributes {
        let _ = (field::attribute_key(name), field::attribute_value(value));
    }
}

fn phone(input: &[u8]) {
    let Some((country, typed)) = text(input).and_then(|text| text.split_once('\n')) else { return };
    judge(typed, country);
}

/// A number that may be called is in E.164 form, and is the same when it is read again.
fn judge(typed: &str, country: &str) {
    let allowed = ["US", "DE", "GB", "IT", "AR"].map(str::to_owned);
    for check in [NumberCheck::Valid, NumberCheck::Possible] {
        let Ok(number) = destination::parse(typed, country, &allowed, check) else { continue };
        assert_eq!(PhoneNumber::from_e164(number.e164()).as_ref(), Some(&number));
        let again = destination::parse(number.e164(), "", &allowed, check);
        assert_eq!(again.as_ref(), Ok(&number), "{typed:?} in {country:?}");
    }
}

/// Nobody writes a token that opens.
fn token(input: &[u8]) {
    static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
        let key = SigningKey::generate(now()).unwrap_or_else(|error| panic!("{error}"));
        Signer::new(vec![key], now()).unwrap_or_else(|error| panic!("{error}"))
    });
    let Some(token) = text(input) else { return };
    for purpose in [
        Purpose::Follow,
        Purpose::Join,
        Purpose::AgentLink,
        Purpose::Cursor,
        Purpose::Challenge,
        Purpose::Patience,
        Purpose::Opened,
        Purpose::AuthStart,
    ] {
        assert_eq!(SIGNER.open(purpose, token), None);
        let _ = Signer::peek(purpose, token);
    }
    let _ = AgentLink::site_hint(token);
    assert!(AgentLink::open(token, &SIGNER, now()).is_err());
}

/// What reads as a proof reads the same when it is written, and every puzzle has an answer that is one.
fn proven(input: &[u8]) {
    let Some(header) = text(input) else { return };
    let Some((challenge, number)) = proof::parse(header) else { return };
    assert_eq!(proof::parse(&proof::header(challenge, number)), Some((challenge, number)));
    let puzzle = Puzzle::new(challenge, 4);
    let solved = puzzle.search(number, 1 << 12);
    assert!(solved.is_none_or(|number| puzzle.is_solved_by(number)));
}

/// The first line is the header, the rest the body; nobody signs without the secret.
fn webhook_event(input: &[u8]) {
    let _ = webhook::read(input, now());
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (header, body) = input.split_at(end);
    let header = text(header);
    let _ = webhook::is_timely(body, header, now());
    let secret = SecretString::from("0123456789abcdef0123456789abcdef");
    assert!(!webhook::is_signed(body, header.unwrap_or_default(), &[secret]));
}

/// What Webex answered goes to the log: no number may be in it.
fn error_body(input: &[u8]) {
    let Some(body) = text(input) else { return };
    let read = error::envelope(body);
    let longest = |text: &str| {
        text.split(|character: char| !character.is_ascii_digit()).map(str::len).max().unwrap_or(0)
    };
    assert!(longest(&read.message) < 7, "{:?}", read.message);
}

fn window(input: &[u8]) {
    let Some(window) = text(input).and_then(Window::parse) else { return };
    assert_eq!(Window::parse(&window.as_text()), Some(window));
}

fn key(input: &[u8]) {
    let Some(text) = text(input) else { return };
    if let Some(id) = api_key::id_of(text) {
        assert!(text.starts_with(api_key::PREFIX) && text.contains(id));
    }
    assert_eq!(AgentName::parse(text).as_text(), text);
    if let Some(id) = callback::CallbackId::parse(text) {
        assert_eq!(id.to_string(), text);
    }
}

fn fields(input: &[u8]) {
    let Some(text) = text(input) else { return };
    if field::name(text, Presence::Required).is_ok() {
        assert!(!field::trimmed(text).chars().any(char::is_control));
    }
    let _ =
        (field::email(text, Presence::Required), field::message(text, Presence::Required), field::page(text));
    let _ = (field::locale(text), field::country(text), field::identifier(text), field::reference(text));
    let _ = (locale::matching(text), locale::best(text.split(',')));
    if field::phone(text).is_ok() {
        assert!(
            field::phone_digits(text)
                .chars()
                .all(|character| character.is_ascii_digit() || "+*#".contains(character)),
            "{text:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    /// Inputs that a target is fed with in each run.
    const INPUTS: u32 = 3000;

    /// The inputs to begin with, by target.
    fn seeds() -> BTreeMap<String, Vec<Vec<u8>>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
        let entries = |path: &Path| {
            let mut paths: Vec<_> = path.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
            paths.sort();
            paths
        };
        let of_target = |path: std::path::PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, entries(&path).iter().map(|seed| std::fs::read(seed).unwrap()).collect())
        };
        entries(&folder).into_iter().map(of_target).collect()
    }

    /// Changes bits, puts bytes and pieces in, and cuts off.
    fn mutated(seeds: &[Vec<u8>], chance: &mut fastrand::Rng) -> Vec<u8> {
        let mut input = seeds[chance.usize(..seeds.len())].clone();
        for _ in 0..chance.u32(1..6) {
            let place = chance.usize(..=input.len());
            match chance.u32(..4) {
                0 => input.insert(place, chance.u8(..)),
                1 => input.truncate(place),
                2 => {
                    let other = &seeds[chance.usize(..seeds.len())];
                    let from = chance.usize(..=other.len());
                    let piece: Vec<u8> = other[from..].iter().take(chance.usize(..24)).copied().collect();
                    input.splice(place..place, piece);
                }
                _ => {
                    if let Some(byte) = input.get_mut(place) {
                        *byte ^= 1 << chance.u32(..8);
                    }
                }
            }
        }
        input
    }

    #[test]
    fn every_target_takes_its_seeds_and_what_becomes_of_them() {
        let seeds = seeds();
        let names: Vec<&str> = seeds.keys().map(String::as_str).collect();
        let mut targets = TARGETS.map(|target| target.name);
        targets.sort_unstable();
        assert_eq!(names, targets);
        for target in &TARGETS {
            let seeds = &seeds[target.name];
            for seed in seeds {
                (target.feed)(seed);
            }
            let mut chance = fastrand::Rng::with_seed(1);
            for _ in 0..INPUTS {
                (target.feed)(&mutated(seeds, &mut chance));
            }
        }
    }
}
