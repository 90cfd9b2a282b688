//! Scheduled callbacks of Webex, in PostgreSQL.

use async_trait::async_trait;

use super::PostgresStore;
use crate::callback::CallbackId;
use crate::store::row::read_id;
use crate::store::scheduled::Schedules;
use crate::store::{StoreError, failed};

#[async_trait]
impl Schedules for PostgresStore {
    async fn of_schedule(&self, schedule_id: &str) -> Result<Option<CallbackId>, StoreError> {
        let query = sqlx::query("SELECT id FROM callback WHERE schedule_id = $1").bind(schedule_id);
        let row = query.fetch_optional(&self.pool).await.map_err(failed("read"))?;
        row.as_ref().map(read_id).transpose()
    }
}
