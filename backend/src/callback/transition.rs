//! From which state to which a callback may go.

use ringback_contract::callback::State;

/// A callback cannot go from the one state to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a callback cannot go from {} to {}", from.as_str(), to.as_str())]
pub struct IllegalTransition {
    pub(super) from: State,
    pub(super) to: State,
}

/// The legal transitions. The drawing in `docs/architecture.md` shows the same table.
pub const fn may_move(from: State, to: State) -> bool {
    use State::{
        Accepted, Cancelled, Cancelling, Completed, Connected, Expired, Failed, Offered, Queued, Requested,
        Rescheduling, Scheduled, Sending, Unconfirmed, Untraced,
    };
    match from {
        // To scheduled: it begins too soon for Webex to keep it.
        Accepted => matches!(to, Sending | Scheduled | Cancelled | Expired),
        // Back to accepted: Webex said that it did not take the request, or the dispatcher gave its lease back.
        Sending => matches!(to, Accepted | Unconfirmed | Scheduled | Requested | Failed),
        // To itself: looked for, not found yet. To failed: the operator gave it up.
        Unconfirmed => {
            matches!(to, Unconfirmed | Accepted | Scheduled | Requested | Failed | Expired | Untraced)
        }
        // To itself: looked at, still kept. Only what we keep is sent; what Webex keeps becomes a task there.
        Scheduled => matches!(
            to,
            Scheduled | Sending | Rescheduling | Cancelling | Requested | Cancelled | Expired | Untraced
        ),
        // Back to scheduled: done, or Webex refuses. To requested: its time came first.
        Rescheduling => {
            matches!(to, Rescheduling | Scheduled | Cancelling | Requested | Cancelled | Untraced)
        }
        Cancelling => matches!(to, Cancelling | Scheduled | Requested | Cancelled | Untraced),
        // Webex's events may be lost, so any later state may come next.
        Requested => matches!(to, Queued | Offered | Connected | Completed | Failed),
        Queued => matches!(to, Offered | Connected | Completed | Failed),
        // Back to queued: the agent did not pick up (RONA).
        Offered => matches!(to, Queued | Connected | Completed | Failed),
        Connected => matches!(to, Completed | Failed),
        Completed | Failed | Cancelled | Expired | Untraced => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_a_final_state_and_nothing_but_an_intake_is_accepted_from_nowhere() {
        for from in State::ALL {
            let ways = State::ALL.into_iter().filter(|to| may_move(from, *to)).count();
            assert_eq!(ways == 0, from.is_final(), "{from:?}");
        }
    }

    #[test]
    fn a_request_that_may_have_left_is_never_simply_tried_again() {
        assert!(!may_move(State::Sending, State::Sending));
        assert!(!may_move(State::Unconfirmed, State::Sending));
        assert!(!may_move(State::Unconfirmed, State::Cancelled));
        assert!(!may_move(State::Sending, State::Cancelled));
        for state in [State::Rescheduling, State::Cancelling] {
            assert!(!may_move(state, State::Sending) && !may_move(state, State::Accepted));
        }
    }
}
