//! What holds where several processes have one store, and while a store cannot be had.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::{Fresh, now};
use crate::callback::{Callback, State, sample};
use crate::clock::after_s;
use crate::store::sqlite::SqliteStore;
use crate::store::{self, Heartbeat, Inserted, Instances, Store, StoreError, Use};

/// Stores a callback that is being sent.
async fn sending(store: &dyn Store) -> Callback {
    let callback = sample::callback(now());
    store.insert(&callback, None, None, None).await.unwrap();
    let next = callback.moved_to(State::Sending, now()).unwrap();
    let mut next = Callback { due_at: Some(after_s(now(), 30)), ..next };
    next.attempts = 1;
    assert!(store.update(&next, None).await.unwrap());
    next
}

#[tokio::test]
async fn what_was_being_sent_has_surely_lost_its_process_only_where_there_can_be_but_one() {
    let fresh = Fresh::sqlite().await;
    let callback = sending(&*fresh.store).await;
    assert_eq!(fresh.reopened().await.store.orphans().await.unwrap(), [callback]);
    let fresh = Fresh::postgres().await;
    sending(&*fresh.store).await;
    assert!(fresh.reopened().await.store.orphans().await.unwrap().is_empty());
}

#[tokio::test]
async fn processes_on_one_database_hear_of_each_others_changes() {
    let fresh = Fresh::postgres().await;
    let other = store::open(&fresh.config, Use::Serve).await.unwrap();
    let callback = sample::callback(now());
    fresh.store.insert(&callback, None, None, None).await.unwrap();
    other.changes().work().await;
    let mut follower = other.changes().follow(callback.id);
    let cancelled = callback.moved_to(State::Cancelled, now()).unwrap();
    fresh.store.update(&cancelled, None).await.unwrap();
    follower.changed().await;
    // The first news may be that the other has begun to listen.
    while other.get(callback.id).await.unwrap().as_ref() != Some(&cancelled) {
        follower.changed().await;
    }
}

#[tokio::test]
async fn processes_on_one_database_count_each_other_and_hear_of_a_pause_at_once() {
    let fresh = Fresh::postgres().await;
    let other = store::open(&fresh.config, Use::Serve).await.unwrap();
    let until = after_s(now(), 60);
    let beat =
        |instance: &str, paused_until, news| Heartbeat { instance: instance.to_owned(), paused_until, news };
    let alone = fresh.store.heartbeat(&beat("a", None, false)).await.unwrap();
    assert_eq!(alone, Instances { count: 1, paused_until: None });
    // Until both listen, a notification may pass unheard.
    other.changes().work().await;
    let both = fresh.store.heartbeat(&beat("a", Some(until), true)).await.unwrap();
    assert_eq!(both, Instances { count: 1, paused_until: Some(until) });
    other.changes().instances().await;
    let both = other.heartbeat(&beat("b", None, false)).await.unwrap();
    assert_eq!(both, Instances { count: 2, paused_until: Some(until) });
    let fresh = Fresh::sqlite().await;
    let alone = fresh.store.heartbeat(&beat("a", Some(until), true)).await.unwrap();
    assert_eq!(alone, Instances { count: 1, paused_until: Some(until) });
}

#[tokio::test]
async fn a_database_whose_connections_are_cut_is_told_and_recovers() {
    let fresh = Fresh::postgres().await;
    let other = store::open(&fresh.config, Use::Serve).await.unwrap();
    let callback = sample::callback(now());
    fresh.store.insert(&callback, None, None, None).await.unwrap();
    let mut follower = other.changes().follow(callback.id);
    let options: sqlx::postgres::PgConnectOptions = fresh.config.url.expose_secret().parse().unwrap();
    let mut operator = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = 'ringback' AND datname = current_database()",
    )
    .execute(&mut operator)
    .await
    .unwrap();
    // Whoever follows is told to look again once the connection is back.
    follower.changed().await;
    while fresh.store.check().await.is_err() {}
    let cancelled = callback.moved_to(State::Cancelled, now()).unwrap();
    while fresh.store.update(&cancelled, None).await.is_err() {}
    while other.get(callback.id).await.ok().flatten().as_ref() != Some(&cancelled) {
        follower.changed().await;
    }
}

#[tokio::test]
async fn two_processes_do_not_serve_from_one_file_and_a_command_may_read_beside() {
    let fresh = Fresh::sqlite().await;
    let told = SqliteStore::open(&fresh.config, Use::Serve).await.unwrap_err();
    assert!(matches!(told, StoreError::InUse(_)), "{told}");
    let mut linked = fresh.config.clone();
    linked.path = fresh.folder.path().join("linked.db");
    std::os::unix::fs::symlink(&fresh.config.path, &linked.path).unwrap();
    let told = SqliteStore::open(&linked, Use::Serve).await.unwrap_err();
    assert!(matches!(told, StoreError::InUse(_)), "{told}");
    let beside: Arc<dyn Store> = Arc::new(SqliteStore::open(&fresh.config, Use::Command).await.unwrap());
    assert_eq!(
        beside.signing_keys(now()).await.unwrap()[0].id,
        fresh.store.signing_keys(now()).await.unwrap()[0].id
    );
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_told_and_recovers() {
    let fresh = Fresh::sqlite().await;
    assert!(fresh.store.check().await.is_ok());
    // Another connection holds the write lock for longer than a write waits.
    let path = fresh.folder.path().join("ringback.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut other = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let callback = sample::callback(now());
    assert!(matches!(
        fresh.store.insert(&callback, None, None, None).await,
        Err(StoreError::Database { .. })
    ));
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(fresh.store.check().await.is_ok());
    assert_eq!(fresh.store.insert(&callback, None, None, None).await.unwrap(), Inserted::New);
}
