//! What tokens are believed by: the keys that sign them, and the links that were taken back.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::agent::Revoked;
use crate::token::SigningKey;

/// A store of what tokens are believed by. Whatever returns has been written for good.
#[async_trait]
pub trait TrustStore: Send + Sync + std::fmt::Debug {
    /// The keys that sign tokens, newest first; makes the first one where there is none.
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SigningKey>, StoreError>;

    /// Adds a key.
    async fn add_signing_key(&self, key: &SigningKey) -> Result<(), StoreError>;

    /// Removes a key: what it has signed is worth nothing from then on. `false`: there is no such key, or no newer one.
    async fn retire_signing_key(&self, id: &str) -> Result<bool, StoreError>;

    /// Takes links back.
    async fn revoke_links(&self, revoked: &Revoked) -> Result<(), StoreError>;

    /// The links that were taken back.
    async fn revoked_links(&self) -> Result<Vec<Revoked>, StoreError>;
}
