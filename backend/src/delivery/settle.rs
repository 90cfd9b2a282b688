//! What becomes of a callback after a request to Webex. Pure: the dispatcher asks and writes.

use std::time::Duration;

use jiff::Timestamp;

use super::CLOCK_SKEW_S;
use crate::callback::{Callback, Failure, Fallback, State};
use crate::clock::{after_ms, after_s, shifted_s};
use crate::config;
use crate::entropy;
use crate::schedule::{self, Keeper, Window};
use crate::webex::error::WebexError;
use crate::webex::policy::Policy;
use crate::webex::search::FoundTask;

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

/// Whether Webex has it as a scheduled callback of its own.
fn is_at_webex(callback: &Callback) -> bool {
    callback.appointment.as_ref().is_some_and(|kept| kept.is_webexes() && kept.webex_id.is_some())
}

/// Whether Webex would still take a window that begins so soon; its clock may be ahead of ours.
fn fits_webex(window: &Window, now: Timestamp) -> bool {
    window.starts_at() >= shifted_s(after_s(now, schedule::WEBEX_NOTICE_S), CLOCK_SKEW_S)
}

/// We keep it until its window begins, and make a task of it then. Webex has nothing of it.
pub(super) fn kept_by_us(callback: &Callback, now: Timestamp) -> Option<Callback> {
    let starts_at = callback.appointment.as_ref()?.window.starts_at();
    let waits = now < starts_at;
    let mut next = if callback.state == State::Accepted && !waits {
        Callback { revision: callback.revision + 1, ..callback.clone() }
    } else {
        moved(callback, if waits { State::Scheduled } else { State::Accepted }, now)?
    };
    let kept = next.appointment.as_mut()?;
    (kept.keeper, kept.webex_id, kept.wanted) = (Keeper::Store, None, None);
    next.due_at = Some(starts_at.max(now));
    Some(next)
}

/// Webex keeps it under that id.
pub(super) fn kept_by_webex(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    id: String,
) -> Option<Callback> {
    let mut next = moved(callback, State::Scheduled, now)?;
    let kept = next.appointment.as_mut()?;
    kept.webex_id = Some(id);
    next.poll_at = Some(next_look(&kept.window, now, config));
    Some(next)
}

/// Webex keeps it, for that window.
pub(super) fn still_kept(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    window: Window,
) -> Option<Callback> {
    let mut next = moved(callback, State::Scheduled, now)?;
    let kept = next.appointment.as_mut()?;
    next.poll_at = Some(next_look(&window, now, config));
    next.deadline = window.ends_at();
    kept.wanted = None;
    if callback.state == State::Scheduled && kept.window == window {
        next.updated_at = callback.updated_at;
    }
    // Whoever has moved it has chosen.
    kept.at_opening &= kept.window == window;
    kept.window = window;
    Some(next)
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

/// Its time has come, and Webex has made this task of it.
pub(super) fn task_of_webex(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    task: &FoundTask,
) -> Option<Callback> {
    let mut next = requested(callback, now, config, task.id.clone())?;
    next.sent_at = Some(task.created_at);
    next.appointment.as_mut()?.wanted = None;
    Some(next)
}

/// Webex shows neither it nor a task of it. Before its time somebody has called it off. From then on it may be about to
/// call, or may have called: an end that nobody saw is not made up.
pub(super) fn not_shown(
    callback: &Callback,
    now: Timestamp,
    config: &config::Delivery,
    has_begun: bool,
) -> Option<Callback> {
    if !has_begun {
        return moved(callback, State::Cancelled, now);
    }
    let kept = callback.appointment.as_ref()?;
    let ends_at = kept
        .wanted
        .as_ref()
        .map_or(kept.window.ends_at(), |wanted| wanted.ends_at().max(kept.window.ends_at()));
    if shifted_s(after_s(ends_at, config.search_grace_s), CLOCK_SKEW_S) <= now {
        tracing::warn!(callback = %callback.id, "Webex had it, and what became of it cannot be found");
        return moved(callback, State::Untraced, now);
    }
    if callback.state == State::Unconfirmed {
        let mut next = moved(callback, State::Unconfirmed, now)?;
        next.updated_at = callback.updated_at;
        next.due_at = Some(next_look(&kept.window, now, config));
        return Some(next);
    }
    still_kept(callback, now, config, kept.window.clone())
}

/// When to look again at what Webex keeps: the sooner the nearer its time is, and from then on until its task is found.
fn next_look(window: &Window, now: Timestamp, config: &config::Delivery) -> Timestamp {
    let rest = window.starts_at().duration_since(now).as_secs();
    let (shortest, longest) = if rest > 0 {
        // A thousand windows that begin together must not use up what Webex allows us.
        (config.schedule_check_s / 24, config.schedule_check_s)
    } else {
        (0, LOOK_FOR_TASK_S)
    };
    let pause = (rest.unsigned_abs() / 4).min(longest).max(shortest).max(config.quiet_s);
    let next = after_s(now, pause);
    // At its start at the latest, when it becomes a task.
    if rest > 0 { next.min(after_s(window.starts_at(), 1)) } else { next }
}

/// The longest pause between two looks for the task of a callback whose time has come, in seconds.
const LOOK_FOR_TASK_S: u64 = 120;

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

#[cfg(test)]
mod tests {
    use super::sample_config::config;
    use super::*;
    use crate::callback::sample;
    use crate::webex::policy::Operation;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

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

    fn booked(keeper: Keeper, text: &str) -> Callback {
        let window = schedule::sample::window(text);
        Callback::book(sample::callback(now()).request, now(), window, keeper).unwrap()
    }

    /// In ten hours.
    const LATER: &str = "2026-01-01T10:00:00/12:00:00[UTC]";
    /// In half an hour, to the second.
    const SOON: &str = "2026-01-01T00:30:00/02:00:00[UTC]";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
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
    fn webex_is_asked_to_keep_what_begins_late_enough_and_the_rest_is_ours() {
        let sent = taken(&booked(Keeper::Webex, LATER), now(), &config()).unwrap();
        assert_eq!((sent.state, sent.is_kept_by_webex()), (State::Sending, true));
        for moment in [now(), at("2026-01-01T00:29:59Z")] {
            let ours = taken(&booked(Keeper::Webex, SOON), moment, &config()).unwrap();
            assert_eq!((ours.state, ours.is_kept_by_webex()), (State::Scheduled, false));
            assert_eq!(ours.due_at, Some(at("2026-01-01T00:30:00Z")));
            assert!(!is_leased(&ours));
        }
        // Its window has begun meanwhile.
        let ours = taken(&booked(Keeper::Webex, SOON), at("2026-01-01T01:00:00Z"), &config()).unwrap();
        assert_eq!((ours.state, ours.is_kept_by_webex(), is_leased(&ours)), (State::Accepted, false, false));
        assert_eq!(taken(&ours, at("2026-01-01T01:00:00Z"), &config()).unwrap().state, State::Sending);
        assert_eq!(taken(&ours, at("2026-01-01T02:00:00Z"), &config()).unwrap().state, State::Expired);
    }

    #[test]
    fn what_webex_keeps_is_looked_at_more_often_the_nearer_its_time_is() {
        let sent = taken(&booked(Keeper::Webex, LATER), now(), &config()).unwrap();
        let kept = kept_by_webex(&sent, now(), &config(), "s-1".to_owned()).unwrap();
        assert_eq!((kept.state, kept.poll_at), (State::Scheduled, Some(at("2026-01-01T01:00:00Z"))));
        assert_eq!(kept.due_at, None);
        for (moment, next) in [
            ("2026-01-01T08:00:00Z", "2026-01-01T08:30:00Z"),
            ("2026-01-01T09:50:00Z", "2026-01-01T09:52:30Z"),
            ("2026-01-01T09:58:00Z", "2026-01-01T10:00:01Z"),
            // Then for its task.
            ("2026-01-01T10:00:01Z", "2026-01-01T10:00:16Z"),
            ("2026-01-01T10:04:00Z", "2026-01-01T10:05:00Z"),
            ("2026-01-01T11:30:00Z", "2026-01-01T11:32:00Z"),
        ] {
            let window = kept.appointment.clone().unwrap().window;
            let still = still_kept(&kept, at(moment), &config(), window).unwrap();
            assert_eq!((still.poll_at, still.due_at), (Some(at(next)), None), "{moment}");
            assert_eq!(still.updated_at, kept.updated_at);
        }
    }

    #[test]
    fn what_webex_does_not_show_was_called_off_before_its_time_and_may_be_called_from_then_on() {
        let sent = taken(&booked(Keeper::Webex, LATER), now(), &config()).unwrap();
        let kept = kept_by_webex(&sent, now(), &config(), "s-1".to_owned()).unwrap();
        let cancelling = kept.called_off(now()).unwrap();
        let unconfirmed = orphaned(&sent, now()).unwrap();
        for callback in [&kept, &cancelling] {
            let gone = not_shown(callback, at("2026-01-01T09:00:00Z"), &config(), false).unwrap();
            assert_eq!(gone.state, State::Cancelled);
            let unknown = not_shown(callback, at("2026-01-01T10:30:00Z"), &config(), true).unwrap();
            assert_eq!(unknown.state, State::Scheduled);
        }
        let unknown = not_shown(&unconfirmed, at("2026-01-01T10:30:00Z"), &config(), true).unwrap();
        assert_eq!(unknown.state, State::Unconfirmed);
        // No end is made up, and no second call made.
        for callback in [kept, cancelling, unconfirmed] {
            let after_its_end = not_shown(&callback, at("2026-01-01T12:02:00Z"), &config(), true).unwrap();
            assert_eq!((after_its_end.state, after_its_end.due_at), (State::Untraced, None));
        }
    }

    #[test]
    fn a_task_that_webex_made_of_it_is_followed_from_its_own_time_on() {
        let sent = taken(&booked(Keeper::Webex, LATER), now(), &config()).unwrap();
        let kept = kept_by_webex(&sent, now(), &config(), "s-1".to_owned()).unwrap();
        let created_at = at("2026-01-01T10:00:02Z");
        let task = FoundTask { id: "t-1".to_owned(), created_at, reference: None };
        let found = task_of_webex(&kept, at("2026-01-01T10:00:09Z"), &config(), &task).unwrap();
        assert_eq!((found.state, found.task_id.as_deref()), (State::Requested, Some("t-1")));
        assert_eq!((found.sent_at, found.due_at), (Some(created_at), None));
        assert_eq!(found.earliest_task(), at("2026-01-01T10:00:00Z"));
    }

    #[test]
    fn what_webex_refuses_to_keep_is_ours_to_call_in_its_window() {
        let sent = taken(&booked(Keeper::Webex, LATER), now(), &config()).unwrap();
        let ours = kept_by_us(&sent, now()).unwrap();
        assert_eq!((ours.state, ours.due_at), (State::Scheduled, Some(at("2026-01-01T10:00:00Z"))));
        assert!(!ours.is_kept_by_webex() && !is_leased(&ours));
        let late = kept_by_us(&sent, at("2026-01-01T10:30:00Z")).unwrap();
        assert_eq!(late.state, State::Accepted);
    }

    #[test]
    fn a_lease_that_is_given_back_was_no_attempt() {
        let next = given_back(&sending(1), now()).unwrap();
        assert_eq!((next.state, next.attempts, next.due_at), (State::Accepted, 0, Some(now())));
    }
}
