//! Where callbacks are kept. Knows nothing of Webex requests or HTTP.

pub mod api_key;
mod changes;
pub mod credential;
pub mod ledger;
pub mod listing;
pub mod moving;
pub mod number;
mod opening;
pub mod outbox;
pub mod postgres;
#[cfg(test)]
mod promises;
pub mod queue;
mod reply;
pub mod retention;
mod row;
pub mod scheduled;
pub mod sqlite;
pub mod trust;
mod turns;
mod unreadable;
pub mod vault;

use std::sync::Arc;

use async_trait::async_trait;
pub use changes::{Changes, Subscription};
use jiff::Timestamp;

use self::api_key::ApiKeyStore;
use self::credential::CredentialStore;
use self::ledger::{Given, Ledgers};
use self::listing::CallbackList;
use self::number::Numbers;
use self::outbox::Outbox;
use self::postgres::PostgresStore;
use self::postgres::patient::Patient;
use self::queue::Queue;
use self::retention::Retention;
use self::scheduled::Schedules;
use self::sqlite::SqliteStore;
use self::trust::TrustStore;
use self::vault::Sealing;
use crate::callback::{Callback, CallbackId};
use crate::config;
use crate::slots::Place;
use crate::task_event::TaskEvent;

/// The store cannot do what it was asked. Nothing was half done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database answered with an error: full, locked, read-only, damaged.
    #[error("the store failed at {operation}: {source}")]
    Database {
        /// What was being done.
        operation: &'static str,
        /// What the database said.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A row holds what no version of the service writes.
    #[error("the store holds a row that cannot be read: {0}")]
    Row(String),
    /// The database was made by a newer version.
    #[error(
        "the store has schema {found}, and this version of ringback knows no newer one than {known}; hint: install the newer \
         version again, or restore the backup from before the upgrade"
    )]
    Newer {
        /// The schema of the database.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// Its migrations were changed, or one was broken off.
    #[error("the store's schema does not fit this version of the service: {0}")]
    Schema(#[from] sqlx::migrate::MigrateError),
    /// Another process serves from the same database.
    #[error("{0} is in use by another process; hint: stop that one first, or name another store.path")]
    InUse(String),
    /// It is sealed, and there is no key.
    #[error(
        "the store is sealed, and there is no store.encryption_key; hint: set it to the key that the store was sealed with"
    )]
    NoKey,
    /// It is sealed with another key.
    #[error(
        "the store is sealed with another key; hint: set store.encryption_key to the key that it was sealed with"
    )]
    OtherKey,
    /// The key cannot be used.
    #[error("store.encryption_key: {0}")]
    Seal(crate::seal::SealError),
    /// It cannot be opened.
    #[error("{place}: {problem}; hint: {remedy}")]
    Unopened {
        /// The key that names it, and what that says.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// The writing part has stopped.
    #[error("the store is closed")]
    Closed,
    /// The operating system gave no randomness for a key.
    #[error(transparent)]
    Entropy(#[from] crate::entropy::NoEntropy),
}

fn failed<E: std::error::Error + Send + Sync + 'static>(operation: &'static str) -> impl Fn(E) -> StoreError {
    move |source| StoreError::Database { operation, source: Arc::new(source) }
}

/// A panic of the writer ends the process: a service that stores nothing is none, and its supervisor starts it again.
struct EndsTheProcess;

impl Drop for EndsTheProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            end_the_process();
        }
    }
}

fn end_the_process() -> ! {
    tracing::error!("the writer of the store has failed; the process ends");
    std::process::exit(1)
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// To serve.
    Serve,
    /// For a short command beside serving processes.
    Command,
}

/// Opens the configured store and brings its schema up to date. A service makes it where there is none; a command that looks into one
/// would look into an empty one, and nobody would notice that its path is wrong.
pub async fn open(config: &config::Store, purpose: Use) -> Result<Arc<dyn Store>, StoreError> {
    if purpose == Use::Command {
        opening::is_there(config)?;
    }
    opened(config, purpose).await
}

/// Opens it for a command that may be the first to use it: makes it where there is none.
pub async fn make(config: &config::Store) -> Result<Arc<dyn Store>, StoreError> {
    opened(config, Use::Command).await
}

async fn opened(config: &config::Store, purpose: Use) -> Result<Arc<dyn Store>, StoreError> {
    opening::examine(config).await?;
    let opened = async {
        Ok(if config.is_postgres() {
            let store = PostgresStore::open(config, purpose).await?;
            match purpose {
                Use::Serve => Arc::new(Patient(store)) as Arc<dyn Store>,
                // Whoever looks through thousands of callbacks waits for as long as it takes.
                Use::Command => Arc::new(store),
            }
        } else {
            Arc::new(SqliteStore::open(config, purpose).await?)
        })
    };
    opened.await.map_err(|error| opening::explained(config, error))
}

/// The version of the store's schema; `None` where there is none yet. Changes nothing.
pub async fn schema(config: &config::Store) -> Result<Option<i64>, StoreError> {
    opening::examine(config).await?;
    let found =
        if config.is_postgres() { postgres::found(config).await } else { sqlite::found(&config.path).await };
    found.map_err(|error| opening::explained(config, error))
}

/// Refuses a schema that only a newer version knows: to write into it would damage what that version keeps there.
fn known(found: Option<i64>, migrations: &sqlx::migrate::Migrator) -> Result<(), StoreError> {
    let known = migrations.iter().map(|migration| migration.version).max().unwrap_or_default();
    match found {
        Some(found) if found > known => Err(StoreError::Newer { found, known }),
        _ => Ok(()),
    }
}

/// The version of the schema, where there is one.
const SCHEMA: &str = "SELECT max(version) FROM _sqlx_migrations";

/// What becomes of a callback that is due: its next revision, or `None` to leave it as it is.
pub type Step<'a> = &'a (dyn Fn(&Callback) -> Option<Callback> + Send + Sync);

/// A client's key for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who uses the key: keys of different callers do not meet.
    pub scope: String,
    /// The key.
    pub key: String,
    /// A digest of the request that it was used for.
    pub fingerprint: [u8; 32],
}

/// What at most one callback that is not over may have: a second one with the same claim joins the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed, such as a number for a site.
    pub text: String,
    /// Callbacks that were accepted before this moment have lost theirs: what has not ended by then may never.
    pub since: Timestamp,
    /// Where a call to the number of the callback, for its site, has ended after this moment, it is too soon for another.
    pub cooled_since: Option<Timestamp>,
}

/// A new callback, and what is stored with it or has to be free for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The callback.
    pub callback: Callback,
    /// What whoever asked knows it by, so that the same request is stored once.
    pub key: Option<IdempotencyKey>,
    /// What it has for itself while it is alive.
    pub claim: Option<Claim>,
    /// What the visitor has agreed to.
    pub consent: Option<Given>,
    /// The place that it needs in a slot.
    pub place: Option<Place>,
}

/// What became of a new callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored, and safe from a loss of power.
    New,
    /// The claim is this callback's: nothing was stored but the key.
    Joined(CallbackId),
    /// The same request had been stored before, as this callback.
    Before {
        /// The callback.
        id: CallbackId,
        /// Whether that request had joined it.
        joined: bool,
    },
    /// The key had been used for another request; nothing was stored.
    KeyReused,
    /// It is too soon for another call to the number; nothing was stored.
    TooSoon {
        /// When the last one ended.
        ended_at: Timestamp,
    },
    /// As many as may have already begin in the slot; nothing was stored.
    SlotFull,
}

/// What a request to Webex can be for.
pub const OPERATIONS: [&str; 10] = [
    CREATE_TASK,
    SEARCH_TASK,
    LIST_TASKS,
    FIND_AGENT,
    CREATE_SCHEDULE,
    FIND_SCHEDULE,
    READ_SCHEDULE,
    CHANGE_SCHEDULE,
    DELETE_SCHEDULE,
    DECIDE,
];
/// A task is to be made.
pub const CREATE_TASK: &str = "create_task";
/// A task is looked for, whose making was not confirmed.
pub const SEARCH_TASK: &str = "search_task";

/// A task is asked about, of which nothing was heard.
pub const LIST_TASKS: &str = "list_tasks";
/// An agent is looked up.
pub const FIND_AGENT: &str = "find_agent";
/// Webex is to keep a callback until its time.
pub const CREATE_SCHEDULE: &str = "create_schedule";
/// A scheduled callback is looked for, whose making was not confirmed.
pub const FIND_SCHEDULE: &str = "find_schedule";
/// A scheduled callback is looked at.
pub const READ_SCHEDULE: &str = "read_schedule";
/// A scheduled callback is to be moved.
pub const CHANGE_SCHEDULE: &str = "change_schedule";
/// A scheduled callback is to be called off.
pub const DELETE_SCHEDULE: &str = "delete_schedule";
/// Webex was not asked: the operator said what became of a request whose answer was lost.
pub const DECIDE: &str = "decide";

/// One request to Webex, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What was asked for.
    pub operation: &'static str,
    /// When.
    pub begun_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What Webex's support finds it by.
    pub tracking_id: String,
    /// What came of it, in words.
    pub outcome: String,
}

impl Attempt {
    /// Whether Webex was asked: what an operator decided came to nothing where another change came first.
    pub fn was_asked(&self) -> bool {
        self.operation != DECIDE
    }
}

/// A sign of life of a serving process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The process.
    pub instance: String,
    /// Until when Webex does not want to be asked, as far as this process was told.
    pub paused_until: Option<Timestamp>,
    /// Whether the others should hear of it at once.
    pub news: bool,
}

/// The processes that serve from one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instances {
    /// How many there are.
    pub count: usize,
    /// Until when Webex does not want to be asked, as far as any of them was told.
    pub paused_until: Option<Timestamp>,
}

/// A task event and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEvent {
    /// The event.
    pub event: TaskEvent,
    /// Whether it has been taken in already.
    pub applied: bool,
}

/// A store. Whatever returns has been written for good.
#[async_trait]
pub trait Store:
    ApiKeyStore
    + CallbackList
    + CredentialStore
    + Ledgers
    + Numbers
    + Outbox
    + Queue
    + Retention
    + Schedules
    + Sealing
    + TrustStore
    + Send
    + Sync
    + std::fmt::Debug
{
    /// Stores what has arrived, unless its key says that it has been stored before, another has its claim, or its slot is full.
    /// A consent is kept with it, and with one that is joined.
    async fn take_in(&self, arrival: Arc<Arrival>) -> Result<Inserted, StoreError>;

    /// The same for a callback that needs no place.
    async fn insert(
        &self,
        callback: &Callback,
        key: Option<&IdempotencyKey>,
        claim: Option<&Claim>,
        consent: Option<&Given>,
    ) -> Result<Inserted, StoreError> {
        let (key, claim, consent) = (key.cloned(), claim.cloned(), consent.cloned());
        self.take_in(Arc::new(Arrival { callback: callback.clone(), key, claim, consent, place: None })).await
    }

    /// The callback that was stored with that key: `None` where the key is new.
    async fn inserted_with(&self, key: &IdempotencyKey) -> Result<Option<Inserted>, StoreError>;

    /// The callback of that id.
    async fn get(&self, id: CallbackId) -> Result<Option<Callback>, StoreError>;

    /// The callback that a task was made for.
    async fn of_task(&self, task_id: &str) -> Result<Option<Callback>, StoreError>;

    /// Writes the next revision of a callback, with the request to Webex that led to it. `false`: another change came
    /// first, and nothing was written.
    async fn update(&self, next: &Callback, attempt: Option<&Attempt>) -> Result<bool, StoreError>;

    /// Takes callbacks with something to do: writes what `step` makes of each, and gives those that were written. Sites
    /// take turns, and of each the longest due comes first. No two takers get one callback.
    async fn take_due(
        &self,
        now: Timestamp,
        limit: usize,
        step: Step<'_>,
    ) -> Result<Vec<Callback>, StoreError>;

    /// When the next callback has something to do.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// The callbacks of whose task nothing was heard for a while, the quietest first.
    async fn quiet(&self, now: Timestamp, limit: usize) -> Result<Vec<Callback>, StoreError>;

    /// After a start: the callbacks that were being sent by a process that surely has ended. Where other processes may
    /// be sending, there is no saying, and each lease runs out by itself.
    async fn orphans(&self) -> Result<Vec<Callback>, StoreError>;

    /// The requests to Webex about a callback, oldest first.
    async fn attempts(&self, id: CallbackId) -> Result<Vec<Attempt>, StoreError>;

    /// Keeps an event. `false`: it had been kept before.
    async fn keep_event(&self, event: &TaskEvent, now: Timestamp) -> Result<bool, StoreError>;

    /// The events of a task in the order in which they happened, as far as their times tell.
    async fn events_of(&self, task_id: &str) -> Result<Vec<KeptEvent>, StoreError>;

    /// Marks events as taken in.
    async fn mark_applied(&self, event_ids: &[String]) -> Result<(), StoreError>;

    /// Forgets events that were received before that moment.
    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Gives a sign of life of a serving process, and says what is known of all of them, this one counted.
    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<Instances, StoreError>;

    /// Takes leave of the others: the process does not serve any more.
    async fn leave(&self, instance: &str) -> Result<(), StoreError>;

    /// Whether the store can be written to.
    async fn check(&self) -> Result<(), StoreError>;

    /// Where changes are told.
    fn changes(&self) -> &Changes;
}
