//! What a plain form posts: `application/x-www-form-urlencoded`, as the request of the JSON door.

use std::collections::BTreeMap;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, web};
use percent_encoding::percent_decode;
use ringback_contract::form::OWN;
use ringback_contract::problem::Kind;
use ringback_contract::request::{NewCallback, Schedule};
use serde_json::{Map, Value, json};

use super::super::extract::{self, header, sound_key};
use super::super::problem::Failure;
use crate::config::Limits;
use crate::schedule::Window;

/// The idempotency key, made when the form was drawn.
pub(super) const KEY: &str = "key";
/// The token of a wait.
pub(super) const WAITED: &str = "waited";
/// The member of the request for the operator's own fields.
const FIELDS: &str = "fields";
/// The box to agree with.
pub(super) const CONSENT: &str = "consent";
/// What the name of a box of the operator's own begins with; its id follows. Only those that are ticked are sent, and a text cannot
/// be mistaken for one.
pub(super) const BOX: &str = "boxes/";
/// The window that was chosen.
pub(super) const SCHEDULE: &str = "schedule";
/// The version of the text beside it.
pub(super) const CONSENT_VERSION: &str = "consent_version";

/// A form that was posted.
#[derive(Debug, Default)]
pub(super) struct Posted {
    pub(super) callback: NewCallback,
    pub(super) key: String,
    pub(super) waited: String,
}

/// Reads the members of a posted form: each is there once at most.
pub(super) async fn members(
    request: &HttpRequest,
    body: web::Payload,
    limits: &Limits,
) -> Result<BTreeMap<String, String>, Failure> {
    let media_type = header(request, CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Failure::new(
            Kind::MediaType,
            "A plain form is sent as application/x-www-form-urlencoded.",
        ));
    }
    let bytes = extract::bytes(request, body, limits).await?;
    // Browsers send UTF-8, as the page asks them to. The parser would put a sign in the place of what is no text, and that sign is one that
    // people can have copied from somewhere.
    if percent_decode(&bytes).decode_utf8().is_err() {
        return Err(Failure::new(Kind::BadRequest, "The form is not in UTF-8."));
    }
    let mut members = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(&bytes) {
        if members.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Failure::new(Kind::BadRequest, "A member of the form is there twice."));
        }
    }
    Ok(members)
}

impl Posted {
    /// The request that those members make; `agent` is the token of the link that the form came by.
    pub(super) fn read(mut members: BTreeMap<String, String>, agent: &str) -> Result<Self, Failure> {
        let mut take = |name| members.remove(name).unwrap_or_default();
        let (key, waited) = (take(KEY), take(WAITED));
        let schedule = schedule(&take(SCHEDULE))?;
        let key = sound_key(&key)?;
        // A box that is not ticked is not sent.
        let consent = json!({ "accepted": !take(CONSENT).is_empty(), "version": take(CONSENT_VERSION) });
        if members.contains_key("agent") {
            return Err(Failure::new(Kind::UnknownField, "The agent stands in the address."));
        }
        if members.contains_key(FIELDS) {
            return Err(Failure::new(Kind::UnknownField, "Each field has a member of its own."));
        }
        // Browsers end lines with a carriage return and a line feed in a form (HTML, form submission), and the form of
        // the JSON door does not.
        let text = |value: String| Value::String(value.replace("\r\n", "\n"));
        let (mut callback, mut own) = (Map::new(), Map::new());
        for (name, value) in members {
            if let Some(id) = name.strip_prefix(BOX) {
                own.insert(id.to_owned(), Value::Bool(true));
            } else if let Some(id) = name.strip_prefix(OWN) {
                own.insert(id.to_owned(), text(value));
            } else {
                callback.insert(name, text(value));
            }
        }
        callback.insert(FIELDS.to_owned(), own.into());
        callback.insert("consent".to_owned(), consent);
        callback.insert("agent".to_owned(), agent.into());
        let callback: NewCallback = serde_json::from_value(Value::Object(callback))
            .map_err(|_| Failure::new(Kind::UnknownField, "The form has a member that is not known here."))?;
        Ok(Self { callback: NewCallback { schedule, ..callback }, key, waited })
    }
}

/// The window that was chosen from a list of ours: as its text, or nothing for as soon as possible.
pub(super) fn schedule(text: &str) -> Result<Option<Schedule>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let window = Window::parse(text);
    let window = window.ok_or_else(|| Failure::new(Kind::UnknownField, "No list of ours has this time."))?;
    Ok(Some(window.as_request()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Posted, Failure> {
        let members = url::form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        Posted::read(members, "token")
    }

    #[test]
    fn a_form_is_the_request_of_the_other_door() {
        let posted =
            read("key=k&fields/order=47&boxes/member=yes&name=Ann&phone=%2B1+202&message=a%0D%0Ab&consent=on&consent_version=1&opened=o")
                .unwrap();
        let expected = json!({
            "name": "Ann", "phone": "+1 202", "message": "a\nb", "agent": "token", "opened": "o",
            "consent": { "accepted": true, "version": "1" }, "fields": { "order": "47", "member": true },
        });
        assert_eq!(posted.callback, serde_json::from_value(expected).unwrap());
        assert_eq!((posted.key.as_str(), posted.waited.as_str()), ("k", ""));
        let at =
            read("key=k&schedule=2026-12-01T10:00:00/10:30:00[Europe/Berlin]").unwrap().callback.schedule;
        assert_eq!(at.unwrap().timezone, "Europe/Berlin");
        assert_eq!(read("key=k&schedule=").unwrap().callback.schedule, None);
        assert!(!read("key=k&consent_version=1").unwrap().callback.consent.accepted);
    }

    #[test]
    fn what_the_form_does_not_have_is_refused() {
        for bad in
            ["", "key=", "key=a+b", "key=k&phnoe=1", "key=k&agent=x", "key=k&schedule=x", "key=k&fields=x"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
