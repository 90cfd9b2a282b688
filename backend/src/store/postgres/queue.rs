//! How much there is to do, in the PostgreSQL database.

use async_trait::async_trait;

use super::PostgresStore;
use crate::store::queue::{Queue, WAITING, Waiting};
use crate::store::row::read_waiting;
use crate::store::{StoreError, failed};

#[async_trait]
impl Queue for PostgresStore {
    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let rows = sqlx::query(WAITING).fetch_all(&self.pool).await.map_err(failed("count"))?;
        rows.iter().map(read_waiting).collect()
    }
}
