//! The texts of the form, one file a language, from `widget/locales`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ringback_contract::form::Direction;
use ringback_contract::texts::Part;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/locales.rs"));
}

/// The language that has every text.
const FALLBACK: &str = "en";

/// The texts of one language.
#[derive(Clone, Debug)]
pub struct Locale {
    /// The language tag.
    pub name: &'static str,
    /// The direction of its script.
    pub direction: Direction,
    /// The texts, by key.
    pub texts: BTreeMap<String, String>,
}

impl Locale {
    /// The texts that a part of the widget says.
    pub fn texts_of(&self, part: Part) -> BTreeMap<String, String> {
        let said = self.texts.iter().filter(|(key, _)| Part::of(key) == part);
        said.map(|(key, text)| (key.clone(), text.clone())).collect()
    }

    /// The text of a key. A missing one reads as its key: ugly, and better than nothing to press on.
    pub fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The text of a key, with a value in the place of its mark. A text has one mark at most.
    pub fn with(&self, key: &str, value: &str) -> String {
        let text = self.text(key);
        match text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))) {
            Some((before, after)) => [before, value, after].concat(),
            None => text.to_owned(),
        }
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

/// Tags that mean one of our languages by another name: what is likely meant where a tag names no script or region
/// (Unicode CLDR, likely subtags), and names that came out of use.
const ALSO: [(&str, &str); 4] = [("cmn", "zh-Hans"), ("iw", "he"), ("pt", "pt-BR"), ("zh", "zh-Hans")];

/// The language that fits a tag, by lookup as in RFC 4647 section 3.4: `de-AT` finds `de`. Pages also write `de_AT`.
pub fn matching(tag: &str) -> Option<&'static Locale> {
    let tag = tag.trim().replace('_', "-");
    if is_traditional_chinese(&tag) {
        return None;
    }
    let mut tag = tag.as_str();
    loop {
        let also = ALSO.iter().find(|(also, _)| also.eq_ignore_ascii_case(tag));
        let wanted = also.map_or(tag, |(_, name)| name);
        let known = LOCALES.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        if let Some((_, locale)) = known {
            return Some(locale);
        }
        tag = tag.rsplit_once('-')?.0;
    }
}

/// Whether a tag asks for Chinese in its traditional script, by name or by where it is written: whoever reads that is not
/// shown the simplified one unasked, but what they prefer next.
fn is_traditional_chinese(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_chinese =
        parts.next().is_some_and(|language| ["zh", "cmn"].iter().any(|zh| zh.eq_ignore_ascii_case(language)));
    let names =
        |wanted: &[&str]| parts.clone().any(|part| wanted.iter().any(|name| name.eq_ignore_ascii_case(part)));
    is_chinese && !names(&["Hans"]) && names(&["Hant", "TW", "HK", "MO"])
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
        assert_eq!(name(&["no", "nb-NO", "pl"]), Some("pl"));
    }

    #[test]
    fn a_tag_finds_the_language_that_is_likely_meant() {
        for (tag, found) in [
            ("de-AT", "de"),
            ("de_CH", "de"),
            (" fr-CA", "fr"),
            ("pt", "pt-BR"),
            ("pt-PT", "pt-BR"),
            ("PT-br", "pt-BR"),
            ("iw", "he"),
            ("iw-IL", "he"),
            ("zh", "zh-Hans"),
            ("zh-CN", "zh-Hans"),
            ("zh-SG", "zh-Hans"),
            ("zh-Hans-HK", "zh-Hans"),
            ("cmn-Hans-CN", "zh-Hans"),
            ("ar-u-nu-latn", "ar"),
        ] {
            assert_eq!(matching(tag).map(|locale| locale.name), Some(found), "{tag}");
        }
    }

    #[test]
    fn traditional_chinese_gives_way_to_the_next_preference() {
        for tag in ["zh-TW", "zh-Hant", "zh_HK", "zh-MO", "zh-Hant-CN", "cmn-TW", "yue"] {
            assert!(matching(tag).is_none(), "{tag}");
            assert_eq!(best([tag, "ja"]).map(|locale| locale.name), Some("ja"), "{tag}");
        }
    }
}
