//! What is done beside the requests, again and again: forgetting what is not needed any more, and sealing what was kept in
//! clear.

use std::time::Duration;

use actix_web::web;
use jiff::SignedDuration;

use crate::clock::shifted_s;
use crate::http::Parts;
use crate::metrics::Metrics;
use crate::store::ledger::Outlived;
use crate::store::vault::Clear;

/// Callbacks that are erased or sealed in one transaction, and how long requests have the store for themselves after it.
const ROWS_AT_ONCE: usize = 200;
const ROWS_PAUSE: Duration = Duration::from_millis(50);

/// How often what is not needed any more is forgotten.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

/// How often measurements are put where they belong.
const TIDYING: Duration = Duration::from_secs(5);

/// How long a task event is kept: longer than any repetition or any answer that names its task.
const EVENTS_KEPT_S: u64 = 24 * 60 * 60;

/// How long a message that a CRM has is kept, in seconds: for whoever looks into what was sent.
const DELIVERED_KEPT_S: i64 = 7 * 24 * 60 * 60;

/// How long one that could not be delivered is kept, in seconds: long enough to mend the receiver.
const PARKED_KEPT_S: i64 = 30 * 24 * 60 * 60;

/// Forgets what is not needed any more.
pub(super) async fn keep_house(parts: web::Data<Parts>) {
    seal_rows(&parts).await;
    let mut rounds = tokio::time::interval(HOUSEKEEPING);
    loop {
        rounds.tick().await;
        parts.sweep();
        write_uses(&parts).await;
        forget_messages(&parts).await;
        erase_ended(&parts).await;
        forget_outlived(&parts).await;
        if let Err(error) = parts.store.forget_challenges(parts.clock.now()).await {
            tracing::warn!(%error, "spent challenges cannot be forgotten");
        }
        let now = parts.clock.now();
        let before =
            now.saturating_sub(SignedDuration::from_secs(i64::try_from(EVENTS_KEPT_S).unwrap_or(i64::MAX)));
        let Ok(before) = before else {
            continue;
        };
        match parts.store.forget_events(before).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "old task events forgotten"),
            Err(error) => tracing::warn!(%error, "old task events cannot be forgotten"),
        }
    }
}

/// Puts measurements where they belong.
pub(super) async fn tidy(metrics: Metrics) {
    let mut rounds = tokio::time::interval(TIDYING);
    loop {
        rounds.tick().await;
        metrics.tidy();
    }
}

/// Writes down when API keys were used. What cannot be written is of no weight.
pub(super) async fn write_uses(parts: &Parts) {
    if let Err(error) = parts.api_keys.write_uses(&*parts.store).await {
        tracing::warn!(%error, "the last use of an API key cannot be written");
    }
}

/// Forgets messages to CRMs that nobody will ask about any more.
async fn forget_messages(parts: &Parts) {
    let now = parts.clock.now();
    let (delivered, parked) = (shifted_s(now, -DELIVERED_KEPT_S), shifted_s(now, -PARKED_KEPT_S));
    if let Err(error) = parts.store.forget_messages(delivered, parked).await {
        tracing::warn!(%error, "old messages to CRMs cannot be forgotten");
    }
}

/// Seals what was kept in clear before there was a key: a few at a time, so that no request waits for it.
async fn seal_rows(parts: &Parts) {
    let (mut after, mut count) = (None, 0);
    loop {
        match parts.store.seal(Clear::All, after, ROWS_AT_ONCE).await {
            Ok(Some(last)) => (after, count) = (Some(last), count + 1),
            Ok(None) if count == 0 => return,
            Ok(None) => return tracing::info!("what the store held in clear is sealed"),
            Err(error) => {
                return tracing::warn!(%error, "what the store holds in clear cannot be sealed; trying at the next start");
            }
        }
        tokio::time::sleep(ROWS_PAUSE).await;
    }
}

/// Forgets what the ledgers hold longer than they are kept.
async fn forget_outlived(parts: &Parts) {
    let before = |days: u32| shifted_s(parts.clock.now(), -i64::from(days) * 24 * 60 * 60);
    let store = &parts.config.store;
    let outlived = Outlived { consents: before(store.consent_days), deeds: before(store.audit_days) };
    match parts.store.forget_outlived(outlived).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "old consents and deeds forgotten"),
        Err(error) => tracing::warn!(%error, "old consents and deeds cannot be forgotten"),
    }
}

/// Erases the personal data of callbacks that ended long ago: a few at a time, so that no request waits for it.
async fn erase_ended(parts: &Parts) {
    let kept_s = i64::from(parts.config.store.retention_days) * 24 * 60 * 60;
    loop {
        let now = parts.clock.now();
        match parts.store.erase_ended(shifted_s(now, -kept_s), now, ROWS_AT_ONCE).await {
            Ok(0) => return,
            Ok(count) => tracing::info!(count, "personal data of ended callbacks erased"),
            Err(error) => {
                tracing::warn!(%error, "personal data of ended callbacks cannot be erased; trying again later");
                return;
            }
        }
        tokio::time::sleep(ROWS_PAUSE).await;
    }
}
