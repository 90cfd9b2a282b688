//! What a browser or a CRM posts. Unknown fields are refused, so that a misspelt one is told and not lost.
//!
//! An empty string and an absent field mean the same: a form sends what its fields hold.
//!
//! With the feature `validator` the requests derive `validator::Validate`; each of its custom functions calls one
//! rule of [`crate::field`] and nothing else.

use core::fmt;
use core::marker::PhantomData;
use std::collections::BTreeMap;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::field::Presence;

/// The header that carries a client-made key, so that a repeated post has the effect of one
/// (IETF draft `httpapi-idempotency-key-header`): 1 to 128 visible ASCII characters.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// A visitor's request to be called, as posted to `/v1/sites/{site}/callbacks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "validator", derive(validator::Validate), validate(context = Rules))]
#[serde(deny_unknown_fields)]
pub struct NewCallback {
    /// The visitor's name.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::name, use_context)))]
    #[serde(default)]
    pub name: String,
    /// The number to call, as typed.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::phone)))]
    #[cfg_attr(feature = "openapi", schema(required))]
    #[serde(default)]
    pub phone: String,
    /// The country whose dialling rules the number follows when it has no `+`: ISO 3166-1 alpha-2.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::country)))]
    #[serde(default)]
    pub country: String,
    /// The visitor's e-mail address.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::email, use_context)))]
    #[serde(default)]
    pub email: String,
    /// The id of one of the site's reasons.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::reason, use_context)))]
    #[serde(default)]
    pub reason: String,
    /// Free text for the agent.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::message, use_context)))]
    #[serde(default)]
    pub message: String,
    /// Whether the visitor agreed to be called, and to which text.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::consent, use_context)))]
    #[serde(default, deserialize_with = "object")]
    pub consent: Consent,
    /// The address of the page that held the form.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::page)))]
    #[serde(default)]
    pub page: String,
    /// The language of the form.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::locale)))]
    #[serde(default)]
    pub locale: String,
    /// The token of a preferred-agent link; empty for the next free agent. Judged by the service alone.
    #[serde(default)]
    pub agent: String,
    /// When to call; absent for as soon as possible. Judged by the service alone, which has the calendar.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What stands in the operator's own fields, by their ids: a text, the id of a choice, or whether a box is ticked. Judged by
    /// the service, which knows the site's.
    // Left out where there are none, so that the digest of a request that was kept by a version without them holds.
    #[serde(default, deserialize_with = "answers", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FieldValue>,
    /// The member `opened` of the form's description: whoever sends it back within its `typing_ms` is no person. Empty where there was no
    /// form.
    // Both of these are left out where they are empty, so that the digest of a request that was kept by a version without them holds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub opened: String,
    /// A field that no person sees. Leave it empty: a request that fills it in is answered, and comes to nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub website: String,
}

/// A CRM's request to call somebody, as posted to `/v1/callbacks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "validator", derive(validator::Validate), validate(context = Rules))]
#[serde(deny_unknown_fields)]
pub struct NewCrmCallback {
    /// The site on whose behalf the call is made; the key must be for it. Judged by the service alone.
    pub site: String,
    /// The person's name.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::name, use_context)))]
    #[serde(default)]
    pub name: String,
    /// The number to call.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::phone)))]
    #[cfg_attr(feature = "openapi", schema(required))]
    #[serde(default)]
    pub phone: String,
    /// The country whose dialling rules the number follows when it has no `+`: ISO 3166-1 alpha-2.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::country)))]
    #[serde(default)]
    pub country: String,
    /// The person's e-mail address.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::email, use_context)))]
    #[serde(default)]
    pub email: String,
    /// The id of one of the site's reasons.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::reason, use_context)))]
    #[serde(default)]
    pub reason: String,
    /// Free text for the agent.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::message, use_context)))]
    #[serde(default)]
    pub message: String,
    /// The preferred agent: the handle or the e-mail address of a configured one; empty for the next free agent. Judged
    /// by the service alone.
    #[serde(default)]
    pub agent: String,
    /// The CRM's own reference, given back with the callback.
    #[cfg_attr(feature = "validator", validate(custom(function = checked::reference)))]
    #[serde(default)]
    pub reference: String,
    /// When to call; absent for as soon as possible. Judged by the service alone, which has the calendar.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Whether a call of its own is wanted, though another to this number is on its way.
    #[serde(default)]
    pub another: bool,
    /// Whether to call outside of the site's opening hours, too, and in a slot that is full: the person has agreed to it.
    // Left out where it is not so, so that the digest of a request that was kept by a version without it holds.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub ignore_hours: bool,
    /// What stands in the operator's own fields, by their ids: a text, the id of a choice, or whether a box is ticked. Judged by
    /// the service, which knows the site's.
    // Left out where there are none, so that the digest of a request that was kept by a version without them holds.
    #[serde(default, deserialize_with = "answers", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FieldValue>,
    /// Attributes of the Webex task beside those that the site sets: global variables of its flow. Judged by the service,
    /// which knows the site's own.
    // Left out where there are none, so that the digest of a request that was kept by a version without them holds.
    #[serde(default, deserialize_with = "texts", skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// A CRM's request for a preferred-agent link, as posted to `/v1/agent-links`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewAgentLink {
    /// The site that the link is for; the key must be for it.
    pub site: String,
    /// The agent: the handle or the e-mail address of a configured one.
    pub agent: String,
    /// How long the link lives, in seconds: at most two years.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 63_072_000))]
    #[serde(default = "usual_lifetime_s")]
    pub lifetime_s: u64,
}

/// How long a preferred-agent link lives that names no other time: 30 days.
const fn usual_lifetime_s() -> u64 {
    30 * 24 * 60 * 60
}

/// Whether the visitor agreed to be called, and to which text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// The box was ticked.
    #[serde(default)]
    pub accepted: bool,
    /// The version of the text beside the box, as the form description gave it.
    #[serde(default)]
    pub version: String,
}

/// When somebody wants to be called: a window of one day, by the clocks of a time zone.
///
/// Local times and a zone, and not two instants: what people agree on is the clock on the wall, which an instant loses
/// when a zone changes its rules; and Webex asks for the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The day: `YYYY-MM-DD`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^\\d{4}-\\d{2}-\\d{2}$"))]
    #[serde(default)]
    pub date: String,
    /// The time at which the window begins: `HH:MM` or `HH:MM:SS`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^\\d{2}:\\d{2}(:\\d{2})?$"))]
    #[serde(default)]
    pub start: String,
    /// The time at which it ends, on the same day.
    #[cfg_attr(feature = "openapi", schema(pattern = "^\\d{2}:\\d{2}(:\\d{2})?$"))]
    #[serde(default)]
    pub end: String,
    /// The zone whose clocks are meant, by its IANA name; empty: the site's.
    #[serde(default)]
    pub timezone: String,
}

/// Another time or another number for a callback, as sent with `PATCH` to `/v1/callbacks/{id}`: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CallbackChange {
    /// When to call instead; absent where the time stays.
    #[serde(default, deserialize_with = "optional_object", skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// The number to call instead, as typed; empty where the number stays.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// The country whose dialling rules that number follows when it has no `+`: ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// Whether that may be outside of the site's opening hours, or in a slot that is full; with an API key alone.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub ignore_hours: bool,
}

/// Reads a value from a JSON object, or none from `null`.
fn optional_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    struct Optional<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Optional<T> {
        type Value = Option<T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object or null")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            object(deserializer).map(Some)
        }
    }

    deserializer.deserialize_option(Optional(PhantomData))
}

/// Reads a value from a JSON object and from nothing else. Derived code would also take an array, member by member
/// in the order of the fields, which nobody means.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Object(PhantomData))
}

/// Reads an object of texts.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    deserializer.deserialize_map(Members { what: "an object of strings", of: PhantomData })
}

/// Reads an object of answers.
fn answers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, FieldValue>, D::Error> {
    deserializer.deserialize_map(Members { what: "an object of strings and booleans", of: PhantomData })
}

/// Reads an object of any members. A map would take the last of two members of one name, which nobody means.
struct Members<T> {
    what: &'static str,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.what)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, member)) = map.next_entry()? {
            if members.insert(name, member).is_some() {
                return Err(de::Error::custom(format_args!("duplicate field in {}", self.what)));
            }
        }
        Ok(members)
    }
}

/// What stands in one of the operator's own fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum FieldValue {
    /// A text, or the id of a choice.
    Text(String),
    /// Whether a box is ticked.
    Checked(bool),
}

/// Derived code would tell of variants, which are no word of the contract's.
impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrBoolean;

        impl Visitor<'_> for TextOrBoolean {
            type Value = FieldValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a boolean")
            }

            fn visit_bool<E>(self, checked: bool) -> Result<Self::Value, E> {
                Ok(FieldValue::Checked(checked))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(FieldValue::Text(text.to_owned()))
            }
        }

        deserializer.deserialize_any(TextOrBoolean)
    }
}

/// What a site asks of a request: the part of the rules that its operator chooses.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whether the name must be given.
    pub name: Presence,
    /// Whether the e-mail address must be given.
    pub email: Presence,
    /// Whether a reason must be chosen.
    pub reason: Presence,
    /// Whether free text must be given.
    pub message: Presence,
    /// The ids of the site's reasons.
    pub reasons: Vec<String>,
    /// The version of the consent text in force; `None` where none is asked for.
    pub consent_version: Option<String>,
}

/// The bridge to `validator`: each function calls one rule.
#[cfg(feature = "validator")]
mod checked {
    use validator::ValidationError;

    use super::{Consent, Rules};
    use crate::field::{self, Code};

    type Outcome = Result<(), ValidationError>;

    fn told(result: Result<(), Code>) -> Outcome {
        result.map_err(|code| ValidationError::new(code.as_str()).with_message(code.message().into()))
    }

    pub(super) fn name(value: &str, rules: &Rules) -> Outcome {
        told(field::name(value, rules.name))
    }

    pub(super) fn phone(value: &str) -> Outcome {
        told(field::phone(value))
    }

    pub(super) fn country(value: &str) -> Outcome {
        told(field::country(value))
    }

    pub(super) fn email(value: &str, rules: &Rules) -> Outcome {
        told(field::email(value, rules.email))
    }

    pub(super) fn reason(value: &str, rules: &Rules) -> Outcome {
        told(field::reason(value, rules.reasons.iter().map(String::as_str), rules.reason))
    }

    pub(super) fn message(value: &str, rules: &Rules) -> Outcome {
        told(field::message(value, rules.message))
    }

    pub(super) fn consent(value: &Consent, rules: &Rules) -> Outcome {
        told(field::consent(value.accepted, &value.version, rules.consent_version.as_deref()))
    }

    pub(super) fn page(value: &str) -> Outcome {
        told(field::page(value))
    }

    pub(super) fn locale(value: &str) -> Outcome {
        told(field::locale(value))
    }

    pub(super) fn reference(value: &str) -> Outcome {
        told(field::reference(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_stands_once_and_is_text() {
        let read = |text: &str| serde_json::from_str::<NewCrmCallback>(text);
        let posted = read(r#"{"site": "acme", "attributes": {"b": "2", "a": "1"}}"#).unwrap();
        assert_eq!(posted.attributes.keys().collect::<Vec<_>>(), ["a", "b"]);
        for bad in [r#"{"a": "1", "a": "2"}"#, r#"{"a": 1}"#, r#"["a"]"#, "null", r#"{"a": {}}"#] {
            assert!(read(&format!(r#"{{"site": "acme", "attributes": {bad}}}"#)).is_err(), "{bad}");
        }
        let without = read(r#"{"site": "acme"}"#).unwrap();
        assert!(!serde_json::to_string(&without).unwrap().contains("attributes"));
    }

    #[test]
    fn an_answer_stands_once_and_is_a_text_or_a_box() {
        let read = |text: &str| serde_json::from_str::<NewCallback>(text);
        let posted = read(r#"{"fields": {"order": "4711", "member": true}}"#).unwrap();
        assert_eq!(posted.fields["order"], FieldValue::Text("4711".to_owned()));
        assert_eq!(posted.fields["member"], FieldValue::Checked(true));
        for bad in
            [r#"{"a": "1", "a": true}"#, r#"{"a": 1}"#, r#"{"a": null}"#, r#"["a"]"#, "null", r#"{"a": {}}"#]
        {
            assert!(read(&format!(r#"{{"fields": {bad}}}"#)).is_err(), "{bad}");
        }
        assert!(!serde_json::to_string(&read("{}").unwrap()).unwrap().contains("fields"));
    }

    #[test]
    fn only_an_object_is_an_object() {
        let read = |text: &str| serde_json::from_str::<NewCallback>(text);
        assert!(read(r#"{"consent": {"accepted": true, "version": "1"}}"#).unwrap().consent.accepted);
        for bad in
            [r#"{"consent": [true, "1"]}"#, r#"{"consent": null}"#, r#"{"consent": {"accpeted": true}}"#]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
        let whole = |text: &str| object::<_, NewCallback>(&mut serde_json::Deserializer::from_str(text));
        assert!(whole("{}").is_ok());
        assert!(whole(r#"["Ann", "+1 202 555 0142"]"#).is_err());
    }
}
