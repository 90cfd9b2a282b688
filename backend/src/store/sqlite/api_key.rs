//! Keys for the REST door, in the SQLite file.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::SqliteStore;
use super::writer::Write;
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

pub(super) async fn apply(connection: &mut SqliteConnection, write: &KeyWrite) -> Result<u64, StoreError> {
    let query = match write {
        KeyWrite::Add { key } => sqlx::query(
            "INSERT INTO api_key (id, name, digest, sites, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&key.id)
        .bind(&key.name)
        .bind(&key.digest[..])
        .bind(key.sites.join(" "))
        .bind(joined_scopes(&key.scopes))
        .bind(key.created_at.as_millisecond())
        .bind(key.expires_at.map(Timestamp::as_millisecond)),
        KeyWrite::Revoke { id, now } => {
            sqlx::query("UPDATE api_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")
                .bind(now.as_millisecond())
                .bind(id)
        }
        KeyWrite::Used { id, at } => sqlx::query(
            "UPDATE api_key SET last_used_at = ?1 WHERE id = ?2 AND coalesce(last_used_at < ?1, TRUE)",
        )
        .bind(at.as_millisecond())
        .bind(id),
    };
    Ok(query.execute(connection).await.map_err(failed("write an API key"))?.rows_affected())
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
