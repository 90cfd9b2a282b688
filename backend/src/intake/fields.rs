//! What is wrong with a request, field by field and in the words of the contract.

use std::collections::BTreeMap;

use ringback_contract::field::{self, Code};
use ringback_contract::problem::FieldError;
use validator::ValidationErrors;

use super::Refusal;
use crate::attributes;
use crate::site::Site;

/// What `validator` found, in the words of the contract.
pub(super) fn field_errors(result: Result<(), ValidationErrors>) -> Vec<FieldError> {
    let Err(found) = result else {
        return Vec::new();
    };
    let mut errors: Vec<_> = found
        .field_errors()
        .into_iter()
        .flat_map(|(field, errors)| {
            errors.iter().map(move |error| FieldError {
                pointer: format!("/{field}"),
                code: error.code.to_string(),
                message: error.message.as_deref().unwrap_or_default().to_owned(),
            })
        })
        .collect();
    errors.sort_by(|left, right| left.pointer.cmp(&right.pointer));
    errors
}

/// A refusal of one field.
pub fn refuse(field: &str, code: Code) -> Refusal {
    Refusal::Fields(vec![refused(field, code)])
}

/// What is wrong with one field.
pub(super) fn refused(field: &str, code: Code) -> FieldError {
    FieldError {
        pointer: format!("/{field}"),
        code: code.as_str().to_owned(),
        message: code.message().to_owned(),
    }
}

/// Judges the attributes that a CRM adds to those of the site. A preferred agent's variable counts always: it may be
/// needed by the time the task is made.
pub(super) fn attribute_errors(site: &Site, posted: &BTreeMap<String, String>, errors: &mut Vec<FieldError>) {
    let of_agent = site.preferred_agent.as_ref().map(|preferred| preferred.variable.as_str());
    let is_taken = |key: &str| site.attributes.contains_key(key) || of_agent == Some(key);
    for (key, value) in posted {
        let judged = match field::attribute_key(key).and_then(|()| field::attribute_value(value)) {
            Ok(()) if is_taken(key) => Err(Code::Reserved),
            judged => judged,
        };
        if let Err(code) = judged {
            errors.push(refused(&format!("attributes/{}", step(key)), code));
        }
    }
    let most = attributes::PAIRS_MAX - usize::from(of_agent.is_some());
    if !posted.is_empty() && site.attributes.len() + posted.len() > most {
        errors.push(refused("attributes", Code::TooMany));
    }
}

/// A name as one step of a JSON Pointer (RFC 6901 section 3).
fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What is wrong with answers, at their fields.
pub(super) fn answer_errors(wrong: Vec<(String, Code)>) -> impl Iterator<Item = FieldError> {
    wrong.into_iter().map(|(id, code)| match id.as_str() {
        "" if code == Code::TooMany => refused("fields", code),
        id => refused(&format!("fields/{}", step(id)), code),
    })
}
