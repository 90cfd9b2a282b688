//! What Webex tells of a task becomes the callback's state. Events may be lost, repeated or out of order.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::callback::{Callback, Failure, State, may_move};
use crate::clock::{SharedClock, after_s};
use crate::config;
use crate::metrics::{self, Event};
use crate::store::{KeptEvent, Store, StoreError};
use crate::task_event::{TaskChange, TaskEvent};
use crate::webex::listing::TaskStatus;

/// Events that are taken in at the same time at most: a store that stands still must not fill the memory.
const UNDER_WAY: usize = 1000;

/// Takes in what Webex tells.
#[derive(Clone, Debug)]
pub struct Progress {
    store: Arc<dyn Store>,
    clock: SharedClock,
    quiet_s: u64,
    places: Arc<Semaphore>,
}

/// An event of which it cannot be said that it is kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store takes its time. The event may be kept yet.
    #[error("the store takes too long")]
    Slow,
    /// Too many others wait for the store.
    #[error("{UNDER_WAY} events wait for the store")]
    TooMany,
}

impl Progress {
    /// With the pace at which a quiet callback is asked about.
    pub fn new(store: Arc<dyn Store>, clock: SharedClock, config: &config::Delivery) -> Self {
        Self { store, clock, quiet_s: config.quiet_s, places: Arc::new(Semaphore::new(UNDER_WAY)) }
    }

    /// Takes in an event, and says after that time at the latest how it stands; what has begun goes on.
    ///
    /// # Errors
    ///
    /// Where it is not certain that the event is kept.
    pub async fn take_in_within(&self, event: TaskEvent, longest: Duration) -> Result<(), NotKept> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| NotKept::TooMany)?;
        let progress = self.clone();
        let work = tokio::spawn(async move {
            let _place = place;
            progress.take_in(&event).await
        });
        match tokio::time::timeout(longest, work).await {
            Ok(Ok(done)) => Ok(done?),
            // Late, or it panicked: either way nobody knows.
            Ok(Err(_)) | Err(_) => Err(NotKept::Slow),
        }
    }

    /// Keeps an event and acts on it. A repeated one is passed over.
    async fn take_in(&self, event: &TaskEvent) -> Result<(), StoreError> {
        let is_new = self.store.keep_event(event, self.clock.now()).await?;
        // Also for a repeated one: the process may have ended between keeping it and acting on it.
        let is_known = self.catch_up(&event.task_id).await?;
        metrics::event(match (is_new, is_known) {
            (false, _) => Event::Duplicate,
            (true, false) => Event::Unknown,
            (true, true) => Event::Taken,
        });
        Ok(())
    }

    /// Acts on the events of a task that were kept and not yet acted on. `false`: there is no callback of that task yet.
    pub(super) async fn catch_up(&self, task_id: &str) -> Result<bool, StoreError> {
        loop {
            // A task of others, or one whose id is in an answer that is still on its way: the event waits.
            let Some(callback) = self.store.of_task(task_id).await? else {
                return Ok(false);
            };
            let events = self.store.events_of(task_id).await?;
            let pending: Vec<String> =
                events.iter().filter(|kept| !kept.applied).map(|kept| kept.event.id.clone()).collect();
            if pending.is_empty() {
                return Ok(true);
            }
            if let Some(next) = advanced(&callback, &events)
                && !self.move_on(&callback, next).await?
            {
                continue;
            }
            self.store.mark_applied(&pending).await?;
        }
    }

    /// Acts on what Webex answered when it was asked about the task of a callback that had been read before.
    pub(super) async fn take_answer(
        &self,
        callback: &Callback,
        status: TaskStatus,
    ) -> Result<(), StoreError> {
        if let Some(next) = caught_up(callback, status) {
            // Where another change came first, that one is newer than the answer.
            self.move_on(callback, next).await?;
        }
        Ok(())
    }

    /// Writes the next revision. `false`: another change came first.
    async fn move_on(&self, callback: &Callback, mut next: Callback) -> Result<bool, StoreError> {
        let now = self.clock.now();
        follow_on(callback, &mut next, now, self.quiet_s);
        let won = self.store.update(&next, None).await?;
        if won && next.state != callback.state {
            metrics::moved(callback.state, next.state);
            tracing::info!(
                callback = %next.id,
                site = next.request.site,
                task = next.task_id,
                from = callback.state.as_str(),
                state = next.state.as_str(),
                "callback moved"
            );
        }
        Ok(won)
    }
}

/// Makes `next` the revision after `callback`: what has not ended is asked about when it goes quiet.
pub(super) fn follow_on(callback: &Callback, next: &mut Callback, now: Timestamp, quiet_s: u64) {
    next.revision = callback.revision + 1;
    next.poll_at = Some(after_s(now, quiet_s)).filter(|_| !next.state.is_final());
    if next.state != callback.state {
        next.updated_at = now;
    }
}

/// The callback after what Webex answered; `None` where that is nothing new.
pub(super) fn caught_up(callback: &Callback, status: TaskStatus) -> Option<Callback> {
    let (state, failure) = match status {
        TaskStatus::Created => return None,
        TaskStatus::Queued => (State::Queued, None),
        TaskStatus::Offered => (State::Offered, None),
        TaskStatus::Assigned => (State::Connected, None),
        TaskStatus::Completed => (State::Completed, None),
        TaskStatus::Abandoned => (State::Failed, Some(Failure::NotConnected)),
    };
    if !may_move(callback.state, state) {
        return None;
    }
    let mut next = callback.clone();
    next.state = state;
    next.failure = failure.map(|failure| (failure, "Webex says that the task was abandoned".to_owned()));
    Some(next)
}

/// The callback after those events; `None` where they change nothing.
pub(super) fn advanced(callback: &Callback, events: &[KeptEvent]) -> Option<Callback> {
    let was_connected = callback.state == State::Connected
        || events.iter().any(|kept| kept.event.change == TaskChange::Connected);
    let mut next = callback.clone();
    for KeptEvent { event, .. } in events.iter().filter(|kept| !kept.applied) {
        let is_end = matches!(
            event.change,
            TaskChange::EndedByPeople | TaskChange::EndedBySystem | TaskChange::Failed
        );
        // Older news than what is known already. An end is an end whenever it is heard of.
        if !is_end && next.last_event_at.is_some_and(|last| event.at < last) {
            continue;
        }
        let (state, failure) = target(next.state, event.change, was_connected);
        next.last_event_at = next.last_event_at.max(Some(event.at));
        if may_move(next.state, state) {
            next.state = state;
            next.failure = failure.map(|failure| (failure, event.reason.clone().unwrap_or_default()));
        }
    }
    if next == *callback {
        return None;
    }
    Some(next)
}

/// Where a change leads; the present state where it leads nowhere.
fn target(state: State, change: TaskChange, was_connected: bool) -> (State, Option<Failure>) {
    match change {
        TaskChange::New => (state, None),
        // Where nobody picked up, the task goes back to its queue.
        TaskChange::Parked | TaskChange::NotPickedUp => (State::Queued, None),
        TaskChange::Offered => (State::Offered, None),
        TaskChange::Connected => (State::Connected, None),
        TaskChange::EndedByPeople => (State::Completed, None),
        TaskChange::EndedBySystem if was_connected => (State::Completed, None),
        TaskChange::EndedBySystem => (State::Failed, Some(Failure::NotConnected)),
        TaskChange::Failed => (State::Failed, Some(Failure::TaskFailed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::sample;

    fn requested() -> Callback {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut callback = sample::callback(now).moved_to(State::Sending, now).unwrap();
        callback = callback.moved_to(State::Requested, now).unwrap();
        callback.task_id = Some("t1".to_owned());
        callback
    }

    fn kept(change: TaskChange, second: i64) -> KeptEvent {
        let at = Timestamp::from_second(second).unwrap();
        let event = TaskEvent {
            id: format!("{change:?}{second}"),
            task_id: "t1".to_owned(),
            change,
            at,
            reason: None,
        };
        KeptEvent { event, applied: false }
    }

    fn state_after(changes: &[(TaskChange, i64)]) -> State {
        let events: Vec<_> = changes.iter().map(|(change, second)| kept(*change, *second)).collect();
        advanced(&requested(), &events).map_or(State::Requested, |next| next.state)
    }

    #[test]
    fn a_call_goes_its_way() {
        use TaskChange::{Connected, EndedByPeople, New, Offered, Parked};
        let way = [(New, 1), (Parked, 2), (Offered, 3), (Connected, 4), (EndedByPeople, 5)];
        let states = [State::Requested, State::Queued, State::Offered, State::Connected, State::Completed];
        for length in 1..=way.len() {
            assert_eq!(state_after(&way[..length]), states[length - 1]);
        }
    }

    #[test]
    fn an_agent_who_does_not_pick_up_sends_the_call_back_to_the_queue() {
        use TaskChange::{Connected, NotPickedUp, Offered, Parked};
        assert_eq!(state_after(&[(Parked, 1), (Offered, 2), (NotPickedUp, 3)]), State::Queued);
        assert_eq!(
            state_after(&[(Offered, 2), (NotPickedUp, 3), (Offered, 4), (Connected, 5)]),
            State::Connected
        );
    }

    #[test]
    fn old_news_changes_nothing() {
        let mut callback = requested();
        callback.state = State::Offered;
        callback.last_event_at = Timestamp::from_second(10).ok();
        for change in [TaskChange::New, TaskChange::Parked, TaskChange::NotPickedUp] {
            assert_eq!(advanced(&callback, &[kept(change, 9)]), None);
        }
        let next = advanced(&callback, &[kept(TaskChange::EndedByPeople, 9)]).unwrap();
        assert_eq!(next.state, State::Completed);
        assert_eq!(advanced(&next, &[kept(TaskChange::Parked, 99)]).unwrap().state, State::Completed);
    }

    #[test]
    fn an_end_by_the_system_counts_as_a_call_only_where_there_was_one() {
        use TaskChange::{Connected, EndedBySystem, Failed};
        assert_eq!(state_after(&[(EndedBySystem, 2)]), State::Failed);
        assert_eq!(state_after(&[(Connected, 1), (EndedBySystem, 2)]), State::Completed);
        assert_eq!(state_after(&[(Failed, 1)]), State::Failed);
    }

    #[test]
    fn an_answer_moves_a_callback_as_an_event_would_and_never_back() {
        use TaskStatus::{Abandoned, Assigned, Completed, Created, Offered, Queued};
        let state_after = |status| caught_up(&requested(), status).map(|next| next.state);
        assert_eq!(state_after(Created), None);
        assert_eq!(state_after(Queued), Some(State::Queued));
        assert_eq!(state_after(Offered), Some(State::Offered));
        assert_eq!(state_after(Assigned), Some(State::Connected));
        assert_eq!(state_after(Completed), Some(State::Completed));
        assert_eq!(state_after(Abandoned), Some(State::Failed));
        let mut connected = requested();
        connected.state = State::Connected;
        assert_eq!(caught_up(&connected, Queued), None);
        connected.state = State::Completed;
        assert_eq!(caught_up(&connected, Abandoned), None);
    }
}
