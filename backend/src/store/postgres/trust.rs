//! What tokens are believed by, in the PostgreSQL database.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PostgresStore;
use crate::agent::Revoked;
use crate::store::row::read_revoked;
use crate::store::trust::{FORGET_SPENT, KeyRow, SPEND, TrustStore};
use crate::store::{StoreError, failed};
use crate::token::SigningKey;

/// The advisory lock under which the first key is made ("ringback" in ASCII).
const FIRST_KEY_LOCK: i64 = 0x7269_6e67_6261_636b;

impl PostgresStore {
    /// Makes the first signing key, where there is none.
    async fn first_key(&self, key: &KeyRow) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        // Two processes that start together would each find none and make one.
        let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(FIRST_KEY_LOCK);
        lock.execute(&mut *transaction).await.map_err(failed("make a key"))?;
        let query = sqlx::query(
            "INSERT INTO signing_key (id, secret, created_at) SELECT $1, $2, $3 \
             WHERE NOT EXISTS (SELECT 1 FROM signing_key)",
        );
        let query = query.bind(&key.id).bind(&key.secret).bind(key.created_at.as_millisecond());
        query.execute(&mut *transaction).await.map_err(failed("make a key"))?;
        transaction.commit().await.map_err(failed("commit"))
    }

    async fn keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let query = sqlx::query("SELECT * FROM signing_key ORDER BY created_at DESC, id");
        let rows = query.fetch_all(&self.pool).await.map_err(failed("read"))?;
        rows.iter().map(|row| self.vault.signing_key(row)).collect()
    }
}

#[async_trait]
impl TrustStore for PostgresStore {
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SigningKey>, StoreError> {
        let keys = self.keys().await?;
        if !keys.is_empty() {
            return Ok(keys);
        }
        self.first_key(&self.vault.key_row(&SigningKey::generate(now)?)?).await?;
        self.keys().await
    }

    async fn add_signing_key(&self, key: &SigningKey) -> Result<(), StoreError> {
        let key = self.vault.key_row(key)?;
        let query = sqlx::query("INSERT INTO signing_key (id, secret, created_at) VALUES ($1, $2, $3)");
        let query = query.bind(&key.id).bind(&key.secret).bind(key.created_at.as_millisecond());
        query.execute(&self.pool).await.map_err(failed("write a key")).map(|_| ())
    }

    async fn retire_signing_key(&self, id: &str) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "DELETE FROM signing_key WHERE id = $1 AND created_at < (SELECT max(created_at) FROM signing_key)",
        );
        Ok(query.bind(id).execute(&self.pool).await.map_err(failed("write a key"))?.rows_affected() == 1)
    }

    async fn revoke_links(&self, revoked: &Revoked) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO revoked_link (subject, revoked_at) VALUES ($1, $2) \
             ON CONFLICT (subject) DO UPDATE SET revoked_at = greatest(revoked_link.revoked_at, excluded.revoked_at)",
        );
        let query = query.bind(&revoked.subject).bind(revoked.at.as_millisecond());
        query.execute(&self.pool).await.map_err(failed("write a key")).map(|_| ())
    }

    async fn spend_challenge(&self, id: &str, until: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query(SPEND).bind(id).bind(until.as_millisecond());
        Ok(query.execute(&self.pool).await.map_err(failed("spend a challenge"))?.rows_affected() == 1)
    }

    async fn forget_challenges(&self, now: Timestamp) -> Result<u64, StoreError> {
        let query = sqlx::query(FORGET_SPENT).bind(now.as_millisecond());
        Ok(query.execute(&self.pool).await.map_err(failed("forget challenges"))?.rows_affected())
    }

    async fn revoked_links(&self) -> Result<Vec<Revoked>, StoreError> {
        let query = sqlx::query("SELECT * FROM revoked_link ORDER BY revoked_at, subject");
        query.fetch_all(&self.pool).await.map_err(failed("read"))?.iter().map(read_revoked).collect()
    }
}
