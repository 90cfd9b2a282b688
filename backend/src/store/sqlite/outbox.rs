//! Messages to CRMs, in the SQLite file.

use async_trait::async_trait;
use futures_util::future::join_all;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};

use super::SqliteStore;
use super::writer::{Context, Write, execute};
use crate::callback::Callback;
use crate::store::outbox::{Message, MessageAttempt, MessageStatus, Outbox, Subscriber, Subscribers};
use crate::store::row::{moment, read_message_attempt};
use crate::store::{StoreError, failed};

/// One thing to write.
pub(super) enum MessageWrite {
    Lease { message: Box<Message>, until: Timestamp },
    Settle { message: Box<Message>, attempt: MessageAttempt },
    Retry { webhook: Option<String>, id: Option<String>, now: Timestamp },
    Forget { delivered_before: Timestamp, parked_before: Timestamp },
}

/// The state that a callback is in before a change to it; not asked where nobody wants to know.
pub(super) fn state_of(
    connection: &Connection,
    subscribers: &Subscribers,
    callback: &Callback,
) -> Result<Option<String>, StoreError> {
    if subscribers.is_empty() {
        return Ok(None);
    }
    let find = connection.prepare_cached("SELECT state FROM callback WHERE id = ?");
    let state =
        find.and_then(|mut find| find.query_row([callback.id.to_string()], |row| row.get(0)).optional());
    state.map_err(failed("read a state"))
}

/// Writes the messages that a callback makes which has come to its state.
pub(super) fn insert(
    connection: &Connection,
    context: &Context,
    callback: &Callback,
) -> Result<(), StoreError> {
    for message in context.subscribers.messages(callback) {
        execute(
            connection,
            "write a message",
            "INSERT INTO outgoing_message (webhook, id, callback_id, body, status, attempts, created_at, due_at) \
             VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
            params![
                message.webhook,
                message.id,
                message.callback_id.to_string(),
                context.vault.body(&message)?,
                message.status.as_str(),
                message.created_at.as_millisecond(),
                message.due_at.map(Timestamp::as_millisecond),
            ],
        )?;
    }
    Ok(())
}

pub(super) fn apply(connection: &Connection, write: &MessageWrite) -> Result<u64, StoreError> {
    let written = |sql: &str, values: &[&dyn ToSql]| execute(connection, "write a message", sql, values);
    match write {
        MessageWrite::Lease { message, until } => written(
            "UPDATE outgoing_message SET attempts = attempts + 1, due_at = ? \
             WHERE webhook = ? AND id = ? AND attempts = ? AND status = 'waiting'",
            params![until.as_millisecond(), message.webhook, message.id, message.attempts],
        ),
        MessageWrite::Settle { message, attempt } => {
            written(
                "INSERT INTO outgoing_attempt (webhook, message_id, begun_at, took_ms, status, outcome) \
                 VALUES (?, ?, ?, ?, ?, ?)",
                params![
                    message.webhook,
                    message.id,
                    attempt.begun_at.as_millisecond(),
                    attempt.took_ms,
                    attempt.status,
                    attempt.outcome,
                ],
            )?;
            written(
                "UPDATE outgoing_message SET status = ?, due_at = ? \
                 WHERE webhook = ? AND id = ? AND attempts = ? AND status = 'waiting'",
                params![
                    message.status.as_str(),
                    message.due_at.map(Timestamp::as_millisecond),
                    message.webhook,
                    message.id,
                    message.attempts,
                ],
            )
        }
        MessageWrite::Retry { webhook, id, now } => written(
            "UPDATE outgoing_message SET status = 'waiting', due_at = ?1 WHERE status = 'parked' \
             AND (?2 IS NULL OR webhook = ?2) AND (?3 IS NULL OR id = ?3)",
            params![now.as_millisecond(), webhook, id],
        ),
        MessageWrite::Forget { delivered_before, parked_before } => written(
            "DELETE FROM outgoing_message WHERE (status = 'delivered' AND created_at < ?) \
             OR (status = 'parked' AND created_at < ?)",
            params![delivered_before.as_millisecond(), parked_before.as_millisecond()],
        ),
    }
}

#[async_trait]
impl Outbox for SqliteStore {
    fn subscribe(&self, subscribers: Vec<Subscriber>) {
        self.subscribers.set(subscribers);
    }

    async fn take_messages(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let query =
            sqlx::query("SELECT * FROM outgoing_message WHERE due_at <= ? ORDER BY due_at, id LIMIT ?")
                .bind(now.as_millisecond())
                .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let due = query.fetch_all(&self.readers).await.map_err(failed("read messages"))?;
        let due = due.iter().map(|row| self.vault.message(row)).collect::<Result<Vec<_>, _>>()?;
        // Together, so that they share a transaction.
        let leases = due.iter().map(|message| {
            let message = Box::new(message.clone());
            self.writer.write(Write::Message(MessageWrite::Lease { message, until: lease_until }))
        });
        let mut taken = Vec::new();
        let written = join_all(leases).await;
        for (mut message, written) in due.into_iter().zip(written) {
            if written?.rows == 1 {
                message.attempts += 1;
                message.due_at = Some(lease_until);
                taken.push(message);
            }
        }
        Ok(taken)
    }

    async fn next_message(&self) -> Result<Option<Timestamp>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT due_at FROM outgoing_message WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
        );
        let due: Option<i64> = query.fetch_optional(&self.readers).await.map_err(failed("read messages"))?;
        due.map(moment).transpose()
    }

    async fn settle_message(&self, message: &Message, attempt: &MessageAttempt) -> Result<bool, StoreError> {
        let write = MessageWrite::Settle { message: Box::new(message.clone()), attempt: attempt.clone() };
        Ok(self.writer.write(Write::Message(write)).await?.rows == 1)
    }

    async fn messages(
        &self,
        status: Option<MessageStatus>,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM outgoing_message WHERE ?1 IS NULL OR status = ?1 ORDER BY created_at DESC, id DESC LIMIT ?2",
        )
        .bind(status.map(MessageStatus::as_str))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        query
            .fetch_all(&self.readers)
            .await
            .map_err(failed("read"))?
            .iter()
            .map(|row| self.vault.message(row))
            .collect()
    }

    async fn message_attempts(&self, webhook: &str, id: &str) -> Result<Vec<MessageAttempt>, StoreError> {
        let query =
            sqlx::query("SELECT * FROM outgoing_attempt WHERE webhook = ? AND message_id = ? ORDER BY rowid")
                .bind(webhook)
                .bind(id);
        let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
        rows.iter().map(read_message_attempt).collect()
    }

    async fn retry_messages(
        &self,
        webhook: Option<&str>,
        id: Option<&str>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (webhook, id) = (webhook.map(str::to_owned), id.map(str::to_owned));
        Ok(self.writer.write(Write::Message(MessageWrite::Retry { webhook, id, now })).await?.rows)
    }

    async fn forget_messages(
        &self,
        delivered_before: Timestamp,
        parked_before: Timestamp,
    ) -> Result<u64, StoreError> {
        let write = MessageWrite::Forget { delivered_before, parked_before };
        Ok(self.writer.write(Write::Message(write)).await?.rows)
    }
}
