//! What every store promises to requests that come at the same moment, whichever of them are written together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::join_all;

use super::{Fresh, key, now, taken};
use crate::callback::{Callback, CallbackId, State, sample};
use crate::store::outbox::Subscriber;
use crate::store::{self, Claim, IdempotencyKey, Inserted, Store, StoreError, Use};

const REQUESTS: usize = 240;
const KEYS: usize = 60;
/// So many that those who have a key have it each time.
const PERSONS: usize = KEYS / 2;

/// A request of somebody, with some of what requests may have.
struct Wanted {
    callback: Callback,
    key: Option<IdempotencyKey>,
    claim: Option<Claim>,
}

fn wanted(number: usize) -> Wanted {
    let claim = Claim { text: format!("acme {}", number % PERSONS), since: now(), cooled_since: None };
    Wanted {
        callback: sample::callback(now()),
        key: (!number.is_multiple_of(3)).then(|| key(&(number % KEYS).to_string(), 1)),
        claim: (!number.is_multiple_of(5)).then_some(claim),
    }
}

async fn inserted(store: &dyn Store, all: &[Wanted]) -> Vec<Inserted> {
    let each = all.iter().map(|one| store.insert(&one.callback, one.key.as_ref(), one.claim.as_ref(), None));
    join_all(each).await.into_iter().map(Result::unwrap).collect()
}

/// Those that were stored, when everybody has been told what is theirs: one of each claim, one of each key.
fn stored(told: &[(&Wanted, Inserted)]) -> HashSet<CallbackId> {
    let new: HashSet<_> =
        told.iter().filter(|(_, told)| *told == Inserted::New).map(|(one, _)| one.callback.id).collect();
    let mut of_key: HashMap<&str, HashSet<CallbackId>> = HashMap::new();
    let mut claimed: HashMap<&str, u32> = HashMap::new();
    for (one, told) in told {
        let id = match told {
            Inserted::New => one.callback.id,
            Inserted::Joined(id) | Inserted::Before { id, .. } => *id,
            other => panic!("{other:?}"),
        };
        assert!(new.contains(&id), "whoever is not stored is told of one that is");
        if let Some(key) = &one.key {
            of_key.entry(&key.key).or_default().insert(id);
        }
        if let Some(claim) = &one.claim
            && *told == Inserted::New
        {
            *claimed.entry(&claim.text).or_default() += 1;
        }
    }
    assert!(of_key.values().all(|ids| ids.len() == 1), "{of_key:?}");
    assert!(claimed.values().all(|count| *count == 1), "{claimed:?}");
    new
}

pub(super) async fn of_many_requests_at_once_each_is_told_what_is_theirs(fresh: Fresh) {
    let subscriber =
        Subscriber { webhook: "crm".to_owned(), sites: Vec::new(), states: vec![State::Accepted] };
    fresh.store.subscribe(vec![subscriber]);
    let all: Vec<_> = (0..REQUESTS).map(wanted).collect();
    let told = inserted(&*fresh.store, &all).await;
    let stored = stored(&all.iter().zip(told).collect::<Vec<_>>());
    let due: HashSet<_> = taken(&*fresh.store, now(), REQUESTS).await.into_iter().collect();
    assert_eq!(due, stored);
    let messages = fresh.store.messages(None, REQUESTS).await.unwrap();
    let of: HashSet<_> = messages.iter().map(|message| message.callback_id).collect();
    assert_eq!((of, messages.len()), (stored.clone(), stored.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_one_database_that_are_asked_the_same_at_once_tell_the_same() {
    let fresh = Fresh::postgres().await;
    let other = store::open(&fresh.config, Use::Serve).await.unwrap();
    let here: Vec<_> = (0..REQUESTS).map(wanted).collect();
    // From the end: whatever one has and waits for, the other waits for and has.
    let there: Vec<_> = (0..REQUESTS).rev().map(wanted).collect();
    let (here, there) = (Arc::new(here), Arc::new(there));
    let asking = [(Arc::clone(&fresh.store), Arc::clone(&here)), (other, Arc::clone(&there))];
    let asking = asking.map(|(store, all)| tokio::spawn(async move { inserted(&*store, &all).await }));
    let told: Vec<_> = join_all(asking).await.into_iter().flat_map(Result::unwrap).collect();
    let both: Vec<_> = here.iter().chain(there.iter()).zip(told).collect();
    let stored = stored(&both);
    let due: HashSet<_> = taken(&*fresh.store, now(), 2 * REQUESTS).await.into_iter().collect();
    assert_eq!(due, stored);
}

#[tokio::test]
async fn a_text_that_the_database_cannot_take_does_not_fail_for_its_neighbours() {
    let fresh = Fresh::postgres().await;
    let mut all: Vec<_> = (0..20).map(|_| sample::callback(now())).collect();
    "a\0b".clone_into(&mut all[7].request.reason);
    let told = join_all(all.iter().map(|callback| fresh.store.insert(callback, None, None, None))).await;
    for (number, told) in told.into_iter().enumerate() {
        match told {
            Ok(told) => assert_eq!((told, number != 7), (Inserted::New, true)),
            Err(error) => assert!(matches!((error, number), (StoreError::Database { .. }, 7))),
        }
    }
    assert_eq!(taken(&*fresh.store, now(), 20).await.len(), 19);
}
