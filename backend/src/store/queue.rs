//! How much there is to do.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::callback::State;

/// The callbacks in one state that have something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The state.
    pub state: State,
    /// How many there are.
    pub count: u64,
    /// When the first of them has something to do, or had.
    pub first_due: Timestamp,
}

/// A store that says how much there is to do.
#[async_trait]
pub trait Queue: Send + Sync + std::fmt::Debug {
    /// The callbacks that have something to do, by state; no state without any. Decoys are none.
    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError>;
}

/// What every store is asked.
pub(super) const WAITING: &str = "SELECT state, count(*) AS count, min(due_at) AS first_due FROM callback \
                                  WHERE due_at IS NOT NULL AND door <> 'decoy' GROUP BY state ORDER BY state";
