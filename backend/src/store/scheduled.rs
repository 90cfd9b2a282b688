//! Scheduled callbacks of Webex, by what it names them by.

use async_trait::async_trait;

use super::StoreError;
use crate::callback::CallbackId;

/// Knows whose each scheduled callback of Webex is.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// The callback that a scheduled callback of Webex was made for.
    async fn of_schedule(&self, schedule_id: &str) -> Result<Option<CallbackId>, StoreError>;
}
