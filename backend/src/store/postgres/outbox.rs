//! Messages to CRMs, in the PostgreSQL database.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::PostgresStore;
use super::insertion::column;
use crate::callback::Callback;
use crate::store::outbox::{Message, MessageAttempt, MessageStatus, Outbox, Subscriber, Subscribers};
use crate::store::row::{moment, read_message_attempt};
use crate::store::vault::Vault;
use crate::store::{StoreError, failed};

/// The state that a callback is in before a change to it, held until the transaction ends; not asked where nobody wants
/// to know.
pub(super) async fn state_of(
    connection: &mut PgConnection,
    subscribers: &Subscribers,
    callback: &Callback,
) -> Result<Option<String>, StoreError> {
    if subscribers.is_empty() {
        return Ok(None);
    }
    let query = sqlx::query_scalar("SELECT state FROM callback WHERE id = $1 FOR UPDATE");
    let query = query.bind(callback.id.to_string());
    query.fetch_optional(connection).await.map_err(failed("read a state"))
}

/// Writes messages.
pub(super) async fn insert(
    connection: &mut PgConnection,
    vault: &Vault,
    messages: &[Message],
) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let bodies = messages.iter().map(|message| vault.body(message)).collect::<Result<Vec<_>, _>>()?;
    let query = sqlx::query(
        "INSERT INTO outgoing_message (webhook, id, callback_id, body, status, attempts, created_at, due_at) \
         SELECT webhook, id, callback_id, body, status, 0, created_at, due_at \
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[]) \
         AS given (webhook, id, callback_id, body, status, created_at, due_at)",
    );
    let query = query
        .bind(column(messages, |message| message.webhook.as_str()))
        .bind(column(messages, |message| message.id.as_str()))
        .bind(column(messages, |message| message.callback_id.to_string()))
        .bind(bodies)
        .bind(column(messages, |message| message.status.as_str()))
        .bind(column(messages, |message| message.created_at.as_millisecond()))
        .bind(column(messages, |message| message.due_at.map(Timestamp::as_millisecond)));
    query.execute(connection).await.map_err(failed("write a message")).map(|_| ())
}

#[async_trait]
impl Outbox for PostgresStore {
    fn subscribe(&self, subscribers: Vec<Subscriber>) {
        self.subscribers.set(subscribers);
    }

    async fn take_messages(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let query = sqlx::query(
            "UPDATE outgoing_message SET attempts = attempts + 1, due_at = $2 WHERE (webhook, id) IN ( \
             SELECT webhook, id FROM outgoing_message WHERE due_at <= $1 ORDER BY due_at, id LIMIT $3 \
             FOR UPDATE SKIP LOCKED) RETURNING *",
        )
        .bind(now.as_millisecond())
        .bind(lease_until.as_millisecond())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&self.pool).await.map_err(failed("take messages"))?;
        rows.iter().map(|row| self.vault.message(row)).collect()
    }

    async fn next_message(&self) -> Result<Option<Timestamp>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT due_at FROM outgoing_message WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
        );
        let due: Option<i64> = query.fetch_optional(&self.pool).await.map_err(failed("read messages"))?;
        due.map(moment).transpose()
    }

    async fn settle_message(&self, message: &Message, attempt: &MessageAttempt) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        let query = sqlx::query(
            "INSERT INTO outgoing_attempt (webhook, message_id, begun_at, took_ms, status, outcome) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        );
        let query = query
            .bind(&message.webhook)
            .bind(&message.id)
            .bind(attempt.begun_at.as_millisecond())
            .bind(attempt.took_ms)
            .bind(attempt.status.map(i64::from))
            .bind(&attempt.outcome);
        query.execute(&mut *transaction).await.map_err(failed("write an attempt"))?;
        let query = sqlx::query(
            "UPDATE outgoing_message SET status = $1, due_at = $2 \
             WHERE webhook = $3 AND id = $4 AND attempts = $5 AND status = 'waiting'",
        );
        let query = query
            .bind(message.status.as_str())
            .bind(message.due_at.map(Timestamp::as_millisecond))
            .bind(&message.webhook)
            .bind(&message.id)
            .bind(i64::from(message.attempts));
        let written = query.execute(&mut *transaction).await.map_err(failed("write a message"))?;
        transaction.commit().await.map_err(failed("commit"))?;
        Ok(written.rows_affected() == 1)
    }

    async fn messages(
        &self,
        status: Option<MessageStatus>,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM outgoing_message WHERE $1::text IS NULL OR status = $1 \
             ORDER BY created_at DESC, id DESC LIMIT $2",
        )
        .bind(status.map(MessageStatus::as_str))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        query
            .fetch_all(&self.pool)
            .await
            .map_err(failed("read"))?
            .iter()
            .map(|row| self.vault.message(row))
            .collect()
    }

    async fn message_attempts(&self, webhook: &str, id: &str) -> Result<Vec<MessageAttempt>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM outgoing_attempt WHERE webhook = $1 AND message_id = $2 ORDER BY number",
        );
        let rows = query.bind(webhook).bind(id).fetch_all(&self.pool).await.map_err(failed("read"))?;
        rows.iter().map(read_message_attempt).collect()
    }

    async fn retry_messages(
        &self,
        webhook: Option<&str>,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "UPDATE outgoing_message SET status = 'waiting', due_at = $1 WHERE status = 'parked' \
             AND ($2::text IS NULL OR webhook = $2) AND ($3::text IS NULL OR id = $3)",
        );
        let query = query.bind(now.as_millisecond()).bind(webhook).bind(id);
        Ok(query.execute(&self.pool).await.map_err(failed("write a message"))?.rows_affected())
    }

    async fn forget_messages(
        &self,
        delivered_before: Timestamp,
        parked_before: Timestamp,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "DELETE FROM outgoing_message WHERE (status = 'delivered' AND created_at < $1) \
             OR (status = 'parked' AND created_at < $2)",
        );
        let query = query.bind(delivered_before.as_millisecond()).bind(parked_before.as_millisecond());
        Ok(query.execute(&self.pool).await.map_err(failed("forget messages"))?.rows_affected())
    }
}
