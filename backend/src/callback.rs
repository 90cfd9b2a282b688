//! A callback, and what may become of it.

mod transition;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
pub use ringback_contract::callback::{Failure, Fallback, State};
use uuid::Uuid;

pub use self::transition::{IllegalTransition, may_move};
use crate::agent::AgentName;
use crate::door::Door;
use crate::entropy::{self, NoEntropy};
use crate::personal::Personal;
use crate::phone::PhoneNumber;
use crate::schedule::{Appointment, Keeper, Window};
use crate::site::Answers;

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

/// What was asked for: the part of a callback that never changes, but for the number while nothing was sent.
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
    /// What stands in the operator's own fields.
    pub fields: Answers,
}

impl Request {
    /// Throws away who the person is and what they wrote, but for the number.
    pub fn forget_person(&mut self) {
        let nothing = || Personal::new("");
        (self.name, self.email, self.message) = (nothing(), nothing(), nothing());
        self.page.clear();
        self.attributes.clear();
        self.fields.clear();
    }
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
    /// When the person wants to be called; `None`: as soon as possible.
    pub appointment: Option<Appointment>,
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
    /// When its personal data was erased.
    pub erased_at: Option<Timestamp>,
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
            appointment: None,
            task_id: None,
            attempts: 0,
            created_at: now,
            updated_at: now,
            deadline,
            due_at: Some(now),
            poll_at: None,
            sent_at: None,
            last_event_at: None,
            erased_at: None,
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

    /// A callback that has just been asked for, for that window: kept by us, it waits; else Webex is asked to keep it.
    pub fn book(request: Request, now: Timestamp, window: Window, keeper: Keeper) -> Result<Self, NoEntropy> {
        let mut callback = Self::accept(request, now, window.ends_at())?;
        if keeper == Keeper::Store {
            callback.state = State::Scheduled;
            callback.due_at = Some(window.starts_at());
        }
        callback.appointment =
            Some(Appointment { window, keeper, webex_id: None, wanted: None, at_opening: false });
        Ok(callback)
    }

    /// A callback that has just been asked for while its site is closed: for that window, in which nobody takes a place.
    pub fn book_at_opening(
        request: Request,
        now: Timestamp,
        window: Window,
        keeper: Keeper,
    ) -> Result<Self, NoEntropy> {
        let mut callback = Self::book(request, now, window, keeper)?;
        if let Some(kept) = &mut callback.appointment {
            kept.at_opening = true;
        }
        Ok(callback)
    }

    /// Whether Webex keeps it, or is to.
    pub fn is_kept_by_webex(&self) -> bool {
        self.appointment.as_ref().is_some_and(Appointment::is_webexes)
    }

    /// The earliest moment at which a task of it can have been made.
    pub fn earliest_task(&self) -> Timestamp {
        let sent_at = self.sent_at.unwrap_or(self.created_at);
        self.appointment.as_ref().map_or(self.created_at, |kept| kept.window.starts_at().min(sent_at))
    }

    /// Whether nothing more is done about it: it has ended, or so long nothing was heard of it that nobody asks any more.
    pub fn is_let_go(&self) -> bool {
        self.state.is_final() || (self.due_at.is_none() && self.poll_at.is_none())
    }

    /// Whether it only looks like a callback.
    pub fn is_decoy(&self) -> bool {
        self.request.door == Door::Decoy
    }

    /// Whether it can still be called off. What Webex keeps it calls from the start of the window on.
    pub fn is_cancellable(&self, now: Timestamp) -> bool {
        match self.state {
            State::Accepted => true,
            State::Scheduled | State::Rescheduling => !self.may_be_ringing(now),
            _ => false,
        }
    }

    /// Whether it can still be moved to another window.
    pub fn is_changeable(&self, now: Timestamp) -> bool {
        let waits = matches!(self.state, State::Accepted | State::Scheduled);
        self.appointment.is_some() && waits && !self.may_be_ringing(now)
    }

    /// Whether it can still be called at another number: nothing of it was sent, and Webex does not keep it.
    pub fn is_number_changeable(&self) -> bool {
        match self.state {
            State::Accepted => true,
            State::Scheduled => !self.is_kept_by_webex(),
            _ => false,
        }
    }

    /// The callback as it is for another number. `None`: it is for the one that it was sent with.
    pub fn with_number(&self, phone: PhoneNumber, now: Timestamp) -> Option<Self> {
        if !self.is_number_changeable() {
            return None;
        }
        let mut next = self.clone();
        next.request.phone = phone;
        next.revision += 1;
        next.updated_at = now;
        Some(next)
    }

    fn may_be_ringing(&self, now: Timestamp) -> bool {
        let kept = self.appointment.as_ref().filter(|kept| kept.is_webexes() && kept.webex_id.is_some());
        kept.is_some_and(|kept| kept.earliest_start() <= now)
    }

    /// The callback as it is called off, or begins to be: what Webex keeps must be called off there first. `None`: it
    /// cannot be called off any more.
    pub fn called_off(&self, now: Timestamp) -> Option<Self> {
        if !self.is_cancellable(now) {
            return None;
        }
        let is_at_webex = self.state != State::Accepted && self.is_kept_by_webex();
        let mut next =
            self.moved_to(if is_at_webex { State::Cancelling } else { State::Cancelled }, now).ok()?;
        next.due_at = Some(now).filter(|_| is_at_webex);
        Some(next)
    }

    /// The callback as it is moved to another window, or begins to be. `None`: it cannot be moved any more.
    pub fn moved_to_window(&self, window: Window, now: Timestamp) -> Option<Self> {
        if !self.is_changeable(now) {
            return None;
        }
        if self.state == State::Scheduled && self.is_kept_by_webex() {
            let mut next = self.moved_to(State::Rescheduling, now).ok()?;
            next.due_at = Some(now);
            next.appointment.as_mut()?.wanted = Some(window);
            return Some(next);
        }
        let mut next = self.clone();
        next.revision += 1;
        next.updated_at = now;
        next.deadline = window.ends_at();
        // What waits to be sent to Webex goes on waiting.
        next.due_at = if self.state == State::Scheduled { Some(window.starts_at()) } else { self.due_at };
        let kept = next.appointment.as_mut()?;
        (kept.window, kept.at_opening) = (window, false);
        Some(next)
    }
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::site::Answer;

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
            fields: [("order_number".to_owned(), Answer::Text(Personal::new("47-11")))].into(),
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
    fn what_webex_keeps_is_called_off_and_moved_there_first_and_until_its_time() {
        let now: Timestamp = "2026-12-01T08:00:00Z".parse().unwrap();
        let window = |text: &str| crate::schedule::sample::window(text);
        let (first, second) =
            (window("2026-12-01T10:00:00/12:00:00[UTC]"), window("2026-12-02T10:00:00/12:00:00[UTC]"));
        let kept = |keeper, webex_id: Option<&str>| {
            let mut callback = Callback::book(sample::request(), now, first.clone(), keeper).unwrap();
            callback.state = State::Scheduled;
            callback.appointment.as_mut().unwrap().webex_id = webex_id.map(str::to_owned);
            callback
        };
        let at_webex = kept(Keeper::Webex, Some("s-1"));
        let cancelling = at_webex.called_off(now).unwrap();
        assert_eq!((cancelling.state, cancelling.due_at), (State::Cancelling, Some(now)));
        assert_eq!(cancelling.called_off(now), None);
        let moving = at_webex.moved_to_window(second.clone(), now).unwrap();
        assert_eq!((moving.state, moving.deadline), (State::Rescheduling, first.ends_at()));
        assert_eq!(moving.appointment.as_ref().unwrap().earliest_start(), first.starts_at());
        assert_eq!(moving.called_off(now).unwrap().state, State::Cancelling);
        // From its start on Webex may be calling.
        let begun = first.starts_at();
        assert_eq!(
            (at_webex.called_off(begun), at_webex.moved_to_window(second.clone(), begun)),
            (None, None)
        );

        let ours = kept(Keeper::Store, None);
        assert_eq!(ours.called_off(now).unwrap().state, State::Cancelled);
        let moved = ours.moved_to_window(second.clone(), now).unwrap();
        assert_eq!((moved.state, moved.due_at), (State::Scheduled, Some(second.starts_at())));
        assert_eq!((moved.deadline, moved.revision), (second.ends_at(), 1));
        // One for as soon as possible has no window to move.
        assert_eq!(sample::callback(now).moved_to_window(second, now), None);
    }

    #[test]
    fn a_number_is_changed_until_it_may_have_left_and_never_at_webex() {
        let now: Timestamp = "2026-12-01T08:00:00Z".parse().unwrap();
        let other = || PhoneNumber::from_e164("+15555550177").unwrap();
        let callback = sample::callback(now);
        let next = callback.with_number(other(), now).unwrap();
        assert_eq!((next.request.phone, next.state, next.due_at), (other(), State::Accepted, Some(now)));
        assert_eq!(next.revision, 1);
        let window = crate::schedule::sample::window("2026-12-01T10:00:00/12:00:00[UTC]");
        for (keeper, state, possible) in [
            (Keeper::Store, State::Scheduled, true),
            (Keeper::Webex, State::Accepted, true),
            (Keeper::Webex, State::Scheduled, false),
        ] {
            let mut kept = Callback::book(sample::request(), now, window.clone(), keeper).unwrap();
            kept.state = state;
            assert_eq!(kept.with_number(other(), now).is_some(), possible, "{keeper:?} {state:?}");
        }
        for state in State::ALL {
            let callback = Callback { state, ..callback.clone() };
            let possible = matches!(state, State::Accepted | State::Scheduled);
            assert_eq!(callback.is_number_changeable(), possible, "{state:?}");
        }
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
