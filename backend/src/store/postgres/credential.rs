//! The credential for Webex.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PostgresStore;
use crate::store::credential::{CredentialStore, StoredCredential};
use crate::store::row::read_credential;
use crate::store::{StoreError, failed};

#[async_trait]
impl CredentialStore for PostgresStore {
    async fn credential(&self) -> Result<Option<StoredCredential>, StoreError> {
        let row = sqlx::query("SELECT revision, sealed FROM credential").fetch_optional(&self.pool).await;
        row.map_err(failed("read the credential"))?.map(|row| read_credential(&row)).transpose()
    }

    async fn replace_credential(&self, revision: u64, sealed: &[u8]) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE credential SET revision = revision + 1, sealed = $1, leased_until = NULL WHERE revision = $2",
        );
        let query = query.bind(sealed).bind(revision.cast_signed());
        Ok(query.execute(&self.pool).await.map_err(failed("write the credential"))?.rows_affected() == 1)
    }

    async fn set_credential(&self, sealed: &[u8]) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO credential (id, revision, sealed) VALUES (1, 1, $1) \
             ON CONFLICT (id) DO UPDATE SET revision = credential.revision + 1, sealed = $1, leased_until = NULL",
        );
        query.bind(sealed).execute(&self.pool).await.map_err(failed("write the credential")).map(|_| ())
    }

    async fn forget_credential(&self) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM credential").execute(&self.pool).await;
        Ok(done.map_err(failed("forget the credential"))?.rows_affected() == 1)
    }

    async fn lease_credential(
        &self,
        revision: u64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "UPDATE credential SET leased_until = $1 \
             WHERE revision = $2 AND (leased_until IS NULL OR leased_until <= $3)",
        );
        let query =
            query.bind(until.as_millisecond()).bind(revision.cast_signed()).bind(now.as_millisecond());
        Ok(query.execute(&self.pool).await.map_err(failed("lease the credential"))?.rows_affected() == 1)
    }

    async fn release_credential(&self, revision: u64) -> Result<(), StoreError> {
        let query = sqlx::query("UPDATE credential SET leased_until = NULL WHERE revision = $1");
        let query = query.bind(revision.cast_signed());
        query.execute(&self.pool).await.map_err(failed("release the credential")).map(|_| ())
    }
}
