//! What is written. Each function is one statement, or part of a transaction of its caller.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnection, PgPool};

use super::{PostgresStore, ledger, outbox, scheduled};
use crate::callback::{Callback, CallbackId};
use crate::schedule::Window;
use crate::store::ledger::NewConsent;
use crate::store::outbox::Subscribers;
use crate::store::row::{Columns as _, moment, read_id};
use crate::store::scheduled::begins;
use crate::store::trust::LAST_END_UNCLAIMED;
use crate::store::vault::{PersonalColumns, Vault};
use crate::store::{Arrival, Attempt, Claim, Heartbeat, IdempotencyKey, Instances, StoreError, failed};
use crate::task_event::TaskEvent;

/// How long after its last sign of life a process is taken for gone, in seconds.
const GONE_AFTER_S: f64 = 10.0;

/// Whether a process gave a sign of life in that time.
pub(super) const SERVING: &str =
    "SELECT EXISTS (SELECT 1 FROM instance WHERE seen_at > now() - interval '10 seconds')";

/// What an insertion came to.
pub(super) enum Insertion {
    /// It is stored.
    Done,
    /// Another callback has its claim; the key is stored.
    Joined(CallbackId),
    /// The key had been used: nothing was stored.
    KeyKnown,
    /// A call to the number has just ended: nothing was stored.
    TooSoon(Timestamp),
    /// As many as may have begin in the slot: nothing was stored.
    SlotFull,
    /// Who had the claim has just lost it: nothing was stored, and it can be tried again.
    Again,
}

impl PostgresStore {
    /// Inserts a callback with its key and its claim.
    pub(super) async fn insert_once(
        &self,
        Arrival { callback, key, claim, consent: _, place }: &Arrival,
        consent: Option<&NewConsent>,
    ) -> Result<Insertion, StoreError> {
        let columns = self.vault.columns(callback)?;
        let claim_text = claim.as_ref().map(|claim| self.vault.claim(&claim.text));
        let claim = claim.as_ref().zip(claim_text.as_deref());
        let (key, place) = (key.as_ref(), place.as_ref());
        let fingerprint = key.map(|key| self.vault.fingerprint(key));
        let key = key.zip(fingerprint.as_ref());
        if let Some((claim, text)) = claim
            && let Some(since) = claim.cooled_since
        {
            let query = sqlx::query_scalar(LAST_END_UNCLAIMED).bind(&columns.clear.phone);
            let query = query.bind(&callback.request.site).bind(since.as_millisecond()).bind(text);
            let ended: Option<i64> =
                query.fetch_one(&self.pool).await.map_err(failed("find the last call"))?;
            if let Some(ended) = ended {
                return Ok(Insertion::TooSoon(moment(ended)?));
            }
        }
        // Most requests are a row and a consent: one statement is a transaction of its own, and one journey instead of four.
        if key.is_none() && place.is_none() && self.subscribers.messages(callback).is_empty() {
            let mut connection = self.pool.acquire().await.map_err(failed("connect"))?;
            if insert_callback(&mut connection, callback, &columns, claim, consent).await? {
                return Ok(Insertion::Done);
            }
        }
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        // Both of these wait for whoever is inserting the same key or claim right now.
        if let Some((key, fingerprint)) = key
            && !insert_key(&mut transaction, key, fingerprint, callback).await?
        {
            return Ok(Insertion::KeyKnown);
        }
        if let Some((claim, text)) = claim {
            let query = sqlx::query("UPDATE callback SET claim = NULL WHERE claim = $1 AND created_at < $2");
            let query = query.bind(text).bind(claim.since.as_millisecond());
            query.execute(&mut *transaction).await.map_err(failed("release a claim"))?;
        }
        if let Some(place) = place
            && scheduled::is_full(&mut transaction, callback, place).await?
            // Whoever joins another needs no place.
            && !is_claimed(&mut transaction, claim.map(|(_, text)| text)).await?
        {
            return Ok(Insertion::SlotFull);
        }
        let insertion = if insert_callback(&mut transaction, callback, &columns, claim, consent).await? {
            outbox::insert(&mut transaction, &self.subscribers, &self.vault, callback).await?;
            Insertion::Done
        } else {
            let query =
                sqlx::query("SELECT id FROM callback WHERE claim = $1").bind(claim.map(|(_, text)| text));
            let row = query.fetch_optional(&mut *transaction).await.map_err(failed("find a claim"))?;
            let Some(row) = row else {
                return Ok(Insertion::Again);
            };
            let first = read_id(&row)?;
            if let Some((key, _)) = key {
                let query = sqlx::query(
                    "UPDATE idempotency SET callback_id = $1, joined = TRUE WHERE scope = $2 AND key = $3",
                );
                let query = query.bind(first.to_string()).bind(&key.scope).bind(&key.key);
                query.execute(&mut *transaction).await.map_err(failed("insert a key"))?;
            }
            if let Some(consent) = consent {
                ledger::insert_consent(&mut transaction, consent).await?;
            }
            Insertion::Joined(first)
        };
        transaction.commit().await.map_err(failed("commit"))?;
        Ok(insertion)
    }

    /// Locks what is due at a site, and passes over what others have locked.
    pub(super) async fn lock_due(
        &self,
        connection: &mut PgConnection,
        site: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Callback>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM callback WHERE site = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED",
        );
        let query =
            query.bind(site).bind(now.as_millisecond()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(connection).await.map_err(failed("take what is due"))?;
        self.vault.callbacks(&rows)
    }
}

async fn is_claimed(connection: &mut PgConnection, claim: Option<&str>) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM callback WHERE claim = $1)").bind(claim);
    query.fetch_one(connection).await.map_err(failed("find a claim"))
}

async fn insert_key(
    connection: &mut PgConnection,
    key: &IdempotencyKey,
    fingerprint: &[u8; 32],
    callback: &Callback,
) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "INSERT INTO idempotency (scope, key, fingerprint, callback_id, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (scope, key) DO NOTHING",
    );
    let query = query
        .bind(&key.scope)
        .bind(&key.key)
        .bind(&fingerprint[..])
        .bind(callback.id.to_string())
        .bind(callback.created_at.as_millisecond());
    Ok(query.execute(connection).await.map_err(failed("insert a key"))?.rows_affected() == 1)
}

/// Takes nothing where another has the claim.
const INSERT_CALLBACK: &str = "INSERT INTO callback (id, site, door, phone, name, email, reason, message, page, locale, agent, reference, \
         consent_version, state, attempts, created_at, updated_at, deadline, due_at, revision, claim, attributes, \
         fallback, fallback_detail, schedule, schedule_keeper, sealed, at_opening, begins_at, wanted_at, fields) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23, $24, $25, $26, $27, $28, $29, $30, $31) \
         ON CONFLICT (claim) WHERE claim IS NOT NULL DO NOTHING";

/// What follows it where the visitor has agreed to something: the entry, where the callback was taken.
const CONSENT_OF_TAKEN: &str = "INSERT INTO consent (person, given, site, text_hash, version, language, page, callback_id, at) \
     SELECT $32::text, $33::boolean, $34::text, $35::text, $36::text, $37::text, $38::text, $39::text, $40::bigint FROM taken";

async fn insert_callback(
    connection: &mut PgConnection,
    callback: &Callback,
    personal: &PersonalColumns,
    claim: Option<(&Claim, &str)>,
    consent: Option<&NewConsent>,
) -> Result<bool, StoreError> {
    let request = &callback.request;
    let clear = &personal.clear;
    let (begins_at, wanted_at) = begins(callback);
    let both;
    let statement = if consent.is_some() {
        both = format!("WITH taken AS ({INSERT_CALLBACK} RETURNING 1) {CONSENT_OF_TAKEN}");
        both.as_str()
    } else {
        INSERT_CALLBACK
    };
    let query = sqlx::query(AssertSqlSafe(statement))
        .bind(callback.id.to_string())
        .bind(&request.site)
        .bind(request.door.as_str())
        .bind(&clear.phone)
        .bind(&clear.name)
        .bind(&clear.email)
        .bind(&request.reason)
        .bind(&clear.message)
        .bind(&clear.page)
        .bind(&request.locale)
        .bind(&clear.agent)
        .bind(&clear.reference)
        .bind(&request.consent_version)
        .bind(callback.state.as_str())
        .bind(i64::from(callback.attempts))
        .bind(callback.created_at.as_millisecond())
        .bind(callback.updated_at.as_millisecond())
        .bind(callback.deadline.as_millisecond())
        .bind(callback.due_at.map(Timestamp::as_millisecond))
        .bind(integer(callback.revision))
        .bind(claim.map(|(_, text)| text))
        .bind(clear.attributes_json())
        .bind(callback.fallback.as_ref().map(|(fallback, _)| fallback.as_str()))
        .bind(callback.fallback.as_ref().map(|(_, detail)| detail))
        .bind(callback.appointment.as_ref().map(|kept| kept.window.as_text()))
        .bind(callback.appointment.as_ref().map(|kept| kept.keeper.as_str()))
        .bind(&personal.sealed)
        .bind(callback.appointment.as_ref().is_some_and(|kept| kept.at_opening))
        .bind(begins_at)
        .bind(wanted_at)
        .bind(clear.fields_json());
    let query = match consent {
        Some(consent) => ledger::bind_consent(query, consent),
        None => query,
    };
    Ok(query.execute(connection).await.map_err(failed("insert a callback"))?.rows_affected() == 1)
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
        outbox::insert(connection, subscribers, vault, next).await?;
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
