//! Callbacks at a chosen time: by what Webex names them by, and by the slots that they begin in.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::callback::{Callback, CallbackId};
use crate::slots::Place;

/// What became of a change to another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rescheduled {
    /// It is written.
    Done,
    /// Another change came first, and nothing was written.
    Overtaken,
    /// As many as may have already begin in the slot; nothing was written.
    SlotFull,
}

/// Knows whose each scheduled callback of Webex is, and how many begin when.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// The callback that a scheduled callback of Webex was made for.
    async fn of_schedule(&self, schedule_id: &str) -> Result<Option<CallbackId>, StoreError>;

    /// When those callbacks of a site begin that are not over, and whose windows somebody chose: from the one moment on, and before
    /// the other, in order. One that is being moved begins twice.
    async fn bookings(
        &self,
        site: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError>;

    /// Writes the next revision of a callback, which is for another time, where that has a place left.
    async fn reschedule(&self, next: &Callback, place: Option<&Place>) -> Result<Rescheduled, StoreError>;
}

/// When a callback's windows begin, as far as they take places: the one in force, and the one that is wanted. A decoy takes no person's.
pub(super) fn begins(callback: &Callback) -> (Option<i64>, Option<i64>) {
    let waits = !callback.state.is_final() && !callback.is_decoy();
    let kept = callback.appointment.as_ref().filter(|_| waits);
    let chosen = kept.filter(|kept| !kept.at_opening).map(|kept| kept.window.starts_at().as_millisecond());
    let wanted = kept.and_then(|kept| kept.wanted.as_ref());
    (chosen, wanted.map(|wanted| wanted.starts_at().as_millisecond()))
}
