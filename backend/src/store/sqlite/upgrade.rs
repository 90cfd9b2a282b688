//! A file of an earlier version, opened by this one.

use std::borrow::Cow;
use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{MIGRATIONS, SqliteStore};
use crate::callback::CallbackId;
use crate::config;
use crate::store::{Store as _, Use};

/// The version before the table of callbacks was made anew.
const BEFORE: i64 = 23;
const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const HELD: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

/// Rows of that version: a callback under way and one that an operator has to look at, and what refers to them.
const ROWS: &str = "
    INSERT INTO callback (id, site, door, phone, name, email, reason, message, page, locale, state, task_id, attempts, created_at,
        updated_at, deadline, poll_at, revision, claim, fields)
    VALUES ('01890a5d-ac96-774b-bcce-b302099a8057', 'acme', 'site', '+12025550142', 'Ann', '', 'orders', 'Hello', '', 'en', 'requested',
        'task-1', 1, 1000, 2000, 9000, 3000, 2, 'acme +12025550142', '{\"size\":\"L\"}');
    INSERT INTO callback (id, site, door, phone, name, email, reason, message, page, locale, state, attempts, created_at, updated_at,
        deadline, revision, claim, ended_at)
    VALUES ('01890a5d-ac96-774b-bcce-b302099a8058', 'acme', 'crm', '+12025550143', '', '', '', '', '', 'en', 'unconfirmed', 1, 1001, 2001,
        9001, 3, 'acme +12025550143', 2001);
    INSERT INTO idempotency (scope, key, fingerprint, callback_id, created_at)
    VALUES ('site:acme', 'once', x'00', '01890a5d-ac96-774b-bcce-b302099a8057', 1000);
    INSERT INTO attempt (callback_id, operation, begun_at, took_ms, status, tracking_id, outcome)
    VALUES ('01890a5d-ac96-774b-bcce-b302099a8057', 'create_task', 1500, 40, 201, 'track', 'sent');
    INSERT INTO outgoing_message (webhook, id, callback_id, body, status, attempts, created_at)
    VALUES ('crm', 'message-1', '01890a5d-ac96-774b-bcce-b302099a8057', '{}', 'sent', 1, 1600);
";

async fn connection(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    options.journal_mode(SqliteJournalMode::Wal).foreign_keys(true).connect().await.unwrap()
}

/// Brings a file to that version.
async fn migrate(connection: &mut SqliteConnection, version: i64) {
    let known = MIGRATIONS.migrations.iter().filter(|migration| migration.version <= version).cloned();
    let migrator = Migrator { migrations: Cow::Owned(known.collect()), ..Migrator::DEFAULT };
    migrator.run(connection).await.unwrap();
}

async fn earlier(path: &Path) {
    let mut connection = connection(path).await;
    migrate(&mut connection, BEFORE).await;
    sqlx::raw_sql(ROWS).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn count(connection: &mut SqliteConnection, what: &str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {what}")))
        .fetch_one(connection)
        .await
        .unwrap()
}

async fn all_is_there(path: &Path) {
    let store = SqliteStore::open(&config::Store::sample(path, "", ""), Use::Command).await.unwrap();
    let callback = store.get(CallbackId::parse(ID).unwrap()).await.unwrap().unwrap();
    assert_eq!(callback.task_id.as_deref(), Some("task-1"));
    assert_eq!((callback.revision, callback.request.fields.len()), (2, 1));
    assert_eq!(store.of_task("task-1").await.unwrap().unwrap().id, callback.id);
    assert_eq!(store.attempts(callback.id).await.unwrap().len(), 1);
    assert!(store.get(CallbackId::parse(HELD).unwrap()).await.unwrap().is_some());
    drop(store);
    let mut connection = connection(path).await;
    for (what, expected) in [
        ("callback", 2),
        ("idempotency", 1),
        ("attempt", 1),
        // Would go with its callback.
        ("outgoing_message", 1),
        ("pragma_foreign_key_check", 0),
        (
            "callback INDEXED BY callback_held WHERE claim IS NOT NULL AND due_at IS NULL AND poll_at IS NULL",
            1,
        ),
    ] {
        assert_eq!(count(&mut connection, what).await, expected, "{what}");
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn the_rows_of_an_earlier_version_and_what_refers_to_them_are_there_after_the_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    earlier(&path).await;
    all_is_there(&path).await;
}

/// A migration that runs without a transaction of its own is written down after it is done.
#[tokio::test]
async fn an_upgrade_that_was_cut_before_it_was_written_down_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ringback.db");
    earlier(&path).await;
    let mut connection = connection(&path).await;
    migrate(&mut connection, BEFORE + 1).await;
    let forget = sqlx::query("DELETE FROM _sqlx_migrations WHERE version > ?").bind(BEFORE);
    forget.execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    all_is_there(&path).await;
}
