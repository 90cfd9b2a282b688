//! Lists callbacks page by page.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::callback::{Callback, CallbackId, State};

/// Which callbacks are listed.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of these sites; `None`: of all.
    pub sites: Option<Vec<String>>,
    /// In this state.
    pub state: Option<State>,
    /// Accepted at this moment or later.
    pub since: Option<Timestamp>,
    /// Made before this one: where the page before ended.
    pub before: Option<CallbackId>,
    /// At most so many.
    pub limit: usize,
}

/// A store that lists callbacks.
#[async_trait]
pub trait CallbackList: Send + Sync + std::fmt::Debug {
    /// The callbacks that are wanted, newest first. What comes in meanwhile is newer than a page that follows
    /// another, so that paging neither repeats nor leaves out what was there when it began. Decoys are not among them.
    async fn list(&self, wanted: &Wanted) -> Result<Vec<Callback>, StoreError>;
}
