//! Keys for the REST door, in the PostgreSQL database.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PostgresStore;
use crate::api_key::ApiKey;
use crate::store::api_key::ApiKeyStore;
use crate::store::row::{joined_scopes, read_api_key};
use crate::store::{StoreError, failed};

#[async_trait]
impl ApiKeyStore for PostgresStore {
    async fn add_api_key(&self, key: &ApiKey) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO api_key (id, name, digest, sites, scopes, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        );
        let query = query
            .bind(&key.id)
            .bind(&key.name)
            .bind(&key.digest[..])
            .bind(key.sites.join(" "))
            .bind(joined_scopes(&key.scopes))
            .bind(key.created_at.as_millisecond())
            .bind(key.expires_at.map(Timestamp::as_millisecond));
        query.execute(&self.pool).await.map_err(failed("write an API key")).map(|_| ())
    }

    async fn api_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query("SELECT * FROM api_key WHERE id = $1").bind(id);
        let row = row.fetch_optional(&self.pool).await.map_err(failed("read an API key"))?;
        row.as_ref().map(read_api_key).transpose()
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let query = sqlx::query("SELECT * FROM api_key ORDER BY created_at, id");
        query.fetch_all(&self.pool).await.map_err(failed("read"))?.iter().map(read_api_key).collect()
    }

    async fn revoke_api_key(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query("UPDATE api_key SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL");
        let query = query.bind(now.as_millisecond()).bind(id);
        Ok(query.execute(&self.pool).await.map_err(failed("write an API key"))?.rows_affected() == 1)
    }

    async fn note_use(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(
            "UPDATE api_key SET last_used_at = $1 WHERE id = $2 AND coalesce(last_used_at < $1, TRUE)",
        );
        let query = query.bind(at.as_millisecond()).bind(id);
        query.execute(&self.pool).await.map_err(failed("write an API key")).map(|_| ())
    }
}
