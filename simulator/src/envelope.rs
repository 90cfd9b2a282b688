//! The error envelopes. Webex Contact Center has one for each family of its API, and a client must read them all.
//!
//! Source: Webex OpenAPI (`webex-contact-center.json`): `ApiErrorResponse`, `ErrorResult` and the error bodies of the
//! configuration and journey operations.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer::Answer;

/// How an error is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    /// Tasks, search, wait time, scheduled callbacks: `error.key` is a string.
    Runtime,
    /// Subscriptions: `error.key` is a number.
    Subscription,
    /// Configuration: as `Runtime`, with a reason and the entity.
    Configuration,
    /// Journey: flat, with a spelled-out status and a time.
    Journey,
    /// `webexapis.com`, where tokens are issued: `message` and `errors`.
    Identity,
    /// No body at all.
    Empty,
    /// A line of plain text, as a proxy in between would write.
    Text,
    /// A page of HTML, as a gateway in between would write.
    Html,
}

impl Envelope {
    pub(crate) fn answer(self, status: u16, tracking_id: &str, description: &str) -> Answer {
        let key = status.to_string();
        match self {
            Self::Runtime => Answer::json(
                status,
                &json!({
                    "trackingId": tracking_id,
                    "error": { "key": key, "message": [{ "description": description }] },
                }),
            ),
            Self::Subscription => Answer::json(
                status,
                &json!({
                    "trackingId": tracking_id,
                    "error": { "key": status, "message": [{ "description": description }] },
                }),
            ),
            Self::Configuration => Answer::json(
                status,
                &json!({
                    "trackingId": tracking_id,
                    "error": {
                        "key": key,
                        "reason": description,
                        "message": [{ "description": description, "code": key, "entity": null, "references": [] }],
                    },
                }),
            ),
            Self::Journey => Answer::json(
                status,
                &json!({
                    "status": format!("{status} {}", reason_phrase(status)),
                    "message": description,
                    "errors": [description],
                    "timestamp": crate::clock::now().to_string(),
                    "trackingId": tracking_id,
                }),
            ),
            Self::Identity => Answer::json(
                status,
                &json!({
                    "message": description,
                    "errors": [{ "description": description }],
                    "trackingId": tracking_id,
                }),
            ),
            Self::Empty => Answer::empty(status),
            Self::Text => Answer::text(status, "text/plain", description),
            Self::Html => Answer::text(
                status,
                "text/html",
                &format!("<html><head><title>{status}</title></head><body>{description}</body></html>"),
            ),
        }
    }
}

fn reason_phrase(status: u16) -> String {
    actix_web::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("UNKNOWN")
        .to_uppercase()
        .replace(' ', "_")
}

/// Why a call is not done; the door writes it in the envelope of the operation's family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) description: String,
    /// Seconds, for `Retry-After`.
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, description: impl Into<String>) -> Self {
        Self { status, description: description.into(), retry_after: None }
    }

    /// 400.
    pub(crate) fn bad(description: impl Into<String>) -> Self {
        Self::new(400, description)
    }

    /// 404.
    pub(crate) fn not_found(description: impl Into<String>) -> Self {
        Self::new(404, description)
    }

    pub(crate) fn answer(&self, envelope: Envelope, tracking_id: &str) -> Answer {
        let answer = envelope.answer(self.status, tracking_id, &self.description);
        match self.retry_after {
            Some(seconds) => answer.with_header("Retry-After", seconds.to_string()),
            None => answer,
        }
    }
}
