//! What becomes of a callback after a request to Webex. Pure: the dispatcher asks and writes.

mod appointment;

use std::time::Duration;

use jiff::Timestamp;

use self::appointment::{fits_webex, is_at_webex};
pub(super) use self::appointment::{kept_by_us, kept_by_webex, not_shown, still_kept, task_of_webex};
use crate::callback::{Callback, Failure, Fallback, State};
use crate::clock::{after_ms, after_s};
use crate::config;
use crate::entropy;
use crate::webex::error::WebexError;
use crate::webex::policy::Policy;

/// The callback in that state. `None`, and a line in the log, where no callback may go there: an error of ours that
/// must not stop the others.
pub(super) fn moved(callback: &Callback, state: State, now: Timestamp) -> Option<Callback> {
    callback
        .moved_to(state, now)
        .inspect_err(|error| tracing::error!(callback = %callback.id, %error, "a step was not taken"))
        .ok()
}

/// Its turn has come: with a lease, where Webex is to be asked.
pub(super) fn taken(callback: &Callback, now: Timestamp, config: &config::Delivery) -> Option<Callback> {
    let leased = |state| {
        let mut next = moved(callback, state, now)?;
        next.due_at = Some(after_s(now, config.lease_s));
        if state == callback.state {
            // Nothing that a follower would see has changed.
            next.updated_at = callback.updated_at;
        }
        Some(next)
    };
    let sending = || {
        let mut next = leased(State::Sending)?;
        next.attempts += 1;
        next.sent_at = Some(now);
        Some(next)
    };
    match callback.state {
        State::Accepted | State::Scheduled if callback.deadline <= now && !is_at_webex(callback) => {
            tracing::warn!(callback = %callback.id, "expired before it could be sent");
            moved(callback, State::Expired, now)
        }
        State::Accepted => match &callback.appointment {
            Some(kept) if kept.is_webexes() && !fits_webex(&kept.window, now) => kept_by_us(callback, now),
            Some(kept) if !kept.is_webexes() && now < kept.window.starts_at() => kept_by_us(callback, now),
            _ => sending(),
        },
        // The clock may have been set back since it became due.
        State::Scheduled
            if callback
                .appointment
                .as_ref()
                .is_some_and(|kept| !kept.is_webexes() && now < kept.window.starts_at()) =>
        {
            kept_by_us(callback, now)
        }
        State::Scheduled if !callback.is_kept_by_webex() => sending(),
        State::Rescheduling | State::Cancelling => leased(callback.state),
        State::Sending => {
            tracing::warn!(callback = %callback.id, "its lease has run out: the request may have left; looking it up");
            leased(State::Unconfirmed)
        }
        State::Unconfirmed => leased(State::Unconfirmed),
        state => {
            // Nothing else is ever due; a row that says so is left alone from now on.
            tracing::error!(callback = %callback.id, state = state.as_str(), "is due in a state without work");
            let mut next = callback.clone();
            next.due_at = None;
            next.revision += 1;
            Some(next)
        }
    }
}

/// Whether a callback that was taken has a lease: what only waits on has none.
pub(super) fn is_leased(callback: &Callback) -> bool {
    matches!(callback.state, State::Sending | State::Unconfirmed | State::Rescheduling | State::Cancelling)
}

/// What was asked about it can be asked again: its effect twice is that of once.
pub(super) fn repeated(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    retry_after: Option<Duration>,
) -> Callback {
    let asked = retry_after.map_or(0, |wait| wait.as_secs());
    let mut next = callback.clone();
    next.revision += 1;
    next.due_at = Some(after_s(now, look_up_wait_s(config).max(asked)));
    next
}

/// The process that was sending it has ended: the request may have left.
pub(super) fn orphaned(callback: &Callback, now: Timestamp) -> Option<Callback> {
    let mut next = moved(callback, State::Unconfirmed, now)?;
    next.due_at = Some(now);
    Some(next)
}

/// Webex has made a task of it.
pub(super) fn requested(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    task_id: String,
) -> Option<Callback> {
    let mut next = moved(callback, State::Requested, now)?;
    next.task_id = Some(task_id);
    next.poll_at = Some(after_s(now, config.quiet_s));
    Some(next)
}

/// No call will come of it.
pub(super) fn failed(
    callback: &Callback,
    now: Timestamp,
    failure: Failure,
    detail: String,
) -> Option<Callback> {
    let mut next = moved(callback, State::Failed, now)?;
    next.failure = Some((failure, detail));
    Some(next)
}

/// It was leased and not sent.
pub(super) fn given_back(callback: &Callback, now: Timestamp) -> Option<Callback> {
    let mut next = moved(callback, State::Accepted, now)?;
    next.attempts = next.attempts.saturating_sub(1);
    next.due_at = Some(now);
    Some(next)
}

/// The agent who was asked for cannot be had: the next free one calls where the site says so. Nothing was sent for that
/// agent, or it was refused for good.
pub(super) fn without_agent(
    callback: &Callback,
    now: Timestamp,
    falls_back: bool,
    reason: Fallback,
    detail: String,
) -> Option<Callback> {
    tracing::warn!(callback = %callback.id, reason = reason.as_str(), detail, falls_back, "its agent cannot be had");
    if !falls_back {
        return failed(callback, now, Failure::AgentUnavailable, detail);
    }
    let mut next = moved(callback, State::Accepted, now)?;
    if reason != Fallback::AgentRefused {
        // Nothing was sent.
        next.attempts = next.attempts.saturating_sub(1);
    }
    next.fallback = Some((reason, detail));
    next.due_at = Some(now);
    Some(next)
}

/// What had to be known before the request could not be found out, so nothing was sent. Whatever became of the question,
/// it can be asked again.
pub(super) fn not_sent(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    retry_after: Option<Duration>,
) -> Option<Callback> {
    let mut next = moved(callback, State::Accepted, now)?;
    let due_at = after_ms(now, retry_wait_ms(&config.retry_s, callback.attempts, retry_after));
    // At its deadline at the latest, so that it is told to have expired in time.
    next.due_at = Some(due_at.min(next.deadline.max(now)));
    Some(next)
}

/// The request to make a task has failed.
pub(super) fn after_error(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    error: WebexError,
) -> Option<Callback> {
    match error.policy {
        Policy::GiveUp => failed(callback, now, Failure::Refused, error.message),
        Policy::Ambiguous => {
            let mut next = moved(callback, State::Unconfirmed, now)?;
            next.due_at = Some(after_s(now, look_up_wait_s(config)));
            Some(next)
        }
        Policy::Repeat | Policy::Wait | Policy::Refresh => not_sent(callback, now, config, error.retry_after),
    }
}

/// How long to wait before looking for a task again: some looks within the time that the search may need.
pub(super) fn look_up_wait_s(config: &config::Delivery) -> u64 {
    (config.search_grace_s / 6).clamp(1, 10)
}

/// How long to wait before the next attempt, in milliseconds: what the schedule says for the number of attempts made,
/// but not less than Webex asks for, and up to a quarter more, so that callbacks which failed together do not come
/// back together.
fn retry_wait_ms(schedule_s: &[u64], attempts: u32, retry_after: Option<Duration>) -> u64 {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let planned = schedule_s.get(index).or(schedule_s.last()).copied().unwrap_or(1).saturating_mul(1000);
    let asked = retry_after.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    let wait = planned.max(asked);
    wait.saturating_add(entropy::below(wait / 4 + 1))
}

#[cfg(test)]
pub(super) mod sample_config {
    use crate::config::{self, WhenUnsearchable};

    pub(in crate::delivery) fn config() -> config::Delivery {
        config::Delivery {
            concurrency: 8,
            lease_s: 30,
            retry_s: vec![2, 10],
            deadline_s: 7200,
            join_s: 7200,
            search_grace_s: 60,
            when_unsearchable: WhenUnsearchable::Hold,
            quiet_s: 15,
            schedule_check_s: 3600,
        }
    }
}

/// Callbacks at a chosen time, for the tests of this file and of the one below it.
#[cfg(test)]
mod sample_appointment {
    use jiff::Timestamp;

    use crate::callback::{Callback, sample};
    use crate::schedule::{self, Keeper};

    /// In ten hours.
    pub(super) const LATER: &str = "2026-01-01T10:00:00/12:00:00[UTC]";
    /// In half an hour, to the second.
    pub(super) const SOON: &str = "2026-01-01T00:30:00/02:00:00[UTC]";

    pub(super) fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    pub(super) fn now() -> Timestamp {
        at("2026-01-01T00:00:00Z")
    }

    pub(super) fn booked(keeper: Keeper, text: &str) -> Callback {
        Callback::book(sample::request(), now(), schedule::sample::window(text), keeper).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::sample_appointment::{LATER, at, booked, now};
    use super::sample_config::config;
    use super::*;
    use crate::callback::sample;
    use crate::schedule::Keeper;
    use crate::webex::policy::Operation;

    fn sending(attempts: u32) -> Callback {
        let mut callback = sample::callback(now()).moved_to(State::Sending, now()).unwrap();
        callback.attempts = attempts;
        callback
    }

    fn after(policy: Policy, retry_after_s: Option<u64>, attempts: u32) -> Callback {
        let error = WebexError {
            operation: Operation::CreateTask,
            policy,
            status: None,
            retry_after: retry_after_s.map(Duration::from_secs),
            tracking_id: "t".to_owned(),
            message: "why".to_owned(),
        };
        after_error(&sending(attempts), now(), &config(), error).unwrap()
    }

    fn waits_s(callback: &Callback) -> f64 {
        callback.due_at.unwrap().duration_since(now()).as_secs_f64()
    }

    #[test]
    fn a_request_that_was_not_taken_waits_as_planned_and_as_told() {
        for (policy, retry_after_s, attempts, least) in [
            (Policy::Repeat, None, 1, 2.0),
            (Policy::Refresh, None, 2, 10.0),
            (Policy::Wait, None, 9, 10.0),
            (Policy::Wait, Some(60), 1, 60.0),
            (Policy::Wait, Some(1), 1, 2.0),
        ] {
            let next = after(policy, retry_after_s, attempts);
            assert_eq!(next.state, State::Accepted);
            let waits = waits_s(&next);
            assert!((least..=least * 1.25).contains(&waits), "{policy:?} {waits}");
        }
    }

    #[test]
    fn a_wait_does_not_go_past_the_deadline() {
        let next = after(Policy::Wait, Some(1_000_000), 1);
        assert_eq!(next.due_at, Some(next.deadline));
    }

    #[test]
    fn a_request_that_is_refused_has_failed_and_one_that_was_lost_is_looked_up() {
        let next = after(Policy::GiveUp, None, 1);
        assert_eq!((next.state, next.failure), (State::Failed, Some((Failure::Refused, "why".to_owned()))));
        assert_eq!(next.due_at, None);
        let next = after(Policy::Ambiguous, None, 1);
        assert_eq!(next.state, State::Unconfirmed);
        assert!((waits_s(&next) - 10.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_we_keep_is_sent_in_its_window_and_neither_before_nor_after() {
        let callback = booked(Keeper::Store, LATER);
        assert_eq!((callback.state, callback.due_at), (State::Scheduled, Some(at("2026-01-01T10:00:00Z"))));
        let taken_at = |moment: &str| taken(&callback, at(moment), &config()).unwrap();
        // The clock was set back: it waits on, without a lease.
        let early = taken_at("2026-01-01T09:59:59Z");
        assert_eq!((early.state, early.due_at), (State::Scheduled, callback.due_at));
        assert!(!is_leased(&early));
        let sent = taken_at("2026-01-01T10:00:00Z");
        assert_eq!((sent.state, sent.attempts), (State::Sending, 1));
        assert!(is_leased(&sent));
        assert_eq!(taken_at("2026-01-01T12:00:00Z").state, State::Expired);
        // Refused for now, it waits for its next attempt as any other, and no longer than the window lasts.
        let again = not_sent(&sent, at("2026-01-01T11:59:59Z"), &config(), None).unwrap();
        assert_eq!((again.state, again.due_at), (State::Accepted, Some(at("2026-01-01T12:00:00Z"))));
        assert_eq!(taken(&again, at("2026-01-01T12:00:00Z"), &config()).unwrap().state, State::Expired);
    }

    #[test]
    fn a_lease_that_is_given_back_was_no_attempt() {
        let next = given_back(&sending(1), now()).unwrap();
        assert_eq!((next.state, next.attempts, next.due_at), (State::Accepted, 0, Some(now())));
    }
}
