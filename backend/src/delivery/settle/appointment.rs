//! What becomes of a callback at a chosen time, whether Webex keeps it until then or we do.

use jiff::Timestamp;

use super::super::CLOCK_SKEW_S;
use super::{moved, requested};
use crate::callback::{Callback, State};
use crate::clock::{after_s, shifted_s};
use crate::config;
use crate::schedule::{self, Keeper, Window};
use crate::webex::search::FoundTask;

/// Whether Webex has it as a scheduled callback of its own.
pub(super) fn is_at_webex(callback: &Callback) -> bool {
    callback.appointment.as_ref().is_some_and(|kept| kept.is_webexes() && kept.webex_id.is_some())
}

/// Whether Webex would still take a window that begins so soon; its clock may be ahead of ours.
pub(super) fn fits_webex(window: &Window, now: Timestamp) -> bool {
    window.starts_at() >= shifted_s(after_s(now, schedule::WEBEX_NOTICE_S), CLOCK_SKEW_S)
}

/// We keep it until its window begins, and make a task of it then. Webex has nothing of it.
pub(in crate::delivery) fn kept_by_us(callback: &Callback, now: Timestamp) -> Option<Callback> {
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
pub(in crate::delivery) fn kept_by_webex(
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
pub(in crate::delivery) fn still_kept(
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

/// Its time has come, and Webex has made this task of it.
pub(in crate::delivery) fn task_of_webex(
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
pub(in crate::delivery) fn not_shown(
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

#[cfg(test)]
mod tests {
    use super::super::sample_appointment::{LATER, SOON, at, booked, now};
    use super::super::sample_config::config;
    use super::super::{is_leased, orphaned, taken};
    use super::*;

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
}
