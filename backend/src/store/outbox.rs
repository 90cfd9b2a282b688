//! Messages to CRMs, written in the transaction of the change that they tell of: neither is there without the other.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use jiff::Timestamp;
use ringback_contract::event::{CallbackEvent, ChangedCallback};

use super::StoreError;
use crate::callback::{Callback, CallbackId, State};

/// A webhook that wants to hear of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// Its name.
    pub webhook: String,
    /// The sites that it hears of; empty: all.
    pub sites: Vec<String>,
    /// The states that it hears of; empty: all.
    pub states: Vec<State>,
}

impl Subscriber {
    fn wants(&self, callback: &Callback) -> bool {
        (self.sites.is_empty() || self.sites.contains(&callback.request.site))
            && (self.states.is_empty() || self.states.contains(&callback.state))
    }
}

/// Who wants to hear of changes: nobody, until it is said once.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscribers(Arc<OnceLock<Vec<Subscriber>>>);

impl Subscribers {
    pub(super) fn set(&self, subscribers: Vec<Subscriber>) {
        // They come with the configuration, which a process reads once.
        let _ = self.0.set(subscribers);
    }

    /// The messages that the callback, in a state that it has just come to, makes. Of a decoy nobody hears.
    pub(super) fn messages(&self, callback: &Callback) -> Vec<Message> {
        let subscribers = self.0.get().into_iter().flatten().filter(|_| !callback.is_decoy());
        let wanting = subscribers.filter(|subscriber| subscriber.wants(callback));
        wanting.map(|subscriber| Message::of(&subscriber.webhook, callback)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.get().is_none_or(Vec::is_empty)
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageStatus {
    /// It waits for its next attempt.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// Every attempt was in vain; an operator can have it tried again.
    Parked,
}

impl MessageStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Parked];

    /// The text of the status in the store and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Parked => "parked",
        }
    }

    /// The status of that text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A message to one webhook about one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The name of the webhook.
    pub webhook: String,
    /// Its id, the same at each attempt.
    pub id: String,
    /// The callback that changed.
    pub callback_id: CallbackId,
    /// What is sent.
    pub body: String,
    /// Where it stands.
    pub status: MessageStatus,
    /// How many attempts were begun.
    pub attempts: u32,
    /// When the callback changed.
    pub created_at: Timestamp,
    /// When it is looked at next: the next attempt, or the end of the lease of the one under way.
    pub due_at: Option<Timestamp>,
}

impl Message {
    fn of(webhook: &str, callback: &Callback) -> Self {
        let event = CallbackEvent {
            kind: format!("callback.{}", callback.state.as_str()),
            timestamp: as_kept(callback.updated_at).to_string(),
            data: ChangedCallback {
                id: callback.id.to_string(),
                site: callback.request.site.clone(),
                state: callback.state,
                revision: callback.revision,
                reference: callback.request.reference.clone(),
                failure: callback.failure.as_ref().map(|(failure, _)| *failure),
                task_id: callback.task_id.clone(),
                created_at: as_kept(callback.created_at).to_string(),
            },
        };
        Self {
            webhook: webhook.to_owned(),
            id: format!("msg_{}_{}", callback.id, callback.revision),
            callback_id: callback.id,
            // Texts and numbers always have a JSON form.
            body: serde_json::to_string(&event).unwrap_or_default(),
            status: MessageStatus::Waiting,
            attempts: 0,
            created_at: callback.updated_at,
            due_at: Some(callback.updated_at),
        }
    }
}

/// The moment as the store keeps it: to the millisecond, so that a message and the record say the same.
fn as_kept(moment: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(moment.as_millisecond()).unwrap_or(moment)
}

/// One attempt to deliver a message, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageAttempt {
    /// When.
    pub begun_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What came of it, in words.
    pub outcome: String,
}

/// A store of messages. Whatever returns has been written for good.
#[async_trait]
pub trait Outbox: Send + Sync + std::fmt::Debug {
    /// From now on, each change writes a message for each of these that wants it. Said once, before the first change.
    fn subscribe(&self, subscribers: Vec<Subscriber>);

    /// Takes the messages that are due, the longest due first, and leases them until then: each comes back with one
    /// attempt more. No two takers get one message.
    async fn take_messages(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError>;

    /// When the next message is due.
    async fn next_message(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Writes what came of an attempt: `message` as it was taken, with the status and the time it is to have. `false`:
    /// its lease had run out and another has taken it; the attempt is written all the same.
    async fn settle_message(&self, message: &Message, attempt: &MessageAttempt) -> Result<bool, StoreError>;

    /// The newest messages, of that status where one is given.
    async fn messages(&self, status: Option<MessageStatus>, limit: usize)
    -> Result<Vec<Message>, StoreError>;

    /// The attempts to deliver a message, oldest first.
    async fn message_attempts(&self, webhook: &str, id: &str) -> Result<Vec<MessageAttempt>, StoreError>;

    /// Has parked messages tried once more: those of that webhook and that id, where they are given.
    async fn retry_messages(
        &self,
        webhook: Option<&str>,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Forgets the messages that were delivered for changes before that moment, and the parked ones of before the other.
    async fn forget_messages(
        &self,
        delivered_before: Timestamp,
        parked_before: Timestamp,
    ) -> Result<u64, StoreError>;
}
