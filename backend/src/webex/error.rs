//! What can go wrong with a request to Webex, and what each means for the request.

use std::time::Duration;

/// A request to Webex that did not lead to a readable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (tracking id {tracking_id})")]
pub struct WebexError {
    /// What it means for the request.
    pub kind: ErrorKind,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What Webex's support finds the request by.
    pub tracking_id: String,
    /// What happened, masked.
    pub message: String,
}

impl WebexError {
    /// The request was given up before its answer came.
    pub(crate) fn late() -> Self {
        Self {
            kind: ErrorKind::Lost,
            status: None,
            tracking_id: "none".to_owned(),
            message: "there was no answer while the lease lasted".to_owned(),
        }
    }
}

/// What an error means for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request did not leave: no connection, or no token. It can be made again at once.
    NotSent,
    /// Webex did not process it and says to come back (429, 503).
    Busy {
        /// After how long, where Webex says so.
        retry_after: Option<Duration>,
    },
    /// The access token is not accepted (401). It can be made again with another.
    TokenRejected,
    /// Webex refuses it, and would refuse it again (other 4xx).
    Refused,
    /// It left, and nobody knows what became of it: no answer, 500 and other 5xx, or an answer that cannot be read.
    Lost,
}

impl ErrorKind {
    /// What an HTTP status means. `retry_after` is the header's value in seconds.
    pub fn of_status(status: u16, retry_after: Option<u64>) -> Self {
        match status {
            429 | 503 => Self::Busy { retry_after: retry_after.map(Duration::from_secs) },
            401 => Self::TokenRejected,
            400..=499 => Self::Refused,
            _ => Self::Lost,
        }
    }
}

/// Reads the message out of an error body: any of the envelopes of the Webex APIs, or the start of the text.
pub(super) fn message_of(body: &str) -> String {
    let text = serde_json::from_str::<serde_json::Value>(body).ok().and_then(|json| {
        // Contact Center: {"error":{"message":[{"description"}]}}. Platform: {"message","errors":[{"description"}]}.
        // Journey: {"message","errors":["…"]}.
        let places = [
            "/error/message/0/description",
            "/error/reason",
            "/errors/0/description",
            "/errors/0",
            "/message",
        ];
        places.iter().find_map(|place| json.pointer(place)?.as_str().map(str::to_owned))
    });
    crate::personal::masked(text.as_deref().unwrap_or(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_envelope_is_read() {
        for (body, message) in [
            (r#"{"trackingId":"t","error":{"key":"401","message":[{"description":"No."}]}}"#, "No."),
            (r#"{"trackingId":"t","error":{"key":400,"message":[{"description":"Invalid."}]}}"#, "Invalid."),
            (r#"{"error":{"key":"400","reason":"Because.","message":[]}}"#, "Because."),
            (r#"{"status":"404 NOT_FOUND","message":"Gone.","errors":["Deeper."]}"#, "Deeper."),
            (r#"{"message":"Bad code.","errors":[{"description":"Expired."}],"trackingId":"t"}"#, "Expired."),
            (r#"{"message":"Bad code."}"#, "Bad code."),
            ("upstream connect error", "upstream connect error"),
            ("", ""),
        ] {
            assert_eq!(message_of(body), message);
        }
    }

    #[test]
    fn a_status_says_whether_the_request_took_effect() {
        use ErrorKind::{Busy, Lost, Refused, TokenRejected};
        assert_eq!(ErrorKind::of_status(429, Some(7)), Busy { retry_after: Some(Duration::from_secs(7)) });
        assert_eq!(ErrorKind::of_status(503, None), Busy { retry_after: None });
        assert_eq!(ErrorKind::of_status(401, None), TokenRejected);
        for status in [400, 403, 404, 409, 412, 413, 422] {
            assert_eq!(ErrorKind::of_status(status, None), Refused);
        }
        for status in [500, 502, 504, 302, 200] {
            assert_eq!(ErrorKind::of_status(status, None), Lost);
        }
    }
}
