//! The credential for Webex: one row, sealed, that every process on the database shares.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;

/// The credential as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCredential {
    /// How often it was written: a change names the revision that it is based on.
    pub revision: u64,
    /// The sealed tokens.
    pub sealed: Vec<u8>,
}

/// Where the credential is kept.
#[async_trait]
pub trait CredentialStore {
    /// The credential; `None` where there is none.
    async fn credential(&self) -> Result<Option<StoredCredential>, StoreError>;

    /// Writes the credential in the place of the one of that revision, and ends a lease. `false`: that is not the one
    /// that is there, and nothing was written.
    async fn replace_credential(&self, revision: u64, sealed: &[u8]) -> Result<bool, StoreError>;

    /// Writes the credential, whatever was there.
    async fn set_credential(&self, sealed: &[u8]) -> Result<(), StoreError>;

    /// Forgets the credential. `false`: there was none.
    async fn forget_credential(&self) -> Result<bool, StoreError>;

    /// Takes the right to renew the credential of that revision up to a moment. `false`: another has it.
    async fn lease_credential(
        &self,
        revision: u64,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Gives that right back.
    async fn release_credential(&self, revision: u64) -> Result<(), StoreError>;
}
