//! What every store promises about the places in a slot.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::fresh::Fresh;
use super::{key, now};
use crate::callback::{Callback, State, sample};
use crate::clock::after_s;
use crate::schedule::{Keeper, Window};
use crate::slots::Place;
use crate::store::scheduled::Rescheduled;
use crate::store::{Arrival, Claim, Inserted, Store};

fn window(text: &str) -> Window {
    crate::schedule::sample::window(text)
}

fn nine() -> Window {
    window("2026-01-02T09:00:00/09:30:00[UTC]")
}

fn ten() -> Window {
    window("2026-01-02T10:00:00/10:30:00[UTC]")
}

fn place(window: &Window, capacity: u32) -> Place {
    Place { from: window.starts_at(), until: window.ends_at(), capacity }
}

fn booked(window: &Window, keeper: Keeper) -> Callback {
    Callback::book(sample::request(), now(), window.clone(), keeper).unwrap()
}

fn arrival(callback: Callback, place: &Place) -> Arc<Arrival> {
    Arc::new(Arrival { callback, key: None, claim: None, consent: None, place: Some(place.clone()) })
}

async fn insert(store: &dyn Store, callback: &Callback, place: &Place) -> Inserted {
    store.take_in(arrival(callback.clone(), place)).await.unwrap()
}

async fn begun(store: &dyn Store) -> Vec<Timestamp> {
    store.bookings("acme", now(), after_s(now(), 3 * 86_400)).await.unwrap()
}

pub(super) async fn no_more_have_a_place_in_a_slot_than_may_however_many_come_at_once(fresh: Fresh) {
    let three = place(&nine(), 3);
    let callbacks: Vec<_> = (0..20).map(|_| booked(&nine(), Keeper::Store)).collect();
    let inserted = join_all(callbacks.iter().map(|callback| insert(&*fresh.store, callback, &three))).await;
    assert_eq!(inserted.iter().filter(|inserted| **inserted == Inserted::New).count(), 3);
    assert_eq!(inserted.iter().filter(|inserted| **inserted == Inserted::SlotFull).count(), 17);
    let fresh = fresh.reopened().await;
    assert_eq!(begun(&*fresh.store).await, vec![nine().starts_at(); 3]);
    // Another slot, another site, and who takes no place: one who waits for the site to open.
    assert_eq!(insert(&*fresh.store, &booked(&ten(), Keeper::Store), &place(&ten(), 1)).await, Inserted::New);
    let mut elsewhere = booked(&nine(), Keeper::Store);
    elsewhere.request.site = "other".to_owned();
    assert_eq!(insert(&*fresh.store, &elsewhere, &place(&nine(), 1)).await, Inserted::New);
    let waits = Callback::book_at_opening(sample::request(), now(), nine(), Keeper::Store).unwrap();
    assert_eq!(fresh.store.insert(&waits, None, None, None).await.unwrap(), Inserted::New);
    assert_eq!(fresh.store.get(waits.id).await.unwrap(), Some(waits));
    assert_eq!(begun(&*fresh.store).await.len(), 4);
    // Nothing is left of a request that was refused, its key neither.
    let late = booked(&nine(), Keeper::Store);
    let keyed = Arrival { key: Some(key("late", 1)), ..Arc::unwrap_or_clone(arrival(late.clone(), &three)) };
    let full = fresh.store.take_in(Arc::new(keyed)).await.unwrap();
    assert_eq!(full, Inserted::SlotFull);
    assert_eq!(fresh.store.inserted_with(&key("late", 1)).await.unwrap(), None);
    assert_eq!(fresh.store.get(late.id).await.unwrap(), None);
}

pub(super) async fn a_place_is_given_back_when_its_callback_is_over_and_whoever_joins_needs_none(
    fresh: Fresh,
) {
    let one = place(&nine(), 1);
    let first = booked(&nine(), Keeper::Store);
    let claim =
        Claim { text: "acme +15555550142 nine".to_owned(), since: Timestamp::UNIX_EPOCH, cooled_since: None };
    let claimed = |callback: Callback| {
        let (store, claim) = (fresh.store.clone(), Some(claim.clone()));
        let claimed = Arrival { claim, ..Arc::unwrap_or_clone(arrival(callback, &one)) };
        async move { store.take_in(Arc::new(claimed)).await.unwrap() }
    };
    assert_eq!(claimed(first.clone()).await, Inserted::New);
    assert_eq!(claimed(booked(&nine(), Keeper::Store)).await, Inserted::Joined(first.id));
    assert_eq!(insert(&*fresh.store, &booked(&nine(), Keeper::Store), &one).await, Inserted::SlotFull);
    let over = first.moved_to(State::Cancelled, now()).unwrap();
    assert!(fresh.store.update(&over, None).await.unwrap());
    assert!(begun(&*fresh.store).await.is_empty());
    // Many with one claim come at once: all are taken in, by one place.
    let inserted = join_all((0..10).map(|_| claimed(booked(&nine(), Keeper::Store)))).await;
    assert_eq!(inserted.iter().filter(|inserted| **inserted == Inserted::New).count(), 1);
    assert!(!inserted.contains(&Inserted::SlotFull));
}

pub(super) async fn a_callback_that_is_moved_takes_its_new_place_and_gives_its_old_one_back(fresh: Fresh) {
    let store = &*fresh.store;
    let (at_nine, at_ten) = (place(&nine(), 1), place(&ten(), 1));
    let (first, second) = (booked(&nine(), Keeper::Store), booked(&ten(), Keeper::Store));
    for (callback, place) in [(&first, &at_nine), (&second, &at_ten)] {
        assert_eq!(insert(store, callback, place).await, Inserted::New);
    }
    let moved = |callback: &Callback, window: Window| callback.moved_to_window(window, now()).unwrap();
    let full = store.reschedule(&moved(&first, ten()), Some(&at_ten)).await.unwrap();
    assert_eq!(full, Rescheduled::SlotFull);
    assert_eq!(store.get(first.id).await.unwrap().as_ref(), Some(&first));
    // Within its own slot it needs no second place.
    let longer = moved(&first, window("2026-01-02T09:10:00/10:30:00[UTC]"));
    assert_eq!(store.reschedule(&longer, Some(&at_nine)).await.unwrap(), Rescheduled::Done);
    assert_eq!(store.reschedule(&longer, Some(&at_nine)).await.unwrap(), Rescheduled::Overtaken);
    let eleven = window("2026-01-02T11:00:00/11:30:00[UTC]");
    let away = moved(&second, eleven.clone());
    assert_eq!(store.reschedule(&away, Some(&place(&eleven, 1))).await.unwrap(), Rescheduled::Done);
    // Two want the place that is free now.
    let third = booked(&ten(), Keeper::Store);
    let next = moved(&longer, ten());
    let (rescheduled, inserted) =
        tokio::join!(store.reschedule(&next, Some(&at_ten)), insert(store, &third, &at_ten));
    let (rescheduled, inserted) = (rescheduled.unwrap(), inserted);
    assert!(
        matches!(
            (rescheduled, &inserted),
            (Rescheduled::Done, Inserted::SlotFull) | (Rescheduled::SlotFull, Inserted::New)
        ),
        "{rescheduled:?} {inserted:?}"
    );
    // While Webex is moving one, either window may come to be in force: it has a place in both.
    let mut kept = booked(&nine(), Keeper::Webex);
    let day = "2026-01-03T09:00:00/09:30:00[UTC]";
    assert_eq!(insert(store, &kept, &place(&nine(), 9)).await, Inserted::New);
    kept = kept.moved_to(State::Sending, now()).unwrap();
    assert!(store.update(&kept, None).await.unwrap());
    kept = kept.moved_to(State::Scheduled, now()).unwrap();
    kept.appointment.as_mut().unwrap().webex_id = Some("s-1".to_owned());
    assert!(store.update(&kept, None).await.unwrap());
    kept = moved(&kept, window(day));
    assert_eq!(kept.state, State::Rescheduling);
    assert_eq!(store.reschedule(&kept, Some(&place(&window(day), 1))).await.unwrap(), Rescheduled::Done);
    assert!(begun(store).await.contains(&window(day).starts_at()));
    assert!(begun(store).await.contains(&nine().starts_at()));
    assert_eq!(
        insert(store, &booked(&window(day), Keeper::Store), &place(&window(day), 1)).await,
        Inserted::SlotFull
    );
}
