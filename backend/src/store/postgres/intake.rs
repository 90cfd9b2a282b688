//! Takes callbacks in: together where nothing speaks against it, and else each by itself.

use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::insertion::{self, Row};
use super::keys::insert_keys;
use super::{PostgresStore, ledger, outbox, scheduled};
use crate::callback::CallbackId;
use crate::store::row::{moment, read_id};
use crate::store::trust::LAST_END_UNCLAIMED;
use crate::store::{StoreError, failed};

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
    /// Inserts a callback by itself, with its key and its claim, and finds out what stands in its way.
    pub(super) async fn insert_alone(&self, row: &Row) -> Result<Insertion, StoreError> {
        let callback = row.callback();
        let key = row.arrival.key.as_ref();
        let claim = row.arrival.claim.as_ref().zip(row.claim.as_deref());
        if let Some((claim, text)) = claim
            && let Some(since) = claim.cooled_since
        {
            let query = sqlx::query_scalar(LAST_END_UNCLAIMED).bind(&row.personal.clear.phone);
            let query = query.bind(&callback.request.site).bind(since.as_millisecond()).bind(text);
            let ended: Option<i64> =
                query.fetch_one(&self.pool).await.map_err(failed("find the last call"))?;
            if let Some(ended) = ended {
                return Ok(Insertion::TooSoon(moment(ended)?));
            }
        }
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        // Both of these wait for whoever is inserting the same key or claim right now.
        if key.is_some()
            && insert_keys(&mut transaction, &[row]).await.map_err(failed("insert a key"))?.is_empty()
        {
            return Ok(Insertion::KeyKnown);
        }
        if let Some((claim, text)) = claim {
            let query = sqlx::query("UPDATE callback SET claim = NULL WHERE claim = $1 AND created_at < $2");
            let query = query.bind(text).bind(claim.since.as_millisecond());
            query.execute(&mut *transaction).await.map_err(failed("release a claim"))?;
        }
        if let Some(place) = &row.arrival.place
            && scheduled::is_full(&mut transaction, callback, place).await?
            // Whoever joins another needs no place.
            && !is_claimed(&mut transaction, row.claim.as_deref()).await?
        {
            return Ok(Insertion::SlotFull);
        }
        let taken = insertion::insert(&mut transaction, &[row]).await;
        let insertion = if taken.map_err(failed("insert a callback"))?.is_empty() {
            let query = sqlx::query("SELECT id FROM callback WHERE claim = $1").bind(&row.claim);
            let found = query.fetch_optional(&mut *transaction).await.map_err(failed("find a claim"))?;
            let Some(found) = found else {
                return Ok(Insertion::Again);
            };
            let first = read_id(&found)?;
            if let Some(key) = key {
                let query = sqlx::query(
                    "UPDATE idempotency SET callback_id = $1, joined = TRUE WHERE scope = $2 AND key = $3",
                );
                let query = query.bind(first.to_string()).bind(&key.scope).bind(&key.key);
                query.execute(&mut *transaction).await.map_err(failed("insert a key"))?;
            }
            if let Some(consent) = &row.consent {
                ledger::insert_consent(&mut transaction, consent).await?;
            }
            Insertion::Joined(first)
        } else {
            outbox::insert(&mut transaction, &self.vault, &row.messages).await?;
            Insertion::Done
        };
        transaction.commit().await.map_err(failed("commit"))?;
        Ok(insertion)
    }
}

async fn is_claimed(connection: &mut PgConnection, claim: Option<&str>) -> Result<bool, StoreError> {
    let query = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM callback WHERE claim = $1)").bind(claim);
    query.fetch_one(connection).await.map_err(failed("find a claim"))
}
