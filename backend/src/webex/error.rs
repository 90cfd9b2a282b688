//! What can go wrong with a call to Webex, read out of whatever it answers.

use std::time::Duration;

use serde_json::Value;

use super::policy::{Operation, Policy};

/// A call to Webex that did not lead to a readable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message} (tracking id {tracking_id})", operation.as_str())]
pub struct WebexError {
    /// The call.
    pub operation: Operation,
    /// What becomes of it.
    pub policy: Policy,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// How long Webex asks to wait.
    pub retry_after: Option<Duration>,
    /// What Webex's support finds the call by.
    pub tracking_id: String,
    /// What happened, masked.
    pub message: String,
}

impl WebexError {
    /// The call did not leave.
    pub(super) fn not_sent(operation: Operation, message: impl Into<String>) -> Self {
        Self::without_answer(operation, Policy::Repeat, "none".to_owned(), message.into())
    }

    /// It left, and there was no answer.
    pub(super) fn unanswered(operation: Operation, tracking_id: String, message: String) -> Self {
        Self::without_answer(operation, operation.lost(), tracking_id, message)
    }

    /// The call was given up before its answer came.
    pub(crate) fn late(operation: Operation) -> Self {
        Self::unanswered(
            operation,
            "none".to_owned(),
            "there was no answer while the lease lasted".to_owned(),
        )
    }

    fn without_answer(operation: Operation, policy: Policy, tracking_id: String, message: String) -> Self {
        Self { operation, policy, status: None, retry_after: None, tracking_id, message }
    }
}

/// An error body: any of the envelopes of the Webex APIs, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Whether it is one of Webex's.
    pub spoken: bool,
    /// The tracking id that it holds.
    pub tracking_id: Option<String>,
    /// What it says, or the text that it is; masked.
    pub message: String,
}

/// Reads an error body. Whatever it is: empty, HTML, JSON of other types than documented.
pub fn envelope(body: &str) -> Envelope {
    let Some(json) = serde_json::from_str::<Value>(body).ok().filter(Value::is_object) else {
        return Envelope { message: crate::personal::masked(&without_tags(body)), ..Envelope::default() };
    };
    // Runtime, subscriptions, configuration: {"trackingId","error":{"key","reason","message":[{"description"}]}}.
    // Platform: {"message","errors":[{"description"}],"trackingId"}. Journey: {"message","errors":["…"],"trackingId"}.
    // OAuth (RFC 6749 section 5.2): {"error":"…","error_description":"…"}.
    let text_at =
        |place: &&str| json.pointer(place).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let says = [
        "/error/message/0/description",
        "/error/message/0",
        "/error/message/description",
        "/error/message",
        "/error/reason",
        "/errors/0/description",
        "/errors/0/message",
        "/errors/0",
        "/error_description",
        "/message",
        "/error",
    ];
    let said = says.iter().find_map(text_at);
    let tracking_id = ["/trackingId", "/error/trackingId"].iter().find_map(text_at);
    Envelope {
        spoken: said.is_some() || tracking_id.is_some() || json.get("error").is_some_and(Value::is_object),
        tracking_id: tracking_id.map(crate::personal::masked_identifier).filter(|id| !id.is_empty()),
        message: crate::personal::masked(said.unwrap_or(body)),
    }
}

/// The text of a page, for a line in a log.
fn without_tags(page: &str) -> String {
    let mut text = String::new();
    for piece in page.split('<') {
        // A piece without `>` stood before the first tag, or is no tag at all.
        text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
        text.push(' ');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_envelope_is_read() {
        for (body, message) in [
            (r#"{"trackingId":"t","error":{"key":"401","message":[{"description":"No."}]}}"#, "No."),
            (r#"{"trackingId":"t","error":{"key":400,"message":[{"description":"Invalid."}]}}"#, "Invalid."),
            (r#"{"trackingId":"t","error":{"key":"400","reason":"Because.","message":[]}}"#, "Because."),
            (
                r#"{"status":"404 NOT_FOUND","message":"Gone.","errors":["Deeper."],"trackingId":"t"}"#,
                "Deeper.",
            ),
            (r#"{"message":"Bad code.","errors":[{"description":"Expired."}],"trackingId":"t"}"#, "Expired."),
        ] {
            let read = envelope(body);
            assert_eq!(
                (read.message.as_str(), read.tracking_id.as_deref(), read.spoken),
                (message, Some("t"), true)
            );
        }
        for (body, message) in [
            (r#"{"message":"Bad code."}"#, "Bad code."),
            (r#"{"error":"invalid_grant","error_description":"Used up."}"#, "Used up."),
            (r#"{"error":"invalid_grant"}"#, "invalid_grant"),
        ] {
            let read = envelope(body);
            assert_eq!((read.message.as_str(), read.tracking_id, read.spoken), (message, None, true));
        }
    }

    #[test]
    fn members_of_other_types_do_not_hide_what_is_said() {
        for (body, message) in [
            (r#"{"error":{"key":["x"],"message":"A text."}}"#, "A text."),
            (r#"{"error":{"message":["A list of texts."]}}"#, "A list of texts."),
            (r#"{"error":{"message":{"description":"Not a list."}}}"#, "Not a list."),
            (r#"{"errors":[{"message":"Another name."}],"message":17}"#, "Another name."),
            (r#"{"trackingId":17,"error":{"message":[{"description":null}],"reason":"Still."}}"#, "Still."),
            (r#"{"error":{"message":[{"description":" "}]},"message":"Not blank."}"#, "Not blank."),
            (r#"{"error":{"key":1}}"#, r#"{"error":{"key":1}}"#),
        ] {
            let read = envelope(body);
            assert_eq!(
                (read.message.as_str(), read.tracking_id, read.spoken),
                (message, None, true),
                "{body}"
            );
        }
    }

    #[test]
    fn what_webex_did_not_write_is_told_apart() {
        for (body, message) in [
            ("", ""),
            ("upstream connect error", "upstream connect error"),
            (
                "<html><head><title>503</title></head><body>No <b>healthy</b> upstream</body></html>",
                "503 No healthy upstream",
            ),
            ("[1]", "[1]"),
            ("\"text\"", "\"text\""),
            ("{}", "{}"),
            ("{\"trackingId\": \"br", "{\"trackingId\": \"br"),
        ] {
            let read = envelope(body);
            assert_eq!(
                (read.message.as_str(), read.tracking_id, read.spoken),
                (message, None, false),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_said_is_masked() {
        let read = envelope(r#"{"trackingId":"a b\n1","message":"Invalid destination +15555550142"}"#);
        assert_eq!(
            (read.message.as_str(), read.tracking_id.as_deref()),
            ("Invalid destination [masked]", Some("ab1"))
        );
        assert_eq!(envelope("<p>+1 555 555 0142</p>").message, "[masked]");
    }
}
