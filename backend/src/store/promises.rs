//! What every store promises. The tests know the trait alone, and run on each store.

mod crm;
mod fresh;
mod moving;
mod number;
mod processes;
mod retention;
mod sealing;
mod slots;
mod together;
mod trust;
mod unreadable;

use futures_util::future::join_all;
use jiff::Timestamp;

use self::crm::{
    a_list_holds_what_is_wanted_alone, an_api_key_is_kept_found_and_taken_back_once,
    each_change_of_state_writes_its_message_for_who_wants_it,
    messages_are_taken_once_settled_once_and_tried_again,
    pages_repeat_nothing_and_leave_nothing_out_while_more_comes_in,
    what_a_crm_adds_to_the_attributes_is_kept, what_stands_in_fields_of_the_operators_own_is_kept,
};
use self::fresh::{Fresh, KEY};
use self::number::{
    a_claim_goes_with_the_number_and_all_else_stays, a_number_rests_after_a_call_whoever_gives_it,
    of_many_who_agree_at_once_each_is_kept_with_what_they_agreed_to,
    of_many_who_want_one_number_and_of_those_who_take_it_one_wins,
    the_claim_of_another_from_before_a_restart_is_left_alone,
    the_claim_of_another_is_left_alone_until_it_ends_or_is_too_old,
    who_gives_another_number_agrees_to_be_called_there,
};
use self::retention::{
    many_erase_at_once_and_each_callback_is_erased_once,
    only_what_has_ended_is_erased_and_all_that_tells_who_it_was,
    what_nobody_asks_about_any_more_is_erased_as_what_has_ended,
};
use self::sealing::{
    a_store_that_gets_a_key_is_sealed_row_by_row_and_keeps_its_claims,
    only_the_key_that_sealed_it_opens_a_store,
};
use self::slots::{
    a_callback_that_is_moved_takes_its_new_place_and_gives_its_old_one_back,
    a_place_is_given_back_when_its_callback_is_over_and_whoever_joins_needs_none,
    no_more_have_a_place_in_a_slot_than_may_however_many_come_at_once,
};
use self::together::of_many_requests_at_once_each_is_told_what_is_theirs;
use self::trust::{keys_are_added_and_retired_and_the_newest_stays, links_are_taken_back_for_good};
use self::unreadable::{
    a_row_that_cannot_be_read_does_not_hold_up_the_others, nor_does_it_keep_others_from_being_asked_about,
};
use super::queue::Waiting;
use super::{Attempt, CREATE_TASK, Claim, IdempotencyKey, Inserted, Store, StoreError};
use crate::agent::AgentName;
use crate::callback::{Callback, CallbackId, Failure, Fallback, State, sample};
use crate::clock::after_s;
use crate::schedule::Keeper;
use crate::task_event::{TaskChange, TaskEvent};

/// Runs each promise on each store.
macro_rules! promises {
    ($($promise:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $promise() { super::$promise(super::Fresh::sqlite().await).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $promise() { super::$promise(super::Fresh::postgres().await).await; })*
        }
        mod sealed_sqlite {
            $(#[tokio::test] async fn $promise() { super::$promise(super::Fresh::sealed_sqlite().await).await; })*
        }
        mod sealed_postgres {
            $(#[tokio::test] async fn $promise() { super::$promise(super::Fresh::sealed_postgres().await).await; })*
        }
    };
}

promises! {
    what_was_inserted_is_there_after_a_restart_and_the_same
    one_key_makes_one_callback_however_often_and_however_fast_it_is_used
    of_two_changes_to_one_revision_the_first_wins
    every_part_of_a_change_is_kept
    what_is_due_comes_in_the_order_in_which_it_became_due
    an_event_is_kept_once_and_read_in_order
    a_follower_hears_of_each_change_to_its_callback
    the_first_key_is_made_once_and_kept
    keys_are_added_and_retired_and_the_newest_stays
    links_are_taken_back_for_good
    only_what_has_ended_is_erased_and_all_that_tells_who_it_was
    what_nobody_asks_about_any_more_is_erased_as_what_has_ended
    many_erase_at_once_and_each_callback_is_erased_once
    only_the_key_that_sealed_it_opens_a_store
    a_store_that_gets_a_key_is_sealed_row_by_row_and_keeps_its_claims
    many_writes_at_once_are_all_kept
    of_many_requests_at_once_each_is_told_what_is_theirs
    a_write_that_cannot_be_made_does_not_fail_for_its_neighbours
    no_two_takers_get_one_callback
    a_site_with_much_to_do_does_not_hold_back_the_others
    of_many_with_one_claim_the_first_is_stored_and_the_others_join_it
    a_claim_ends_with_its_callback_and_with_its_time
    a_claim_goes_with_the_number_and_all_else_stays
    the_claim_of_another_is_left_alone_until_it_ends_or_is_too_old
    the_claim_of_another_from_before_a_restart_is_left_alone
    a_number_rests_after_a_call_whoever_gives_it
    of_many_who_want_one_number_and_of_those_who_take_it_one_wins
    who_gives_another_number_agrees_to_be_called_there
    of_many_who_agree_at_once_each_is_kept_with_what_they_agreed_to
    an_appointment_is_kept_with_each_of_its_changes_and_a_claim_to_its_window_with_the_window
    no_more_have_a_place_in_a_slot_than_may_however_many_come_at_once
    a_place_is_given_back_when_its_callback_is_over_and_whoever_joins_needs_none
    a_callback_that_is_moved_takes_its_new_place_and_gives_its_old_one_back
    what_a_crm_adds_to_the_attributes_is_kept
    what_stands_in_fields_of_the_operators_own_is_kept
    an_api_key_is_kept_found_and_taken_back_once
    pages_repeat_nothing_and_leave_nothing_out_while_more_comes_in
    a_list_holds_what_is_wanted_alone
    each_change_of_state_writes_its_message_for_who_wants_it
    messages_are_taken_once_settled_once_and_tried_again
    a_row_that_cannot_be_read_does_not_hold_up_the_others
    nor_does_it_keep_others_from_being_asked_about
    a_credential_is_renewed_by_one_at_a_time
    what_has_something_to_do_is_counted_by_state
}

/// Takes every callback that is due, and gives their ids in order.
async fn taken(store: &dyn Store, now: Timestamp, limit: usize) -> Vec<CallbackId> {
    let step = |callback: &Callback| {
        let mut next = callback.clone();
        next.due_at = None;
        next.revision += 1;
        Some(next)
    };
    store.take_due(now, limit, &step).await.unwrap().iter().map(|callback| callback.id).collect()
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn key(text: &str, fingerprint: u8) -> IdempotencyKey {
    IdempotencyKey { scope: "site:acme".to_owned(), key: text.to_owned(), fingerprint: [fingerprint; 32] }
}

async fn what_was_inserted_is_there_after_a_restart_and_the_same(fresh: Fresh) {
    let mut callback = sample::callback(now());
    callback.request.agent = Some(AgentName::parse("grace.loh@example.com"));
    callback.fallback = Some((Fallback::AgentNotConfigured, "gone".to_owned()));
    callback.request.reference = Some("case-7".to_owned());
    assert_eq!(fresh.store.insert(&callback, None, None, None).await.unwrap(), Inserted::New);
    let fresh = fresh.reopened().await;
    assert_eq!(fresh.store.get(callback.id).await.unwrap(), Some(callback));
    assert_eq!(fresh.store.get(CallbackId::new(now()).unwrap()).await.unwrap(), None);
}

async fn one_key_makes_one_callback_however_often_and_however_fast_it_is_used(fresh: Fresh) {
    let callbacks: Vec<_> = (0..50).map(|_| sample::callback(now())).collect();
    let key_a = key("a", 1);
    let inserted =
        join_all(callbacks.iter().map(|callback| fresh.store.insert(callback, Some(&key_a), None, None)))
            .await;
    let news = inserted.iter().filter(|inserted| matches!(inserted, Ok(Inserted::New))).count();
    assert_eq!(news, 1);
    let Some(Inserted::Before { id, joined: false }) = fresh.store.inserted_with(&key_a).await.unwrap()
    else {
        panic!("the key is known");
    };
    for inserted in inserted {
        assert!(matches!(inserted.unwrap(), Inserted::New | Inserted::Before { .. }));
    }
    assert_eq!(taken(&*fresh.store, now(), 100).await.len(), 1);
    let fresh = fresh.reopened().await;
    let again = fresh.store.insert(&callbacks[7], Some(&key_a), None, None).await.unwrap();
    assert_eq!(again, Inserted::Before { id, joined: false });
    let other = fresh.store.insert(&callbacks[8], Some(&key("a", 2)), None, None).await.unwrap();
    assert_eq!(other, Inserted::KeyReused);
    assert_eq!(fresh.store.inserted_with(&key("b", 1)).await.unwrap(), None);
}

async fn of_two_changes_to_one_revision_the_first_wins(fresh: Fresh) {
    let callback = sample::callback(now());
    fresh.store.insert(&callback, None, None, None).await.unwrap();
    let sending = callback.moved_to(State::Sending, now()).unwrap();
    let cancelled = callback.moved_to(State::Cancelled, now()).unwrap();
    let (first, second) =
        tokio::join!(fresh.store.update(&sending, None), fresh.store.update(&cancelled, None));
    assert_ne!(first.unwrap(), second.unwrap());
    assert_eq!(fresh.store.get(callback.id).await.unwrap().unwrap().revision, 1);
    assert!(!fresh.store.update(&sending, None).await.unwrap());
}

async fn what_has_something_to_do_is_counted_by_state(fresh: Fresh) {
    let store = &*fresh.store;
    assert_eq!(store.waiting().await.unwrap(), []);
    let callbacks: Vec<_> = (0..4).map(|index| sample::callback(after_s(now(), index))).collect();
    for callback in &callbacks {
        store.insert(callback, None, None, None).await.unwrap();
    }
    let mut sending = callbacks[0].moved_to(State::Sending, now()).unwrap();
    sending.due_at = Some(after_s(now(), 30));
    store.update(&sending, None).await.unwrap();
    // Nothing more to do.
    store.update(&callbacks[1].moved_to(State::Cancelled, now()).unwrap(), None).await.unwrap();
    let accepted = Waiting { state: State::Accepted, count: 2, first_due: after_s(now(), 2) };
    let sending = Waiting { state: State::Sending, count: 1, first_due: after_s(now(), 30) };
    assert_eq!(store.waiting().await.unwrap(), [accepted, sending]);
}

async fn every_part_of_a_change_is_kept(fresh: Fresh) {
    let callback = sample::callback(now());
    fresh.store.insert(&callback, None, None, None).await.unwrap();
    let mut next = callback.moved_to(State::Sending, after_s(now(), 1)).unwrap();
    next.attempts = 1;
    next.sent_at = Some(after_s(now(), 1));
    next.due_at = Some(after_s(now(), 31));
    assert!(fresh.store.update(&next, None).await.unwrap());
    assert_eq!(fresh.store.get(callback.id).await.unwrap().as_ref(), Some(&next));
    let mut last = next.moved_to(State::Failed, after_s(now(), 2)).unwrap();
    last.failure = Some((Failure::Refused, "why".to_owned()));
    last.fallback = Some((Fallback::AgentRefused, "no such flow".to_owned()));
    last.task_id = Some("t1".to_owned());
    last.last_event_at = Some(after_s(now(), 2));
    let attempt = Attempt {
        operation: CREATE_TASK,
        begun_at: after_s(now(), 1),
        took_ms: 12,
        status: Some(400),
        tracking_id: "RINGBACK_1".to_owned(),
        outcome: "why".to_owned(),
    };
    assert!(fresh.store.update(&last, Some(&attempt)).await.unwrap());
    assert_eq!(fresh.store.of_task("t1").await.unwrap(), Some(last));
    assert_eq!(fresh.store.attempts(callback.id).await.unwrap(), [attempt]);
    assert_eq!(fresh.store.next_due().await.unwrap(), None);
}

async fn what_is_due_comes_in_the_order_in_which_it_became_due(fresh: Fresh) {
    let mut expected = Vec::new();
    for second in [3, 1, 2] {
        let callback = sample::callback(after_s(now(), second));
        fresh.store.insert(&callback, None, None, None).await.unwrap();
        expected.push(callback);
    }
    expected.sort_by_key(|callback| callback.due_at);
    assert_eq!(fresh.store.next_due().await.unwrap(), Some(after_s(now(), 1)));
    let expected: Vec<_> = expected.iter().map(|callback| callback.id).collect();
    assert!(taken(&*fresh.store, now(), 10).await.is_empty());
    assert_eq!(taken(&*fresh.store, after_s(now(), 9), 1).await, expected[..1]);
    assert_eq!(taken(&*fresh.store, after_s(now(), 2), 10).await, expected[1..2]);
    assert_eq!(taken(&*fresh.store, after_s(now(), 9), 10).await, expected[2..]);
}

async fn an_event_is_kept_once_and_read_in_order(fresh: Fresh) {
    let event = |id: &str, change, second| TaskEvent {
        id: id.to_owned(),
        task_id: "t1".to_owned(),
        change,
        at: after_s(now(), second),
        reason: Some("why".to_owned()),
    };
    let (late, early) = (event("e2", TaskChange::Connected, 2), event("e1", TaskChange::Offered, 1));
    assert!(fresh.store.keep_event(&late, now()).await.unwrap());
    assert!(fresh.store.keep_event(&early, now()).await.unwrap());
    assert!(!fresh.store.keep_event(&late, now()).await.unwrap());
    let kept = fresh.store.events_of("t1").await.unwrap();
    assert_eq!(kept.iter().map(|kept| &kept.event).collect::<Vec<_>>(), [&early, &late]);
    fresh.store.mark_applied(&["e1".to_owned()]).await.unwrap();
    let applied: Vec<_> =
        fresh.store.events_of("t1").await.unwrap().iter().map(|kept| kept.applied).collect();
    assert_eq!(applied, [true, false]);
    assert_eq!(fresh.store.forget_events(now()).await.unwrap(), 0);
    assert_eq!(fresh.store.forget_events(after_s(now(), 1)).await.unwrap(), 2);
    assert!(fresh.store.events_of("t1").await.unwrap().is_empty());
}

async fn a_follower_hears_of_each_change_to_its_callback(fresh: Fresh) {
    let callback = sample::callback(now());
    fresh.store.insert(&callback, None, None, None).await.unwrap();
    let mut subscription = fresh.store.changes().follow(callback.id);
    fresh.store.update(&callback.moved_to(State::Cancelled, now()).unwrap(), None).await.unwrap();
    subscription.changed().await;
}

async fn the_first_key_is_made_once_and_kept(fresh: Fresh) {
    let (first, second) = tokio::join!(fresh.store.signing_keys(now()), fresh.store.signing_keys(now()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(first[0].id, second[0].id);
    let fresh = fresh.reopened().await;
    assert_eq!(fresh.store.signing_keys(now()).await.unwrap()[0].id, first[0].id);
}

async fn many_writes_at_once_are_all_kept(fresh: Fresh) {
    let callbacks: Vec<Callback> = (0..1000).map(|_| sample::callback(now())).collect();
    let inserted =
        join_all(callbacks.iter().map(|callback| fresh.store.insert(callback, None, None, None))).await;
    assert!(inserted.into_iter().all(|inserted| matches!(inserted, Ok(Inserted::New))));
    assert_eq!(taken(&*fresh.store, now(), 2000).await.len(), 1000);
}

async fn a_write_that_cannot_be_made_does_not_fail_for_its_neighbours(fresh: Fresh) {
    let callback = sample::callback(now());
    let neighbour = sample::callback(now());
    // One of the two with the same id breaks the primary key.
    let (first, second, third) = tokio::join!(
        fresh.store.insert(&callback, None, None, None),
        fresh.store.insert(&callback, None, None, None),
        fresh.store.insert(&neighbour, None, None, None),
    );
    let (stored, refused) = if first.is_ok() { (first, second) } else { (second, first) };
    assert_eq!(stored.unwrap(), Inserted::New);
    assert!(matches!(refused, Err(StoreError::Database { .. })));
    assert_eq!(third.unwrap(), Inserted::New);
}

async fn no_two_takers_get_one_callback(fresh: Fresh) {
    let callbacks: Vec<Callback> = (0..200).map(|_| sample::callback(now())).collect();
    join_all(callbacks.iter().map(|callback| fresh.store.insert(callback, None, None, None))).await;
    let mut all = Vec::new();
    while all.len() < 200 {
        let rounds = (0..8).map(|_| taken(&*fresh.store, now(), 7));
        all.extend(join_all(rounds).await.into_iter().flatten());
    }
    all.sort();
    let mut expected: Vec<_> = callbacks.iter().map(|callback| callback.id).collect();
    expected.sort();
    assert_eq!(all, expected);
}

async fn a_site_with_much_to_do_does_not_hold_back_the_others(fresh: Fresh) {
    let mut of_others = Vec::new();
    for (site, count) in [("big", 100), ("small", 3), ("tiny", 1)] {
        for _ in 0..count {
            let mut callback = sample::callback(after_s(now(), 1));
            site.clone_into(&mut callback.request.site);
            // The big one came first.
            callback.due_at = Some(if site == "big" { now() } else { after_s(now(), 1) });
            fresh.store.insert(&callback, None, None, None).await.unwrap();
            if site != "big" {
                of_others.push(callback.id);
            }
        }
    }
    let later = after_s(now(), 2);
    let mut first = Vec::new();
    // One place at a time, as under load.
    for _ in 0..8 {
        first.extend(taken(&*fresh.store, later, 1).await);
    }
    assert!(of_others.iter().all(|id| first.contains(id)));
    // Where others have nothing, nothing is left free.
    assert_eq!(taken(&*fresh.store, later, 50).await.len(), 50);
    assert_eq!(taken(&*fresh.store, later, 100).await.len(), 46);
}

fn claim(since: Timestamp) -> Claim {
    Claim { text: "acme +15555550142".to_owned(), since, cooled_since: None }
}

async fn of_many_with_one_claim_the_first_is_stored_and_the_others_join_it(fresh: Fresh) {
    let callbacks: Vec<_> = (0..30).map(|_| sample::callback(now())).collect();
    let keys: Vec<_> = (0..30).map(|index| key(&index.to_string(), 1)).collect();
    let claim = claim(now());
    let inserting = callbacks
        .iter()
        .zip(&keys)
        .map(|(callback, key)| fresh.store.insert(callback, Some(key), Some(&claim), None));
    let inserted: Vec<_> = join_all(inserting).await.into_iter().map(Result::unwrap).collect();
    let stored = taken(&*fresh.store, now(), 100).await;
    assert_eq!(stored.len(), 1);
    for (index, inserted) in inserted.iter().enumerate() {
        let joined = callbacks[index].id != stored[0];
        let expected = if joined { Inserted::Joined(stored[0]) } else { Inserted::New };
        assert_eq!(*inserted, expected);
        // The same request again is answered as the first time.
        let again =
            fresh.store.insert(&sample::callback(now()), Some(&keys[index]), Some(&claim), None).await;
        assert_eq!(again.unwrap(), Inserted::Before { id: stored[0], joined });
    }
    // A request without a claim is stored by itself.
    let another = sample::callback(now());
    assert_eq!(fresh.store.insert(&another, None, None, None).await.unwrap(), Inserted::New);
}

async fn a_claim_ends_with_its_callback_and_with_its_time(fresh: Fresh) {
    let insert = async |callback: &Callback, since| {
        fresh.store.insert(callback, None, Some(&claim(since)), None).await.unwrap()
    };
    let first = sample::callback(now());
    assert_eq!(insert(&first, now()).await, Inserted::New);
    let sending = first.moved_to(State::Sending, now()).unwrap();
    assert!(fresh.store.update(&sending, None).await.unwrap());
    let second = sample::callback(now());
    assert_eq!(insert(&second, now()).await, Inserted::Joined(first.id));
    let failed = sending.moved_to(State::Failed, now()).unwrap();
    assert!(fresh.store.update(&failed, None).await.unwrap());
    assert_eq!(insert(&second, now()).await, Inserted::New);
    // What has gone on for too long keeps nobody from being called.
    let third = sample::callback(after_s(now(), 60));
    assert_eq!(insert(&third, after_s(now(), 1)).await, Inserted::New);
    assert_eq!(insert(&sample::callback(now()), now()).await, Inserted::Joined(third.id));
}

async fn a_credential_is_renewed_by_one_at_a_time(fresh: Fresh) {
    let store = &fresh.store;
    assert_eq!(store.credential().await.unwrap(), None);
    assert!(!store.lease_credential(1, now(), after_s(now(), 30)).await.unwrap());
    store.set_credential(b"first").await.unwrap();
    let first = store.credential().await.unwrap().unwrap();
    assert_eq!(first.sealed, b"first");
    let leasing = (0..20).map(|_| store.lease_credential(first.revision, now(), after_s(now(), 30)));
    let won = join_all(leasing).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!(won, 1);
    // Another may try when the time is up, or when the first gives up.
    assert!(store.lease_credential(first.revision, after_s(now(), 30), after_s(now(), 60)).await.unwrap());
    store.release_credential(first.revision).await.unwrap();
    assert!(store.lease_credential(first.revision, now(), after_s(now(), 30)).await.unwrap());
    assert!(store.replace_credential(first.revision, b"second").await.unwrap());
    assert!(!store.replace_credential(first.revision, b"late").await.unwrap());
    let fresh = fresh.reopened().await;
    let second = fresh.store.credential().await.unwrap().unwrap();
    assert_eq!((second.revision, &second.sealed[..]), (first.revision + 1, &b"second"[..]));
    // A new login takes the place of whatever is there.
    fresh.store.set_credential(b"third").await.unwrap();
    assert_eq!(fresh.store.credential().await.unwrap().unwrap().revision, second.revision + 1);
    assert!(fresh.store.forget_credential().await.unwrap());
    assert!(!fresh.store.forget_credential().await.unwrap());
}

async fn an_appointment_is_kept_with_each_of_its_changes_and_a_claim_to_its_window_with_the_window(
    fresh: Fresh,
) {
    let [first, second] =
        ["2026-01-02T10:00:00/12:00:00[Europe/Berlin]", "2026-01-03T10:00:00/12:00:00[UTC]"]
            .map(crate::schedule::sample::window);
    let book = |keeper| Callback::book(sample::request(), now(), first.clone(), keeper).unwrap();
    let callback = book(Keeper::Webex);
    let claimed = Some(claim(Timestamp::UNIX_EPOCH));
    assert_eq!(fresh.store.insert(&callback, None, claimed.as_ref(), None).await.unwrap(), Inserted::New);
    assert_eq!(fresh.store.get(callback.id).await.unwrap().as_ref(), Some(&callback));
    let mut next = callback.moved_to(State::Sending, now()).unwrap();
    assert!(fresh.store.update(&next, None).await.unwrap());
    next = next.moved_to(State::Scheduled, now()).unwrap();
    next.appointment.as_mut().unwrap().webex_id = Some("s-1".to_owned());
    assert!(fresh.store.update(&next, None).await.unwrap());
    assert_eq!(fresh.store.of_schedule("s-1").await.unwrap(), Some(callback.id));
    assert_eq!(fresh.store.of_schedule("s-2").await.unwrap(), None);
    let joined = fresh.store.insert(&book(Keeper::Store), None, claimed.as_ref(), None).await.unwrap();
    assert_eq!(joined, Inserted::Joined(callback.id));
    // Being moved, it has its window still.
    next = next.moved_to_window(second.clone(), now()).unwrap();
    assert!(fresh.store.update(&next, None).await.unwrap());
    let fresh = fresh.reopened().await;
    assert_eq!(fresh.store.get(callback.id).await.unwrap().as_ref(), Some(&next));
    let joined = fresh.store.insert(&book(Keeper::Store), None, claimed.as_ref(), None).await.unwrap();
    assert_eq!(joined, Inserted::Joined(callback.id));
    next = next.moved_to(State::Scheduled, now()).unwrap();
    let kept = next.appointment.as_mut().unwrap();
    (kept.wanted, kept.window) = (None, second.clone());
    next.deadline = second.ends_at();
    assert!(fresh.store.update(&next, None).await.unwrap());
    assert_eq!(fresh.store.get(callback.id).await.unwrap().as_ref(), Some(&next));
    let other = book(Keeper::Store);
    assert_eq!(fresh.store.insert(&other, None, claimed.as_ref(), None).await.unwrap(), Inserted::New);
    assert_eq!(fresh.store.get(other.id).await.unwrap(), Some(other));
}
