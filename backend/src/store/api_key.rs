//! Where keys for the REST door are kept.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::api_key::ApiKey;

/// A store of keys. Whatever returns has been written for good, and every process on the database sees it at once.
#[async_trait]
pub trait ApiKeyStore: Send + Sync + std::fmt::Debug {
    /// Keeps a new key.
    async fn add_api_key(&self, key: &ApiKey) -> Result<(), StoreError>;

    /// The key of that id.
    async fn api_key(&self, id: &str) -> Result<Option<ApiKey>, StoreError>;

    /// Every key, also those that do not work any more, oldest first.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Takes a key back. `false`: there is none of that id, or it had been taken back before.
    async fn revoke_api_key(&self, id: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Notes that a key was used; an older use than is known changes nothing.
    async fn note_use(&self, id: &str, at: Timestamp) -> Result<(), StoreError>;
}
