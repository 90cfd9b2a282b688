//! Which fields a form shows, and the operator's own.

use std::collections::HashSet;

use ringback_contract::field::{self, CHOICES_MAX, CUSTOM_FIELDS_MAX, CUSTOM_TEXT_MAX, Presence};
use ringback_contract::form::FieldName;

use super::Findings;
use crate::locale;
use crate::site::{CustomField, CustomKind, FieldId, Label, Site};

/// What a browser may fill in: the names of HTML's autofill (WHATWG HTML, "Autofilling form controls"), without those of
/// passwords and payment, which are no business of a form for callbacks.
const AUTOFILL: [&str; 37] = [
    "additional-name",
    "address-level1",
    "address-level2",
    "address-level3",
    "address-level4",
    "address-line1",
    "address-line2",
    "address-line3",
    "bday",
    "bday-day",
    "bday-month",
    "bday-year",
    "country",
    "country-name",
    "email",
    "family-name",
    "given-name",
    "honorific-prefix",
    "honorific-suffix",
    "impp",
    "language",
    "name",
    "nickname",
    "off",
    "on",
    "organization",
    "organization-title",
    "photo",
    "postal-code",
    "sex",
    "street-address",
    "tel",
    "tel-extension",
    "tel-national",
    "url",
    "username",
    "transaction-currency",
];

/// The members of a visitor's request.
const MEMBERS: [&str; 14] = [
    "agent", "consent", "country", "email", "fields", "locale", "message", "name", "opened", "page", "phone",
    "reason", "schedule", "website",
];

pub(super) fn check(key: &str, site: &Site, found: &mut Findings) {
    shown(key, site, found);
    found.require(
        site.custom_fields.len() <= CUSTOM_FIELDS_MAX,
        format!("{key}.custom_fields"),
        format!("{} fields of your own are too many for a form", site.custom_fields.len()),
        format!("keep {CUSTOM_FIELDS_MAX} at most"),
    );
    let mut ids = HashSet::new();
    for field in &site.custom_fields {
        found.require(
            ids.insert(field.id.as_str()),
            format!("{key}.custom_fields.{}", field.id),
            format!("the id {:?} stands twice", field.id),
            "give each field an id of its own",
        );
        custom_field(key, field, site, found);
    }
}

fn shown(key: &str, site: &Site, found: &mut Findings) {
    let distinct: HashSet<_> = site.fields.iter().map(FieldId::as_str).collect();
    found.require(
        distinct.len() == site.fields.len() && site.fields.contains(&FieldId::Known(FieldName::Phone)),
        format!("{key}.fields"),
        "a field stands twice, or `phone` is missing",
        "list each field once, and phone among them",
    );
    for field in site.required.iter().filter(|field| !site.fields.contains(field)) {
        found.add(
            format!("{key}.required"),
            format!("{:?} is required and not shown", field.as_str()),
            format!("add it to {key}.fields, or remove it here"),
        );
    }
    for field in &site.fields {
        if let FieldId::Custom(id) = field
            && site.custom_field(id).is_none()
        {
            found.add(
                format!("{key}.fields"),
                format!("there is no field {id:?}"),
                format!(
                    "use {}, or add a [[{key}.custom_fields]] of that id",
                    FieldName::ALL.map(FieldName::as_str).join(", ")
                ),
            );
        }
    }
}

fn custom_field(key: &str, field: &CustomField, site: &Site, found: &mut Findings) {
    let id = FieldId::Custom(field.id.clone());
    let key = format!("{key}.custom_fields.{}", field.id);
    found.require(
        field::identifier(&field.id).is_ok(),
        &key,
        "this is not an identifier",
        format!("use 1 to {} lower-case letters, digits, - and _", field::IDENTIFIER_MAX),
    );
    found.require(
        !is_taken(&field.id),
        &key,
        "every request has a member of this name already",
        "give the field another id",
    );
    found.require(
        site.fields.contains(&id),
        &key,
        "the form does not show it",
        "list its id in `fields`, where it is to stand, or remove it",
    );
    label(&format!("{key}.label"), &field.label, site, found);
    found.require(
        (1..=CUSTOM_TEXT_MAX).contains(&field.max_length),
        format!("{key}.max_length"),
        format!("{} is not between 1 and {CUSTOM_TEXT_MAX}", field.max_length),
        "a line of text that agents read is short; for more there is `message`",
    );
    found.require(
        field.autocomplete.is_empty()
            || (field.kind == CustomKind::Text && AUTOFILL.contains(&field.autocomplete.as_str())),
        format!("{key}.autocomplete"),
        format!("a browser fills in no {:?} here", field.autocomplete),
        format!("leave it empty, or use on a text one of {}", AUTOFILL.join(", ")),
    );
    choices(&key, field, site, found);
}

fn choices(key: &str, field: &CustomField, site: &Site, found: &mut Findings) {
    let key = format!("{key}.choices");
    if field.kind != CustomKind::Choice {
        found.require(
            field.choices.is_empty(),
            key,
            "only a field of the kind `choice` has choices",
            "remove them, or write kind = \"choice\"",
        );
        return;
    }
    found.require(
        (1..=CHOICES_MAX).contains(&field.choices.len()),
        &key,
        format!("there are {} choices", field.choices.len()),
        format!("list 1 to {CHOICES_MAX}, each with an id and a label"),
    );
    let mut ids = HashSet::new();
    for choice in &field.choices {
        let key = format!("{key}.{}", choice.id);
        found.require(
            field::identifier(&choice.id).is_ok() && ids.insert(&choice.id),
            &key,
            "the id stands twice, or is not an identifier",
            format!(
                "use 1 to {} lower-case letters, digits, - and _, another for each choice",
                field::IDENTIFIER_MAX
            ),
        );
        label(&format!("{key}.label"), &choice.label, site, found);
    }
}

/// A text that visitors read in their language.
pub(super) fn label(key: &str, label: &Label, site: &Site, found: &mut Findings) {
    for (language, text) in label.texts() {
        found.require(
            field::name(text, Presence::Required) == Ok(()),
            key,
            "the label is empty, too long, or holds control characters",
            "give the words that visitors read",
        );
        found.require(
            language.is_none_or(|language| locale::matching(language).is_some()),
            key,
            format!("the form is in no language {:?}", language.unwrap_or_default()),
            format!("use one of {}", locale::names().join(", ")),
        );
    }
    found.require(
        label.is_for(&site.locale),
        key,
        format!("there is no text for {:?}, the site's own language", site.locale),
        "add it: it stands in for languages without one, and is what agents read",
    );
}

/// Whether a field of that id would be mistaken for a member of a request, or for what the parameters of an address name.
fn is_taken(id: &str) -> bool {
    MEMBERS.contains(&id)
}

#[cfg(test)]
mod tests {
    use ringback_contract::request::{Consent, FieldValue, NewCallback, Schedule};

    use super::*;

    #[test]
    fn no_field_can_be_mistaken_for_a_member_of_a_request() {
        let full = NewCallback {
            schedule: Some(Schedule::default()),
            consent: Consent::default(),
            fields: [(String::new(), FieldValue::Checked(true))].into(),
            opened: "x".to_owned(),
            website: "x".to_owned(),
            ..NewCallback::default()
        };
        let written = serde_json::to_value(full).unwrap();
        let mut members: Vec<_> = written.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, MEMBERS);
    }
}
