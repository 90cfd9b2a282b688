//! The way out to CRMs: takes the messages that changes have written, and delivers them by webhook.

pub mod delivery;
mod resolver;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use self::delivery::{Deliverer, Outcome, WebhookError};
use crate::clock::{SharedClock, after_ms, after_s};
use crate::config::{self, Config};
use crate::entropy;
use crate::store::outbox::{Message, MessageAttempt, MessageStatus, Subscriber};
use crate::store::{Store, StoreError};

/// How long to wait after the store has failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How often to look for messages that nothing was heard of: those of a process that ended, those that an operator has
/// tried again.
const LOOK_AGAIN_MS: u64 = 5000;

/// How much longer than its time a delivery holds its message: for what the store needs.
const LEASE_MARGIN_MS: u64 = 5000;

/// The longest wait that `Retry-After` can ask for, in seconds.
const RETRY_AFTER_MAX_S: u64 = 24 * 60 * 60;

/// Who wants to hear of changes.
pub fn subscribers(webhooks: &BTreeMap<String, config::Webhook>) -> Vec<Subscriber> {
    let subscriber = |(name, webhook): (&String, &config::Webhook)| Subscriber {
        webhook: name.clone(),
        sites: webhook.sites.clone(),
        states: webhook.states.clone(),
    };
    webhooks.iter().map(subscriber).collect()
}

/// Delivers messages until it is told to stop.
#[derive(Debug)]
pub struct Notifier(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Arc<dyn Store>,
    clock: SharedClock,
    deliverer: Deliverer,
    config: config::WebhookDelivery,
    /// Whether a change can make a message: with nobody who wants to hear, only old ones are left to look for.
    has_subscribers: bool,
    stop: CancellationToken,
}

impl Notifier {
    /// A notifier that takes no new messages once `stop` is cancelled.
    pub fn new(
        config: &Config,
        store: Arc<dyn Store>,
        clock: SharedClock,
        stop: CancellationToken,
    ) -> Result<Self, WebhookError> {
        let deliverer = Deliverer::new(&config.webhooks, &config.webhook_delivery)?;
        let has_subscribers = !config.webhooks.is_empty();
        let config = config.webhook_delivery.clone();
        Ok(Self(Arc::new(Parts { store, clock, deliverer, config, has_subscribers, stop })))
    }

    /// Delivers until the stop, then finishes what is under way.
    ///
    /// # Errors
    ///
    /// Where a delivery panicked.
    pub async fn run(self) -> Result<(), JoinError> {
        let parts = &self.0;
        let mut under_way = JoinSet::new();
        while !parts.stop.is_cancelled() {
            let free = parts.config.concurrency.saturating_sub(under_way.len());
            let taken = match parts.take(free).await {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::error!(%error, "messages to CRMs cannot be read; trying again");
                    tokio::time::sleep(STORE_PAUSE).await;
                    continue;
                }
            };
            let idle = taken.is_empty();
            for message in taken {
                under_way.spawn(Arc::clone(parts).deliver(message));
            }
            if idle {
                tokio::select! {
                    () = parts.stop.cancelled() => {}
                    Some(done) = under_way.join_next() => done?,
                    () = parts.wait_for_messages(), if free > 0 => {}
                }
            }
            while let Some(done) = under_way.try_join_next() {
                done?;
            }
        }
        while let Some(done) = under_way.join_next().await {
            done?;
        }
        Ok(())
    }
}

impl Parts {
    async fn take(&self, limit: usize) -> Result<Vec<Message>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let lease = self.config.timeout_ms.saturating_add(LEASE_MARGIN_MS);
        self.store.take_messages(now, after_ms(now, lease), limit).await
    }

    async fn wait_for_messages(&self) {
        let again = after_ms(self.clock.now(), LOOK_AGAIN_MS);
        let Ok(next) = self.store.next_message().await else {
            return tokio::time::sleep(STORE_PAUSE).await;
        };
        // Due, and not to be had: another process is taking it.
        let soonest = after_ms(self.clock.now(), 20);
        let next = next.map_or(again, |next| next.clamp(soonest, again));
        tokio::select! {
            () = self.store.changes().messages(), if self.has_subscribers => {}
            () = self.clock.wait_until(next) => {}
        }
    }

    async fn deliver(self: Arc<Self>, message: Message) {
        let begun_at = self.clock.now();
        let outcome = self.deliverer.deliver(&message, begun_at.as_second()).await;
        let now = self.clock.now();
        let attempt = MessageAttempt {
            begun_at,
            took_ms: now.as_millisecond() - begun_at.as_millisecond(),
            status: outcome.status,
            outcome: outcome.said.clone(),
        };
        let (status, due_at) = settled(&outcome, message.attempts, &self.config.retry_s, now);
        let next = Message { status, due_at, ..message };
        if status == MessageStatus::Parked {
            tracing::warn!(
                webhook = next.webhook,
                message = next.id,
                callback = %next.callback_id,
                attempts = next.attempts,
                outcome = outcome.said,
                "a message to a CRM is parked; hint: when the receiver works, `ringback webhooks retry`"
            );
        } else {
            tracing::debug!(
                webhook = next.webhook,
                message = next.id,
                callback = %next.callback_id,
                attempts = next.attempts,
                outcome = outcome.said,
                "a message to a CRM was sent"
            );
        }
        // Where this cannot be written, the lease runs out and the message is delivered again: with the same id, by which
        // receivers know it.
        if let Err(error) = self.store.settle_message(&next, &attempt).await {
            tracing::error!(%error, message = next.id, "what came of a message to a CRM cannot be written");
        }
    }
}

/// What becomes of a message after an attempt.
fn settled(
    outcome: &Outcome,
    attempts: u32,
    retry_s: &[u64],
    now: Timestamp,
) -> (MessageStatus, Option<Timestamp>) {
    if outcome.delivered {
        return (MessageStatus::Delivered, None);
    }
    let tried = usize::try_from(attempts).unwrap_or(usize::MAX);
    match retry_s.get(tried.saturating_sub(1)).filter(|_| !outcome.hopeless) {
        None => (MessageStatus::Parked, None),
        Some(wait) => {
            let jitter = entropy::below(wait.saturating_mul(1000) / 4 + 1);
            let asked = outcome.retry_after_s.unwrap_or(0).min(RETRY_AFTER_MAX_S);
            let due = after_ms(after_s(now, *wait.max(&asked)), jitter);
            (MessageStatus::Waiting, Some(due))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_message_is_tried_as_the_schedule_says_and_parked_then() {
        let failed = Outcome { said: "answered 500".to_owned(), ..Outcome::default() };
        for (attempts, wait) in [(1, 4), (2, 40)] {
            let (status, due) = settled(&failed, attempts, &[4, 40], now());
            assert_eq!(status, MessageStatus::Waiting);
            let due = due.unwrap();
            assert!(due >= after_s(now(), wait) && due <= after_s(now(), wait + wait / 4), "{due}");
        }
        assert_eq!(settled(&failed, 3, &[4, 40], now()), (MessageStatus::Parked, None));
        // Tried again by an operator: once.
        assert_eq!(settled(&failed, 9, &[4, 40], now()), (MessageStatus::Parked, None));
        assert_eq!(settled(&failed, 1, &[], now()), (MessageStatus::Parked, None));
    }

    #[test]
    fn what_the_receiver_says_is_heard() {
        let delivered = Outcome { delivered: true, ..Outcome::default() };
        assert_eq!(settled(&delivered, 1, &[4], now()), (MessageStatus::Delivered, None));
        let gone = Outcome { hopeless: true, ..Outcome::default() };
        assert_eq!(settled(&gone, 1, &[4], now()), (MessageStatus::Parked, None));
        let later = Outcome { retry_after_s: Some(100), ..Outcome::default() };
        assert!(settled(&later, 1, &[4], now()).1.unwrap() >= after_s(now(), 100));
        let never = Outcome { retry_after_s: Some(u64::MAX), ..Outcome::default() };
        assert!(settled(&never, 1, &[4], now()).1.unwrap() <= after_s(now(), RETRY_AFTER_MAX_S + 1));
    }
}
