//! Every language says everything.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeMap;

use ringback_contract::callback::{Failure, State};
use ringback_contract::field::Code;

type Texts = BTreeMap<String, String>;

const LANGUAGES: [&str; 16] =
    ["ar", "de", "en", "es", "fr", "he", "hi", "it", "ja", "ko", "nl", "pl", "pt-BR", "tr", "uk", "zh-Hans"];

fn read(locale: &str) -> Texts {
    let path = format!("{}/locales/{locale}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn every() -> impl Iterator<Item = (&'static str, Texts)> {
    LANGUAGES.into_iter().map(|locale| (locale, read(locale)))
}

#[test]
fn there_are_the_sixteen_languages_and_no_other_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/locales");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, LANGUAGES.map(|locale| format!("{locale}.json")));
}

#[test]
fn every_locale_has_the_keys_of_english_and_no_other() {
    let english = read("en");
    for (locale, texts) in every() {
        let missing: Vec<_> = english.keys().filter(|key| !texts.contains_key(*key)).collect();
        let extra: Vec<_> = texts.keys().filter(|key| !english.contains_key(*key)).collect();
        assert_eq!((missing, extra), (vec![], vec![]), "missing and extra in {locale}");
    }
}

#[test]
fn no_key_stands_twice() {
    for locale in LANGUAGES {
        let path = format!("{}/locales/{locale}.json", env!("CARGO_MANIFEST_DIR"));
        let lines = std::fs::read_to_string(path).unwrap().matches("\": \"").count();
        assert_eq!(lines, read(locale).len(), "{locale}");
    }
}

#[test]
fn every_code_state_and_failure_has_a_text() {
    let texts = read("en");
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
    let english = read("en");
    for (locale, texts) in every() {
        for (key, original) in &english {
            let text = &texts[key];
            assert!(!text.is_empty() && text.trim() == text, "{locale}: {key}: {text:?}");
            assert_eq!(mark(text), mark(original), "{locale}: {key}");
        }
    }
}

#[test]
fn every_language_has_texts_of_its_own() {
    let english = read("en");
    for (locale, texts) in every().filter(|(locale, _)| *locale != "en") {
        let same: Vec<_> =
            texts.iter().filter(|(key, text)| english[*key] == **text).map(|(key, _)| key).collect();
        assert_eq!(
            same,
            ["meta.direction"].iter().filter(|_| texts["meta.direction"] == "ltr").collect::<Vec<_>>(),
            "{locale}"
        );
    }
}

#[test]
fn a_text_holds_no_invisible_character_but_where_its_script_needs_one() {
    for (locale, texts) in every() {
        for (key, text) in &texts {
            for character in text.chars().filter(|character| is_invisible(*character)) {
                let needed = match locale {
                    // Before a colon or a question mark no line may end.
                    "fr" => character == '\u{a0}',
                    // The plus sign of a number stands left of its digits.
                    "ar" | "he" => character == '\u{200e}' && key == "error.phone_not_valid",
                    _ => false,
                };
                assert!(needed, "{locale}: {key}: {character:?}");
            }
        }
    }
}

fn is_invisible(character: char) -> bool {
    let is_space = character.is_whitespace() && character != ' ';
    let is_mark = matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}');
    character.is_control() || is_space || is_mark
}

#[test]
fn the_direction_of_a_language_is_that_of_its_letters() {
    for (locale, texts) in every() {
        let written = texts.iter().filter(|(key, _)| !key.starts_with("meta."));
        for (key, text) in written {
            let leftward = text.chars().filter(|letter| is_leftward(*letter)).count();
            match texts["meta.direction"].as_str() {
                "ltr" => assert_eq!(leftward, 0, "{locale}: {key}"),
                "rtl" => assert!(leftward >= 3, "{locale}: {key}"),
                other => panic!("{locale}: {other}"),
            }
        }
    }
}

/// The letters of Hebrew and Arabic.
fn is_leftward(letter: char) -> bool {
    matches!(letter, '\u{5d0}'..='\u{5ea}' | '\u{620}'..='\u{6d3}')
}

#[test]
fn a_language_is_written_in_its_own_script() {
    for (locale, texts) in every() {
        let is_own = |letter: char| match locale {
            "ar" => matches!(letter, '\u{600}'..='\u{6ff}'),
            "he" => matches!(letter, '\u{590}'..='\u{5ff}'),
            "hi" => matches!(letter, '\u{900}'..='\u{97f}'),
            "ja" => matches!(letter, '\u{3000}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'),
            "ko" => matches!(letter, '\u{ac00}'..='\u{d7a3}'),
            "zh-Hans" => matches!(letter, '\u{4e00}'..='\u{9fff}'),
            "uk" => matches!(letter, '\u{400}'..='\u{4ff}'),
            _ => letter <= '\u{17f}',
        };
        for (key, text) in texts.iter().filter(|(key, _)| *key != "meta.direction") {
            // Marks, addresses and names of products are the same in every language.
            let words = text.replace("name@example.com", "").replace("JavaScript", "");
            let words = mark(text).map_or(words.clone(), |mark| words.replace(mark, ""));
            let foreign: String =
                words.chars().filter(|letter| letter.is_alphabetic() && !is_own(*letter)).collect();
            assert_eq!(foreign, "", "{locale}: {key}");
        }
    }
}

/// The one mark that a text may hold, such as `{agent}`.
fn mark(text: &str) -> Option<&str> {
    assert!(
        text.matches('{').count() <= 1 && text.matches('{').count() == text.matches('}').count(),
        "{text}"
    );
    let start = text.find('{')?;
    let end = text.find('}')?;
    Some(&text[start..=end])
}
