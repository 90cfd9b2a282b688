//! The number of a callback is changed, and its claim with it.

use async_trait::async_trait;
use jiff::Timestamp;

use super::ledger::{Given, NewConsent};
use super::vault::Vault;
use super::{Claim, StoreError};
use crate::callback::{Callback, CallbackId};

/// What became of a change of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renumbered {
    /// It is written.
    Done,
    /// Another change of the callback came first; nothing was written.
    Overtaken,
    /// Another callback has the claim to the number; nothing was written.
    Claimed(CallbackId),
    /// It is too soon for another call to the number; nothing was written.
    TooSoon {
        /// When the last one ended.
        ended_at: Timestamp,
    },
}

/// A store of callbacks whose number changes. Whatever returns has been written for good.
#[async_trait]
pub trait Numbers: Send + Sync + std::fmt::Debug {
    /// Writes the next revision of a callback, which is for another number. `claim` is the one to that number: the callback gives up
    /// what it had and takes it, in one step. A consent is kept, as one to be called at that number.
    async fn change_number(
        &self,
        next: &Callback,
        claim: Option<&Claim>,
        consent: Option<&Given>,
    ) -> Result<Renumbered, StoreError>;
}

/// All that is personal is written anew: what is sealed is one column.
pub(super) const CHANGE: &str = "UPDATE callback SET phone = $1, name = $2, email = $3, message = $4, page = $5, \
     attributes = $6, sealed = $7, claim = $8, updated_at = $9, revision = $10, fields = $11, agent = $12, \
     reference = $13 WHERE id = $14 AND revision = $15";

/// Takes a claim from whoever has had it for too long.
pub(super) const RELEASE: &str = "UPDATE callback SET claim = NULL WHERE claim = $1 AND created_at < $2";

/// Who else has a claim.
pub(super) const OTHER_HOLDER: &str = "SELECT id FROM callback WHERE claim = $1 AND id <> $2";

/// What a visitor agrees to by giving another number: as before, and now.
pub(super) fn consent(vault: &Vault, next: &Callback, given: &Given) -> NewConsent {
    NewConsent { at: next.updated_at, ..vault.consent(next, given) }
}
