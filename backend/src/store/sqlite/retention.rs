//! Erases personal data, in the SQLite file.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::claims::{CLAIMED_IN_CLEAR, Claims};
use super::trust::TrustWrite;
use super::writer::{Write, execute};
use crate::callback::{Callback, CallbackId};
use crate::phone::PhoneNumber;
use crate::store::retention::{ERASED, Retention, WITH_IT};
use crate::store::trust::CLEAR_KEYS;
use crate::store::vault::{self, Clear, SealedRow, Sealing};
use crate::store::{StoreError, failed};

/// The keys of all of them at once: an index by callback would cost each request that is taken in a tenth, so this reads every key there is.
const KEYS: &str = "DELETE FROM idempotency WHERE callback_id IN (SELECT value FROM json_each(?))";

/// Which callbacks are to be erased.
pub(super) enum Erasure {
    Ended { before: Timestamp, limit: usize },
    One { id: CallbackId },
}

/// Gives how many were erased.
pub(super) fn apply(connection: &Connection, erasure: &Erasure, now: Timestamp) -> Result<u64, StoreError> {
    let ids = match erasure {
        Erasure::One { id } => vec![id.to_string()],
        Erasure::Ended { before, limit } => {
            let find = "SELECT id FROM callback WHERE ended_at < ? ORDER BY ended_at LIMIT ?";
            let mut find = connection.prepare_cached(find).map_err(failed("erase"))?;
            let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
            let ids = find.query_map(params![before.as_millisecond(), limit], |row| row.get(0));
            ids.and_then(Iterator::collect).map_err(failed("erase"))?
        }
    };
    let erase = format!("UPDATE callback SET {ERASED} WHERE id = $2 AND ended_at IS NOT NULL");
    let mut erased = Vec::new();
    for id in ids {
        if execute(connection, "erase", &erase, params![now.as_millisecond(), id])? == 1 {
            for statement in WITH_IT {
                execute(connection, "erase", statement, [&id])?;
            }
            erased.push(id);
        }
    }
    if !erased.is_empty() {
        execute(connection, "erase", KEYS, [serde_json::Value::from(erased.as_slice()).to_string()])?;
    }
    Ok(erased.len() as u64)
}

/// Takes rows out of the clear, and their claims.
pub(super) fn seal(
    connection: &Connection,
    claims: &mut Claims,
    rows: &[SealedRow],
) -> Result<u64, StoreError> {
    let mut sealed = 0;
    for row in rows {
        let values = params![row.phone, row.claim, row.sealed, row.id.to_string()];
        sealed += execute(connection, "seal", vault::SEAL, values)?;
        if let Some(claim) = &row.claim {
            claims.give(claim, row.id);
        }
    }
    Ok(sealed)
}

impl SqliteStore {
    async fn write_erasure(&self, erasure: Erasure, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.writer.write(Write::Erase { erasure, now }).await?.rows)
    }
}

#[async_trait]
impl Retention for SqliteStore {
    async fn erase_ended(&self, before: Timestamp, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        self.write_erasure(Erasure::Ended { before, limit }, now).await
    }

    async fn erase(&self, id: CallbackId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.write_erasure(Erasure::One { id }, now).await? == 1)
    }

    async fn of_phone(&self, phone: &PhoneNumber) -> Result<Vec<Callback>, StoreError> {
        let query = sqlx::query("SELECT * FROM callback WHERE phone IN (?, ?) ORDER BY id");
        let [hashed, clear] = self.vault.phones(phone);
        let query = query.bind(hashed).bind(clear);
        let rows = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
        self.vault.callbacks(&rows)
    }
}

#[async_trait]
impl Sealing for SqliteStore {
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
        let query = match which {
            Clear::All => vault::CLEAR,
            Clear::Claims => CLAIMED_IN_CLEAR,
        };
        let query = sqlx::query(query).bind(after).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(&self.readers).await.map_err(failed("seal"))?;
        let rows: Vec<_> = rows.iter().map(|row| self.vault.sealed_row(row)).collect::<Result<_, _>>()?;
        let last = rows.last().map(|row| row.id);
        if last.is_some() {
            self.writer.write(Write::Seal { rows }).await?;
        }
        Ok(last)
    }

    async fn seal_keys(&self) -> Result<(), StoreError> {
        if !self.vault.seals() {
            return Ok(());
        }
        let rows = sqlx::query(CLEAR_KEYS).fetch_all(&self.readers).await.map_err(failed("seal"))?;
        let sealed = |row| self.vault.key_row(&self.vault.signing_key(row)?);
        let keys: Vec<_> = rows.iter().map(sealed).collect::<Result<_, _>>()?;
        if !keys.is_empty() {
            self.writer.write(Write::Trust(TrustWrite::Seal { keys })).await?;
        }
        Ok(())
    }
}
