//! Erases personal data, in the PostgreSQL database.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::PostgresStore;
use crate::callback::{Callback, CallbackId};
use crate::phone::PhoneNumber;
use crate::store::retention::{ERASED, Retention, WITH_IT};
use crate::store::trust::{CLEAR_KEYS, SEAL_KEY};
use crate::store::vault::{self, Clear, Sealing};
use crate::store::{StoreError, failed};

/// The keys of callbacks.
const KEYS: &str = "DELETE FROM idempotency WHERE callback_id = ANY($1)";

/// Rows in clear that have a claim, after an id.
const CLAIMED_IN_CLEAR: &str = "SELECT * FROM callback \
     WHERE claim IS NOT NULL AND sealed IS NULL AND erased_at IS NULL AND id > $1 ORDER BY id LIMIT $2";

async fn erase(connection: &mut PgConnection, ids: &[String], now: Timestamp) -> Result<u64, StoreError> {
    let erase = format!("UPDATE callback SET {ERASED} WHERE id = $2 AND ended_at IS NOT NULL");
    let mut erased = Vec::new();
    for id in ids {
        let query = sqlx::query(AssertSqlSafe(erase.as_str())).bind(now.as_millisecond()).bind(id);
        if query.execute(&mut *connection).await.map_err(failed("erase"))?.rows_affected() == 1 {
            for statement in WITH_IT {
                sqlx::query(statement).bind(id).execute(&mut *connection).await.map_err(failed("erase"))?;
            }
            erased.push(id.as_str());
        }
    }
    let keys = sqlx::query(KEYS).bind(&erased);
    keys.execute(connection).await.map_err(failed("erase"))?;
    Ok(erased.len() as u64)
}

#[async_trait]
impl Retention for PostgresStore {
    async fn erase_ended(&self, before: Timestamp, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        // Every process does this: what one is at is passed over by the others.
        let query = sqlx::query_scalar(
            "SELECT id FROM callback WHERE ended_at < $1 ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        );
        let query = query.bind(before.as_millisecond()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let ids: Vec<String> = query.fetch_all(&mut *transaction).await.map_err(failed("erase"))?;
        let erased = erase(&mut transaction, &ids, now).await?;
        transaction.commit().await.map_err(failed("commit"))?;
        Ok(erased)
    }

    async fn erase(&self, id: CallbackId, now: Timestamp) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        let erased = erase(&mut transaction, &[id.to_string()], now).await?;
        transaction.commit().await.map_err(failed("commit"))?;
        Ok(erased == 1)
    }

    async fn of_phone(&self, phone: &PhoneNumber) -> Result<Vec<Callback>, StoreError> {
        let query = sqlx::query("SELECT * FROM callback WHERE phone IN ($1, $2) ORDER BY id");
        let [hashed, clear] = self.vault.phones(phone);
        let query = query.bind(hashed).bind(clear);
        let rows = query.fetch_all(&self.pool).await.map_err(failed("read"))?;
        self.vault.callbacks(&rows)
    }
}

#[async_trait]
impl Sealing for PostgresStore {
    async fn seal(
        &self,
        which: Clear,
        after: Option<CallbackId>,
        limit: usize,
    ) -> Result<Option<CallbackId>, StoreError> {
        if !self.vault.seals() {
            return Ok(None);
        }
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        let query = match which {
            Clear::All => vault::CLEAR,
            Clear::Claims => CLAIMED_IN_CLEAR,
        };
        let query = sqlx::query(query).bind(after).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&mut *transaction).await.map_err(failed("seal"))?;
        let mut last = None;
        for row in &rows {
            let sealed = self.vault.sealed_row(row)?;
            let query = sqlx::query(vault::SEAL).bind(sealed.phone).bind(sealed.claim).bind(sealed.sealed);
            let query = query.bind(sealed.id.to_string());
            query.execute(&mut *transaction).await.map_err(failed("seal"))?;
            last = Some(sealed.id);
        }
        transaction.commit().await.map_err(failed("commit"))?;
        Ok(last)
    }

    async fn seal_keys(&self) -> Result<(), StoreError> {
        if !self.vault.seals() {
            return Ok(());
        }
        let rows = sqlx::query(CLEAR_KEYS).fetch_all(&self.pool).await.map_err(failed("seal"))?;
        for row in &rows {
            let key = self.vault.key_row(&self.vault.signing_key(row)?)?;
            let query = sqlx::query(SEAL_KEY).bind(key.secret).bind(key.id);
            query.execute(&self.pool).await.map_err(failed("seal"))?;
        }
        Ok(())
    }
}
