//! The store in a PostgreSQL database, which several processes may serve from.
//!
//! What is due is taken with `FOR UPDATE SKIP LOCKED`, so that no two processes take one callback and none waits for
//! another (PostgreSQL documentation, "SELECT", the locking clause). A commit survives a loss of power as long as the
//! server's `fsync` and `synchronous_commit` are on, which they are by default.

mod api_key;
mod batches;
mod credential;
mod insertion;
mod intake;
mod keys;
mod ledger;
mod listing;
pub(super) mod moving;
mod news;
mod number;
mod outbox;
pub(super) mod patient;
mod queue;
mod retention;
mod scheduled;
mod trust;
mod write;

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use self::batches::Batches;
use self::intake::Insertion;
use self::news::{Item, News};
use super::outbox::Subscribers;
use super::row::{columns_of, moment, read_attempt, read_event, read_inserted};
use super::turns::{self, Turns};
use super::unreadable::Readable;
use super::vault::{self, Vault};
use super::{
    Arrival, Attempt, Changes, Heartbeat, IdempotencyKey, Inserted, Instances, KeptEvent, SCHEMA, Step,
    Store, StoreError, Use, failed, known,
};
use crate::callback::{Callback, CallbackId};
use crate::config;
use crate::task_event::TaskEvent;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// How long a caller waits for a connection. Longer, and a visitor would rather be told to try again.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the server may work on one statement, in milliseconds: a lock held by somebody else must not hold us.
const STATEMENT_TIMEOUT_MS: &str = "10000";

/// How long a transaction of ours may have nothing to do, in milliseconds. Where the process or the network is gone that has begun it, the
/// server would keep its locks, and the others pass over those callbacks, until TCP gives up: two hours by the usual settings of Linux.
const IDLE_TIMEOUT_MS: &str = "10000";

/// How often an insertion is tried while others come and go.
const INSERT_TRIES: u32 = 5;

/// The store in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore {
    pool: PgPool,
    changes: Changes,
    news: News,
    batches: Batches,
    turns: Turns,
    subscribers: Subscribers,
    vault: Vault,
}

columns_of!(PgRow);

impl PostgresStore {
    /// Opens the store and brings its schema up to date; the database must be there.
    pub async fn open(config: &config::Store, purpose: Use) -> Result<Self, StoreError> {
        let options = options(config)?.options([
            ("statement_timeout", STATEMENT_TIMEOUT_MS),
            ("idle_in_transaction_session_timeout", IDLE_TIMEOUT_MS),
        ]);
        let connections = match purpose {
            Use::Serve => config.connections,
            Use::Command => 1,
        };
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // It would wait for the answer as long as TCP does.
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(patient::answers(connection)))
            .after_release(|connection, _| Box::pin(patient::answers(connection)))
            .connect_with(options)
            .await
            .map_err(failed("connect"))?;
        let mut connection = pool.acquire().await.map_err(failed("connect"))?;
        known(applied(&mut connection).await?, &MIGRATIONS)?;
        drop(connection);
        MIGRATIONS.run(&pool).await?;
        let vault = Vault::new(config)?;
        keep_proof(&pool, &vault, purpose).await?;
        if purpose == Use::Serve {
            warn_of_lax_commits(&pool).await?;
        }
        let changes = Changes::default();
        let news = News::start(&pool, &changes, purpose);
        let batches = Batches::start(&pool, &vault);
        let (turns, subscribers) = (Turns::default(), Subscribers::default());
        let store = Self { pool, changes, news, batches, turns, subscribers, vault };
        if purpose == Use::Serve {
            vault::seal_first(&store).await?;
        }
        Ok(store)
    }

    async fn one(&self, query: &'static str, value: String) -> Result<Option<Callback>, StoreError> {
        let row = sqlx::query(query).bind(value).fetch_optional(&self.pool).await.map_err(failed("read"))?;
        row.as_ref().map(|row| self.vault.callback(row)).transpose()
    }

    /// Tells followers and dispatchers here and elsewhere.
    fn tell(&self, id: CallbackId) {
        self.changes.tell(&[id]);
        self.news.tell(Item::Callback(id));
    }
}

fn options(config: &config::Store) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(config.url.expose_secret()).map_err(failed("read store.url"))?;
    Ok(options.application_name("ringback"))
}

/// The version of the database's schema; `None` where there is nothing in it.
pub(super) async fn found(config: &config::Store) -> Result<Option<i64>, StoreError> {
    let mut connection = options(config)?.connect().await.map_err(failed("connect"))?;
    let found = applied(&mut connection).await?;
    connection.close().await.map_err(failed("connect"))?;
    Ok(found)
}

async fn applied(connection: &mut PgConnection) -> Result<Option<i64>, StoreError> {
    let query = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL");
    if !query.fetch_one(&mut *connection).await.map_err(failed("read the schema"))? {
        return Ok(None);
    }
    sqlx::query_scalar(SCHEMA).fetch_one(connection).await.map_err(failed("read the schema"))
}

/// The version of the schema of a store that is open.
async fn schema(connection: &mut PgConnection) -> Result<i64, StoreError> {
    sqlx::query_scalar(SCHEMA).fetch_one(connection).await.map_err(failed("read the schema"))
}

/// Remembers the key that the store is sealed with, and refuses another.
async fn keep_proof(pool: &PgPool, vault: &Vault, purpose: Use) -> Result<(), StoreError> {
    if let Some(proof) = vault.proof()?.filter(|_| purpose == Use::Serve) {
        let keep = sqlx::query(vault::KEEP_PROOF).bind(proof);
        keep.execute(pool).await.map_err(failed("keep the key's proof"))?;
    }
    let proof: Option<Vec<u8>> = sqlx::query_scalar(vault::PROOF)
        .fetch_optional(pool)
        .await
        .map_err(failed("read the key's proof"))?;
    vault.fits(proof.as_deref())
}

/// `202` means that a callback survives a loss of power, which is for the server to keep.
async fn warn_of_lax_commits(pool: &PgPool) -> Result<(), StoreError> {
    for setting in ["fsync", "synchronous_commit"] {
        let query = sqlx::query_scalar("SELECT current_setting($1)").bind(setting);
        let value: String = query.fetch_one(pool).await.map_err(failed("read the settings"))?;
        if value == "off" {
            tracing::warn!(
                setting,
                "is off in PostgreSQL: an accepted callback can be lost with the server's power"
            );
        }
    }
    Ok(())
}

#[async_trait]
impl Store for PostgresStore {
    async fn take_in(&self, arrival: Arc<Arrival>) -> Result<Inserted, StoreError> {
        let Arrival { callback, key, place, .. } = &*arrival;
        let row = Arc::new(self.row(&arrival)?);
        for _ in 0..INSERT_TRIES {
            // A place is counted by whoever wants one, and none of them knows of the others in its batch.
            let insertion = if place.is_none() && self.batches.take(Arc::clone(&row)).await? {
                Insertion::Done
            } else {
                self.insert_alone(&row).await?
            };
            match (insertion, key) {
                (Insertion::Done, _) => {
                    self.tell(callback.id);
                    return Ok(Inserted::New);
                }
                (Insertion::TooSoon(ended_at), _) => return Ok(Inserted::TooSoon { ended_at }),
                (Insertion::SlotFull, _) => return Ok(Inserted::SlotFull),
                (Insertion::Joined(first), _) => return Ok(Inserted::Joined(first)),
                (Insertion::KeyKnown, Some(key)) => {
                    if let Some(before) = self.inserted_with(key).await? {
                        return Ok(before);
                    }
                }
                (Insertion::KeyKnown | Insertion::Again, _) => {}
            }
        }
        Err(StoreError::Row("a claim or a key that comes and goes".to_owned()))
    }

    async fn inserted_with(&self, key: &IdempotencyKey) -> Result<Option<Inserted>, StoreError> {
        let query = sqlx::query(
            "SELECT fingerprint, callback_id, joined FROM idempotency WHERE scope = $1 AND key = $2",
        );
        let row = query.bind(&key.scope).bind(&key.key).fetch_optional(&self.pool).await;
        row.map_err(failed("find a key"))?.map(|row| read_inserted(&row, key, &self.vault)).transpose()
    }

    async fn get(&self, id: CallbackId) -> Result<Option<Callback>, StoreError> {
        self.one("SELECT * FROM callback WHERE id = $1", id.to_string()).await
    }

    async fn of_task(&self, task_id: &str) -> Result<Option<Callback>, StoreError> {
        self.one("SELECT * FROM callback WHERE task_id = $1", task_id.to_owned()).await
    }

    async fn update(&self, next: &Callback, attempt: Option<&Attempt>) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        let won = write::update(&mut transaction, next, &self.subscribers, &self.vault).await?;
        // What was asked of Webex was asked, whoever won.
        if let Some(attempt) = attempt.filter(|attempt| won || attempt.was_asked()) {
            write::attempt(&mut transaction, next.id, attempt).await?;
        }
        transaction.commit().await.map_err(failed("commit"))?;
        if won {
            self.tell(next.id);
        }
        Ok(won)
    }

    async fn take_due(
        &self,
        now: Timestamp,
        limit: usize,
        step: Step<'_>,
    ) -> Result<Vec<Callback>, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        let sites: Vec<String> = sqlx::query_scalar(turns::SITES)
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed("take what is due"))?;
        let sites = self.turns.order(sites);
        let share = (limit / sites.len().max(1)).max(1);
        let mut taken = Vec::with_capacity(limit);
        // Each site's share first, and then whatever there is.
        for most in [share, limit] {
            for site in &sites {
                let wanted = most.min(limit - taken.len());
                if wanted == 0 {
                    break;
                }
                let Readable { callbacks: due, others } =
                    self.lock_due(&mut transaction, site, now, wanted).await?;
                write::put_off(&mut transaction, &others, now).await?;
                if !due.is_empty() {
                    self.turns.served(site);
                }
                for next in due.iter().filter_map(step) {
                    if write::update(&mut transaction, &next, &self.subscribers, &self.vault).await? {
                        taken.push(next);
                    }
                }
            }
        }
        transaction.commit().await.map_err(failed("commit"))?;
        for next in &taken {
            self.tell(next.id);
        }
        Ok(taken)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT due_at FROM callback WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
        );
        let milliseconds: Option<i64> = query.fetch_optional(&self.pool).await.map_err(failed("read"))?;
        milliseconds.map(moment).transpose()
    }

    async fn quiet(&self, now: Timestamp, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let query = sqlx::query("SELECT * FROM callback WHERE poll_at <= $1 ORDER BY poll_at, id LIMIT $2");
        let query = query.bind(now.as_millisecond()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&self.pool).await.map_err(failed("read"))?;
        let Readable { callbacks, others } = Readable::of(&rows, &self.vault);
        if !others.is_empty() {
            let mut connection = self.pool.acquire().await.map_err(failed("put a row off"))?;
            write::put_off(&mut connection, &others, now).await?;
        }
        Ok(callbacks)
    }

    async fn orphans(&self) -> Result<Vec<Callback>, StoreError> {
        Ok(Vec::new())
    }

    async fn attempts(&self, id: CallbackId) -> Result<Vec<Attempt>, StoreError> {
        let query =
            sqlx::query("SELECT * FROM attempt WHERE callback_id = $1 ORDER BY number").bind(id.to_string());
        query.fetch_all(&self.pool).await.map_err(failed("read"))?.iter().map(read_attempt).collect()
    }

    async fn keep_event(&self, event: &TaskEvent, now: Timestamp) -> Result<bool, StoreError> {
        write::keep_event(&self.pool, event, now).await
    }

    async fn events_of(&self, task_id: &str) -> Result<Vec<KeptEvent>, StoreError> {
        let query =
            sqlx::query("SELECT * FROM task_event WHERE task_id = $1 ORDER BY at, number").bind(task_id);
        query.fetch_all(&self.pool).await.map_err(failed("read"))?.iter().map(read_event).collect()
    }

    async fn mark_applied(&self, event_ids: &[String]) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE task_event SET applied = TRUE WHERE id = ANY($1)").bind(event_ids);
        query.execute(&self.pool).await.map_err(failed("mark events")).map(|_| ())
    }

    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        let query =
            sqlx::query("DELETE FROM task_event WHERE received_at < $1").bind(before.as_millisecond());
        Ok(query.execute(&self.pool).await.map_err(failed("forget events"))?.rows_affected())
    }

    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<Instances, StoreError> {
        let instances = write::heartbeat(&self.pool, heartbeat).await?;
        if heartbeat.news {
            self.news.tell(Item::Heartbeat);
        }
        Ok(instances)
    }

    async fn leave(&self, instance: &str) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM instance WHERE id = $1").bind(instance);
        query.execute(&self.pool).await.map_err(failed("take leave"))?;
        self.news.tell(Item::Heartbeat);
        Ok(())
    }

    async fn check(&self) -> Result<(), StoreError> {
        // Fails on a standby, which takes no writes.
        let query = sqlx::query("UPDATE signing_key SET created_at = created_at WHERE FALSE");
        query.execute(&self.pool).await.map_err(failed("check")).map(|_| ())
    }

    fn changes(&self) -> &Changes {
        &self.changes
    }
}
