//! The one connection that writes. What waits while a transaction is being flushed goes into the next one together.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{mpsc, oneshot};

use super::api_key::{self, KeyWrite};
use super::credential::{self, CredentialWrite};
use super::outbox::{self, MessageWrite};
use crate::agent::AgentName;
use crate::callback::{Callback, CallbackId};
use crate::schedule::Window;
use crate::store::outbox::Subscribers;
use crate::store::row::{attributes_json, read_id, read_inserted};
use crate::store::{Attempt, Changes, Claim, IdempotencyKey, Inserted, StoreError, failed};
use crate::task_event::TaskEvent;
use crate::token::SigningKey;

/// Writes that may wait at once; a caller beyond that waits for a place.
const WAITING_MAX: usize = 4096;
/// Writes in one transaction at most, so that the first of them is not kept waiting.
const BATCH_MAX: usize = 256;

/// The start of a transaction, which takes the lock.
const BEGIN: &str = "begin";

/// One thing to write.
pub(super) enum Write {
    Insert {
        callback: Box<Callback>,
        key: Option<IdempotencyKey>,
        claim: Option<Claim>,
    },
    Update {
        next: Box<Callback>,
        attempt: Option<Attempt>,
    },
    KeepEvent {
        event: TaskEvent,
        now: Timestamp,
    },
    MarkApplied {
        event_ids: Vec<String>,
    },
    ForgetEvents {
        before: Timestamp,
    },
    FirstKey {
        now: Timestamp,
    },
    /// A key for the REST door.
    Key(KeyWrite),
    /// A message to a CRM.
    Message(MessageWrite),
    Credential(CredentialWrite),
    /// Changes nothing that is read, and fails where the file cannot be written.
    Check,
}

/// What a write led to.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    /// How many rows it changed.
    pub(super) rows: u64,
    /// Why a callback was not inserted.
    pub(super) before: Option<Inserted>,
}

/// A write, and where to say what became of it.
struct Job {
    write: Write,
    reply: oneshot::Sender<Result<Done, StoreError>>,
}

/// The way to the writing task, which ends when this is dropped and all that waits is written.
#[derive(Debug)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    pub(super) fn start(link: Link, changes: Changes, subscribers: Subscribers) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(link, receiver, changes, subscribers));
        Self(sender)
    }

    pub(super) async fn write(&self, write: Write) -> Result<Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Job { write, reply }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

/// The connection, opened anew where the one before was given up.
pub(super) struct Link {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
}

impl Link {
    pub(super) const fn new(options: SqliteConnectOptions, connection: SqliteConnection) -> Self {
        Self { options, connection: Some(connection) }
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await.map_err(failed(BEGIN))?,
        };
        Ok(self.connection.insert(connection))
    }

    async fn close(&mut self) -> Result<(), sqlx::Error> {
        match self.connection.take() {
            Some(connection) => connection.close().await,
            None => Ok(()),
        }
    }

    /// Writes all or nothing; gives what became of each once that is on the disk.
    async fn transaction(
        &mut self,
        jobs: &[Job],
        subscribers: &Subscribers,
    ) -> Result<Vec<Done>, StoreError> {
        let outcome = transaction(self.connection().await?, jobs, subscribers).await;
        if !matches!(outcome, Ok(_) | Err(StoreError::Database { operation: BEGIN, .. })) {
            // SQLite ends a transaction by itself where the disk is full, and the library then counts it as open for ever. A
            // connection that is closed has none in any case.
            if let Err(error) = self.close().await {
                tracing::debug!(%error, "the connection that failed was not closed in good order");
            }
        }
        outcome
    }
}

async fn run(mut link: Link, mut waiting: mpsc::Receiver<Job>, changes: Changes, subscribers: Subscribers) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        match link.transaction(&batch, &subscribers).await {
            Ok(done) => batch.drain(..).zip(done).for_each(|(job, done)| job.answer(Ok(done), &changes)),
            // The file is locked or cannot be written: trying each by itself would wait for each.
            Err(StoreError::Database { operation: BEGIN, source }) => {
                for job in batch.drain(..) {
                    let source = Arc::clone(&source);
                    job.answer(Err(StoreError::Database { operation: BEGIN, source }), &changes);
                }
            }
            // One write must not fail for its neighbours: each is tried by itself.
            Err(_) if batch.len() > 1 => {
                for job in batch.drain(..) {
                    let done = link.transaction(std::slice::from_ref(&job), &subscribers).await;
                    job.answer(done.map(|done| done.into_iter().next().unwrap_or_default()), &changes);
                }
            }
            Err(error) => {
                if let Some(job) = batch.pop() {
                    job.answer(Err(error), &changes);
                }
            }
        }
    }
    if let Err(error) = link.close().await {
        tracing::warn!(%error, "the store was not closed in good order; it recovers at the next start");
    }
}

async fn transaction(
    connection: &mut SqliteConnection,
    jobs: &[Job],
    subscribers: &Subscribers,
) -> Result<Vec<Done>, StoreError> {
    // IMMEDIATE takes the write lock at once: a transaction that began by reading could not take it later.
    let mut begun = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed(BEGIN))?;
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        done.push(apply(&mut begun, &job.write, subscribers).await?);
    }
    begun.commit().await.map_err(failed("commit"))?;
    Ok(done)
}

impl Job {
    /// Tells of the change that the write made, and says to whoever asked what became of it.
    fn answer(self, done: Result<Done, StoreError>, changes: &Changes) {
        let has_changed = done.as_ref().is_ok_and(|done| done.rows > 0);
        match &self.write {
            Write::Insert { callback, .. } if has_changed => changes.tell(callback.id),
            Write::Update { next, .. } if has_changed => changes.tell(next.id),
            _ => {}
        }
        // Whoever asked may have gone; what was written stays.
        drop(self.reply.send(done));
    }
}

async fn apply(
    connection: &mut SqliteConnection,
    write: &Write,
    subscribers: &Subscribers,
) -> Result<Done, StoreError> {
    let rows = match write {
        Write::Insert { callback, key, claim } => {
            let done = insert(connection, callback, key.as_ref(), claim.as_ref()).await?;
            if done.before.is_none() {
                outbox::insert(connection, subscribers, callback).await?;
            }
            return Ok(done);
        }
        Write::Update { next, attempt } => {
            let before = outbox::state_of(connection, subscribers, next).await?;
            let rows = update(connection, next, attempt.as_ref()).await?;
            if rows == 1 && before.is_some_and(|before| before != next.state.as_str()) {
                outbox::insert(connection, subscribers, next).await?;
            }
            rows
        }
        Write::KeepEvent { event, now } => keep_event(connection, event, *now).await?,
        Write::MarkApplied { event_ids } => {
            let mut rows = 0;
            for id in event_ids {
                let query = sqlx::query("UPDATE task_event SET applied = 1 WHERE id = ?").bind(id);
                rows += query.execute(&mut *connection).await.map_err(failed("mark events"))?.rows_affected();
            }
            rows
        }
        Write::ForgetEvents { before } => {
            let query =
                sqlx::query("DELETE FROM task_event WHERE received_at < ?").bind(before.as_millisecond());
            query.execute(connection).await.map_err(failed("forget events"))?.rows_affected()
        }
        Write::FirstKey { now } => first_key(connection, *now).await?,
        Write::Message(write) => outbox::apply(connection, write).await?,
        Write::Key(write) => api_key::apply(connection, write).await?,
        Write::Credential(write) => credential::apply(connection, write).await?,
        Write::Check => {
            // Writes one page for real, which a full disk has no room for. The number means nothing to us.
            let query = sqlx::query("PRAGMA user_version = 1");
            query.execute(connection).await.map_err(failed("check"))?.rows_affected()
        }
    };
    Ok(Done { rows, before: None })
}

pub(super) async fn find_key(
    connection: &mut SqliteConnection,
    key: &IdempotencyKey,
) -> Result<Option<Inserted>, StoreError> {
    let query =
        sqlx::query("SELECT fingerprint, callback_id, joined FROM idempotency WHERE scope = ? AND key = ?");
    let row = query
        .bind(&key.scope)
        .bind(&key.key)
        .fetch_optional(connection)
        .await
        .map_err(failed("find a key"))?;
    row.map(|row| read_inserted(&row, key)).transpose()
}

async fn insert(
    connection: &mut SqliteConnection,
    callback: &Callback,
    key: Option<&IdempotencyKey>,
    claim: Option<&Claim>,
) -> Result<Done, StoreError> {
    if let Some(key) = key
        && let Some(before) = find_key(connection, key).await?
    {
        return Ok(Done { rows: 0, before: Some(before) });
    }
    if let Some(claim) = claim
        && let Some(first) = holder_of(connection, claim).await?
    {
        if let Some(key) = key {
            insert_key(connection, key, first, callback.created_at, true).await?;
        }
        return Ok(Done { rows: 0, before: Some(Inserted::Joined(first)) });
    }
    let request = &callback.request;
    sqlx::query(
        "INSERT INTO callback (id, site, door, phone, name, email, reason, message, page, locale, agent, reference, \
         consent_version, attributes, state, attempts, created_at, updated_at, deadline, due_at, revision, claim, fallback, \
         fallback_detail, schedule, schedule_keeper) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(callback.id.to_string())
    .bind(&request.site)
    .bind(request.door.as_str())
    .bind(request.phone.e164())
    .bind(request.name.reveal())
    .bind(request.email.reveal())
    .bind(&request.reason)
    .bind(request.message.reveal())
    .bind(&request.page)
    .bind(&request.locale)
    .bind(request.agent.as_ref().map(AgentName::as_text))
    .bind(&request.reference)
    .bind(&request.consent_version)
    .bind(attributes_json(&request.attributes))
    .bind(callback.state.as_str())
    .bind(callback.attempts)
    .bind(callback.created_at.as_millisecond())
    .bind(callback.updated_at.as_millisecond())
    .bind(callback.deadline.as_millisecond())
    .bind(callback.due_at.map(Timestamp::as_millisecond))
    .bind(i64::try_from(callback.revision).unwrap_or(i64::MAX))
    .bind(claim.map(|claim| &claim.text))
    .bind(callback.fallback.as_ref().map(|(fallback, _)| fallback.as_str()))
    .bind(callback.fallback.as_ref().map(|(_, detail)| detail))
    .bind(callback.appointment.as_ref().map(|kept| kept.window.as_text()))
    .bind(callback.appointment.as_ref().map(|kept| kept.keeper.as_str()))
    .execute(&mut *connection)
    .await
    .map_err(failed("insert a callback"))?;
    if let Some(key) = key {
        insert_key(connection, key, callback.id, callback.created_at, false).await?;
    }
    Ok(Done { rows: 1, before: None })
}

/// The callback that has the claim, where it has not lost it.
async fn holder_of(
    connection: &mut SqliteConnection,
    claim: &Claim,
) -> Result<Option<CallbackId>, StoreError> {
    let query = sqlx::query("UPDATE callback SET claim = NULL WHERE claim = ? AND created_at < ?");
    let query = query.bind(&claim.text).bind(claim.since.as_millisecond());
    query.execute(&mut *connection).await.map_err(failed("release a claim"))?;
    let query = sqlx::query("SELECT id FROM callback WHERE claim = ?").bind(&claim.text);
    let row = query.fetch_optional(connection).await.map_err(failed("find a claim"))?;
    row.map(|row| read_id(&row)).transpose()
}

async fn insert_key(
    connection: &mut SqliteConnection,
    key: &IdempotencyKey,
    id: CallbackId,
    now: Timestamp,
    joined: bool,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO idempotency (scope, key, fingerprint, callback_id, created_at, joined) VALUES (?, ?, ?, ?, ?, ?)",
    );
    let query = query
        .bind(&key.scope)
        .bind(&key.key)
        .bind(&key.fingerprint[..])
        .bind(id.to_string())
        .bind(now.as_millisecond())
        .bind(joined);
    query.execute(connection).await.map_err(failed("insert a key")).map(|_| ())
}

async fn update(
    connection: &mut SqliteConnection,
    next: &Callback,
    attempt: Option<&Attempt>,
) -> Result<u64, StoreError> {
    let revision = i64::try_from(next.revision).unwrap_or(i64::MAX);
    let (failure, detail) = match &next.failure {
        Some((failure, detail)) => (Some(failure.as_str()), Some(detail)),
        None => (None, None),
    };
    let (fallback, fallback_detail) = match &next.fallback {
        Some((fallback, detail)) => (Some(fallback.as_str()), Some(detail)),
        None => (None, None),
    };
    let appointment = next.appointment.as_ref();
    let written = sqlx::query(
        "UPDATE callback SET state = ?, failure = ?, failure_detail = ?, task_id = ?, attempts = ?, updated_at = ?, \
         due_at = ?, poll_at = ?, sent_at = ?, last_event_at = ?, revision = ?, fallback = ?, fallback_detail = ?, \
         deadline = ?, claim = CASE WHEN ? OR schedule IS NOT ? THEN NULL ELSE claim END, schedule = ?, \
         schedule_keeper = ?, schedule_id = ?, schedule_wanted = ? WHERE id = ? AND revision = ?",
    )
    .bind(next.state.as_str())
    .bind(failure)
    .bind(detail)
    .bind(&next.task_id)
    .bind(next.attempts)
    .bind(next.updated_at.as_millisecond())
    .bind(next.due_at.map(Timestamp::as_millisecond))
    .bind(next.poll_at.map(Timestamp::as_millisecond))
    .bind(next.sent_at.map(Timestamp::as_millisecond))
    .bind(next.last_event_at.map(Timestamp::as_millisecond))
    .bind(revision)
    .bind(fallback)
    .bind(fallback_detail)
    .bind(next.deadline.as_millisecond())
    .bind(next.state.is_final())
    // A claim is to a window: whoever wants the former one is called then.
    .bind(appointment.map(|kept| kept.window.as_text()))
    .bind(appointment.map(|kept| kept.window.as_text()))
    .bind(appointment.map(|kept| kept.keeper.as_str()))
    .bind(appointment.and_then(|kept| kept.webex_id.as_deref()))
    .bind(appointment.and_then(|kept| kept.wanted.as_ref()).map(Window::as_text))
    .bind(next.id.to_string())
    .bind(revision - 1)
    .execute(&mut *connection)
    .await
    .map_err(failed("update a callback"))?;
    // What was asked of Webex was asked, whoever won.
    if let Some(attempt) = attempt {
        sqlx::query(
            "INSERT INTO attempt (callback_id, operation, begun_at, took_ms, status, tracking_id, outcome) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(next.id.to_string())
        .bind(attempt.operation)
        .bind(attempt.begun_at.as_millisecond())
        .bind(attempt.took_ms)
        .bind(attempt.status)
        .bind(&attempt.tracking_id)
        .bind(&attempt.outcome)
        .execute(&mut *connection)
        .await
        .map_err(failed("insert an attempt"))?;
    }
    Ok(written.rows_affected())
}

async fn keep_event(
    connection: &mut SqliteConnection,
    event: &TaskEvent,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let written = sqlx::query(
        "INSERT INTO task_event (id, task_id, change, at, reason, received_at, applied) VALUES (?, ?, ?, ?, ?, ?, 0) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(&event.id)
    .bind(&event.task_id)
    .bind(event.change.as_str())
    .bind(event.at.as_millisecond())
    .bind(&event.reason)
    .bind(now.as_millisecond())
    .execute(connection)
    .await
    .map_err(failed("keep an event"))?;
    Ok(written.rows_affected())
}

async fn first_key(connection: &mut SqliteConnection, now: Timestamp) -> Result<u64, StoreError> {
    let key = SigningKey::generate()?;
    let written = sqlx::query(
        "INSERT INTO signing_key (id, secret, created_at) SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM signing_key)",
    )
        .bind(&key.id)
        .bind(&key.secret.expose_secret()[..])
        .bind(now.as_millisecond())
        .execute(connection)
        .await
        .map_err(failed("make a key"))?;
    Ok(written.rows_affected())
}
