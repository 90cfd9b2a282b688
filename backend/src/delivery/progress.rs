//! What Webex tells of a task becomes the callback's state. Events may be lost, repeated or out of order.

use crate::callback::{Callback, Failure, State, may_move};
use crate::clock::SharedClock;
use crate::store::{KeptEvent, Store, StoreError};
use crate::task_event::{TaskChange, TaskEvent};

/// Keeps an event and acts on it. A repeated one is passed over.
pub async fn take_in(store: &dyn Store, clock: &SharedClock, event: &TaskEvent) -> Result<(), StoreError> {
    store.keep_event(event, clock.now()).await?;
    // Also for a repeated one: the process may have ended between keeping it and acting on it.
    catch_up(store, clock, &event.task_id).await
}

/// Acts on the events of a task that were kept and not yet acted on.
pub(super) async fn catch_up(
    store: &dyn Store,
    clock: &SharedClock,
    task_id: &str,
) -> Result<(), StoreError> {
    loop {
        // A task of others, or one whose id is in an answer that is still on its way: the event waits.
        let Some(callback) = store.of_task(task_id).await? else {
            return Ok(());
        };
        let events = store.events_of(task_id).await?;
        let pending: Vec<String> =
            events.iter().filter(|kept| !kept.applied).map(|kept| kept.event.id.clone()).collect();
        if pending.is_empty() {
            return Ok(());
        }
        if let Some(next) = advanced(&callback, &events, clock) {
            if !store.update(&next, None).await? {
                continue;
            }
            if next.state != callback.state {
                tracing::info!(
                    callback = %next.id,
                    site = next.request.site,
                    task = task_id,
                    from = callback.state.as_str(),
                    state = next.state.as_str(),
                    "callback moved"
                );
            }
        }
        store.mark_applied(&pending).await?;
    }
}

/// The callback after those events; `None` where they change nothing.
fn advanced(callback: &Callback, events: &[KeptEvent], clock: &SharedClock) -> Option<Callback> {
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
    next.revision = callback.revision + 1;
    if next.state != callback.state {
        next.updated_at = clock.now();
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
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::callback::sample;
    use crate::clock::by_hand::ManualClock;

    fn clock() -> SharedClock {
        Arc::new(ManualClock::at("2026-01-01T00:00:00Z"))
    }

    fn requested() -> Callback {
        let now = clock().now();
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
        advanced(&requested(), &events, &clock()).map_or(State::Requested, |next| next.state)
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
            assert_eq!(advanced(&callback, &[kept(change, 9)], &clock()), None);
        }
        let next = advanced(&callback, &[kept(TaskChange::EndedByPeople, 9)], &clock()).unwrap();
        assert_eq!(next.state, State::Completed);
        assert_eq!(
            advanced(&next, &[kept(TaskChange::Parked, 99)], &clock()).unwrap().state,
            State::Completed
        );
    }

    #[test]
    fn an_end_by_the_system_counts_as_a_call_only_where_there_was_one() {
        use TaskChange::{Connected, EndedBySystem, Failed};
        assert_eq!(state_after(&[(EndedBySystem, 2)]), State::Failed);
        assert_eq!(state_after(&[(Connected, 1), (EndedBySystem, 2)]), State::Completed);
        assert_eq!(state_after(&[(Failed, 1)]), State::Failed);
    }
}
