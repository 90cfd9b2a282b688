//! The fields of a form: those that every site knows, and the operator's own.

use std::collections::BTreeMap;

use ringback_contract::field::{self, CUSTOM_FIELDS_MAX, Code, NAME_MAX, Presence, trimmed};
use ringback_contract::form::FieldName;
use ringback_contract::request::FieldValue;
use serde::Deserialize;

use super::{Label, Site};
use crate::door::Door;
use crate::personal::Personal;

/// A field that a form shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum FieldId {
    /// One that every site knows.
    Known(FieldName),
    /// One of the operator's own.
    Custom(String),
}

impl FieldId {
    /// The name or the id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(name) => name.as_str(),
            Self::Custom(id) => id,
        }
    }
}

impl From<String> for FieldId {
    fn from(text: String) -> Self {
        FieldName::parse(&text).map_or(Self::Custom(text), Self::Known)
    }
}

/// A field of the operator's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomField {
    /// What a request names it by.
    pub id: String,
    /// What is filled in.
    pub kind: CustomKind,
    /// What visitors see.
    pub label: Label,
    /// The longest text, in characters.
    #[serde(default = "default_max_length")]
    pub max_length: usize,
    /// What there is to choose from.
    #[serde(default)]
    pub choices: Vec<CustomChoice>,
    /// What the browser may fill it in with; empty: it is not told.
    #[serde(default)]
    pub autocomplete: String,
}

/// What is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomKind {
    /// One line of text.
    Text,
    /// One of the choices.
    Choice,
    /// A box to tick.
    Checkbox,
}

/// One of the choices of a field.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomChoice {
    /// What a request names it by.
    pub id: String,
    /// What visitors see.
    pub label: Label,
}

const fn default_max_length() -> usize {
    NAME_MAX
}

/// What a person has put into a field of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A text, or the id of a choice.
    Text(Personal),
    /// Whether a box is ticked.
    Checked(bool),
}

impl Answer {
    /// The answer of a request; `None` where it is empty, which is as good as none.
    pub fn of(value: &FieldValue) -> Option<Self> {
        match value {
            FieldValue::Text(text) if trimmed(text).is_empty() => None,
            FieldValue::Text(text) => Some(Self::Text(Personal::new(trimmed(text)))),
            FieldValue::Checked(checked) => Some(Self::Checked(*checked)),
        }
    }

    /// The answer in clear, for the store and for whoever may read it.
    pub fn reveal(&self) -> FieldValue {
        match self {
            Self::Text(text) => FieldValue::Text(text.reveal().to_owned()),
            Self::Checked(checked) => FieldValue::Checked(*checked),
        }
    }
}

/// Answers, by the ids of their fields.
pub type Answers = BTreeMap<String, Answer>;

impl CustomField {
    /// What is wrong with an answer, if anything.
    fn judge(&self, value: Option<&FieldValue>, presence: Presence) -> Result<(), Code> {
        let empty = FieldValue::Text(String::new());
        match (self.kind, value.unwrap_or(&empty)) {
            (CustomKind::Text, FieldValue::Text(text)) => field::text(text, self.max_length, presence),
            (CustomKind::Choice, FieldValue::Text(id)) => {
                field::choice(id, self.choices.iter().map(|choice| choice.id.as_str()), presence)
            }
            (CustomKind::Checkbox, FieldValue::Checked(checked)) => field::checkbox(*checked, presence),
            // A form without scripts may send the text of a box that is not ticked.
            (CustomKind::Checkbox, FieldValue::Text(text)) if text.is_empty() => {
                field::checkbox(false, presence)
            }
            _ => Err(Code::WrongType),
        }
    }

    /// The choice of that id.
    pub fn choice(&self, id: &str) -> Option<&CustomChoice> {
        self.choices.iter().find(|choice| choice.id == id)
    }
}

impl Site {
    /// The operator's own field of that id.
    pub fn custom_field(&self, id: &str) -> Option<&CustomField> {
        self.custom_fields.iter().find(|field| field.id == id)
    }

    /// What is wrong with the answers of a request: the id of the field and why, or an empty id where it is all of them.
    /// Nothing must be there where `lenient`.
    pub fn judge_answers(&self, posted: &BTreeMap<String, FieldValue>, lenient: bool) -> Vec<(String, Code)> {
        // No site has so many, so some are unknown: one word is enough for all.
        if posted.len() > CUSTOM_FIELDS_MAX {
            return vec![(String::new(), Code::TooMany)];
        }
        let unknown = posted.keys().filter(|id| self.custom_field(id).is_none());
        let unknown = unknown.map(|id| (id.clone(), Code::UnknownField));
        let judged = self.custom_fields.iter().filter_map(|field| {
            let id = FieldId::Custom(field.id.clone());
            let presence = if lenient { Presence::Optional } else { self.presence(&id) };
            let code = field.judge(posted.get(&field.id), presence).err()?;
            Some((field.id.clone(), code))
        });
        let mut wrong: Vec<_> = unknown.chain(judged).collect();
        wrong.sort_by(|left, right| left.0.cmp(&right.0));
        wrong
    }

    /// The answers of a request. Of a visitor, who has seen the form, a box that is not ticked is an answer too, sent or not.
    pub fn answers(&self, posted: &BTreeMap<String, FieldValue>, door: Door) -> Answers {
        let boxes = self
            .custom_fields
            .iter()
            .filter(|field| door == Door::Site && field.kind == CustomKind::Checkbox);
        let boxes = boxes.map(|field| (field.id.clone(), Answer::Checked(false)));
        boxes.chain(posted.iter().filter_map(|(id, value)| Some((id.clone(), Answer::of(value)?)))).collect()
    }

    /// What agents and flows read of an answer: the words of a choice in the site's own language, `true` or `false` of a box.
    pub fn answer_text<'a>(&'a self, answers: &'a Answers, id: &str) -> &'a str {
        match answers.get(id) {
            None => "",
            Some(Answer::Checked(true)) => "true",
            Some(Answer::Checked(false)) => "false",
            Some(Answer::Text(text)) => {
                let chosen = self.custom_field(id).and_then(|field| field.choice(text.reveal()));
                // What was chosen may be gone from the configuration since.
                chosen.map_or(text.reveal(), |choice| choice.label.of(&self.locale, &self.locale))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        toml::from_str(
            r#"
            name = "Acme Outdoor"
            entry_point = "e"
            locale = "de"
            fields = ["order_number", "phone", "product", "member"]
            required = ["order_number", "phone", "member"]
            custom_fields = [
                { id = "order_number", kind = "text", label = "Order number", max_length = 5 },
                { id = "product", kind = "choice", label = "Product", choices = [
                    { id = "tent", label = { en = "A tent", de = "Ein Zelt" } },
                ] },
                { id = "member", kind = "checkbox", label = "I am a member" },
            ]
            "#,
        )
        .unwrap()
    }

    fn answers(values: &[(&str, FieldValue)]) -> BTreeMap<String, FieldValue> {
        values.iter().map(|(id, value)| ((*id).to_owned(), value.clone())).collect()
    }

    fn text(text: &str) -> FieldValue {
        FieldValue::Text(text.to_owned())
    }

    #[test]
    fn each_answer_is_judged_by_the_rule_of_its_field() {
        let site = site();
        let sound = [
            ("order_number", text(" 47-11 ")),
            ("product", text("tent")),
            ("member", FieldValue::Checked(true)),
        ];
        assert_eq!(site.judge_answers(&answers(&sound), false), []);
        for (id, value, code) in [
            ("order_number", text("471100"), Code::TooLong),
            ("order_number", text("47\u{202e}"), Code::ControlCharacter),
            ("order_number", text("  "), Code::Required),
            ("order_number", FieldValue::Checked(true), Code::WrongType),
            ("product", text("boat"), Code::ChoiceUnknown),
            ("product", FieldValue::Checked(false), Code::WrongType),
            ("member", FieldValue::Checked(false), Code::Required),
            ("member", text(""), Code::Required),
            ("member", text("true"), Code::WrongType),
            ("shoe_size", text("42"), Code::UnknownField),
        ] {
            let mut posted = answers(&sound);
            posted.insert(id.to_owned(), value.clone());
            assert_eq!(site.judge_answers(&posted, false), [(id.to_owned(), code)], "{value:?}");
        }
    }

    #[test]
    fn whoever_is_lenient_misses_nothing() {
        let site = site();
        assert_eq!(site.judge_answers(&BTreeMap::new(), true), []);
        let missing: Vec<_> = ["member", "order_number"].map(|id| (id.to_owned(), Code::Required)).into();
        assert_eq!(site.judge_answers(&BTreeMap::new(), false), missing);
    }

    #[test]
    fn more_answers_than_any_site_asks_for_are_told_in_one_word() {
        let many = (0..=CUSTOM_FIELDS_MAX).map(|index| (format!("f{index}"), text("x"))).collect();
        assert_eq!(site().judge_answers(&many, false), [(String::new(), Code::TooMany)]);
    }

    #[test]
    fn an_answer_reads_as_agents_and_flows_need_it() {
        let site = site();
        let given = [
            ("order_number", text(" 47-11 ")),
            ("product", text("tent")),
            ("member", FieldValue::Checked(false)),
        ];
        let read = site.answers(&answers(&given), Door::Site);
        let told = |id| site.answer_text(&read, id);
        assert_eq!((told("order_number"), told("product"), told("member")), ("47-11", "Ein Zelt", "false"));
        assert_eq!(told("nobody"), "");
        let gone = Answers::from([("product".to_owned(), Answer::Text(Personal::new("boat")))]);
        assert_eq!(site.answer_text(&gone, "product"), "boat");
        assert!(!format!("{read:?}").contains("47-11"));
        assert_eq!(Answer::of(&text("  ")), None);
        // Whoever saw a box and left it has said no; of a program that does not name it nothing is known.
        let boxes = |door| site.answers(&BTreeMap::new(), door);
        assert_eq!(boxes(Door::Site), Answers::from([("member".to_owned(), Answer::Checked(false))]));
        assert!(boxes(Door::Crm).is_empty());
    }
}
