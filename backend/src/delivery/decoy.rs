//! What becomes of a decoy: what becomes of a callback that Webex takes, and for which no agent comes free. Webex never hears of it.

use jiff::Timestamp;

use super::settle::moved;
use crate::callback::{Callback, Failure, State};
use crate::clock::{after_ms, after_s};
use crate::entropy;

/// How long Webex takes to make a task of a callback, or to keep it, in milliseconds: so long, and up to twice that.
const ANSWER_MS: u64 = 150;
/// How long after that it is in a queue, in milliseconds: likewise.
const PARKING_MS: u64 = 1000;

/// How long after it was asked for somebody gives up who waits in a queue, in seconds, where its own time is not over before.
const PATIENCE_S: u64 = 30 * 60;

/// The next step of a decoy whose turn has come. `None`: it stays as it is.
pub(super) fn step(callback: &Callback, now: Timestamp) -> Option<Callback> {
    let is_webexes = callback.is_kept_by_webex();
    let starts_at = callback.appointment.as_ref().map(|kept| kept.window.starts_at());
    let mut next = match callback.state {
        State::Accepted | State::Scheduled if callback.deadline <= now => {
            moved(callback, State::Expired, now)?
        }
        State::Accepted if is_webexes => moved(callback, State::Scheduled, now)?,
        State::Scheduled if starts_at.is_some_and(|starts_at| now < starts_at) => {
            moved(callback, State::Scheduled, now)?
        }
        State::Scheduled if is_webexes => moved(callback, State::Requested, now)?,
        State::Accepted | State::Scheduled => Callback {
            attempts: callback.attempts + 1,
            sent_at: Some(now),
            ..moved(callback, State::Sending, now)?
        },
        State::Sending => moved(callback, State::Requested, now)?,
        State::Requested => moved(callback, State::Queued, now)?,
        State::Queued => {
            // Nobody came.
            let mut next = moved(callback, State::Failed, now)?;
            next.failure = Some((Failure::NotConnected, "a decoy".to_owned()));
            next
        }
        State::Rescheduling => {
            let mut next = moved(callback, State::Scheduled, now)?;
            let kept = next.appointment.as_mut()?;
            if let Some(wanted) = kept.wanted.take() {
                next.deadline = wanted.ends_at();
                (kept.window, kept.at_opening) = (wanted, false);
            }
            next
        }
        State::Cancelling => moved(callback, State::Cancelled, now)?,
        _ => return None,
    };
    next.due_at = due_at(&next, now);
    Some(next)
}

/// When something becomes of it next.
fn due_at(decoy: &Callback, now: Timestamp) -> Option<Timestamp> {
    let within = |milliseconds: u64| after_ms(now, milliseconds + entropy::below(milliseconds));
    match decoy.state {
        State::Scheduled => decoy.appointment.as_ref().map(|kept| kept.window.starts_at().max(now)),
        State::Sending => Some(within(ANSWER_MS)),
        State::Requested => Some(within(PARKING_MS)),
        State::Queued => Some(after_s(now, PATIENCE_S)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::sample;
    use crate::door::Door;
    use crate::schedule::Keeper;

    /// The states that it goes through, each at the moment when it is due.
    fn life(mut decoy: Callback) -> Vec<State> {
        let mut states = vec![decoy.state];
        while let Some(due_at) = decoy.due_at {
            decoy = step(&decoy, due_at).unwrap();
            states.push(decoy.state);
        }
        assert!(decoy.state.is_final() && decoy.task_id.is_none() && decoy.poll_at.is_none());
        states
    }

    fn decoy(now: Timestamp) -> Callback {
        let mut decoy = sample::callback(now);
        decoy.request.door = Door::Decoy;
        decoy
    }

    #[test]
    fn it_goes_the_way_of_a_callback_for_which_nobody_comes_free() {
        use State::{
            Accepted, Cancelled, Cancelling, Failed, Queued, Requested, Rescheduling, Scheduled, Sending,
        };
        let now: Timestamp = "2026-12-01T08:00:00Z".parse().unwrap();
        assert_eq!(life(decoy(now)), [Accepted, Sending, Requested, Queued, Failed]);
        let window = |text: &str| crate::schedule::sample::window(text);
        let (first, second) =
            (window("2026-12-01T10:00:00/12:00:00[UTC]"), window("2026-12-02T10:00:00/12:00:00[UTC]"));
        let request = || decoy(now).request;
        let ours = Callback::book(request(), now, first.clone(), Keeper::Store).unwrap();
        assert_eq!(life(ours), [Scheduled, Sending, Requested, Queued, Failed]);
        let webexes = Callback::book(request(), now, first, Keeper::Webex).unwrap();
        assert_eq!(life(webexes.clone()), [Accepted, Scheduled, Requested, Queued, Failed]);
        let kept = step(&webexes, now).unwrap();
        assert!(!kept.is_number_changeable());
        let moving = kept.moved_to_window(second.clone(), now).unwrap();
        assert_eq!(life(moving.clone())[..3], [Rescheduling, Scheduled, Requested]);
        let moved = step(&moving, now).unwrap();
        assert_eq!(moved.due_at, Some(second.starts_at()));
        assert_eq!(life(kept.called_off(now).unwrap()), [Cancelling, Cancelled]);
    }

    #[test]
    fn one_that_was_not_looked_at_in_time_expires() {
        let now: Timestamp = "2026-12-01T08:00:00Z".parse().unwrap();
        let late = after_s(now, 7200);
        assert_eq!(step(&decoy(now), late).unwrap().state, State::Expired);
    }
}
