//! Sends a request for a callback, once.

use ringback_contract::request::IDEMPOTENCY_KEY;

use crate::attempt::Attempt;
use crate::deadline::Deadline;
use crate::dom::window;
use crate::http::Request;
use crate::json::Json;
use crate::outcome::{self, Outcome};
use crate::read;

/// How long the service may take to answer, in milliseconds.
const PATIENCE: i32 = 15_000;

/// What became of a post.
pub(crate) struct Settled {
    pub(crate) outcome: Outcome,
    /// The HTTP status; 0 where no answer came.
    pub(crate) status: u16,
    /// The answer's body.
    pub(crate) body: Json,
}

/// Sends an attempt.
pub(crate) async fn post(url: &str, attempt: &Attempt) -> Settled {
    if !window().navigator().on_line() {
        return Settled { outcome: Outcome::Offline, status: 0, body: Json::default() };
    }
    let request = Request {
        method: "POST",
        url,
        headers: &[("Content-Type", "application/json"), (IDEMPOTENCY_KEY, &attempt.key)],
        body: Some(&attempt.body),
    };
    let deadline = Deadline::new(PATIENCE);
    let Some(answer) = request.send(&deadline).await else {
        return Settled { outcome: Outcome::Unclear, status: 0, body: Json::default() };
    };
    let body = answer.json().await;
    let retry_after = answer.header("Retry-After").and_then(|value| value.parse().ok());
    let kind = body.string("type");
    let slug = kind.strip_prefix("/problems/").unwrap_or_default();
    let names_fields = !body.list("errors").is_empty();
    let mut outcome = outcome::of_answer(answer.status(), slug, retry_after, names_fields);
    if outcome == Outcome::Accepted && read::accepted(&body).is_none() {
        outcome = Outcome::Unclear;
    }
    Settled { outcome, status: answer.status(), body }
}
