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

    /// Spends a challenge that was solved; it has to be remembered until then. `false`: it had been spent before.
    async fn spend_challenge(&self, id: &str, until: Timestamp) -> Result<bool, StoreError>;

    /// Forgets spent challenges that have run out.
    async fn forget_challenges(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// The links that were taken back.
    async fn revoked_links(&self) -> Result<Vec<Revoked>, StoreError>;
}

/// A signing key as it lies in the database: its secret sealed, where there is a key to seal with.
#[derive(Clone)]
pub(super) struct KeyRow {
    pub(super) id: String,
    pub(super) secret: Vec<u8>,
    pub(super) created_at: Timestamp,
}

/// Signing keys that lie in clear.
pub(super) const CLEAR_KEYS: &str = "SELECT * FROM signing_key WHERE length(secret) = 32";
pub(super) const SEAL_KEY: &str = "UPDATE signing_key SET secret = $1 WHERE id = $2 AND length(secret) = 32";

/// What keeps a solved challenge from being used twice.
pub(super) const SPEND: &str =
    "INSERT INTO spent_challenge (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
pub(super) const FORGET_SPENT: &str = "DELETE FROM spent_challenge WHERE expires_at < $1";

/// When the last call to a number ended, if that was after a moment.
pub(super) const LAST_END: &str = "SELECT max(ended_at) FROM callback \
     WHERE phone = $1 AND site = $2 AND state = 'completed' AND ended_at > $3";
/// The same where nobody has the claim: else the request joins.
pub(super) const LAST_END_UNCLAIMED: &str = "SELECT max(ended_at) FROM callback \
     WHERE phone = $1 AND site = $2 AND state = 'completed' AND ended_at > $3 \
     AND NOT EXISTS (SELECT 1 FROM callback WHERE claim = $4)";
