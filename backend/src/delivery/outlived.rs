//! What cannot be found out for so long that the personal data of whoever asked has had its time.

use jiff::Timestamp;

use super::settle;
use crate::callback::{Callback, State};
use crate::clock::shifted_s;

/// The end of a callback of which Webex was to say something, and has not for as long as personal data is kept: no end is made up, and
/// nobody asks any more. It counts as ended when it last was heard of, so that it is erased with what ended then. `None`: it goes on.
pub(super) fn ended(callback: &Callback, now: Timestamp, kept_s: i64) -> Option<Callback> {
    let is_asked_for = matches!(callback.state, State::Unconfirmed | State::Rescheduling | State::Cancelling);
    // What is for a window that is yet to come has not had its time.
    let heard_at = callback.updated_at.max(callback.deadline);
    if !is_asked_for || shifted_s(heard_at, kept_s) >= now {
        return None;
    }
    tracing::warn!(callback = %callback.id, state = callback.state.as_str(), "what became of it was never found out; it is let go");
    let mut next = settle::moved(callback, State::Untraced, now)?;
    next.updated_at = heard_at;
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::sample;

    #[test]
    fn what_waits_for_word_from_webex_ends_with_the_time_of_its_data_and_nothing_else_does() {
        let asked_at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let kept_s = 30 * 24 * 60 * 60;
        let callback = sample::callback(asked_at);
        let over = shifted_s(callback.deadline, kept_s);
        for state in State::ALL {
            let callback = Callback { state, ..callback.clone() };
            assert_eq!(ended(&callback, over, kept_s), None, "{state:?}");
            let next = ended(&callback, shifted_s(over, 1), kept_s);
            let is_asked_for = matches!(state, State::Unconfirmed | State::Rescheduling | State::Cancelling);
            assert_eq!(next.as_ref().map(|next| next.state), is_asked_for.then_some(State::Untraced));
            if let Some(next) = next {
                assert!(next.is_let_go() && next.updated_at < shifted_s(over, 1 - kept_s));
            }
        }
    }
}
