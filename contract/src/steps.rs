//! The steps that a visitor sees a callback take.

use crate::callback::State;

/// The steps in their order: the last part of each one's text key.
pub const STEPS: [&str; 5] = ["received", "queue", "agent", "talking", "done"];

/// The step that a state stands in. Several states are one step for a visitor; a callback that came to nothing stands
/// in none.
pub const fn step(state: State) -> Option<usize> {
    match state {
        State::Accepted
        | State::Sending
        | State::Unconfirmed
        | State::Scheduled
        | State::Rescheduling
        | State::Cancelling => Some(0),
        State::Requested | State::Queued => Some(1),
        State::Offered => Some(2),
        State::Connected => Some(3),
        State::Completed => Some(4),
        State::Failed | State::Cancelled | State::Expired | State::Untraced => None,
    }
}

/// How a step looks while a callback stands in `current`.
pub const fn look(step: usize, current: usize) -> &'static str {
    if step < current || current == STEPS.len() - 1 {
        "done"
    } else if step == current {
        "now"
    } else {
        "next"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_that_goes_well_never_steps_back() {
        let steps: Vec<_> = State::ALL.into_iter().filter_map(step).collect();
        assert!(steps.is_sorted());
        assert_eq!(steps.last(), Some(&(STEPS.len() - 1)));
    }

    #[test]
    fn the_steps_before_the_present_one_are_done() {
        let looks = |current| (0..STEPS.len()).map(|step| look(step, current)).collect::<Vec<_>>();
        assert_eq!(looks(1), ["done", "now", "next", "next", "next"]);
        assert_eq!(looks(4), ["done"; 5]);
    }
}
