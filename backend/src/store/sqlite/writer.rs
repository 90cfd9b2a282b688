//! The one connection that writes, on a thread of its own. What waits while a transaction is being flushed goes into the
//! next one together.
//!
//! A batch is a few statements for each of hundreds of writes. The library that reads hands each statement to another
//! thread and back, which costs more than the statement; this one calls SQLite where it stands.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Params, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::api_key::{self, KeyWrite};
use super::credential::{self, CredentialWrite};
use super::ledger::{self, LedgerWrite};
use super::number::{self, NumberWrite};
use super::outbox::{self, MessageWrite};
use super::retention::{self, Erasure};
use super::scheduled;
use super::trust::{self, TrustWrite};
use super::{BUSY_TIMEOUT, FIND_KEY};
use crate::agent::AgentName;
use crate::callback::{Callback, CallbackId};
use crate::schedule::Window;
use crate::slots::Place;
use crate::store::ledger::Given;
use crate::store::outbox::Subscribers;
use crate::store::row::{Columns as _, moment, read_id, read_inserted};
use crate::store::scheduled::begins;
use crate::store::trust::LAST_END;
use crate::store::vault::{PersonalColumns, SealedRow, Vault};
use crate::store::{Attempt, Changes, Claim, IdempotencyKey, Inserted, StoreError, failed};
use crate::task_event::TaskEvent;

/// Writes that may wait at once; a caller beyond that waits for a place.
const WAITING_MAX: usize = 4096;
/// Writes in one transaction at most, so that the first of them is not kept waiting.
const BATCH_MAX: usize = 256;

/// Pages in the write-ahead log before they are carried over to the database file: a page that changes again and again is
/// carried once. 16 MB, four times SQLite's own.
const CHECKPOINT_PAGES: u32 = 4000;
/// The pages that are kept at hand, in kilobytes: numbers come in no order, so the index of claims is written all over, and with
/// SQLite's own 2 MB each claim would be read from the file again.
const CACHE_KB: i64 = 16_000;
/// Statements that are kept ready.
const STATEMENTS_MAX: usize = 64;
/// How long carrying the log over after an erasure waits for those who read.
const CARRY_PATIENCE: Duration = Duration::from_millis(250);

/// The start of a transaction, which takes the lock.
const BEGIN: &str = "begin";

/// One thing to write.
pub(super) enum Write {
    Insert {
        callback: Box<Callback>,
        key: Option<IdempotencyKey>,
        claim: Option<Claim>,
        consent: Option<Given>,
        /// The place that it needs in a slot.
        place: Option<Place>,
    },
    Update {
        next: Box<Callback>,
        attempt: Option<Attempt>,
        /// The place that it needs in another slot.
        place: Option<Place>,
    },
    /// Another number for a callback.
    Number(NumberWrite),
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
    /// A key for the REST door.
    Key(KeyWrite),
    /// A message to a CRM.
    Message(MessageWrite),
    Credential(CredentialWrite),
    Trust(TrustWrite),
    Ledger(LedgerWrite),
    /// Takes personal data out.
    Erase {
        erasure: Erasure,
        now: Timestamp,
    },
    /// Takes rows out of the clear.
    Seal {
        rows: Vec<SealedRow>,
    },
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

/// What writes need to know.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) subscribers: Subscribers,
    pub(super) vault: Vault,
}

impl Done {
    /// Whether the request was taken, by itself or together with another.
    const fn is_taken(&self) -> bool {
        matches!(self.before, None | Some(Inserted::Joined(_)))
    }
}

impl Write {
    /// Whether it takes personal data out of the file.
    const fn erases(&self) -> bool {
        matches!(self, Self::Erase { .. } | Self::Seal { .. } | Self::Trust(TrustWrite::Seal { .. }))
    }
}

/// A write, and where to say what became of it.
struct Job {
    write: Write,
    reply: oneshot::Sender<Result<Done, StoreError>>,
}

/// The way to the writing thread. Dropping it waits until all that was asked for is written and the file is closed.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(link: Link, changes: Changes, context: Context) -> Result<Self, StoreError> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let thread = std::thread::Builder::new().name("store-writer".to_owned());
        let thread =
            thread.spawn(move || run(link, receiver, &changes, &context)).map_err(failed("start"))?;
        Ok(Self { jobs: Some(sender), thread: Some(thread) })
    }

    pub(super) async fn write(&self, write: Write) -> Result<Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(Job { write, reply }).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        // Its panic has ended the process.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A panic of the writer ends the process: a service that stores nothing is none, and its supervisor starts it again.
struct EndsTheProcess;

impl Drop for EndsTheProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the writer of the store has failed; the process ends");
            std::process::exit(1);
        }
    }
}

/// The connection, opened anew where the one before was given up.
pub(super) struct Link {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Link {
    /// Opens a file that is there.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { path: path.to_owned(), connection: Some(connect(path)?) })
    }

    fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Writes all or nothing; gives what became of each once that is on the disk.
    fn transaction(&mut self, jobs: &[Job], context: &Context) -> Result<Vec<Done>, StoreError> {
        let outcome = transaction(self.connection()?, jobs, context);
        if !matches!(outcome, Ok(_) | Err(StoreError::Database { operation: BEGIN, .. })) {
            // After a full disk or a damaged page, whatever the connection believes is not worth knowing.
            self.connection = None;
        }
        outcome
    }

    /// Carries the write-ahead log over to the file and empties it: the log still holds what was erased. Where somebody reads for too
    /// long, it is done after the next erasure, of which each round of housekeeping has one.
    fn carry_over(&mut self) {
        let Some(connection) = &self.connection else { return };
        let carried = connection
            .busy_timeout(CARRY_PATIENCE)
            .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)));
        let restored = connection.busy_timeout(BUSY_TIMEOUT);
        match carried.and_then(|busy: bool| restored.map(|()| busy)) {
            Ok(false) => {}
            Ok(true) => tracing::debug!("the store's log is being read; it is emptied later"),
            Err(error) => {
                tracing::warn!(%error, "the store's log, which may hold what was erased, cannot be emptied");
            }
        }
    }
}

pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update(None, "cache_size", -CACHE_KB)?;
        // What is erased is overwritten, and not left on its page until something else needs the room.
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(connection)
    };
    opened().map_err(failed::<rusqlite::Error>(BEGIN))
}

fn run(mut link: Link, mut waiting: mpsc::Receiver<Job>, changes: &Changes, context: &Context) {
    let _guard = EndsTheProcess;
    let mut batch: Vec<Job> = Vec::with_capacity(BATCH_MAX);
    while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        let erases = batch.iter().any(|job| job.write.erases());
        match link.transaction(&batch, context) {
            Ok(done) => batch.drain(..).zip(done).for_each(|(job, done)| job.answer(Ok(done), changes)),
            // The file is locked or cannot be written: trying each by itself would wait for each.
            Err(StoreError::Database { operation: BEGIN, source }) => {
                for job in batch.drain(..) {
                    let source = Arc::clone(&source);
                    job.answer(Err(StoreError::Database { operation: BEGIN, source }), changes);
                }
            }
            // One write must not fail for its neighbours: each is tried by itself.
            Err(_) if batch.len() > 1 => {
                for job in batch.drain(..) {
                    let done = link.transaction(std::slice::from_ref(&job), context);
                    job.answer(done.map(|done| done.into_iter().next().unwrap_or_default()), changes);
                }
            }
            Err(error) => {
                if let Some(job) = batch.pop() {
                    job.answer(Err(error), changes);
                }
            }
        }
        if erases {
            link.carry_over();
        }
    }
    if let Some(Err((_, error))) = link.connection.take().map(Connection::close) {
        tracing::warn!(%error, "the store was not closed in good order; it recovers at the next start");
    }
}

fn transaction(
    connection: &mut Connection,
    jobs: &[Job],
    context: &Context,
) -> Result<Vec<Done>, StoreError> {
    // IMMEDIATE takes the write lock at once: a transaction that began by reading could not take it later.
    let begun =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed(BEGIN))?;
    let done = jobs.iter().map(|job| apply(&begun, &job.write, context)).collect::<Result<_, _>>()?;
    begun.commit().map_err(failed("commit"))?;
    Ok(done)
}

impl Job {
    /// Tells of the change that the write made, and says to whoever asked what became of it.
    fn answer(self, done: Result<Done, StoreError>, changes: &Changes) {
        let has_changed = done.as_ref().is_ok_and(|done| done.rows > 0);
        match &self.write {
            Write::Insert { callback, .. } if has_changed => changes.tell(callback.id),
            Write::Update { next, .. } | Write::Number(NumberWrite { next, .. }) if has_changed => {
                changes.tell(next.id);
            }
            _ => {}
        }
        // Whoever asked may have gone; what was written stays.
        drop(self.reply.send(done));
    }
}

/// Runs one statement; gives how many rows it changed.
pub(super) fn execute(
    connection: &Connection,
    operation: &'static str,
    sql: &str,
    values: impl Params,
) -> Result<u64, StoreError> {
    let changed = connection.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
    Ok(changed.map_err(failed(operation))? as u64)
}

fn apply(connection: &Connection, write: &Write, context: &Context) -> Result<Done, StoreError> {
    let rows = match write {
        Write::Insert { callback, key, claim, consent, place } => {
            let done =
                insert(connection, callback, key.as_ref(), claim.as_ref(), place.as_ref(), &context.vault)?;
            if let Some(given) = consent.as_ref().filter(|_| done.is_taken()) {
                ledger::insert_consent(connection, &context.vault.consent(callback, given))?;
            }
            if done.before.is_none() {
                outbox::insert(connection, &context.subscribers, callback)?;
            }
            return Ok(done);
        }
        Write::Update { next, attempt, place } => {
            if let Some(place) = place
                && scheduled::is_full(connection, next, place)?
            {
                return Ok(Done { rows: 0, before: Some(Inserted::SlotFull) });
            }
            let before = outbox::state_of(connection, &context.subscribers, next)?;
            let rows = update(connection, next, attempt.as_ref())?;
            if rows == 1 && before.is_some_and(|before| before != next.state.as_str()) {
                outbox::insert(connection, &context.subscribers, next)?;
            }
            rows
        }
        Write::Number(write) => return number::apply(connection, write, context),
        Write::KeepEvent { event, now } => keep_event(connection, event, *now)?,
        Write::MarkApplied { event_ids } => {
            let mark = |id| {
                execute(connection, "mark events", "UPDATE task_event SET applied = 1 WHERE id = ?", [id])
            };
            event_ids.iter().map(mark).sum::<Result<_, _>>()?
        }
        Write::ForgetEvents { before } => execute(
            connection,
            "forget events",
            "DELETE FROM task_event WHERE received_at < ?",
            [before.as_millisecond()],
        )?,
        Write::Message(write) => outbox::apply(connection, write)?,
        Write::Key(write) => api_key::apply(connection, write)?,
        Write::Credential(write) => credential::apply(connection, write)?,
        Write::Trust(write) => trust::apply(connection, write)?,
        Write::Ledger(write) => ledger::apply(connection, write)?,
        Write::Erase { erasure, now } => retention::apply(connection, erasure, *now)?,
        Write::Seal { rows } => retention::seal(connection, rows)?,
        // Writes one page for real, which a full disk has no room for. The number means nothing to us.
        Write::Check => execute(connection, "check", "PRAGMA user_version = 1", [])?,
    };
    Ok(Done { rows, before: None })
}

fn find_key(
    connection: &Connection,
    key: &IdempotencyKey,
    vault: &Vault,
) -> Result<Option<Inserted>, StoreError> {
    let mut find = connection.prepare_cached(FIND_KEY).map_err(failed("find a key"))?;
    let mut rows = find.query(params![key.scope, key.key]).map_err(failed("find a key"))?;
    rows.next().map_err(failed("find a key"))?.map(|row| read_inserted(row, key, vault)).transpose()
}

fn insert(
    connection: &Connection,
    callback: &Callback,
    key: Option<&IdempotencyKey>,
    claim: Option<&Claim>,
    place: Option<&Place>,
    vault: &Vault,
) -> Result<Done, StoreError> {
    let claim = claim.map(|claim| Claim { text: vault.claim(&claim.text), ..claim.clone() });
    if let Some(key) = key
        && let Some(before) = find_key(connection, key, vault)?
    {
        return Ok(Done { rows: 0, before: Some(before) });
    }
    if let Some(claim) = &claim
        && let Some(first) = holder_of(connection, claim)?
    {
        if let Some(key) = key {
            insert_key(connection, key, vault, &Keyed { id: first, joined: true }, callback.created_at)?;
        }
        return Ok(Done { rows: 0, before: Some(Inserted::Joined(first)) });
    }
    let PersonalColumns { clear, sealed } = vault.columns(callback)?;
    if let Some(since) = claim.as_ref().and_then(|claim| claim.cooled_since)
        && let Some(ended_at) = last_end(connection, &clear.phone, &callback.request.site, since)?
    {
        return Ok(Done { rows: 0, before: Some(Inserted::TooSoon { ended_at }) });
    }
    if let Some(place) = place
        && scheduled::is_full(connection, callback, place)?
    {
        return Ok(Done { rows: 0, before: Some(Inserted::SlotFull) });
    }
    let request = &callback.request;
    let fallback = callback.fallback.as_ref();
    let appointment = callback.appointment.as_ref();
    let (begins_at, wanted_at) = begins(callback);
    execute(
        connection,
        "insert a callback",
        "INSERT INTO callback (id, site, door, phone, name, email, reason, message, page, locale, agent, reference, \
         consent_version, attributes, state, attempts, created_at, updated_at, deadline, due_at, revision, claim, fallback, \
         fallback_detail, schedule, schedule_keeper, sealed, at_opening, begins_at, wanted_at, fields) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            callback.id.to_string(),
            request.site,
            request.door.as_str(),
            clear.phone,
            clear.name,
            clear.email,
            request.reason,
            clear.message,
            clear.page,
            request.locale,
            request.agent.as_ref().map(AgentName::as_text),
            request.reference,
            request.consent_version,
            clear.attributes_json(),
            callback.state.as_str(),
            callback.attempts,
            callback.created_at.as_millisecond(),
            callback.updated_at.as_millisecond(),
            callback.deadline.as_millisecond(),
            callback.due_at.map(Timestamp::as_millisecond),
            signed(callback.revision),
            claim.map(|claim| claim.text),
            fallback.map(|(fallback, _)| fallback.as_str()),
            fallback.map(|(_, detail)| detail),
            appointment.map(|kept| kept.window.as_text()),
            appointment.map(|kept| kept.keeper.as_str()),
            sealed,
            appointment.is_some_and(|kept| kept.at_opening),
            begins_at,
            wanted_at,
            clear.fields_json(),
        ],
    )?;
    if let Some(key) = key {
        insert_key(connection, key, vault, &Keyed { id: callback.id, joined: false }, callback.created_at)?;
    }
    Ok(Done { rows: 1, before: None })
}

/// When the last call to the number ended, if that was after a moment.
pub(super) fn last_end(
    connection: &Connection,
    phone: &str,
    site: &str,
    since: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let mut find = connection.prepare_cached(LAST_END).map_err(failed("find the last call"))?;
    let ended = find.query_row(params![phone, site, since.as_millisecond()], |row| row.get(0));
    let ended: Option<i64> = ended.map_err(failed("find the last call"))?;
    ended.map(moment).transpose()
}

/// The callback that has the claim, where it has not lost it.
fn holder_of(connection: &Connection, claim: &Claim) -> Result<Option<CallbackId>, StoreError> {
    let find = "SELECT id, created_at FROM callback WHERE claim = ?";
    let mut find = connection.prepare_cached(find).map_err(failed("find a claim"))?;
    let mut rows = find.query([&claim.text]).map_err(failed("find a claim"))?;
    let Some(row) = rows.next().map_err(failed("find a claim"))? else {
        return Ok(None);
    };
    if row.integer("created_at")? >= claim.since.as_millisecond() {
        return read_id(row).map(Some);
    }
    let release = "UPDATE callback SET claim = NULL WHERE claim = ?";
    execute(connection, "release a claim", release, [&claim.text])?;
    Ok(None)
}

/// What a key leads to.
struct Keyed {
    id: CallbackId,
    joined: bool,
}

fn insert_key(
    connection: &Connection,
    key: &IdempotencyKey,
    vault: &Vault,
    keyed: &Keyed,
    now: Timestamp,
) -> Result<u64, StoreError> {
    execute(
        connection,
        "insert a key",
        "INSERT INTO idempotency (scope, key, fingerprint, callback_id, created_at, joined) VALUES (?, ?, ?, ?, ?, ?)",
        params![
            key.scope,
            key.key,
            &vault.fingerprint(key)[..],
            keyed.id.to_string(),
            now.as_millisecond(),
            keyed.joined
        ],
    )
}

fn update(connection: &Connection, next: &Callback, attempt: Option<&Attempt>) -> Result<u64, StoreError> {
    let failure = next.failure.as_ref();
    let fallback = next.fallback.as_ref();
    let appointment = next.appointment.as_ref();
    let window = appointment.map(|kept| kept.window.as_text());
    let (begins_at, wanted_at) = begins(next);
    let written = execute(
        connection,
        "update a callback",
        "UPDATE callback SET state = ?, failure = ?, failure_detail = ?, task_id = ?, attempts = ?, updated_at = ?, \
         due_at = ?, poll_at = ?, sent_at = ?, last_event_at = ?, revision = ?, fallback = ?, fallback_detail = ?, \
         deadline = ?, claim = CASE WHEN ? OR schedule IS NOT ? THEN NULL ELSE claim END, schedule = ?, \
         schedule_keeper = ?, schedule_id = ?, schedule_wanted = ?, at_opening = ?, begins_at = ?, wanted_at = ?, \
         ended_at = CASE WHEN ? AND erased_at IS NULL THEN ? END WHERE id = ? AND revision = ?",
        params![
            next.state.as_str(),
            failure.map(|(failure, _)| failure.as_str()),
            failure.map(|(_, detail)| detail),
            next.task_id,
            next.attempts,
            next.updated_at.as_millisecond(),
            next.due_at.map(Timestamp::as_millisecond),
            next.poll_at.map(Timestamp::as_millisecond),
            next.sent_at.map(Timestamp::as_millisecond),
            next.last_event_at.map(Timestamp::as_millisecond),
            signed(next.revision),
            fallback.map(|(fallback, _)| fallback.as_str()),
            fallback.map(|(_, detail)| detail),
            next.deadline.as_millisecond(),
            next.state.is_final(),
            // A claim is to a window: whoever wants the former one is called then.
            window,
            window,
            appointment.map(|kept| kept.keeper.as_str()),
            appointment.and_then(|kept| kept.webex_id.as_deref()),
            appointment.and_then(|kept| kept.wanted.as_ref()).map(Window::as_text),
            appointment.is_some_and(|kept| kept.at_opening),
            begins_at,
            wanted_at,
            next.is_let_go(),
            next.updated_at.as_millisecond(),
            next.id.to_string(),
            signed(next.revision) - 1,
        ],
    )?;
    // What was asked of Webex was asked, whoever won.
    if let Some(attempt) = attempt.filter(|attempt| written == 1 || attempt.was_asked()) {
        execute(
            connection,
            "insert an attempt",
            "INSERT INTO attempt (callback_id, operation, begun_at, took_ms, status, tracking_id, outcome) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                next.id.to_string(),
                attempt.operation,
                attempt.begun_at.as_millisecond(),
                attempt.took_ms,
                attempt.status,
                attempt.tracking_id,
                attempt.outcome,
            ],
        )?;
    }
    Ok(written)
}

/// A revision as the database keeps it.
pub(super) fn signed(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn keep_event(connection: &Connection, event: &TaskEvent, now: Timestamp) -> Result<u64, StoreError> {
    execute(
        connection,
        "keep an event",
        "INSERT INTO task_event (id, task_id, change, at, reason, received_at, applied) VALUES (?, ?, ?, ?, ?, ?, 0) \
         ON CONFLICT (id) DO NOTHING",
        params![
            event.id,
            event.task_id,
            event.change.as_str(),
            event.at.as_millisecond(),
            event.reason,
            now.as_millisecond(),
        ],
    )
}
