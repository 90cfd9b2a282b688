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
use rusqlite::{Connection, Params, TransactionBehavior, params};
use tokio::sync::mpsc;

use super::BUSY_TIMEOUT;
use super::api_key::{self, KeyWrite};
use super::checkpoint::Checkpointer;
use super::claims::{self, Claims};
use super::connection::{BEGIN, connect};
use super::credential::{self, CredentialWrite};
use super::insertion;
use super::ledger::{self, Consents, LedgerWrite};
use super::number::{self, NumberWrite};
use super::outbox::{self, MessageWrite};
use super::retention::{self, Erasure};
use super::scheduled;
use super::trust::{self, TrustWrite};
use crate::callback::{Callback, CallbackId};
use crate::schedule::Window;
use crate::slots::Place;
use crate::store::outbox::Subscribers;
use crate::store::reply::{Done, Outcome, Post, Waiting, waiting};
use crate::store::scheduled::begins;
use crate::store::unreadable::{self, PUT_OFF};
use crate::store::vault::{SealedRow, Vault};
use crate::store::{Arrival, Attempt, Changes, EndsTheProcess, Inserted, StoreError, failed};
use crate::task_event::TaskEvent;

/// Writes that may wait at once; a caller beyond that waits for a place.
const WAITING_MAX: usize = 4096;
/// Writes in one transaction at most, so that the first of them is not kept waiting.
const BATCH_MAX: usize = 256;
/// How long carrying the log over after an erasure waits for those who read.
const CARRY_PATIENCE: Duration = Duration::from_millis(250);

/// One thing to write.
pub(super) enum Write {
    Insert(Arc<Arrival>),
    Update {
        next: Box<Callback>,
        attempt: Option<Attempt>,
        /// The place that it needs in another slot.
        place: Option<Place>,
    },
    /// Another number for a callback.
    Number(NumberWrite),
    /// Leaves rows alone for a while that cannot be read.
    PutOff {
        ids: Vec<String>,
        now: Timestamp,
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

/// What writes need to know.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) subscribers: Subscribers,
    pub(super) vault: Vault,
}

impl Write {
    /// Whether it takes personal data out of the file.
    const fn erases(&self) -> bool {
        matches!(self, Self::Erase { .. } | Self::Seal { .. } | Self::Trust(TrustWrite::Seal { .. }))
    }

    /// Whether it asks who has a claim.
    fn claims(&self) -> bool {
        match self {
            Self::Insert(arrival) => arrival.claim.is_some(),
            Self::Number(write) => write.claim.is_some(),
            _ => false,
        }
    }

    /// The callback that it changes, of which others may want to hear.
    fn callback(&self) -> Option<CallbackId> {
        match self {
            Self::Insert(arrival) => Some(arrival.callback.id),
            Self::Update { next, .. } | Self::Number(NumberWrite { next, .. }) => Some(next.id),
            _ => None,
        }
    }
}

/// A write, and where to say what became of it.
struct Job {
    write: Write,
    waiting: Waiting,
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
        let (waiting, outcome) = waiting();
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(Job { write, waiting }).await.map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        // Its panic has ended the process.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The connection, opened anew where the one before was given up.
pub(super) struct Link {
    path: PathBuf,
    connection: Option<Connection>,
    checkpointer: Checkpointer,
    claims: Claims,
}

impl Link {
    /// Opens a file that is there.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            path: path.to_owned(),
            connection: Some(connect(path)?),
            checkpointer: Checkpointer::start(path.to_owned())?,
            claims: Claims::default(),
        })
    }

    /// Writes all or nothing; gives what became of each once that is on the disk.
    fn transaction(&mut self, jobs: &[Job], context: &Context) -> Result<Vec<Done>, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let outcome = transaction(&mut connection, &mut self.claims, jobs, context);
        if outcome.is_ok() {
            self.claims.commit();
        } else {
            self.claims.roll_back();
        }
        if matches!(outcome, Ok(_) | Err(StoreError::Database { operation: BEGIN, .. })) {
            self.connection = Some(connection);
        }
        // Else, after a full disk or a damaged page, whatever the connection believes is not worth knowing.
        outcome
    }

    fn look_after_log(&mut self) {
        if let Some(connection) = &self.connection {
            self.checkpointer.look_after(connection);
        }
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

fn run(mut link: Link, mut waiting: mpsc::Receiver<Job>, changes: &Changes, context: &Context) {
    let _guard = EndsTheProcess;
    let mut batch: Vec<Job> = Vec::with_capacity(BATCH_MAX);
    while waiting.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        let erases = batch.iter().any(|job| job.write.erases());
        in_order_of_ids(&mut batch);
        match link.transaction(&batch, context) {
            Ok(done) => answer(batch.drain(..).zip(done.into_iter().map(Ok)), changes),
            // The file is locked or cannot be written: trying each by itself would wait for each.
            Err(StoreError::Database { operation: BEGIN, source }) => {
                let failed = || StoreError::Database { operation: BEGIN, source: Arc::clone(&source) };
                answer(batch.drain(..).map(|job| (job, Err(failed()))), changes);
            }
            // One write must not fail for its neighbours: each is tried by itself.
            Err(_) if batch.len() > 1 => {
                for job in batch.drain(..) {
                    let done = link.transaction(std::slice::from_ref(&job), context);
                    let done = done.map(|done| done.into_iter().next().unwrap_or_default());
                    answer([(job, done)], changes);
                }
            }
            Err(error) => answer(batch.pop().map(|job| (job, Err(error))), changes),
        }
        if erases {
            link.carry_over();
        } else {
            link.look_after_log();
        }
    }
    if let Some(Err((_, error))) = link.connection.take().map(Connection::close) {
        tracing::warn!(%error, "the store was not closed in good order; it recovers at the next start");
    }
}

/// Puts requests that came in together in the order of their ids, which is nearly theirs: each row and each entry of an index is
/// then written behind the one before.
fn in_order_of_ids(batch: &mut [Job]) {
    let is_insert = |job: &Job| matches!(job.write, Write::Insert(_));
    for together in batch.chunk_by_mut(|job, next| is_insert(job) && is_insert(next)) {
        together.sort_by_key(|job| match &job.write {
            Write::Insert(arrival) => Some(arrival.callback.id),
            _ => None,
        });
    }
}

fn transaction(
    connection: &mut Connection,
    claims: &mut Claims,
    jobs: &[Job],
    context: &Context,
) -> Result<Vec<Done>, StoreError> {
    if jobs.iter().any(|job| job.write.claims()) {
        // Before the transaction: what it changes may come to nothing.
        claims.read_once(connection)?;
    }
    // IMMEDIATE takes the write lock at once: a transaction that began by reading could not take it later.
    let begun =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed(BEGIN))?;
    let mut consents = Consents::default();
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        if !matches!(job.write, Write::Insert(_)) {
            consents.write(&begun)?;
        }
        done.push(apply(&begun, claims, &mut consents, &job.write, context)?);
    }
    consents.write(&begun)?;
    begun.commit().map_err(failed("commit"))?;
    Ok(done)
}

/// Tells of the changes that writes made, and says to those who asked what became of them.
fn answer(outcomes: impl IntoIterator<Item = (Job, Outcome)>, changes: &Changes) {
    let mut post = Post::default();
    let mut news = Vec::new();
    for (job, outcome) in outcomes {
        let is_news = outcome.as_ref().is_ok_and(|done| done.rows > 0);
        news.extend(job.write.callback().filter(|_| is_news));
        post.add(job.waiting, outcome);
    }
    changes.tell(&news);
    post.send();
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

fn apply(
    connection: &Connection,
    claims: &mut Claims,
    consents: &mut Consents,
    write: &Write,
    context: &Context,
) -> Result<Done, StoreError> {
    let rows = match write {
        Write::Insert(arrival) => {
            let Arrival { callback, consent, .. } = &**arrival;
            let done = insertion::insert(connection, claims, arrival, &context.vault)?;
            if let Some(given) = consent.as_ref().filter(|_| done.is_taken()) {
                consents.add(context.vault.consent(callback, given));
            }
            if done.before.is_none() {
                outbox::insert(connection, context, callback)?;
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
            let rows = update(connection, claims, next, attempt.as_ref())?;
            if rows == 1 && before.is_some_and(|before| before != next.state.as_str()) {
                outbox::insert(connection, context, next)?;
            }
            rows
        }
        Write::Number(write) => return number::apply(connection, claims, write, context),
        Write::PutOff { ids, now } => {
            let (now, until) = (now.as_millisecond(), unreadable::until(*now).as_millisecond());
            let put_off = |id| execute(connection, "put a row off", PUT_OFF, params![now, until, id]);
            ids.iter().map(put_off).sum::<Result<_, _>>()?
        }
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
        Write::Seal { rows } => retention::seal(connection, claims, rows)?,
        // Writes one page for real, which a full disk has no room for. The number means nothing to us.
        Write::Check => execute(connection, "check", "PRAGMA user_version = 1", [])?,
    };
    Ok(Done { rows, before: None })
}

fn update(
    connection: &Connection,
    claims: &mut Claims,
    next: &Callback,
    attempt: Option<&Attempt>,
) -> Result<u64, StoreError> {
    // What may end a claim: the end of the callback, and a move to another window.
    let claim = if next.state.is_final() || next.appointment.is_some() {
        claims::of(connection, next.id)?
    } else {
        None
    };
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
    if written == 1
        && let Some(claim) = claim
        && claims::of(connection, next.id)?.is_none()
    {
        claims.take_back(&claim, next.id);
    }
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
