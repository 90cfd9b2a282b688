//! Lists callbacks, in the SQLite file.

use async_trait::async_trait;
use sqlx::{QueryBuilder, Sqlite};

use super::SqliteStore;
use crate::callback::Callback;
use crate::store::listing::{CallbackList, Wanted};
use crate::store::{StoreError, failed};

#[async_trait]
impl CallbackList for SqliteStore {
    async fn list(&self, wanted: &Wanted) -> Result<Vec<Callback>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM callback WHERE door <> 'decoy'");
        if let Some(sites) = &wanted.sites {
            let mut list = query.push(" AND site IN (").separated(", ");
            for site in sites {
                list.push_bind(site);
            }
            query.push(")");
        }
        if let Some(state) = wanted.state {
            query.push(" AND state = ").push_bind(state.as_str());
        }
        if let Some(since) = wanted.since {
            query.push(" AND created_at >= ").push_bind(since.as_millisecond());
        }
        if let Some(before) = wanted.before {
            query.push(" AND id < ").push_bind(before.to_string());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::try_from(wanted.limit).unwrap_or(i64::MAX));
        let rows = query.build().fetch_all(&self.readers).await.map_err(failed("list"))?;
        self.vault.callbacks(&rows)
    }
}
