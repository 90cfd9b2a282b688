//! The circuit to Webex: when call after call fails for reasons that are not the callbacks', the others wait, and one
//! call at a time probes whether Webex is back.

use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use crate::clock::{after_ms, is_ahead};
use crate::entropy;

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;
/// How long the circuit stays open at first, and at most; it doubles with each probe that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The circuit of one process.
#[derive(Debug, Default)]
pub(super) struct Circuit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Timestamp>,
    probing: bool,
}

impl Circuit {
    /// How many of so many calls may be made now, and when to ask again where these are fewer.
    pub(super) fn allows(&self, wanted: usize, now: Timestamp) -> (usize, Option<Timestamp>) {
        let state = self.0.lock();
        match state.open_until {
            None => (wanted, None),
            // Whoever probes ends the wait.
            Some(_) if state.probing => (0, None),
            // With its jitter.
            Some(until) if is_ahead(until, now, LONGEST_PAUSE * 5 / 4) => (0, Some(until)),
            Some(_) => (wanted.min(1), None),
        }
    }

    /// A call is being made.
    pub(super) fn begins(&self) {
        let mut state = self.0.lock();
        state.probing = state.open_until.is_some();
    }

    /// A call has ended: `answered` where Webex had anything to say, if only a refusal.
    pub(super) fn ends(&self, answered: bool, now: Timestamp) {
        let mut state = self.0.lock();
        if answered {
            if state.open_until.is_some() {
                tracing::info!("Webex answers again");
            }
            *state = State::default();
            return;
        }
        let was_probe = std::mem::take(&mut state.probing);
        state.failures = state.failures.saturating_add(1);
        // Calls that had begun before the circuit opened say nothing new.
        if state.failures >= FAILURES && (state.open_until.is_none() || was_probe) {
            let doubled = FIRST_PAUSE.saturating_mul(1 << (state.failures - FAILURES).min(10));
            let pause = u64::try_from(doubled.min(LONGEST_PAUSE).as_millis()).unwrap_or(u64::MAX);
            let until = after_ms(now, pause + entropy::below(pause / 4 + 1));
            tracing::warn!(%until, failures = state.failures, "Webex does not answer; callbacks wait");
            state.open_until = Some(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{after_s, shifted_s};

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn open() -> Circuit {
        let circuit = Circuit::default();
        for _ in 0..FAILURES {
            assert_eq!(circuit.allows(8, now()), (8, None));
            circuit.begins();
            circuit.ends(false, now());
        }
        circuit
    }

    #[test]
    fn it_opens_after_failures_in_a_row_alone() {
        let circuit = Circuit::default();
        for _ in 0..3 {
            for _ in 1..FAILURES {
                circuit.ends(false, now());
            }
            circuit.ends(true, now());
        }
        assert_eq!(circuit.allows(8, now()), (8, None));
        let (calls, again) = open().allows(8, now());
        assert_eq!(calls, 0);
        assert!(again.is_some_and(|again| again > now() && again <= after_s(now(), 2)));
    }

    #[test]
    fn one_call_probes_and_its_answer_closes_the_circuit() {
        let circuit = open();
        let later = after_s(now(), 5);
        assert_eq!(circuit.allows(8, later), (1, None));
        circuit.begins();
        assert_eq!(circuit.allows(8, later), (0, None));
        circuit.ends(true, later);
        assert_eq!(circuit.allows(8, later), (8, None));
    }

    #[test]
    fn each_probe_that_fails_doubles_the_wait_up_to_its_bound() {
        let circuit = open();
        let mut moment = now();
        let mut waits = Vec::new();
        for _ in 0..12 {
            let until = circuit.allows(8, moment).1.unwrap();
            waits.push(until.duration_since(moment).as_secs());
            moment = until;
            circuit.begins();
            circuit.ends(false, moment);
        }
        assert!(waits.windows(2).take(5).all(|pair| pair[1] > pair[0]), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= 75), "{waits:?}");
        assert!(waits[11] >= 60, "{waits:?}");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_keep_it_open() {
        let circuit = open();
        assert_eq!(circuit.allows(8, shifted_s(now(), -3600)), (1, None));
    }

    #[test]
    fn late_failures_of_calls_that_had_begun_before_do_not_lengthen_the_wait() {
        let circuit = open();
        let until = circuit.allows(8, now()).1;
        circuit.ends(false, now());
        assert_eq!(circuit.allows(8, now()).1, until);
    }
}
