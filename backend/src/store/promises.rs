//! What every store promises. The tests know the trait alone, and run on each store.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::sqlite::{SqliteStore, Use};
use super::{Attempt, CREATE_TASK, IdempotencyKey, Inserted, Store, StoreError};
use crate::callback::{Callback, CallbackId, Failure, State, sample};
use crate::clock::after_s;
use crate::task_event::{TaskChange, TaskEvent};

/// A store of its own in a folder of its own.
struct Fresh {
    store: Arc<dyn Store>,
    folder: tempfile::TempDir,
}

impl Fresh {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Arc::new(SqliteStore::open(&folder.path().join("ringback.db"), Use::Serve).await.unwrap());
        Self { store, folder }
    }

    /// The same store after a restart.
    async fn reopened(self) -> Self {
        let Self { store, folder } = self;
        drop(store);
        let path = folder.path().join("ringback.db");
        Self { store: Arc::new(SqliteStore::open(&path, Use::Serve).await.unwrap()), folder }
    }
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn key(text: &str, fingerprint: u8) -> IdempotencyKey {
    IdempotencyKey { scope: "site:acme".to_owned(), key: text.to_owned(), fingerprint: [fingerprint; 32] }
}

#[tokio::test]
async fn what_was_inserted_is_there_after_a_restart_and_the_same() {
    let fresh = Fresh::new().await;
    let mut callback = sample::callback(now());
    callback.request.agent = Some("grace".to_owned());
    callback.request.reference = Some("case-7".to_owned());
    assert_eq!(fresh.store.insert(&callback, None).await.unwrap(), Inserted::New);
    let fresh = fresh.reopened().await;
    assert_eq!(fresh.store.get(callback.id).await.unwrap(), Some(callback));
    assert_eq!(fresh.store.get(CallbackId::new(now()).unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn one_key_makes_one_callback_however_often_and_however_fast_it_is_used() {
    let fresh = Fresh::new().await;
    let callbacks: Vec<_> = (0..50).map(|_| sample::callback(now())).collect();
    let key_a = key("a", 1);
    let inserted =
        join_all(callbacks.iter().map(|callback| fresh.store.insert(callback, Some(&key_a)))).await;
    let news = inserted.iter().filter(|inserted| matches!(inserted, Ok(Inserted::New))).count();
    assert_eq!(news, 1);
    let Some(Inserted::Before(id)) = fresh.store.inserted_with(&key_a).await.unwrap() else {
        panic!("the key is known");
    };
    for inserted in inserted {
        assert!(matches!(inserted.unwrap(), Inserted::New | Inserted::Before(_)));
    }
    assert_eq!(fresh.store.due(now(), 100).await.unwrap().len(), 1);
    let fresh = fresh.reopened().await;
    let again = fresh.store.insert(&callbacks[7], Some(&key_a)).await.unwrap();
    assert_eq!(again, Inserted::Before(id));
    let other = fresh.store.insert(&callbacks[8], Some(&key("a", 2))).await.unwrap();
    assert_eq!(other, Inserted::KeyReused);
    assert_eq!(fresh.store.inserted_with(&key("b", 1)).await.unwrap(), None);
}

#[tokio::test]
async fn of_two_changes_to_one_revision_the_first_wins() {
    let fresh = Fresh::new().await;
    let callback = sample::callback(now());
    fresh.store.insert(&callback, None).await.unwrap();
    let sending = callback.moved_to(State::Sending, now()).unwrap();
    let cancelled = callback.moved_to(State::Cancelled, now()).unwrap();
    let (first, second) =
        tokio::join!(fresh.store.update(&sending, None), fresh.store.update(&cancelled, None));
    assert_ne!(first.unwrap(), second.unwrap());
    assert_eq!(fresh.store.get(callback.id).await.unwrap().unwrap().revision, 1);
    assert!(!fresh.store.update(&sending, None).await.unwrap());
}

#[tokio::test]
async fn every_part_of_a_change_is_kept() {
    let fresh = Fresh::new().await;
    let callback = sample::callback(now());
    fresh.store.insert(&callback, None).await.unwrap();
    let mut next = callback.moved_to(State::Sending, after_s(now(), 1)).unwrap();
    next.attempts = 1;
    next.sent_at = Some(after_s(now(), 1));
    next.due_at = Some(after_s(now(), 31));
    assert!(fresh.store.update(&next, None).await.unwrap());
    assert_eq!(fresh.store.get(callback.id).await.unwrap().as_ref(), Some(&next));
    assert_eq!(fresh.store.sending().await.unwrap(), [next.clone()]);
    let mut last = next.moved_to(State::Failed, after_s(now(), 2)).unwrap();
    last.failure = Some((Failure::Refused, "why".to_owned()));
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
    assert!(fresh.store.sending().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_due_comes_in_the_order_in_which_it_became_due() {
    let fresh = Fresh::new().await;
    let mut expected = Vec::new();
    for second in [3, 1, 2] {
        let callback = sample::callback(after_s(now(), second));
        fresh.store.insert(&callback, None).await.unwrap();
        expected.push(callback);
    }
    expected.sort_by_key(|callback| callback.due_at);
    assert_eq!(fresh.store.next_due().await.unwrap(), Some(after_s(now(), 1)));
    assert_eq!(fresh.store.due(after_s(now(), 2), 10).await.unwrap(), expected[..2]);
    assert_eq!(fresh.store.due(after_s(now(), 9), 1).await.unwrap(), expected[..1]);
    assert!(fresh.store.due(now(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_event_is_kept_once_and_read_in_order() {
    let fresh = Fresh::new().await;
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

#[tokio::test]
async fn a_follower_hears_of_each_change_to_its_callback() {
    let fresh = Fresh::new().await;
    let callback = sample::callback(now());
    fresh.store.insert(&callback, None).await.unwrap();
    let mut subscription = fresh.store.changes().follow(callback.id);
    fresh.store.update(&callback.moved_to(State::Cancelled, now()).unwrap(), None).await.unwrap();
    subscription.changed().await;
}

#[tokio::test]
async fn the_first_key_is_made_once_and_kept() {
    let fresh = Fresh::new().await;
    let (first, second) = tokio::join!(fresh.store.signing_keys(now()), fresh.store.signing_keys(now()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(first[0].id, second[0].id);
    let fresh = fresh.reopened().await;
    assert_eq!(fresh.store.signing_keys(now()).await.unwrap()[0].id, first[0].id);
}

#[tokio::test]
async fn many_writes_at_once_are_all_kept() {
    let fresh = Fresh::new().await;
    let callbacks: Vec<Callback> = (0..1000).map(|_| sample::callback(now())).collect();
    let inserted = join_all(callbacks.iter().map(|callback| fresh.store.insert(callback, None))).await;
    assert!(inserted.into_iter().all(|inserted| matches!(inserted, Ok(Inserted::New))));
    assert_eq!(fresh.store.due(now(), 2000).await.unwrap().len(), 1000);
}

#[tokio::test]
async fn a_write_that_cannot_be_made_does_not_fail_for_its_neighbours() {
    let fresh = Fresh::new().await;
    let callback = sample::callback(now());
    let neighbour = sample::callback(now());
    // The second of the same id breaks the primary key.
    let (first, second, third) = tokio::join!(
        fresh.store.insert(&callback, None),
        fresh.store.insert(&callback, None),
        fresh.store.insert(&neighbour, None),
    );
    assert_eq!(first.unwrap(), Inserted::New);
    assert!(matches!(second, Err(StoreError::Database { .. })));
    assert_eq!(third.unwrap(), Inserted::New);
}

#[tokio::test]
async fn two_processes_do_not_serve_from_one_file_and_a_command_may_read_beside() {
    let fresh = Fresh::new().await;
    let path = fresh.folder.path().join("ringback.db");
    let told = SqliteStore::open(&path, Use::Serve).await.unwrap_err();
    assert!(matches!(told, StoreError::InUse(_)), "{told}");
    let beside = SqliteStore::open(&path, Use::Command).await.unwrap();
    assert_eq!(
        beside.signing_keys(now()).await.unwrap()[0].id,
        fresh.store.signing_keys(now()).await.unwrap()[0].id
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_told_and_recovers() {
    let fresh = Fresh::new().await;
    assert!(fresh.store.check().await.is_ok());
    // Another connection holds the write lock for longer than a write waits.
    let path = fresh.folder.path().join("ringback.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut other = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let callback = sample::callback(now());
    assert!(matches!(fresh.store.insert(&callback, None).await, Err(StoreError::Database { .. })));
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(fresh.store.check().await.is_ok());
    assert_eq!(fresh.store.insert(&callback, None).await.unwrap(), Inserted::New);
}
