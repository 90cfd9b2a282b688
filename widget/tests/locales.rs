//! Every language says everything.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeMap;

use ringback_contract::callback::{Failure, State};
use ringback_contract::field::Code;

type Texts = BTreeMap<String, String>;

const LOCALES: [(&str, &str); 3] = [
    ("ar", include_str!("../locales/ar.json")),
    ("de", include_str!("../locales/de.json")),
    ("en", include_str!("../locales/en.json")),
];

fn texts(json: &str) -> Texts {
    serde_json::from_str(json).unwrap()
}

fn english() -> Texts {
    texts(include_str!("../locales/en.json"))
}

#[test]
fn every_locale_file_is_tested() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/locales");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert_eq!(files, LOCALES.map(|(locale, _)| locale));
}

#[test]
fn every_locale_has_the_keys_of_english_and_no_other() {
    let keys: Vec<_> = english().into_keys().collect();
    for (locale, json) in LOCALES {
        assert_eq!(texts(json).into_keys().collect::<Vec<_>>(), keys, "{locale}");
    }
}

#[test]
fn every_code_state_and_failure_has_a_text() {
    let texts = english();
    let codes = Code::ALL.iter().filter(|code| !code.is_for_servers()).map(|code| format!("error.{code}"));
    let states = State::ALL.iter().map(|state| format!("state.{}", state.as_str()));
    let details = State::ALL.iter().map(|state| format!("state.{}.detail", state.as_str()));
    let failures = Failure::ALL.iter().map(|failure| format!("failure.{}", failure.as_str()));
    for key in codes.chain(states).chain(details).chain(failures) {
        assert!(texts.contains_key(&key), "{key}");
    }
}

#[test]
fn every_text_says_something_and_keeps_the_marks_of_english() {
    for (locale, json) in LOCALES {
        let texts = texts(json);
        for (key, original) in english() {
            let text = &texts[&key];
            assert!(!text.trim().is_empty(), "{locale}: {key}");
            assert_eq!(mark(text), mark(&original), "{locale}: {key}");
        }
        assert!(["ltr", "rtl"].contains(&texts["meta.direction"].as_str()), "{locale}");
    }
}

/// The one mark that a text may hold, such as `{agent}`.
fn mark(text: &str) -> Option<&str> {
    let start = text.find('{')?;
    let end = text.find('}')?;
    assert_eq!(text.matches('{').count(), 1, "{text}");
    Some(&text[start..=end])
}
