//! What tokens are believed by, as the store has it: read at the start, and again and again, because an operator's command may
//! change it while the service runs.

use std::sync::Arc;

use jiff::Timestamp;

use crate::agent::Revocations;
use crate::store::{Store, StoreError};
use crate::token::{Signer, SignerError};

/// What tokens are believed by.
#[derive(Clone, Debug)]
pub struct Trust {
    /// Signs them, and knows them again.
    pub signer: Arc<Signer>,
    /// The links that were taken back.
    pub revocations: Arc<Revocations>,
}

impl Trust {
    /// What the store says.
    pub async fn load(store: &dyn Store, now: Timestamp) -> Result<Self, TrustError> {
        let signer = Arc::new(Signer::new(store.signing_keys(now).await?, now)?);
        let trust = Self { signer, revocations: Arc::default() };
        trust.revocations.replace(store.revoked_links().await?);
        Ok(trust)
    }

    /// Goes on with what the store says now: an operator's command may have changed it.
    pub async fn refresh(&self, store: &dyn Store, now: Timestamp) -> Result<(), TrustError> {
        self.signer.replace(store.signing_keys(now).await?, now).map_err(SignerError::from)?;
        self.revocations.replace(store.revoked_links().await?);
        Ok(())
    }
}

/// Why it is not known what tokens are believed by.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is nothing to sign with.
    #[error(transparent)]
    Signer(#[from] SignerError),
}
