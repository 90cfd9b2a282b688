//! A callback, and what may become of it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
pub use ringback_contract::callback::{Failure, Fallback, State};
use uuid::Uuid;

use crate::agent::AgentName;
use crate::entropy::{self, NoEntropy};
use crate::personal::Personal;
use crate::phone::PhoneNumber;

/// The id of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallbackId(Uuid);

impl CallbackId {
    /// A new id; ids sort by the moment they were made.
    pub fn new(now: Timestamp) -> Result<Self, NoEntropy> {
        entropy::identifier_at(now).map(Self)
    }

    /// The id of that text.
    pub fn parse(text: &str) -> Option<Self> {
        // One spelling only, so that an id can be compared as text elsewhere.
        let id = Self(Uuid::try_parse(text).ok()?);
        (id.to_string() == text).then_some(id)
    }

    /// The id as bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id of those bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(Self)
    }
}

impl fmt::Display for CallbackId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// The door that a callback came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The form on a website.
    Site,
    /// The REST door.
    Crm,
}

impl Door {
    /// The text of the door in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Crm => "crm",
        }
    }

    /// The door of that text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Site, Self::Crm].into_iter().find(|door| door.as_str() == text)
    }
}

/// What was asked for: the part of a callback that never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The site on whose behalf the call is made.
    pub site: String,
    /// The door that the request came in by.
    pub door: Door,
    /// The number to call.
    pub phone: PhoneNumber,
    /// The person's name.
    pub name: Personal,
    /// The person's e-mail address.
    pub email: Personal,
    /// The id of the reason; empty where none was given.
    pub reason: String,
    /// Free text for the agent.
    pub message: Personal,
    /// The address of the page that held the form.
    pub page: String,
    /// The language of the form.
    pub locale: String,
    /// The preferred agent.
    pub agent: Option<AgentName>,
    /// The CRM's own reference.
    pub reference: Option<String>,
    /// The version of the consent text that was agreed to.
    pub consent_version: Option<String>,
    /// What a CRM adds to the attributes of the task.
    pub attributes: BTreeMap<String, Personal>,
}

/// A callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// Its id.
    pub id: CallbackId,
    /// What was asked for.
    pub request: Request,
    /// Where it stands.
    pub state: State,
    /// Why it failed, and a sentence for the operator.
    pub failure: Option<(Failure, String)>,
    /// Why the next free agent calls instead of the preferred one, and a sentence for the operator.
    pub fallback: Option<(Fallback, String)>,
    /// The id of the Webex task.
    pub task_id: Option<String>,
    /// How many requests to make a task were begun.
    pub attempts: u32,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The moment after which it is not sent any more.
    pub deadline: Timestamp,
    /// When the dispatcher looks at it next: the next attempt while `accepted`, the end of the lease while `sending`,
    /// the next look-up while `unconfirmed`. `None` where there is nothing to do.
    pub due_at: Option<Timestamp>,
    /// When Webex is asked about the task, unless it has told by then. `None` where there is nothing to ask.
    pub poll_at: Option<Timestamp>,
    /// When the last request to make a task was begun.
    pub sent_at: Option<Timestamp>,
    /// The time of the newest Webex event that was taken in.
    pub last_event_at: Option<Timestamp>,
    /// How often it changed. A change names the revision that it is based on, and is refused when another came first.
    pub revision: u64,
}

impl Callback {
    /// A callback that has just been asked for.
    pub fn accept(request: Request, now: Timestamp, deadline: Timestamp) -> Result<Self, NoEntropy> {
        Ok(Self {
            id: CallbackId::new(now)?,
            request,
            state: State::Accepted,
            failure: None,
            fallback: None,
            task_id: None,
            attempts: 0,
            created_at: now,
            updated_at: now,
            deadline,
            due_at: Some(now),
            poll_at: None,
            sent_at: None,
            last_event_at: None,
            revision: 0,
        })
    }

    /// The callback in another state, one revision on.
    ///
    /// # Errors
    ///
    /// Where no callback may go from its state to that one.
    pub fn moved_to(&self, state: State, now: Timestamp) -> Result<Self, IllegalTransition> {
        if !may_move(self.state, state) {
            return Err(IllegalTransition { from: self.state, to: state });
        }
        let mut next = self.clone();
        next.state = state;
        next.updated_at = now;
        next.due_at = None;
        next.poll_at = None;
        next.revision += 1;
        Ok(next)
    }

    /// Whether it can still be called off.
    pub fn is_cancellable(&self) -> bool {
        may_move(self.state, State::Cancelled)
    }
}

/// A callback cannot go from the one state to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a callback cannot go from {} to {}", from.as_str(), to.as_str())]
pub struct IllegalTransition {
    from: State,
    to: State,
}

/// The legal transitions. The drawing in `docs/architecture.md` shows the same table.
pub const fn may_move(from: State, to: State) -> bool {
    use State::{
        Accepted, Cancelled, Completed, Connected, Expired, Failed, Offered, Queued, Requested, Sending,
        Unconfirmed,
    };
    match from {
        Accepted => matches!(to, Sending | Cancelled | Expired),
        // Back to accepted: Webex said that it did not take the request, or the dispatcher gave its lease back.
        Sending => matches!(to, Accepted | Unconfirmed | Requested | Failed),
        // To itself: looked for, not found yet.
        Unconfirmed => matches!(to, Unconfirmed | Accepted | Requested | Expired),
        // Webex's events may be lost, so any later state may come next.
        Requested => matches!(to, Queued | Offered | Connected | Completed | Failed),
        Queued => matches!(to, Offered | Connected | Completed | Failed),
        // Back to queued: the agent did not pick up (RONA).
        Offered => matches!(to, Queued | Connected | Completed | Failed),
        Connected => matches!(to, Completed | Failed),
        Completed | Failed | Cancelled | Expired => false,
    }
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    pub(crate) fn request() -> Request {
        Request {
            site: "acme".to_owned(),
            door: Door::Site,
            phone: PhoneNumber::from_e164("+15555550142").unwrap(),
            name: Personal::new("Ann Example"),
            email: Personal::new("ann@example.com"),
            reason: "billing".to_owned(),
            message: Personal::new("About invoice 7"),
            page: "https://www.acme.example/contact".to_owned(),
            locale: "en".to_owned(),
            agent: None,
            reference: None,
            consent_version: Some("2026-01".to_owned()),
            attributes: BTreeMap::new(),
        }
    }

    pub(crate) fn callback(now: Timestamp) -> Callback {
        Callback::accept(request(), now, crate::clock::after_s(now, 7200)).unwrap()
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
    }

    #[test]
    fn a_move_counts_and_a_forbidden_one_is_told() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let callback = sample::callback(now);
        let sending = callback.moved_to(State::Sending, now).unwrap();
        assert_eq!((sending.state, sending.revision, sending.due_at), (State::Sending, 1, None));
        let told = callback.moved_to(State::Completed, now).unwrap_err().to_string();
        assert_eq!(told, "a callback cannot go from accepted to completed");
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = CallbackId::new("2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(CallbackId::parse(&id.to_string()), Some(id));
        assert_eq!(CallbackId::parse(&id.to_string().to_uppercase()), None);
        assert_eq!(CallbackId::parse(&format!("{{{id}}}")), None);
        assert_eq!(CallbackId::from_slice(id.as_bytes()), Some(id));
    }
}
