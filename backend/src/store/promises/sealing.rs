//! What lies in the database where there is a key.

use super::{Fresh, KEY, key, now};
use crate::callback::{Callback, State, sample};
use crate::store::vault::Clear;
use crate::store::{self, Claim, Inserted, StoreError, Use};

fn claim(callback: &Callback) -> Claim {
    let text = format!("{} {}", callback.request.site, callback.request.phone.e164());
    Claim { text, since: now(), cooled_since: None }
}

pub(super) async fn only_the_key_that_sealed_it_opens_a_store(mut fresh: Fresh) {
    fresh.config.encryption_key = KEY.into();
    let mut fresh = fresh.reopened().await;
    let callback = sample::callback(now());
    fresh.store.insert(&callback, None, None, None).await.unwrap();
    let path = fresh.folder.path().join("other.db");
    let Fresh { store, config, .. } = &mut fresh;
    *store = {
        let config = crate::config::Store { path, url: String::new().into(), ..config.clone() };
        store::open(&config, Use::Serve).await.unwrap()
    };
    for purpose in [Use::Serve, Use::Command] {
        config.encryption_key = "".into();
        assert!(matches!(store::open(config, purpose).await, Err(StoreError::NoKey)));
        config.encryption_key = KEY.replace('a', "b").into();
        assert!(matches!(store::open(config, purpose).await, Err(StoreError::OtherKey)));
        config.encryption_key = KEY.into();
        let opened = store::open(config, purpose).await.unwrap();
        assert_eq!(opened.get(callback.id).await.unwrap(), Some(callback.clone()));
    }
}

pub(super) async fn a_store_that_gets_a_key_is_sealed_row_by_row_and_keeps_its_claims(mut fresh: Fresh) {
    let (first, second) = (sample::callback(now()), sample::callback(now()));
    fresh.store.insert(&first, Some(&key("one", 1)), Some(&claim(&first)), None).await.unwrap();
    let mut over = second.clone();
    fresh.store.insert(&second, None, None, None).await.unwrap();
    over.state = State::Cancelled;
    over.revision += 1;
    assert!(fresh.store.update(&over, None).await.unwrap());
    fresh.config.encryption_key = KEY.into();
    let fresh = fresh.reopened().await;
    let store = &*fresh.store;
    // What was asked for before is known after, and joined.
    let known = store.inserted_with(&key("one", 1)).await.unwrap();
    assert_eq!(known, Some(Inserted::Before { id: first.id, joined: false }));
    assert_eq!(store.inserted_with(&key("one", 2)).await.unwrap(), Some(Inserted::KeyReused));
    let again = sample::callback(now());
    let inserted = store.insert(&again, None, Some(&claim(&again)), None).await.unwrap();
    assert_eq!(inserted, Inserted::Joined(first.id));
    // The rest is sealed in steps, and only once.
    let mut after = None;
    while let Some(last) = store.seal(Clear::All, after, 1).await.unwrap() {
        assert!(Some(last) > after);
        after = Some(last);
    }
    assert_eq!(store.seal(Clear::All, None, 10).await.unwrap(), None);
    let mut of_phone = store.of_phone(&first.request.phone).await.unwrap();
    of_phone.sort_by_key(|callback| callback.id);
    let mut all = vec![first, over];
    all.sort_by_key(|callback| callback.id);
    assert_eq!(of_phone, all);
    // A change ends the claim as ever.
    let mut ended = of_phone[0].clone();
    if ended.state != State::Accepted {
        ended = of_phone[1].clone();
    }
    ended.state = State::Cancelled;
    ended.revision += 1;
    assert!(store.update(&ended, None).await.unwrap());
    assert_eq!(store.insert(&again, None, Some(&claim(&again)), None).await.unwrap(), Inserted::New);
}
