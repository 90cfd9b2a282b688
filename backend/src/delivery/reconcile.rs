//! A request whose answer was lost: did Webex make a task of it?

use std::time::Duration;

use jiff::Timestamp;

use super::{CLOCK_SKEW_S, Parts, settle};
use crate::callback::{Callback, State};
use crate::clock::{after_s, shifted_s};
use crate::config::{self, WhenUnsearchable};
use crate::store::{self, Attempt, StoreError};
use crate::webex::client::Told;
use crate::webex::error::WebexError;
use crate::webex::policy::Policy;
use crate::webex::search::FoundTask;

/// How far a clock may be wrong and a task still be found by its reference, in seconds.
const CLOCK_WRONG_S: i64 = 24 * 60 * 60;

/// What a search says of a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// Its task.
    Task(String),
    /// There is none so far.
    Absent,
    /// None is shown, and the clock is wrong by which it was looked for.
    Unseen,
    /// Several may be its own.
    Ambiguous(usize),
}

/// Looks for the task of an unconfirmed callback, and says how the callback goes on.
pub(super) async fn look_up(parts: &Parts, callback: &Callback) -> Option<(Callback, Option<Attempt>)> {
    let begun_at = parts.clock.now();
    let sent_at = callback.sent_at.unwrap_or(callback.created_at);
    let site = parts.sites.get(&callback.request.site);
    let variable = site.map_or("", |site| site.reference_variable.as_str());
    // The reference tells which task it is, and not the time: a clock that was wrong when it was asked for may be right by now.
    let from = shifted_s(callback.earliest_task(), -CLOCK_WRONG_S);
    let to = shifted_s(begun_at, CLOCK_WRONG_S);
    let answer = parts.webex.tasks_to(&callback.request.phone, from, to, variable).await;
    let now = parts.clock.now();
    let Told { answer: found, tracking_id } = match answer {
        Err(error) => {
            tracing::warn!(callback = %callback.id, %error, "cannot be looked up");
            let attempt = parts.failed_attempt(store::SEARCH_TASK, begun_at, &error);
            let next = unanswered(callback, now, &parts.config, &error);
            return next.map(|next| (next, Some(attempt)));
        }
        Ok(told) => told,
    };
    let unclaimed = match not_of_others(parts, callback, found).await {
        Ok(unclaimed) => unclaimed,
        Err(error) => {
            tracing::error!(callback = %callback.id, %error, "cannot be looked up");
            return later(&parts.config, callback, now).map(|next| (next, None));
        }
    };
    let mut finding = judge(callback, sent_at, &unclaimed);
    if finding == Finding::Absent
        && let Some(trouble) = parts.webex.clock_trouble()
    {
        tracing::error!(callback = %callback.id, trouble, "what Webex does not show is not taken for absent");
        finding = Finding::Unseen;
    }
    let (next, outcome) = found_out(callback, now, &parts.config, finding);
    let attempt = parts.attempt(store::SEARCH_TASK, begun_at, Some(200), &tracking_id, &outcome);
    next.map(|next| (next, Some(attempt)))
}

/// Without the tasks that other callbacks have.
pub(super) async fn not_of_others(
    parts: &Parts,
    callback: &Callback,
    found: Vec<FoundTask>,
) -> Result<Vec<FoundTask>, StoreError> {
    let mut unclaimed = Vec::new();
    for task in found {
        let owner = parts.store.of_task(&task.id).await?;
        if owner.is_none_or(|owner| owner.id == callback.id) {
            unclaimed.push(task);
        }
    }
    Ok(unclaimed)
}

/// Whether what a search does not show by now is not there.
fn grace_is_over(callback: &Callback, now: Timestamp, config: &config::Delivery) -> bool {
    now >= after_s(callback.sent_at.unwrap_or(callback.created_at), config.search_grace_s)
}

/// The callback after an answered search, and a word for the log of attempts.
pub(super) fn found_out(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    finding: Finding,
) -> (Option<Callback>, String) {
    match finding {
        Finding::Task(id) => (settle::requested(callback, now, config, id), "found".to_owned()),
        Finding::Absent if grace_is_over(callback, now, config) => {
            (again(callback, now), "absent".to_owned())
        }
        Finding::Absent => (later(config, callback, now), "not found yet".to_owned()),
        Finding::Unseen => (later(config, callback, now), "not found; the clocks are apart".to_owned()),
        // Sending again could ring twice, and taking one of several could follow a stranger's call.
        Finding::Ambiguous(count) => {
            (later(config, callback, now), format!("{count} tasks may be its own; held"))
        }
    }
}

/// The callback after a search that failed.
pub(super) fn unanswered(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    error: &WebexError,
) -> Option<Callback> {
    // What may pass is waited for, whatever the operator prefers: the search may find the task yet.
    let unsearchable = error.policy == Policy::GiveUp;
    let resend = config.when_unsearchable == WhenUnsearchable::Resend;
    if unsearchable && resend && grace_is_over(callback, now, config) {
        again(callback, now)
    } else {
        later(config, callback, now).map(|next| not_before(next, now, error.retry_after))
    }
}

/// By our reference, where Webex shows it; else by number and time.
fn judge(callback: &Callback, sent_at: Timestamp, found: &[FoundTask]) -> Finding {
    let reference = callback.id.to_string();
    if let Some(task) = found.iter().find(|task| task.reference.as_deref() == Some(&reference)) {
        return Finding::Task(task.id.clone());
    }
    let since = shifted_s(sent_at, -CLOCK_SKEW_S);
    let candidates: Vec<_> =
        found.iter().filter(|task| task.reference.is_none() && task.created_at >= since).collect();
    match candidates.as_slice() {
        [] => Finding::Absent,
        [task] => Finding::Task(task.id.clone()),
        several => Finding::Ambiguous(several.len()),
    }
}

/// It surely was not taken: as if it had not been sent.
pub(super) fn again(callback: &Callback, now: Timestamp) -> Option<Callback> {
    if callback.deadline <= now {
        return settle::moved(callback, State::Expired, now);
    }
    let mut next = settle::moved(callback, State::Accepted, now)?;
    next.due_at = Some(now);
    Some(next)
}

pub(super) fn later(config: &config::Delivery, callback: &Callback, now: Timestamp) -> Option<Callback> {
    let mut next = settle::moved(callback, State::Unconfirmed, now)?;
    next.due_at = Some(after_s(now, rest_s(config, callback, now)));
    // Nothing that a follower would see has changed.
    next.updated_at = callback.updated_at;
    Some(next)
}

/// For how many seconds a callback is left alone that was looked up and not found: the longer, the longer that goes on. The operator
/// sees it meanwhile.
pub(super) fn rest_s(config: &config::Delivery, callback: &Callback, now: Timestamp) -> u64 {
    let waited = now.duration_since(callback.sent_at.unwrap_or(callback.created_at)).as_secs();
    settle::look_up_wait_s(config).max(u64::try_from(waited / 4).unwrap_or(0).min(600))
}

/// Not looked for sooner than Webex asks.
fn not_before(mut next: Callback, now: Timestamp, retry_after: Option<Duration>) -> Callback {
    next.due_at = next.due_at.max(retry_after.map(|wait| after_s(now, wait.as_secs())));
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::sample;

    #[test]
    fn a_task_is_known_by_our_reference_and_else_by_being_the_only_one() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let callback = sample::callback(now);
        let task = |id: &str, second: i64, reference: Option<&str>| FoundTask {
            id: id.to_owned(),
            created_at: shifted_s(now, second),
            reference: reference.map(str::to_owned),
        };
        let own = callback.id.to_string();
        let judged = |found: &[FoundTask]| judge(&callback, now, found);
        assert_eq!(judged(&[]), Finding::Absent);
        assert_eq!(judged(&[task("a", 1, None), task("b", 1, Some(&own))]), Finding::Task("b".to_owned()));
        assert_eq!(judged(&[task("a", 1, Some("another"))]), Finding::Absent);
        assert_eq!(judged(&[task("a", 1, None)]), Finding::Task("a".to_owned()));
        assert_eq!(judged(&[task("a", 1, None), task("b", 2, None)]), Finding::Ambiguous(2));
        assert_eq!(judged(&[task("a", -3600, None)]), Finding::Absent);
    }
}
