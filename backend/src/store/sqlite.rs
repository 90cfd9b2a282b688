//! The store in an SQLite file.
//!
//! One connection writes: what waits to be written while a transaction is on its way to the disk goes into the next one
//! together, so that many requests share one flush. WAL with `synchronous=FULL` makes a commit survive a loss of power
//! (SQLite documentation, "PRAGMA synchronous"). Others read from connections of their own.

mod api_key;
mod checkpoint;
mod claims;
mod connection;
mod credential;
mod insertion;
mod ledger;
mod listing;
pub(super) mod moving;
mod number;
mod outbox;
mod queue;
mod retention;
mod scheduled;
mod trust;
#[cfg(test)]
mod upgrade;
mod writer;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use jiff::Timestamp;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use self::writer::{Context, Link, Write, Writer};
use super::outbox::Subscribers;
use super::row::{self, Columns, columns_of, read_attempt, read_event, read_inserted, unreadable};
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

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// Connections that read at the same time.
const READERS: u32 = 4;

/// How long a connection waits for another process (a backup, say) to let go of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a client's key was used for.
const FIND_KEY: &str = "SELECT fingerprint, callback_id, joined FROM idempotency WHERE scope = ? AND key = ?";

/// When the next callback is due; reads one index entry a site. An index by the time alone would be one more to write.
const NEXT_DUE: &str = "WITH RECURSIVE waiting (site) AS ( \
         SELECT min(site) FROM callback WHERE due_at IS NOT NULL \
         UNION ALL \
         SELECT (SELECT min(site) FROM callback WHERE due_at IS NOT NULL AND site > waiting.site) \
         FROM waiting WHERE waiting.site IS NOT NULL \
     ) SELECT min((SELECT min(due_at) FROM callback WHERE due_at IS NOT NULL AND site = waiting.site)) \
     FROM waiting WHERE site IS NOT NULL";

/// The store in an SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    changes: Changes,
    subscribers: Subscribers,
    turns: Turns,
    vault: Vault,
    /// Held for as long as the store is open by a serving process.
    _lock: Option<File>,
}

columns_of!(SqliteRow);

impl Columns for rusqlite::Row<'_> {
    fn text(&self, name: &str) -> Result<&str, StoreError> {
        self.optional_text(name)?.ok_or_else(|| unreadable(name))
    }

    fn optional_text(&self, name: &str) -> Result<Option<&str>, StoreError> {
        self.get_ref(name).ok().and_then(|value| value.as_str_or_null().ok()).ok_or_else(|| unreadable(name))
    }

    fn integer(&self, name: &str) -> Result<i64, StoreError> {
        self.optional_integer(name)?.ok_or_else(|| unreadable(name))
    }

    fn optional_integer(&self, name: &str) -> Result<Option<i64>, StoreError> {
        self.get(name).map_err(|_| unreadable(name))
    }

    fn bytes(&self, name: &str) -> Result<&[u8], StoreError> {
        self.get_ref(name).ok().and_then(|value| value.as_blob().ok()).ok_or_else(|| unreadable(name))
    }

    fn optional_bytes(&self, name: &str) -> Result<Option<&[u8]>, StoreError> {
        let value = self.get_ref(name).ok().and_then(|value| value.as_blob_or_null().ok());
        value.ok_or_else(|| unreadable(name))
    }

    fn flag(&self, name: &str) -> Result<bool, StoreError> {
        self.get(name).map_err(|_| unreadable(name))
    }
}

impl SqliteStore {
    /// Opens the store, makes it where there is none, and brings its schema up to date.
    pub async fn open(config: &config::Store, purpose: Use) -> Result<Self, StoreError> {
        let path = config.path.as_path();
        let vault = Vault::new(config)?;
        let lock = match purpose {
            Use::Serve => Some(lock(path)?),
            Use::Command => None,
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("secure_delete", "ON")
            .busy_timeout(BUSY_TIMEOUT);
        make(path)?;
        let mut connection = options.connect().await.map_err(failed("open"))?;
        known(applied(&mut connection).await?, &MIGRATIONS)?;
        MIGRATIONS.run(&mut connection).await?;
        keep_proof(&mut connection, &vault, purpose).await?;
        connection.close().await.map_err(failed("open"))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(Duration::from_mins(1))
            // There is no server that could have gone away.
            .test_before_acquire(false)
            .connect_with(options.read_only(true))
            .await
            .map_err(failed("open"))?;
        let changes = Changes::default();
        let subscribers = Subscribers::default();
        let context = Context { subscribers: subscribers.clone(), vault: vault.clone() };
        let store = Self {
            readers,
            writer: Writer::start(Link::open(path)?, changes.clone(), context)?,
            subscribers,
            changes,
            turns: Turns::default(),
            vault,
            _lock: lock,
        };
        if purpose == Use::Serve {
            vault::seal_first(&store).await?;
        }
        Ok(store)
    }
}

/// Remembers the key that the store is sealed with, and refuses another.
async fn keep_proof(
    connection: &mut SqliteConnection,
    vault: &Vault,
    purpose: Use,
) -> Result<(), StoreError> {
    if let Some(proof) = vault.proof()?.filter(|_| purpose == Use::Serve) {
        let keep = sqlx::query(vault::KEEP_PROOF).bind(proof);
        keep.execute(&mut *connection).await.map_err(failed("keep the key's proof"))?;
    }
    let proof: Option<Vec<u8>> = sqlx::query_scalar(vault::PROOF)
        .fetch_optional(connection)
        .await
        .map_err(failed("read the key's proof"))?;
    vault.fits(proof.as_deref())
}

impl SqliteStore {
    async fn due_of(&self, site: &str, now: Timestamp, limit: usize) -> Result<Readable, StoreError> {
        let query =
            sqlx::query("SELECT * FROM callback WHERE site = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?");
        let query =
            query.bind(site).bind(now.as_millisecond()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
        Ok(Readable::of(&rows, &self.vault))
    }

    async fn put_off(&self, ids: Vec<String>, now: Timestamp) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.writer.write(Write::PutOff { ids, now }).await.map(|_| ())
    }
}

/// The version of the file's schema; `None` where there is no file, or nothing in it.
pub(super) async fn found(path: &Path) -> Result<Option<i64>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT);
    let mut connection = options.connect().await.map_err(failed("open"))?;
    let found = applied(&mut connection).await?;
    connection.close().await.map_err(failed("open"))?;
    Ok(found)
}

async fn applied(connection: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    let query = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations')",
    );
    if !query.fetch_one(&mut *connection).await.map_err(failed("read the schema"))? {
        return Ok(None);
    }
    sqlx::query_scalar(SCHEMA).fetch_one(connection).await.map_err(failed("read the schema"))
}

/// The version of the schema of a store that is open.
fn schema(connection: &rusqlite::Connection) -> Result<i64, StoreError> {
    connection.query_row(SCHEMA, [], |row| row.get(0)).map_err(failed("read the schema"))
}

/// Makes the file where there is none, for its owner's eyes alone: SQLite would make it for everybody's, and gives its log the rights
/// of the file.
fn make(path: &Path) -> Result<(), StoreError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made.map(drop) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed("make the file")(error)),
        _ => Ok(()),
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    // By whatever link it is named, it is one file.
    let linked = path.canonicalize();
    let mut name = linked.as_deref().unwrap_or(path).as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let cannot = failed::<io::Error>("lock");
    let file = File::create(&name).map_err(&cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn take_in(&self, arrival: Arc<Arrival>) -> Result<Inserted, StoreError> {
        Ok(self.writer.write(Write::Insert(arrival)).await?.before.unwrap_or(Inserted::New))
    }

    async fn inserted_with(&self, key: &IdempotencyKey) -> Result<Option<Inserted>, StoreError> {
        let row = sqlx::query(FIND_KEY).bind(&key.scope).bind(&key.key).fetch_optional(&self.readers).await;
        row.map_err(failed("find a key"))?.map(|row| read_inserted(&row, key, &self.vault)).transpose()
    }

    async fn get(&self, id: CallbackId) -> Result<Option<Callback>, StoreError> {
        let row = sqlx::query("SELECT * FROM callback WHERE id = ?").bind(id.to_string());
        let row = row.fetch_optional(&self.readers).await.map_err(failed("read"))?;
        row.as_ref().map(|row| self.vault.callback(row)).transpose()
    }

    async fn of_task(&self, task_id: &str) -> Result<Option<Callback>, StoreError> {
        let row = sqlx::query("SELECT * FROM callback WHERE task_id = ?").bind(task_id);
        let row = row.fetch_optional(&self.readers).await.map_err(failed("read"))?;
        row.as_ref().map(|row| self.vault.callback(row)).transpose()
    }

    async fn update(&self, next: &Callback, attempt: Option<&Attempt>) -> Result<bool, StoreError> {
        let write = Write::Update { next: Box::new(next.clone()), attempt: attempt.cloned(), place: None };
        Ok(self.writer.write(write).await?.rows == 1)
    }

    async fn take_due(
        &self,
        now: Timestamp,
        limit: usize,
        step: Step<'_>,
    ) -> Result<Vec<Callback>, StoreError> {
        let sites: Vec<String> =
            sqlx::query_scalar(turns::SITES).fetch_all(&self.readers).await.map_err(failed("read"))?;
        let sites = self.turns.order(sites);
        let share = (limit / sites.len().max(1)).max(1);
        let mut due: Vec<Callback> = Vec::with_capacity(limit);
        let mut unreadable = Vec::new();
        // Each site's share first, and then whatever there is.
        for most in [share, limit] {
            for site in &sites {
                let known = due.iter().filter(|callback| callback.request.site == *site).count();
                let wanted = most.min(limit - due.len() + known);
                if wanted <= known {
                    continue;
                }
                let Readable { callbacks: found, others } = self.due_of(site, now, wanted).await?;
                unreadable.extend(others);
                if found.len() > known {
                    self.turns.served(site);
                    due.extend(found.into_iter().skip(known));
                }
            }
        }
        self.put_off(unreadable, now).await?;
        let steps: Vec<_> = due.iter().filter_map(step).collect();
        // Together, so that they share a transaction.
        let written = join_all(steps.iter().map(|next| self.update(next, None))).await;
        steps
            .into_iter()
            .zip(written)
            .filter_map(|(next, won)| won.map(|won| won.then_some(next)).transpose())
            .collect()
    }

    async fn quiet(&self, now: Timestamp, limit: usize) -> Result<Vec<Callback>, StoreError> {
        let query = sqlx::query("SELECT * FROM callback WHERE poll_at <= ? ORDER BY poll_at, id LIMIT ?");
        let query = query.bind(now.as_millisecond()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
        let Readable { callbacks, others } = Readable::of(&rows, &self.vault);
        self.put_off(others, now).await?;
        Ok(callbacks)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let next = sqlx::query_scalar(NEXT_DUE).fetch_one(&self.readers).await;
        let milliseconds: Option<i64> = next.map_err(failed("read"))?;
        milliseconds.map(row::moment).transpose()
    }

    async fn orphans(&self) -> Result<Vec<Callback>, StoreError> {
        let query = sqlx::query("SELECT * FROM callback WHERE due_at IS NOT NULL AND state = 'sending'");
        let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
        // The others are met again when their leases have run out.
        Ok(Readable::of(&rows, &self.vault).callbacks)
    }

    async fn attempts(&self, id: CallbackId) -> Result<Vec<Attempt>, StoreError> {
        let query =
            sqlx::query("SELECT * FROM attempt WHERE callback_id = ? ORDER BY rowid").bind(id.to_string());
        query.fetch_all(&self.readers).await.map_err(failed("read"))?.iter().map(read_attempt).collect()
    }

    async fn keep_event(&self, event: &TaskEvent, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.writer.write(Write::KeepEvent { event: event.clone(), now }).await?.rows == 1)
    }

    async fn events_of(&self, task_id: &str) -> Result<Vec<KeptEvent>, StoreError> {
        let query =
            sqlx::query("SELECT * FROM task_event WHERE task_id = ? ORDER BY at, rowid").bind(task_id);
        query.fetch_all(&self.readers).await.map_err(failed("read"))?.iter().map(read_event).collect()
    }

    async fn mark_applied(&self, event_ids: &[String]) -> Result<(), StoreError> {
        self.writer.write(Write::MarkApplied { event_ids: event_ids.to_vec() }).await.map(|_| ())
    }

    async fn forget_events(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.writer.write(Write::ForgetEvents { before }).await?.rows)
    }

    async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<Instances, StoreError> {
        // The lock file sees to it that there is no other.
        Ok(Instances { count: 1, paused_until: heartbeat.paused_until })
    }

    async fn leave(&self, _instance: &str) -> Result<(), StoreError> {
        // The lock file goes with the store.
        Ok(())
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.writer.write(Write::Check).await?;
        let one: i64 = sqlx::query("SELECT 1").fetch_one(&self.readers).await.map_err(failed("read"))?.get(0);
        if one == 1 { Ok(()) } else { Err(StoreError::Row(format!("SELECT 1 gave {one}"))) }
    }

    fn changes(&self) -> &Changes {
        &self.changes
    }
}
