//! Sends a request for a callback, once.

use ringback_contract::captcha::CAPTCHA;
use ringback_contract::proof::PROOF;
use ringback_contract::request::IDEMPOTENCY_KEY;

use crate::attempt::Attempt;
use crate::deadline::Deadline;
use crate::http::Request;
use crate::json::Json;
use crate::outcome::{self, Outcome};
use crate::prover::Prover;
use crate::task::sleep;

/// How long the service may take to answer, in milliseconds.
const PATIENCE: i32 = 15_000;

/// How long after a request without an answer it is sent again, in milliseconds, where there is time for that.
const PAUSE: u32 = 1_000;

/// How often work is proven for one attempt at most.
const PROOFS: u8 = 3;

/// What became of a post.
pub(crate) struct Settled {
    pub(crate) outcome: Outcome,
    /// The HTTP status; 0 where no answer came.
    pub(crate) status: u16,
    /// The answer's body.
    pub(crate) body: Json,
}

/// Sends an attempt.
///
/// `prover` works on what the service asks for; what it asks for only now is done and sent at once, a few times at most.
pub(crate) async fn post(url: &str, attempt: &Attempt, prover: &Prover, captcha: &str) -> Settled {
    for _ in 1..PROOFS {
        let settled = post_once(url, attempt, &prover.proof().await, captcha).await;
        if settled.outcome != Outcome::Unproven {
            return settled;
        }
        prover.begin(&settled.body.get("proof"));
    }
    post_once(url, attempt, &prover.proof().await, captcha).await
}

async fn post_once(url: &str, attempt: &Attempt, proof: &str, captcha: &str) -> Settled {
    let mut headers = vec![("Content-Type", "application/json"), (IDEMPOTENCY_KEY, attempt.key.as_str())];
    headers.extend([(PROOF, proof), (CAPTCHA, captcha)].into_iter().filter(|(_, value)| !value.is_empty()));
    let request = Request { method: "POST", url, headers: &headers, body: Some(&attempt.body) };
    let deadline = Deadline::new(PATIENCE);
    let mut answer = request.send(&deadline).await;
    if answer.is_none() {
        // Connections break in the moment in which a telephone changes its network. The key makes one of two.
        sleep(PAUSE).await;
        answer = request.send(&deadline).await;
    }
    let Some(answer) = answer else {
        return Settled { outcome: Outcome::Unclear, status: 0, body: Json::default() };
    };
    let body = answer.json().await;
    let retry_after = answer.header("Retry-After").and_then(|value| value.parse().ok());
    let kind = body.string("type");
    let slug = kind.strip_prefix("/problems/").unwrap_or_default();
    let names_fields = !body.list("errors").is_empty();
    let mut outcome = outcome::of_answer(answer.status(), slug, retry_after, names_fields);
    // Not ours, or cut off: without these nobody can follow the callback.
    if outcome == Outcome::Accepted && ["id", "follow"].iter().any(|name| body.string(name).is_empty()) {
        outcome = Outcome::Unclear;
    }
    Settled { outcome, status: answer.status(), body }
}
