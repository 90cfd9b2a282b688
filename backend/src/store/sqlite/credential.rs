//! The credential for Webex.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, ToSql, params};

use super::SqliteStore;
use super::writer::{Write, execute};
use crate::store::credential::{CredentialStore, StoredCredential};
use crate::store::row::read_credential;
use crate::store::{StoreError, failed};

/// A change to the credential.
pub(super) enum CredentialWrite {
    Replace { revision: u64, sealed: Vec<u8> },
    Set { sealed: Vec<u8> },
    Forget,
    Lease { revision: u64, now: Timestamp, until: Timestamp },
    Release { revision: u64 },
}

/// Makes the change; gives how many rows it changed.
pub(super) fn apply(connection: &Connection, write: &CredentialWrite) -> Result<u64, StoreError> {
    let written = |sql: &str, values: &[&dyn ToSql]| execute(connection, "write the credential", sql, values);
    match write {
        CredentialWrite::Replace { revision, sealed } => written(
            "UPDATE credential SET revision = revision + 1, sealed = ?, leased_until = NULL WHERE revision = ?",
            params![sealed, revision.cast_signed()],
        ),
        CredentialWrite::Set { sealed } => written(
            "INSERT INTO credential (id, revision, sealed) VALUES (1, 1, ?1) \
             ON CONFLICT (id) DO UPDATE SET revision = revision + 1, sealed = ?1, leased_until = NULL",
            params![sealed],
        ),
        CredentialWrite::Forget => written("DELETE FROM credential", &[]),
        CredentialWrite::Lease { revision, now, until } => written(
            "UPDATE credential SET leased_until = ? \
             WHERE revision = ? AND (leased_until IS NULL OR leased_until <= ?)",
            params![until.as_millisecond(), revision.cast_signed(), now.as_millisecond()],
        ),
        CredentialWrite::Release { revision } => written(
            "UPDATE credential SET leased_until = NULL WHERE revision = ?",
            params![revision.cast_signed()],
        ),
    }
}

impl SqliteStore {
    async fn write_credential(&self, write: CredentialWrite) -> Result<bool, StoreError> {
        Ok(self.writer.write(Write::Credential(write)).await?.rows == 1)
    }
}

#[async_trait]
impl CredentialStore for SqliteStore {
    async fn credential(&self) -> Result<Option<StoredCredential>, StoreError> {
        let row = sqlx::query("SELECT revision, sealed FROM credential").fetch_optional(&self.readers).await;
        row.map_err(failed("read the credential"))?.map(|row| read_credential(&row)).transpose()
    }

    async fn replace_credential(&self, revision: u64, sealed: &[u8]) -> Result<bool, StoreError> {
        self.write_credential(CredentialWrite::Replace { revision, sealed: sealed.to_vec() }).await
    }

    async fn set_credential(&self, sealed: &[u8]) -> Result<(), StoreError> {
        self.write_credential(CredentialWrite::Set { sealed: sealed.to_vec() }).await.map(|_| ())
    }

    async fn forget_credential(&self) -> Result<bool, StoreError> {
        self.write_credential(CredentialWrite::Forget).await
    }

    async fn lease_credential(
        &self,
        revision: u64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_credential(CredentialWrite::Lease { revision, now, until }).await
    }

    async fn release_credential(&self, revision: u64) -> Result<(), StoreError> {
        self.write_credential(CredentialWrite::Release { revision }).await.map(|_| ())
    }
}
