//! Personal data that is not needed any more, or that a person wants to be gone.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::callback::{Callback, CallbackId};
use crate::phone::PhoneNumber;

/// What is erased of a callback: everything that tells who the person is, or what they wanted. `$1` stands for the moment. State,
/// times, reason and what Webex knows it by stay.
pub(super) const ERASED: &str = "phone = '+0000', name = '', email = '', message = '', page = '', agent = NULL, reference = NULL, \
     attributes = NULL, fields = NULL, sealed = NULL, failure_detail = NULL, fallback_detail = NULL, claim = NULL, ended_at = NULL, erased_at = $1";

/// What goes with it, for each callback whose id is `$1`: texts of answers may repeat what was sent. So do its idempotency keys, since the
/// digest of a request can be guessed from its number; each store deletes them in its own way.
pub(super) const WITH_IT: [&str; 2] = [
    "UPDATE attempt SET outcome = '' WHERE callback_id = $1",
    "DELETE FROM outgoing_message WHERE callback_id = $1 AND status <> 'waiting'",
];

/// A store that erases. Whatever returns has been written for good.
#[async_trait]
pub trait Retention: Send + Sync + std::fmt::Debug {
    /// Erases the personal data of callbacks that ended before that moment, the longest ended first, at most so many; gives how
    /// many. What has not ended is not touched, but for that of which nothing was heard for so long that nobody asks any more.
    async fn erase_ended(&self, before: Timestamp, now: Timestamp, limit: usize) -> Result<u64, StoreError>;

    /// Erases one callback, where it has ended. `false`: it has not, or was erased before.
    async fn erase(&self, id: CallbackId, now: Timestamp) -> Result<bool, StoreError>;

    /// Every callback to that number. Reads the whole table: for a person's request, not for a visitor's.
    async fn of_phone(&self, phone: &PhoneNumber) -> Result<Vec<Callback>, StoreError>;
}
