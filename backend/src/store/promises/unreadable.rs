//! Rows that nobody can read.

use secrecy::ExposeSecret as _;
use sqlx::AssertSqlSafe;
use sqlx::ConnectOptions as _;

use super::{Fresh, now, taken};
use crate::callback::{Callback, State, sample};
use crate::clock::after_s;

/// Has the row of a callback say what no version of the service writes.
async fn spoil(fresh: &Fresh, callback: &Callback) {
    let statement =
        AssertSqlSafe(format!("UPDATE callback SET door = 'no door' WHERE id = '{}'", callback.id));
    if fresh.config.is_postgres() {
        let options: sqlx::postgres::PgConnectOptions = fresh.config.url.expose_secret().parse().unwrap();
        sqlx::query(statement).execute(&mut options.connect().await.unwrap()).await.unwrap();
    } else {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&fresh.config.path);
        sqlx::query(statement).execute(&mut options.connect().await.unwrap()).await.unwrap();
    }
}

pub(super) async fn a_row_that_cannot_be_read_does_not_hold_up_the_others(fresh: Fresh) {
    let (spoilt, next) = (sample::callback(now()), sample::callback(after_s(now(), 1)));
    for callback in [&spoilt, &next] {
        fresh.store.insert(callback, None, None, None).await.unwrap();
    }
    spoil(&fresh, &spoilt).await;
    let later = after_s(now(), 2);
    // It was due first, and there is room for one at a time.
    let mut all = taken(&*fresh.store, later, 1).await;
    all.extend(taken(&*fresh.store, later, 1).await);
    assert_eq!(all, [next.id]);
    // It is looked at again, and not at once.
    let again = fresh.store.next_due().await.unwrap().unwrap();
    assert!(again > after_s(later, 60), "{again}");
    assert!(taken(&*fresh.store, again, 1).await.is_empty());
    assert!(fresh.store.next_due().await.unwrap().unwrap() > again);
}

pub(super) async fn nor_does_it_keep_others_from_being_asked_about(fresh: Fresh) {
    let mut asked_about = Vec::new();
    for second in [1, 2] {
        let callback = sample::callback(now());
        fresh.store.insert(&callback, None, None, None).await.unwrap();
        let sending = callback.moved_to(State::Sending, now()).unwrap();
        assert!(fresh.store.update(&sending, None).await.unwrap());
        let mut requested = sending.moved_to(State::Requested, now()).unwrap();
        requested.poll_at = Some(after_s(now(), second));
        assert!(fresh.store.update(&requested, None).await.unwrap());
        asked_about.push(requested);
    }
    spoil(&fresh, &asked_about[0]).await;
    let later = after_s(now(), 3);
    let mut quiet = fresh.store.quiet(later, 1).await.unwrap();
    quiet.extend(fresh.store.quiet(later, 1).await.unwrap());
    assert_eq!(quiet, asked_about[1..]);
}
