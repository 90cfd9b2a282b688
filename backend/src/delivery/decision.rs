//! What the operator says of a request to Webex whose answer was lost, and which cannot be looked up.

use jiff::{SignedDuration, Timestamp};

use super::{reconcile, settle};
use crate::callback::{Callback, CallbackId, Failure, State};
use crate::clock::after_s;
use crate::config;
use crate::store::{self, Attempt, Store, StoreError};

/// What the operator has found out, or wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Webex has made a task of it: that one, where its id is known.
    Sent(Option<String>),
    /// Webex has nothing of it: it is sent once more.
    Resend,
    /// It is given up.
    Failed,
}

/// A decision was not written down.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// There is no such callback.
    #[error("there is no callback {0}; hint: `ringback callbacks list` prints the ids")]
    Unknown(CallbackId),
    /// There is nothing to decide.
    #[error("{id} is {} and not unconfirmed; nothing was changed", state.as_str())]
    NotHeld {
        /// The callback.
        id: CallbackId,
        /// Where it stands.
        state: State,
    },
    /// Its task may be found at this moment.
    #[error(
        "{id} is being looked up right now; nothing was changed; hint: try again in some seconds: that is over by {until} at the latest"
    )]
    LookedUp {
        /// The callback.
        id: CallbackId,
        /// When that is over.
        until: Timestamp,
    },
    /// It changed while the decision was on its way.
    #[error("{0} has changed meanwhile; nothing was changed by this; hint: look at it again")]
    Changed(CallbackId),
    /// The task belongs to another callback.
    #[error("the task {task_id} is that of the callback {owner}; nothing was changed")]
    TaskOfAnother {
        /// The task.
        task_id: String,
        /// Whose it is.
        owner: CallbackId,
    },
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes down what the operator decided; gives the callback as it goes on. Whichever process serves goes on with it.
pub async fn decide(
    store: &dyn Store,
    config: &config::Delivery,
    id: CallbackId,
    decision: &Decision,
    now: Timestamp,
) -> Result<Callback, DecisionError> {
    let callback = store.get(id).await?.ok_or(DecisionError::Unknown(id))?;
    if let Decision::Sent(Some(task_id)) = decision
        && let Some(owner) = store.of_task(task_id).await?
        && owner.id != id
    {
        return Err(DecisionError::TaskOfAnother { task_id: task_id.clone(), owner: owner.id });
    }
    // Read after the callback: a look-up that ends in between has changed it, and the decision is refused.
    let attempts = store.attempts(id).await?;
    let next = decided(&callback, &attempts, config, decision, now)?;
    let outcome = match decision {
        Decision::Sent(Some(_)) => "the operator says: sent, task known".to_owned(),
        Decision::Sent(None) => "the operator says: sent, task not known".to_owned(),
        Decision::Resend => format!("the operator says: not sent; now {}", next.state.as_str()),
        Decision::Failed => "the operator says: given up".to_owned(),
    };
    // Nothing was asked of Webex, so there is nothing that its support could find.
    let attempt = Attempt {
        operation: store::DECIDE,
        begun_at: now,
        took_ms: 0,
        status: None,
        tracking_id: String::new(),
        outcome,
    };
    if store.update(&next, Some(&attempt)).await? { Ok(next) } else { Err(DecisionError::Changed(id)) }
}

/// Until when the callback is being looked up at the latest, where it may be.
///
/// Its row has one time for two things: the end of the lease of a look-up that is under way, and the next look-up. A lease is as long as
/// `lease_s`, and nobody takes one before the rest is over that follows each look-up: where it would have to have been taken sooner, the time
/// is that of the next look-up. Each time was written by a process that had read the one before, so this holds whatever their clocks say.
fn looked_up_until(
    callback: &Callback,
    attempts: &[Attempt],
    config: &config::Delivery,
    now: Timestamp,
) -> Option<Timestamp> {
    let until = callback.due_at.filter(|due| now < *due && *due <= after_s(now, config.lease_s))?;
    let taken_at = until.checked_sub(SignedDuration::from_secs(i64::try_from(config.lease_s).ok()?)).ok()?;
    let is_at_webex = callback.is_kept_by_webex();
    let rested = attempts.iter().filter(|attempt| attempt.was_asked()).map(|attempt| {
        let begun_at = attempt.begun_at;
        let is_of_this_loss =
            attempt.operation == store::SEARCH_TASK && callback.sent_at.is_some_and(|sent| sent <= begun_at);
        // What Webex keeps may be looked at sooner.
        let rests = is_of_this_loss && !is_at_webex;
        after_s(begun_at, if rests { reconcile::rest_s(config, callback, begun_at) } else { 0 })
    });
    rested.max().is_none_or(|rested| rested <= taken_at).then_some(until)
}

fn decided(
    callback: &Callback,
    attempts: &[Attempt],
    config: &config::Delivery,
    decision: &Decision,
    now: Timestamp,
) -> Result<Callback, DecisionError> {
    let id = callback.id;
    if callback.state != State::Unconfirmed {
        return Err(DecisionError::NotHeld { id, state: callback.state });
    }
    // One that finds the task just now would lose against the operator, and a second call would be made.
    if let Some(until) = looked_up_until(callback, attempts, config, now) {
        return Err(DecisionError::LookedUp { id, until });
    }
    let next = match decision {
        Decision::Sent(Some(task_id)) => settle::requested(callback, now, config, task_id.clone()),
        Decision::Sent(None) => settle::moved(callback, State::Untraced, now),
        Decision::Resend => reconcile::again(callback, now),
        Decision::Failed => {
            settle::failed(callback, now, Failure::GivenUp, "the operator gave it up".to_owned())
        }
    };
    next.ok_or(DecisionError::NotHeld { id, state: callback.state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::sample;
    use crate::clock::shifted_s;
    use crate::delivery::settle::sample_config::config;
    use crate::webex::error::WebexError;
    use crate::webex::policy::Operation;

    fn attempt(operation: &'static str, begun_at: Timestamp) -> Attempt {
        let (tracking_id, outcome) = (String::new(), String::new());
        Attempt { operation, begun_at, took_ms: 400, status: None, tracking_id, outcome }
    }

    #[test]
    fn a_callback_is_left_alone_while_it_is_looked_up_and_at_no_other_moment() {
        let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let config = config::Delivery { lease_s: 30, search_grace_s: 60, ..config() };
        let sent = settle::taken(&sample::callback(begin), begin, &config).unwrap();
        let may_decide = |callback: &Callback, attempts: &[Attempt], now| {
            let of = |decision| decided(callback, attempts, &config, &decision, now).is_ok();
            let may = of(Decision::Resend);
            assert_eq!([Decision::Sent(None), Decision::Failed].map(of), [may; 2]);
            may
        };
        assert!(!may_decide(&sent, &[], begin));
        // Its answer is lost after two seconds, and each search takes as long and finds nothing, for an hour.
        let mut now = shifted_s(begin, 2);
        let mut attempts = vec![attempt(store::CREATE_TASK, begin)];
        let lost = settle::after_error(&sent, now, &config, WebexError::late(Operation::CreateTask));
        let mut callback = lost.unwrap();
        while now < shifted_s(begin, 3600) {
            assert!(may_decide(&callback, &attempts, now), "{now}");
            let due = callback.due_at.unwrap();
            for moment in [shifted_s(due, -1), due] {
                assert!(may_decide(&callback, &attempts, moment), "{moment}");
            }
            let leased = settle::taken(&callback, due, &config).unwrap();
            for (second, may) in [(0, false), (1, false), (29, false), (30, true)] {
                let moment = shifted_s(due, second);
                assert_eq!(may_decide(&leased, &attempts, moment), may, "{moment}");
            }
            now = shifted_s(due, 2);
            attempts.push(attempt(store::SEARCH_TASK, due));
            callback = reconcile::later(&config, &leased, now).unwrap();
        }
        assert!(attempts.len() > 10);
    }

    #[test]
    fn what_a_process_was_sending_that_has_ended_is_looked_up_before_anything_is_decided() {
        let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        // The least lease, and the longest rest.
        let config = config::Delivery { lease_s: 1, search_grace_s: 600, ..config() };
        let sent_again = shifted_s(begin, 1);
        let before = [attempt(store::SEARCH_TASK, begin), attempt(store::CREATE_TASK, begin)];
        let sent = settle::taken(&sample::callback(begin), sent_again, &config).unwrap();
        let due = sent.due_at.unwrap();
        let looked_up = settle::taken(&sent, due, &config).unwrap();
        assert_eq!(looked_up.state, State::Unconfirmed);
        let refused = decided(&looked_up, &before, &config, &Decision::Resend, due);
        assert!(matches!(refused, Err(DecisionError::LookedUp { .. })), "{refused:?}");
    }

    #[test]
    fn what_is_too_late_to_be_sent_again_has_expired() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let callback = sample::callback(now).moved_to(State::Sending, now).unwrap();
        let callback = callback.moved_to(State::Unconfirmed, now).unwrap();
        let state = |at| decided(&callback, &[], &config(), &Decision::Resend, at).unwrap().state;
        assert_eq!(state(now), State::Accepted);
        assert_eq!(state(callback.deadline), State::Expired);
    }
}
