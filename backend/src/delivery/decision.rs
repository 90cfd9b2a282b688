//! What the operator says of a request to Webex whose answer was lost, and which cannot be looked up.

use jiff::Timestamp;

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
    #[error("{id} may be being looked up right now; nothing was changed; hint: try again after {until}")]
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
    let next = decided(&callback, config, decision, now)?;
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

fn decided(
    callback: &Callback,
    config: &config::Delivery,
    decision: &Decision,
    now: Timestamp,
) -> Result<Callback, DecisionError> {
    let id = callback.id;
    if callback.state != State::Unconfirmed {
        return Err(DecisionError::NotHeld { id, state: callback.state });
    }
    // A look-up holds a lease, which ends within that time. One that finds the task just now would lose against the
    // operator, and a second call would be made.
    if let Some(until) = callback.due_at.filter(|due| now < *due && *due <= after_s(now, config.lease_s)) {
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

    #[test]
    fn a_callback_that_may_be_being_looked_up_is_left_alone() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let config = config();
        let lease_s = i64::try_from(config.lease_s).unwrap();
        let mut callback = sample::callback(now).moved_to(State::Sending, now).unwrap();
        let undecided = decided(&callback, &config, &Decision::Failed, now);
        assert!(matches!(undecided, Err(DecisionError::NotHeld { state: State::Sending, .. })));
        callback = callback.moved_to(State::Unconfirmed, now).unwrap();
        for (due_s, may_decide) in [(-1, true), (0, true), (1, false), (lease_s, false), (lease_s + 1, true)]
        {
            callback.due_at = Some(shifted_s(now, due_s));
            for decision in [Decision::Sent(None), Decision::Resend, Decision::Failed] {
                assert_eq!(decided(&callback, &config, &decision, now).is_ok(), may_decide, "{due_s}");
            }
        }
    }

    #[test]
    fn what_is_too_late_to_be_sent_again_has_expired() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let callback = sample::callback(now).moved_to(State::Sending, now).unwrap();
        let callback = callback.moved_to(State::Unconfirmed, now).unwrap();
        let state = |at| decided(&callback, &config(), &Decision::Resend, at).unwrap().state;
        assert_eq!(state(now), State::Accepted);
        assert_eq!(state(callback.deadline), State::Expired);
    }
}
