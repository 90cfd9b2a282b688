//! A store that waits for its database, and not for ever.
//!
//! The server ends a statement that takes too long. A machine that went without a word ends none, and neither does a network that has
//! forgotten a connection: nothing in TCP tells a side that only listens. So whatever is asked is given up after a while. What was under
//! way may have happened, as with every answer that is lost.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Error};
use tokio::time::timeout;

use super::PostgresStore;
use crate::agent::Revoked;
use crate::api_key::ApiKey;
use crate::callback::{Callback, CallbackId};
use crate::phone::PhoneNumber;
use crate::slots::Place;
use crate::store::api_key::ApiKeyStore;
use crate::store::credential::{CredentialStore, StoredCredential};
use crate::store::ledger::{Consent, ConsentText, Deed, Entry, Given, Ledgers, Outlived};
use crate::store::listing::{CallbackList, Wanted};
use crate::store::number::{Numbers, Renumbered};
use crate::store::outbox::{Message, MessageAttempt, MessageStatus, Outbox, Subscriber};
use crate::store::queue::{Queue, Waiting};
use crate::store::retention::Retention;
use crate::store::scheduled::{Rescheduled, Schedules};
use crate::store::trust::TrustStore;
use crate::store::vault::{Clear, Sealing};
use crate::store::{
    Arrival, Attempt, Changes, Claim, Heartbeat, IdempotencyKey, Inserted, Instances, KeptEvent, Step, Store,
    StoreError, failed,
};
use crate::task_event::TaskEvent;
use crate::token::SigningKey;

/// How long a few statements may take together.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// The same for what goes through many rows, which nobody waits for.
const OF_MANY_ROWS: Duration = Duration::from_mins(2);

/// How long a connection of the pool may take to say that it lives: less than a caller waits for one, so that another is opened in its place.
const OF_A_CONNECTION: Duration = Duration::from_secs(2);

/// Whether a connection answers. One whose work was given up may never, and the pool would wait for it.
pub(super) async fn answers(connection: &mut PgConnection) -> Result<bool, Error> {
    timeout(OF_A_CONNECTION, connection.ping()).await.map_err(|_| Error::PoolTimedOut)?.map(|()| true)
}

/// The store of a service.
#[derive(Debug)]
pub(in crate::store) struct Patient(pub(in crate::store) PostgresStore);

async fn within<T>(
    patience: Duration,
    operation: &'static str,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(patience, work).await.unwrap_or_else(|elapsed| Err(failed(operation)(elapsed)))
}

/// Asks the store within for each of these, for as long as it may take. What asks nothing is written out.
macro_rules! patient {
    ($(impl $trait:ident {
        $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty, $patience:expr;)*
    } $(and { $($whole:tt)* })?)*) => {$(
        #[async_trait]
        impl $trait for Patient {
            $($($whole)*)?
            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                within($patience, stringify!($name), $trait::$name(&self.0, $($argument),*)).await
            })*
        }
    )*};
}

patient! {
    impl Store {
        take_in(arrival: Arc<Arrival>) -> Inserted, PATIENCE;
        inserted_with(key: &IdempotencyKey) -> Option<Inserted>, PATIENCE;
        get(id: CallbackId) -> Option<Callback>, PATIENCE;
        of_task(task_id: &str) -> Option<Callback>, PATIENCE;
        update(next: &Callback, attempt: Option<&Attempt>) -> bool, PATIENCE;
        take_due(now: Timestamp, limit: usize, step: Step<'_>) -> Vec<Callback>, PATIENCE;
        next_due() -> Option<Timestamp>, PATIENCE;
        quiet(now: Timestamp, limit: usize) -> Vec<Callback>, PATIENCE;
        orphans() -> Vec<Callback>, PATIENCE;
        attempts(id: CallbackId) -> Vec<Attempt>, PATIENCE;
        keep_event(event: &TaskEvent, now: Timestamp) -> bool, PATIENCE;
        events_of(task_id: &str) -> Vec<KeptEvent>, PATIENCE;
        mark_applied(event_ids: &[String]) -> (), PATIENCE;
        forget_events(before: Timestamp) -> u64, OF_MANY_ROWS;
        heartbeat(heartbeat: &Heartbeat) -> Instances, PATIENCE;
        leave(instance: &str) -> (), PATIENCE;
        check() -> (), PATIENCE;
    } and {
        fn changes(&self) -> &Changes {
            self.0.changes()
        }
    }
    impl ApiKeyStore {
        add_api_key(key: &ApiKey) -> (), PATIENCE;
        api_key(id: &str) -> Option<ApiKey>, PATIENCE;
        api_keys() -> Vec<ApiKey>, PATIENCE;
        revoke_api_key(id: &str, now: Timestamp) -> bool, PATIENCE;
        note_use(id: &str, at: Timestamp) -> (), PATIENCE;
    }
    impl CallbackList {
        list(wanted: &Wanted) -> Vec<Callback>, PATIENCE;
    }
    impl CredentialStore {
        credential() -> Option<StoredCredential>, PATIENCE;
        replace_credential(revision: u64, sealed: &[u8]) -> bool, PATIENCE;
        set_credential(sealed: &[u8]) -> (), PATIENCE;
        forget_credential() -> bool, PATIENCE;
        lease_credential(revision: u64, now: Timestamp, until: Timestamp) -> bool, PATIENCE;
        release_credential(revision: u64) -> (), PATIENCE;
    }
    impl Ledgers {
        keep_text(text: &ConsentText, now: Timestamp) -> (), PATIENCE;
        text(hash: &str) -> Option<ConsentText>, PATIENCE;
        consents(of: Option<&PhoneNumber>, after: i64) -> Vec<Consent>, PATIENCE;
        revoke_consent(phone: &PhoneNumber, site: Option<&str>, now: Timestamp) -> usize, PATIENCE;
        record(deed: &Deed) -> (), PATIENCE;
        deeds(since: Timestamp, after: i64) -> Vec<Entry>, PATIENCE;
        forget_outlived(outlived: Outlived) -> u64, OF_MANY_ROWS;
    }
    impl Numbers {
        change_number(next: &Callback, claim: Option<&Claim>, consent: Option<&Given>) -> Renumbered, PATIENCE;
    }
    impl Outbox {
        take_messages(now: Timestamp, lease_until: Timestamp, limit: usize) -> Vec<Message>, PATIENCE;
        next_message() -> Option<Timestamp>, PATIENCE;
        settle_message(message: &Message, attempt: &MessageAttempt) -> bool, PATIENCE;
        messages(status: Option<MessageStatus>, limit: usize) -> Vec<Message>, PATIENCE;
        message_attempts(webhook: &str, id: &str) -> Vec<MessageAttempt>, PATIENCE;
        retry_messages(webhook: Option<&str>, id: Option<&str>, now: Timestamp) -> u64, PATIENCE;
        forget_messages(delivered_before: Timestamp, parked_before: Timestamp) -> u64, OF_MANY_ROWS;
    } and {
        fn subscribe(&self, subscribers: Vec<Subscriber>) {
            self.0.subscribe(subscribers);
        }
    }
    impl Queue {
        waiting() -> Vec<Waiting>, PATIENCE;
    }
    impl Retention {
        erase_ended(before: Timestamp, now: Timestamp, limit: usize) -> u64, OF_MANY_ROWS;
        erase(id: CallbackId, now: Timestamp) -> bool, PATIENCE;
        of_phone(phone: &PhoneNumber) -> Vec<Callback>, PATIENCE;
    }
    impl Schedules {
        of_schedule(schedule_id: &str) -> Option<CallbackId>, PATIENCE;
        bookings(site: &str, from: Timestamp, until: Timestamp) -> Vec<Timestamp>, PATIENCE;
        reschedule(next: &Callback, place: Option<&Place>) -> Rescheduled, PATIENCE;
    }
    impl Sealing {
        seal(which: Clear, after: Option<CallbackId>, limit: usize) -> Option<CallbackId>, OF_MANY_ROWS;
        seal_keys() -> (), OF_MANY_ROWS;
    }
    impl TrustStore {
        signing_keys(now: Timestamp) -> Vec<SigningKey>, PATIENCE;
        add_signing_key(key: &SigningKey) -> (), PATIENCE;
        retire_signing_key(id: &str) -> bool, PATIENCE;
        revoke_links(revoked: &Revoked) -> (), PATIENCE;
        spend_challenge(id: &str, until: Timestamp) -> bool, PATIENCE;
        forget_challenges(now: Timestamp) -> u64, OF_MANY_ROWS;
        revoked_links() -> Vec<Revoked>, PATIENCE;
    }
}
