//! How much there is to do, in the SQLite file.

use async_trait::async_trait;

use super::SqliteStore;
use crate::store::queue::{Queue, WAITING, Waiting};
use crate::store::row::read_waiting;
use crate::store::{StoreError, failed};

#[async_trait]
impl Queue for SqliteStore {
    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let rows = sqlx::query(WAITING).fetch_all(&self.readers).await.map_err(failed("count"))?;
        rows.iter().map(read_waiting).collect()
    }
}
