//! What visitors read, in one language or in several.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

/// A text that the operator writes: one for every language, or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// The same in every language.
    Text(String),
    /// By the tag of the language.
    ByLanguage(BTreeMap<String, String>),
}

impl Label {
    /// The text for a language: its own, else that of its first part (`pt` for `pt-BR`), else that of the site's usual one.
    pub fn of(&self, language: &str, usual: &str) -> &str {
        match self {
            Self::Text(text) => text,
            Self::ByLanguage(texts) => [language, usual]
                .into_iter()
                .find_map(|wanted| found(texts, wanted))
                // The configuration is refused where the usual one is missing.
                .unwrap_or_default(),
        }
    }

    /// Whether there is a text for that language.
    pub fn is_for(&self, language: &str) -> bool {
        match self {
            Self::Text(_) => true,
            Self::ByLanguage(texts) => found(texts, language).is_some(),
        }
    }

    /// Every text, with its language where it has one.
    pub fn texts(&self) -> Vec<(Option<&str>, &str)> {
        match self {
            Self::Text(text) => vec![(None, text)],
            Self::ByLanguage(texts) => {
                texts.iter().map(|(language, text)| (Some(language.as_str()), text.as_str())).collect()
            }
        }
    }
}

/// The text of a tag or of what it begins with (RFC 4647 section 3.4).
fn found<'a>(texts: &'a BTreeMap<String, String>, tag: &str) -> Option<&'a str> {
    let mut tag = tag;
    loop {
        if let Some((_, text)) = texts.iter().find(|(language, _)| language.eq_ignore_ascii_case(tag)) {
            return Some(text);
        }
        tag = tag.rsplit_once('-')?.0;
    }
}

/// Derived code would say that the value is of no variant, which tells nobody what to write.
impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;

        impl<'de> Visitor<'de> for TextOrTable {
            type Value = Label;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a text, or a table of texts by language")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Label::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(Label::ByLanguage)
            }
        }

        deserializer.deserialize_any(TextOrTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(toml: &str) -> Result<Label, toml::de::Error> {
        #[derive(Deserialize)]
        struct Holder {
            label: Label,
        }
        toml::from_str::<Holder>(toml).map(|holder| holder.label)
    }

    #[test]
    fn one_text_is_for_every_language() {
        let label = label("label = 'Order number'").unwrap();
        assert_eq!((label.of("de", "en"), label.is_for("de")), ("Order number", true));
    }

    #[test]
    fn each_language_has_its_text_and_the_usual_one_stands_in_for_the_others() {
        let label = label("label = { en = 'Order', pt = 'Pedido', de = 'Bestellung' }").unwrap();
        assert_eq!(label.of("pt-BR", "en"), "Pedido");
        assert_eq!(label.of("ja", "de"), "Bestellung");
        assert_eq!(label.of("DE", "en"), "Bestellung");
        assert!(label.is_for("de-AT") && !label.is_for("ja"));
    }

    #[test]
    fn what_else_is_written_there_is_told() {
        let told = label("label = 5").unwrap_err();
        assert!(told.message().contains("expected a text, or a table of texts by language"), "{told}");
        assert!(label("label = { en = 5 }").is_err());
    }
}
