//! Keys for the REST door, in the SQLite file.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, ToSql, params};

use super::SqliteStore;
use super::writer::{Write, execute};
use crate::api_key::ApiKey;
use crate::store::api_key::ApiKeyStore;
use crate::store::row::{joined_scopes, read_api_key};
use crate::store::{StoreError, failed};

/// One thing to write.
pub(super) enum KeyWrite {
    Add { key: Box<ApiKey> },
    Revoke { id: String, now: Timestamp },
    Used { id: String, at: Timestamp },
}

pub(super) fn apply(connection: &Connection, write: &KeyWrite) -> Result<u64, StoreError> {
    let written = |sql: &str, values: &[&dyn ToSql]| execute(connection, "write an API key", sql, values);
    match write {
        KeyWrite::Add { key } => written(
            "INSERT INTO api_key (id, name, digest, sites, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                key.id,
                key.name,
                &key.digest[..],
                key.sites.join(" "),
                joined_scopes(&key.scopes),
                key.created_at.as_millisecond(),
                key.expires_at.map(Timestamp::as_millisecond),
            ],
        ),
        KeyWrite::Revoke { id, now } => written(
            "UPDATE api_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
            params![now.as_millisecond(), id],
        ),
        KeyWrite::Used { id, at } => written(
            "UPDATE api_key SET last_used_at = ?1 WHERE id = ?2 AND coalesce(last_used_at < ?1, TRUE)",
            params![at.as_millisecond(), id],
        ),
    }
}

#[async_trait]
impl ApiKeyStore for SqliteStore {
    async fn add_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        self.writer.write(Write::Key(KeyWrite::Add { key: Box::new(key.clone()) })).await.map(|_| ())
    }

    async fn api_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query("SELECT * FROM api_key WHERE id = ?").bind(id);
        let row = row.fetch_optional(&self.readers).await.map_err(failed("read an API key"))?;
        row.as_ref().map(read_api_key).transpose()
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let query = sqlx::query("SELECT * FROM api_key ORDER BY created_at, id");
        query.fetch_all(&self.readers).await.map_err(failed("read"))?.iter().map(read_api_key).collect()
    }

    async fn revoke_api_key(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let write = Write::Key(KeyWrite::Revoke { id: id.to_owned(), now });
        Ok(self.writer.write(write).await?.rows == 1)
    }

    async fn note_use(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        self.writer.write(Write::Key(KeyWrite::Used { id: id.to_owned(), at })).await.map(|_| ())
    }
}
