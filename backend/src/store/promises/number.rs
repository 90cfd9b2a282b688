//! Another number, and the claim that goes with it.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{Fresh, now, taken};
use crate::callback::{Callback, State, sample};
use crate::clock::after_s;
use crate::personal::Personal;
use crate::phone::PhoneNumber;
use crate::store::ledger::Given;
use crate::store::number::Renumbered;
use crate::store::{Claim, Inserted};

fn phone(last: u32) -> PhoneNumber {
    PhoneNumber::from_e164(&format!("+1555555{last:04}")).unwrap()
}

fn callback_to(last: u32) -> Callback {
    let mut callback = sample::callback(now());
    callback.request.phone = phone(last);
    callback
}

fn claim_of(callback: &Callback, since: Timestamp) -> Claim {
    let text = format!("{} {}", callback.request.site, callback.request.phone.e164());
    Claim { text, since, cooled_since: None }
}

async fn inserted(fresh: &Fresh, callback: &Callback) -> Inserted {
    fresh.store.insert(callback, None, Some(&claim_of(callback, now())), None).await.unwrap()
}

async fn renumbered(fresh: &Fresh, next: &Callback) -> Renumbered {
    fresh.store.change_number(next, Some(&claim_of(next, now())), None).await.unwrap()
}

pub(super) async fn a_claim_goes_with_the_number_and_all_else_stays(fresh: Fresh) {
    let mut callback = callback_to(142);
    callback.request.attributes = [("order".to_owned(), Personal::new("4711"))].into();
    assert_eq!(inserted(&fresh, &callback).await, Inserted::New);
    let next = callback.with_number(phone(143), after_s(now(), 1)).unwrap();
    let mut follower = fresh.store.changes().follow(callback.id);
    assert_eq!(renumbered(&fresh, &next).await, Renumbered::Done);
    follower.changed().await;
    assert_eq!(fresh.store.get(callback.id).await.unwrap().as_ref(), Some(&next));
    let fresh = fresh.reopened().await;
    assert_eq!(fresh.store.get(callback.id).await.unwrap().as_ref(), Some(&next));
    assert_eq!(fresh.store.of_phone(&phone(143)).await.unwrap(), std::slice::from_ref(&next));
    assert!(fresh.store.of_phone(&phone(142)).await.unwrap().is_empty());
    // Whoever asks for the new number joins, whoever asks for the former one does not.
    assert_eq!(inserted(&fresh, &callback_to(143)).await, Inserted::Joined(callback.id));
    assert_eq!(inserted(&fresh, &callback_to(142)).await, Inserted::New);
    // And it ends with its callback.
    assert!(fresh.store.update(&next.moved_to(State::Cancelled, now()).unwrap(), None).await.unwrap());
    assert_eq!(inserted(&fresh, &callback_to(143)).await, Inserted::New);
}

pub(super) async fn the_claim_of_another_is_left_alone_until_it_ends_or_is_too_old(fresh: Fresh) {
    let (one, other) = (callback_to(142), callback_to(143));
    for callback in [&one, &other] {
        assert_eq!(inserted(&fresh, callback).await, Inserted::New);
    }
    let next = one.with_number(phone(143), now()).unwrap();
    assert_eq!(renumbered(&fresh, &next).await, Renumbered::Claimed(other.id));
    assert_eq!(fresh.store.get(one.id).await.unwrap().as_ref(), Some(&one));
    assert_eq!(inserted(&fresh, &callback_to(142)).await, Inserted::Joined(one.id));
    let late = claim_of(&next, after_s(now(), 1));
    assert_eq!(fresh.store.change_number(&next, Some(&late), None).await.unwrap(), Renumbered::Done);
    assert_eq!(inserted(&fresh, &callback_to(143)).await, Inserted::Joined(one.id));
    // One that had no claim takes it all the same.
    let another = callback_to(144);
    fresh.store.insert(&another, None, None, None).await.unwrap();
    let next = another.with_number(phone(145), now()).unwrap();
    assert_eq!(renumbered(&fresh, &next).await, Renumbered::Done);
    assert_eq!(inserted(&fresh, &callback_to(145)).await, Inserted::Joined(another.id));
}

pub(super) async fn the_claim_of_another_from_before_a_restart_is_left_alone(fresh: Fresh) {
    let (one, other) = (callback_to(142), callback_to(143));
    for callback in [&one, &other] {
        assert_eq!(inserted(&fresh, callback).await, Inserted::New);
    }
    // The change is the first thing that is written.
    let fresh = fresh.reopened().await;
    let next = one.with_number(phone(143), now()).unwrap();
    assert_eq!(renumbered(&fresh, &next).await, Renumbered::Claimed(other.id));
}

pub(super) async fn a_number_rests_after_a_call_whoever_gives_it(fresh: Fresh) {
    let ended = callback_to(143);
    assert_eq!(inserted(&fresh, &ended).await, Inserted::New);
    let mut last = ended.clone();
    (last.state, last.revision, last.updated_at) = (State::Completed, 1, after_s(now(), 60));
    assert!(fresh.store.update(&last, None).await.unwrap());
    let callback = callback_to(142);
    assert_eq!(inserted(&fresh, &callback).await, Inserted::New);
    let next = callback.with_number(phone(143), now()).unwrap();
    let claim = |cooled_since| Claim { cooled_since: Some(cooled_since), ..claim_of(&next, now()) };
    let asked = fresh.store.change_number(&next, Some(&claim(now())), None).await.unwrap();
    assert_eq!(asked, Renumbered::TooSoon { ended_at: after_s(now(), 60) });
    let asked = fresh.store.change_number(&next, Some(&claim(after_s(now(), 60))), None).await.unwrap();
    assert_eq!(asked, Renumbered::Done);
}

pub(super) async fn of_many_who_want_one_number_and_of_those_who_take_it_one_wins(fresh: Fresh) {
    let callbacks: Vec<_> = (200..220).map(callback_to).collect();
    for callback in &callbacks {
        assert_eq!(inserted(&fresh, callback).await, Inserted::New);
    }
    let next: Vec<_> =
        callbacks.iter().map(|callback| callback.with_number(phone(300), now()).unwrap()).collect();
    let new = callback_to(300);
    let changing = join_all(next.iter().map(|next| renumbered(&fresh, next)));
    let (changed, joined) = tokio::join!(changing, inserted(&fresh, &new));
    let done = changed.iter().filter(|changed| **changed == Renumbered::Done).count();
    let holder = match joined {
        Inserted::New => new.id,
        Inserted::Joined(holder) => holder,
        other => panic!("{other:?}"),
    };
    assert_eq!(done, usize::from(holder != new.id));
    for (callback, changed) in callbacks.iter().zip(changed) {
        let expected = if callback.id == holder { Renumbered::Done } else { Renumbered::Claimed(holder) };
        assert_eq!(changed, expected);
    }
    // Against a dispatcher, either it is changed before it is taken, or it is not changed.
    let callback = callbacks.iter().find(|callback| callback.id != holder).unwrap();
    let next = callback.with_number(phone(301), now()).unwrap();
    let (changed, mut sent) = tokio::join!(renumbered(&fresh, &next), taken(&*fresh.store, now(), 100));
    // A dispatcher that had read it before it was changed comes second, and takes it when it looks again.
    sent.extend(taken(&*fresh.store, now(), 100).await);
    assert!(sent.contains(&callback.id));
    let expected = if changed == Renumbered::Done { phone(301) } else { callback.request.phone.clone() };
    assert!([Renumbered::Done, Renumbered::Overtaken].contains(&changed), "{changed:?}");
    let stored = fresh.store.get(callback.id).await.unwrap().unwrap();
    assert_eq!(stored.request.phone, expected);
    assert_eq!(renumbered(&fresh, &next).await, Renumbered::Overtaken);
}

pub(super) async fn who_gives_another_number_agrees_to_be_called_there(fresh: Fresh) {
    let given = Given { text_hash: "00".to_owned(), version: "1".to_owned(), language: "en".to_owned() };
    let callback = callback_to(142);
    fresh.store.insert(&callback, None, None, Some(&given)).await.unwrap();
    let next = callback.with_number(phone(143), after_s(now(), 60)).unwrap();
    let changed = fresh.store.change_number(&next, None, Some(&given)).await.unwrap();
    assert_eq!(changed, Renumbered::Done);
    // What is not written is not agreed to.
    let changed = fresh.store.change_number(&next, None, Some(&given)).await.unwrap();
    assert_eq!(changed, Renumbered::Overtaken);
    for (number, at) in [(142, now()), (143, after_s(now(), 60))] {
        let consents = fresh.store.consents(Some(&phone(number)), 0).await.unwrap();
        assert_eq!(consents.len(), 1, "{number}");
        assert_eq!((consents[0].callback_id.clone(), consents[0].at), (Some(callback.id.to_string()), at));
    }
}

pub(super) async fn of_many_who_agree_at_once_each_is_kept_with_what_they_agreed_to(fresh: Fresh) {
    let given = |number: u32| Given {
        text_hash: number.to_string(),
        version: format!("version {number}"),
        language: "en".to_owned(),
    };
    let all: Vec<_> = (100..150).map(|number| (callback_to(number), given(number))).collect();
    let stored = all.iter().map(|(callback, given)| fresh.store.insert(callback, None, None, Some(given)));
    assert!(join_all(stored).await.into_iter().all(|stored| stored.unwrap() == Inserted::New));
    for (callback, given) in all {
        let consents = fresh.store.consents(Some(&callback.request.phone), 0).await.unwrap();
        assert_eq!(consents.len(), 1, "{}", given.version);
        let consent = &consents[0];
        assert_eq!(consent.callback_id, Some(callback.id.to_string()));
        assert_eq!((&consent.text_hash, &consent.version), (&given.text_hash, &given.version));
        assert_eq!((&consent.page, consent.at), (&callback.request.page, callback.created_at));
    }
    assert_eq!(fresh.store.consents(None, 0).await.unwrap().len(), 50);
}
