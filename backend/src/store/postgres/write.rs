//! What is written. Each function is one statement, or part of a transaction of its caller.

use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgPool};

use super::{PostgresStore, outbox};
use crate::callback::{Callback, CallbackId};
use crate::schedule::Window;
use crate::store::outbox::Subscribers;
use crate::store::row::{Columns as _, moment};
use crate::store::scheduled::begins;
use crate::store::unreadable::{self, PUT_OFF, Readable};
use crate::store::vault::Vault;
use crate::store::{Attempt, Heartbeat, Instances, StoreError, failed};
use crate::task_event::TaskEvent;

/// How long after its last sign of life a process is taken for gone, in seconds.
const GONE_AFTER_S: f64 = 10.0;

/// Whether a process gave a sign of life in that time.
pub(super) const SERVING: &str =
    "SELECT EXISTS (SELECT 1 FROM instance WHERE seen_at > now() - interval '10 seconds')";

impl PostgresStore {
    /// Locks what is due at a site, and passes over what others have locked.
    pub(super) async fn lock_due(
        &self,
        connection: &mut PgConnection,
        site: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Readable, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM callback WHERE site = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED",
        );
        let query =
            query.bind(site).bind(now.as_millisecond()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(connection).await.map_err(failed("take what is due"))?;
        Ok(Readable::of(&rows, &self.vault))
    }
}

/// Leaves rows alone for a while that cannot be read.
pub(super) async fn put_off(
    connection: &mut PgConnection,
    ids: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    let until = unreadable::until(now).as_millisecond();
    for id in ids {
        let query = sqlx::query(PUT_OFF).bind(now.as_millisecond()).bind(until).bind(id);
        query.execute(&mut *connection).await.map_err(failed("put a row off"))?;
    }
    Ok(())
}

/// Writes the next revision of a callback. `false`: another change came first.
pub(super) async fn update(
    connection: &mut PgConnection,
    next: &Callback,
    subscribers: &Subscribers,
    vault: &Vault,
) -> Result<bool, StoreError> {
    let before = outbox::state_of(&mut *connection, subscribers, next).await?;
    let (failure, detail) = match &next.failure {
        Some((failure, detail)) => (Some(failure.as_str()), Some(detail)),
        None => (None, None),
    };
    let (fallback, fallback_detail) = match &next.fallback {
        Some((fallback, detail)) => (Some(fallback.as_str()), Some(detail)),
        None => (None, None),
    };
    let appointment = next.appointment.as_ref();
    let (begins_at, wanted_at) = begins(next);
    let written = sqlx::query(
        "UPDATE callback SET state = $1, failure = $2, failure_detail = $3, task_id = $4, attempts = $5, \
         updated_at = $6, due_at = $7, poll_at = $8, sent_at = $9, last_event_at = $10, revision = $11, \
         fallback = $14, fallback_detail = $15, deadline = $16, \
         claim = CASE WHEN $13 OR schedule IS DISTINCT FROM $17 THEN NULL ELSE claim END, schedule = $17, \
         schedule_keeper = $18, schedule_id = $19, schedule_wanted = $20, at_opening = $22, begins_at = $23, wanted_at = $24, \
         ended_at = CASE WHEN $21 AND erased_at IS NULL THEN $6 END WHERE id = $12 AND revision = $11 - 1",
    )
    .bind(next.state.as_str())
    .bind(failure)
    .bind(detail)
    .bind(&next.task_id)
    .bind(i64::from(next.attempts))
    .bind(next.updated_at.as_millisecond())
    .bind(next.due_at.map(Timestamp::as_millisecond))
    .bind(next.poll_at.map(Timestamp::as_millisecond))
    .bind(next.sent_at.map(Timestamp::as_millisecond))
    .bind(next.last_event_at.map(Timestamp::as_millisecond))
    .bind(integer(next.revision))
    .bind(next.id.to_string())
    .bind(next.state.is_final())
    .bind(fallback)
    .bind(fallback_detail)
    .bind(next.deadline.as_millisecond())
    // A claim is to a window: whoever wants the former one is called then.
    .bind(appointment.map(|kept| kept.window.as_text()))
    .bind(appointment.map(|kept| kept.keeper.as_str()))
    .bind(appointment.and_then(|kept| kept.webex_id.as_deref()))
    .bind(appointment.and_then(|kept| kept.wanted.as_ref()).map(Window::as_text))
    .bind(next.is_let_go())
    .bind(appointment.is_some_and(|kept| kept.at_opening))
    .bind(begins_at)
    .bind(wanted_at)
    .execute(&mut *connection)
    .await
    .map_err(failed("update a callback"))?;
    let won = written.rows_affected() == 1;
    if won && before.is_some_and(|before| before != next.state.as_str()) {
        outbox::insert(connection, vault, &subscribers.messages(next)).await?;
    }
    Ok(won)
}

/// Writes a request to Webex about a callback.
pub(super) async fn attempt(
    connection: &mut PgConnection,
    id: CallbackId,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO attempt (callback_id, operation, begun_at, took_ms, status, tracking_id, outcome) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    );
    let query = query
        .bind(id.to_string())
        .bind(attempt.operation)
        .bind(attempt.begun_at.as_millisecond())
        .bind(attempt.took_ms)
        .bind(attempt.status.map(i64::from))
        .bind(&attempt.tracking_id)
        .bind(&attempt.outcome);
    query.execute(connection).await.map_err(failed("insert an attempt")).map(|_| ())
}

/// Keeps an event. `false`: it had been kept before.
pub(super) async fn keep_event(pool: &PgPool, event: &TaskEvent, now: Timestamp) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "INSERT INTO task_event (id, task_id, change, at, reason, received_at, applied) \
         VALUES ($1, $2, $3, $4, $5, $6, FALSE) ON CONFLICT (id) DO NOTHING",
    );
    let query = query
        .bind(&event.id)
        .bind(&event.task_id)
        .bind(event.change.as_str())
        .bind(event.at.as_millisecond())
        .bind(&event.reason)
        .bind(now.as_millisecond());
    Ok(query.execute(pool).await.map_err(failed("keep an event"))?.rows_affected() == 1)
}

/// Writes a sign of life, and reads those of all. The time is the server's, so that the machines' clocks do not matter.
pub(super) async fn heartbeat(pool: &PgPool, heartbeat: &Heartbeat) -> Result<Instances, StoreError> {
    let mut transaction = pool.begin().await.map_err(failed("begin"))?;
    let query = sqlx::query(
        "INSERT INTO instance (id, seen_at, paused_until) VALUES ($1, now(), $2) \
         ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, paused_until = excluded.paused_until",
    );
    let query = query.bind(&heartbeat.instance).bind(heartbeat.paused_until.map(Timestamp::as_millisecond));
    query.execute(&mut *transaction).await.map_err(failed("write a heartbeat"))?;
    let query = sqlx::query("DELETE FROM instance WHERE seen_at < now() - $1 * interval '1 second'");
    query.bind(GONE_AFTER_S).execute(&mut *transaction).await.map_err(failed("forget an instance"))?;
    let row = sqlx::query("SELECT count(*) AS count, max(paused_until) AS paused_until FROM instance")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed("count the instances"))?;
    transaction.commit().await.map_err(failed("commit"))?;
    Ok(Instances {
        count: usize::try_from(row.integer("count")?).unwrap_or(1),
        paused_until: row.optional_integer("paused_until")?.map(moment).transpose()?,
    })
}

pub(super) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
