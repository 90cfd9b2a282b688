//! Tells those who wait that something has changed: a callback that is followed, or work for the dispatcher.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::callback::CallbackId;

/// Who follows which callback.
type Followed = HashMap<CallbackId, watch::Sender<()>>;

/// Where changes are told and awaited.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    followed: Arc<Mutex<Followed>>,
    work: Arc<Notify>,
    messages: Arc<Notify>,
    instances: Arc<Notify>,
}

impl Changes {
    /// Tells that callbacks have changed.
    pub fn tell(&self, changed: &[CallbackId]) {
        if changed.is_empty() {
            return;
        }
        let followed = self.lock();
        for sender in changed.iter().filter_map(|id| followed.get(id)) {
            sender.send_replace(());
        }
        drop(followed);
        self.work.notify_one();
        self.messages.notify_one();
    }

    /// Tells that any callback may have changed.
    pub fn tell_all(&self) {
        for sender in self.lock().values() {
            sender.send_replace(());
        }
        self.work.notify_one();
        self.messages.notify_one();
    }

    /// Follows a callback from now on.
    pub fn follow(&self, id: CallbackId) -> Subscription {
        let receiver = self.lock().entry(id).or_insert_with(|| watch::Sender::new(())).subscribe();
        Subscription { id, receiver, changes: self.clone() }
    }

    /// Waits until something has changed since the last wait ended.
    pub async fn work(&self) {
        self.work.notified().await;
    }

    /// Waits until something has changed that a CRM may have to hear of, since the last wait ended.
    pub async fn messages(&self) {
        self.messages.notified().await;
    }

    /// Tells that another process has something to say in its heartbeat.
    pub fn tell_instances(&self) {
        self.instances.notify_one();
    }

    /// Waits until another process had something to say since the last wait ended.
    pub async fn instances(&self) {
        self.instances.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Followed> {
        // The map stays sound whatever its holder did: each use is one call.
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One follower of one callback. Dropping it ends the following.
#[derive(Debug)]
pub struct Subscription {
    id: CallbackId,
    receiver: watch::Receiver<()>,
    changes: Changes,
}

impl Subscription {
    /// Waits until the callback has changed since the last wait ended.
    pub async fn changed(&mut self) {
        // The sender is in the map for as long as a receiver lives.
        let _ = self.receiver.changed().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut followed = self.changes.lock();
        // This receiver still counts.
        if followed.get(&self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            followed.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn followers_hear_of_their_callback_and_leave_nothing_behind() {
        let changes = Changes::default();
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let (one, other) = (CallbackId::new(now).unwrap(), CallbackId::new(now).unwrap());
        let (mut first, mut second) = (changes.follow(one), changes.follow(one));
        changes.tell(&[other]);
        changes.tell(&[one]);
        changes.tell(&[one]);
        first.changed().await;
        second.changed().await;
        changes.work().await;
        drop(first);
        assert_eq!(changes.lock().len(), 1);
        drop(second);
        assert!(changes.lock().is_empty());
    }
}
