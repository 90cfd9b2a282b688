//! Callbacks at a chosen time, in the SQLite file.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::writer::Write;
use crate::callback::{Callback, CallbackId};
use crate::slots::Place;
use crate::store::row::{moment, read_id};
use crate::store::scheduled::{Rescheduled, Schedules};
use crate::store::{Inserted, StoreError, failed};

#[async_trait]
impl Schedules for SqliteStore {
    async fn of_schedule(&self, schedule_id: &str) -> Result<Option<CallbackId>, StoreError> {
        let query = sqlx::query("SELECT id FROM callback WHERE schedule_id = ?").bind(schedule_id);
        let row = query.fetch_optional(&self.readers).await.map_err(failed("read"))?;
        row.as_ref().map(read_id).transpose()
    }

    async fn bookings(
        &self,
        site: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT begins_at AS at FROM callback WHERE site = ?1 AND begins_at >= ?2 AND begins_at < ?3 UNION ALL \
             SELECT wanted_at AS at FROM callback WHERE site = ?1 AND wanted_at >= ?2 AND wanted_at < ?3 ORDER BY at",
        );
        let query = query.bind(site).bind(from.as_millisecond()).bind(until.as_millisecond());
        let begun: Vec<i64> = query.fetch_all(&self.readers).await.map_err(failed("read"))?;
        begun.into_iter().map(moment).collect()
    }

    async fn reschedule(&self, next: &Callback, place: Option<&Place>) -> Result<Rescheduled, StoreError> {
        let write = Write::Update { next: Box::new(next.clone()), attempt: None, place: place.cloned() };
        let done = self.writer.write(write).await?;
        Ok(match (done.before, done.rows) {
            (Some(Inserted::SlotFull), _) => Rescheduled::SlotFull,
            (_, 1) => Rescheduled::Done,
            _ => Rescheduled::Overtaken,
        })
    }
}

/// Whether as many as may begin in the slot do already, the callback itself not counted. The one connection that writes asks, so that
/// nobody comes in between.
pub(super) fn is_full(
    connection: &Connection,
    callback: &Callback,
    place: &Place,
) -> Result<bool, StoreError> {
    let count = "SELECT count(*) FROM callback WHERE site = ?1 AND id <> ?2 \
         AND (begins_at >= ?3 AND begins_at < ?4 OR wanted_at >= ?3 AND wanted_at < ?4)";
    let mut count = connection.prepare_cached(count).map_err(failed("count a slot"))?;
    let (from, until) = (place.from.as_millisecond(), place.until.as_millisecond());
    let values = params![callback.request.site, callback.id.to_string(), from, until];
    let taken: i64 = count.query_row(values, |row| row.get(0)).map_err(failed("count a slot"))?;
    Ok(taken >= i64::from(place.capacity))
}
