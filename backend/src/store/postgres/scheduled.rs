//! Callbacks at a chosen time, in PostgreSQL.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::{PostgresStore, write};
use crate::callback::{Callback, CallbackId};
use crate::slots::Place;
use crate::store::row::{moment, read_id};
use crate::store::scheduled::{Rescheduled, Schedules};
use crate::store::{StoreError, failed};

#[async_trait]
impl Schedules for PostgresStore {
    async fn of_schedule(&self, schedule_id: &str) -> Result<Option<CallbackId>, StoreError> {
        let query = sqlx::query("SELECT id FROM callback WHERE schedule_id = $1").bind(schedule_id);
        let row = query.fetch_optional(&self.pool).await.map_err(failed("read"))?;
        row.as_ref().map(read_id).transpose()
    }

    async fn bookings(
        &self,
        site: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT begins_at AS at FROM callback WHERE site = $1 AND begins_at >= $2 AND begins_at < $3 UNION ALL \
             SELECT wanted_at AS at FROM callback WHERE site = $1 AND wanted_at >= $2 AND wanted_at < $3 ORDER BY at",
        );
        let query = query.bind(site).bind(from.as_millisecond()).bind(until.as_millisecond());
        let begun: Vec<i64> = query.fetch_all(&self.pool).await.map_err(failed("read"))?;
        begun.into_iter().map(moment).collect()
    }

    async fn reschedule(&self, next: &Callback, place: Option<&Place>) -> Result<Rescheduled, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        if let Some(place) = place
            && is_full(&mut transaction, next, place).await?
        {
            return Ok(Rescheduled::SlotFull);
        }
        if !write::update(&mut transaction, next, &self.subscribers, &self.vault).await? {
            return Ok(Rescheduled::Overtaken);
        }
        transaction.commit().await.map_err(failed("commit"))?;
        self.tell(next.id);
        Ok(Rescheduled::Done)
    }
}

/// Whether as many as may begin in the slot do already, the callback itself not counted. Whoever else wants a place in it waits until
/// the transaction is over: two that count at once would both find the last place free.
pub(super) async fn is_full(
    connection: &mut PgConnection,
    callback: &Callback,
    place: &Place,
) -> Result<bool, StoreError> {
    let (from, until) = (place.from.as_millisecond(), place.until.as_millisecond());
    let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, $2))");
    let lock = lock.bind(&callback.request.site).bind(from);
    lock.execute(&mut *connection).await.map_err(failed("lock a slot"))?;
    let count = sqlx::query_scalar(
        "SELECT count(*) FROM callback WHERE site = $1 AND id <> $2 \
         AND (begins_at >= $3 AND begins_at < $4 OR wanted_at >= $3 AND wanted_at < $4)",
    );
    let count = count.bind(&callback.request.site).bind(callback.id.to_string()).bind(from).bind(until);
    let taken: i64 = count.fetch_one(connection).await.map_err(failed("count a slot"))?;
    Ok(taken >= i64::from(place.capacity))
}
