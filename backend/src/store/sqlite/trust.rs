//! What tokens are believed by, in the SQLite file.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, ToSql, params};

use super::SqliteStore;
use super::writer::{Write, execute};
use crate::agent::Revoked;
use crate::store::row::read_revoked;
use crate::store::trust::{FORGET_SPENT, KeyRow, SEAL_KEY, SPEND, TrustStore};
use crate::store::{StoreError, failed};
use crate::token::SigningKey;

/// One thing to write.
pub(super) enum TrustWrite {
    First { key: KeyRow },
    Add { key: KeyRow },
    Seal { keys: Vec<KeyRow> },
    Retire { id: String },
    Revoke { revoked: Revoked },
    Spend { id: String, until: Timestamp },
    ForgetSpent { now: Timestamp },
}

pub(super) fn apply(connection: &Connection, write: &TrustWrite) -> Result<u64, StoreError> {
    let written = |sql: &str, values: &[&dyn ToSql]| execute(connection, "write a key", sql, values);
    match write {
        TrustWrite::First { key } => written(
            "INSERT INTO signing_key (id, secret, created_at) SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM signing_key)",
            params![key.id, key.secret, key.created_at.as_millisecond()],
        ),
        TrustWrite::Add { key } => written(
            "INSERT INTO signing_key (id, secret, created_at) VALUES (?, ?, ?)",
            params![key.id, key.secret, key.created_at.as_millisecond()],
        ),
        TrustWrite::Seal { keys } => {
            keys.iter().map(|key| written(SEAL_KEY, params![key.secret, key.id])).sum()
        }
        TrustWrite::Retire { id } => written(
            "DELETE FROM signing_key WHERE id = ? AND created_at < (SELECT max(created_at) FROM signing_key)",
            params![id],
        ),
        TrustWrite::Revoke { revoked } => written(
            "INSERT INTO revoked_link (subject, revoked_at) VALUES (?1, ?2) \
             ON CONFLICT (subject) DO UPDATE SET revoked_at = max(revoked_at, ?2)",
            params![revoked.subject, revoked.at.as_millisecond()],
        ),
        TrustWrite::Spend { id, until } => written(SPEND, params![id, until.as_millisecond()]),
        TrustWrite::ForgetSpent { now } => written(FORGET_SPENT, params![now.as_millisecond()]),
    }
}

#[async_trait]
impl TrustStore for SqliteStore {
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SigningKey>, StoreError> {
        let read = async || {
            let query = sqlx::query("SELECT * FROM signing_key ORDER BY created_at DESC, id");
            let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
            rows.iter().map(|row| self.vault.signing_key(row)).collect::<Result<Vec<_>, _>>()
        };
        let keys = read().await?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        // Insert first and read then: whoever comes second finds the key of the first.
        let key = self.vault.key_row(&SigningKey::generate(now)?)?;
        self.writer.write(Write::Trust(TrustWrite::First { key })).await?;
        read().await
    }

    async fn add_signing_key(&self, key: &SigningKey) -> Result<(), StoreError> {
        let key = self.vault.key_row(key)?;
        self.writer.write(Write::Trust(TrustWrite::Add { key })).await.map(|_| ())
    }

    async fn retire_signing_key(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.writer.write(Write::Trust(TrustWrite::Retire { id: id.to_owned() })).await?.rows == 1)
    }

    async fn revoke_links(&self, revoked: &Revoked) -> Result<(), StoreError> {
        self.writer.write(Write::Trust(TrustWrite::Revoke { revoked: revoked.clone() })).await.map(|_| ())
    }

    async fn spend_challenge(&self, id: &str, until: Timestamp) -> Result<bool, StoreError> {
        let write = TrustWrite::Spend { id: id.to_owned(), until };
        Ok(self.writer.write(Write::Trust(write)).await?.rows == 1)
    }

    async fn forget_challenges(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.writer.write(Write::Trust(TrustWrite::ForgetSpent { now })).await?.rows)
    }

    async fn revoked_links(&self) -> Result<Vec<Revoked>, StoreError> {
        let query = sqlx::query("SELECT * FROM revoked_link ORDER BY revoked_at, subject");
        query.fetch_all(&self.readers).await.map_err(failed("read"))?.iter().map(read_revoked).collect()
    }
}
