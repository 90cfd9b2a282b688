//! The texts of the form, one file a language, from `widget/locales`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ringback_contract::form::Direction;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/locales.rs"));
}

/// The language that has every text.
const FALLBACK: &str = "en";

/// The texts of one language.
#[derive(Debug)]
pub struct Locale {
    /// The language tag.
    pub name: &'static str,
    /// The direction of its script.
    pub direction: Direction,
    /// The texts, by key.
    pub texts: BTreeMap<String, String>,
}

/// The start of the keys that the form has no use for: what the loader and the hosted pages say.
const NOT_OF_THE_FORM: [&str; 3] = ["loader.", "meta.", "page."];

impl Locale {
    /// The texts that the form needs.
    pub fn form_texts(&self) -> BTreeMap<String, String> {
        let needed =
            self.texts.iter().filter(|(key, _)| !NOT_OF_THE_FORM.iter().any(|start| key.starts_with(start)));
        needed.map(|(key, text)| (key.clone(), text.clone())).collect()
    }
}

static LOCALES: LazyLock<BTreeMap<&'static str, Locale>> = LazyLock::new(|| {
    embedded::LOCALES
        .iter()
        .filter_map(|(name, json)| {
            // A test reads every file, so none is left out here.
            let texts: BTreeMap<String, String> = serde_json::from_str(json).ok()?;
            let rtl = texts.get("meta.direction").is_some_and(|direction| direction == "rtl");
            let direction = if rtl { Direction::Rtl } else { Direction::Ltr };
            Some((*name, Locale { name, direction, texts }))
        })
        .collect()
});

/// The names of the languages.
pub fn names() -> Vec<&'static str> {
    LOCALES.keys().copied().collect()
}

/// The language of exactly that name.
pub fn exact(name: &str) -> Option<&'static Locale> {
    LOCALES.get(name)
}

/// The language that fits a tag, by lookup as in RFC 4647 section 3.4: `de-AT` finds `de`.
pub fn matching(tag: &str) -> Option<&'static Locale> {
    let mut tag = tag;
    loop {
        let known = LOCALES.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag));
        if let Some((_, locale)) = known {
            return Some(locale);
        }
        tag = tag.rsplit_once('-')?.0;
    }
}

/// The first of the wanted languages that there is, or English.
pub fn best<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Option<&'static Locale> {
    wanted.into_iter().find_map(matching).or_else(|| exact(FALLBACK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_file_is_read() {
        assert_eq!(LOCALES.len(), embedded::LOCALES.len());
        assert!(exact(FALLBACK).is_some());
    }

    #[test]
    fn a_language_is_found_by_its_first_part_and_english_stands_in_for_the_rest() {
        let name = |wanted: &[&str]| best(wanted.iter().copied()).map(|locale| locale.name);
        assert_eq!(name(&["en-GB"]), Some("en"));
        assert_eq!(name(&["xx", "EN"]), Some("en"));
        assert_eq!(name(&["xx", ""]), Some("en"));
    }
}
