//! Writes requests together that come while others are being written.
//!
//! A transaction of its own for each request is a commit for each, and wakes a process of the server and one of ours for each. What waits
//! while a batch is on its way goes into the next one, so the more there is to do, the less each costs.
//!
//! A batch takes what nothing stands in the way of. The others are left to be written by themselves, where what stands in the way is
//! found and told.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{Connection as _, Postgres};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::insertion::{self, Row};
use super::keys::{delete_keys, insert_keys};
use super::outbox;
use super::patient::PATIENCE;
use crate::callback::CallbackId;
use crate::store::outbox::Message;
use crate::store::reply::{Done, Post, Waiting, waiting};
use crate::store::vault::Vault;
use crate::store::{StoreError, end_the_process, failed};

/// Requests that may wait at once; a caller beyond that waits for a place.
const WAITING_MAX: usize = 4096;

/// Requests in one batch at most, so that the first of them is not kept waiting.
const BATCH_MAX: usize = 128;

/// How long after the beginning of a batch the next one may begin, which is no time to wait where little is going on. Each batch costs the
/// server the same whatever it holds, and the instances share one server: without the pause, two of them make twice as many batches of half
/// the size, and take in less than one.
const PACE: Duration = Duration::from_millis(1);

/// How long a connection is kept for the next batch. The pool asks a connection whether it is alive before it gives it, and gives each in
/// its turn: that is a journey more, to a process of the server whose memory has gone cold.
const KEPT: Duration = Duration::from_millis(200);

/// A row, and where to say whether it is stored.
struct Job {
    row: Arc<Row>,
    waiting: Waiting,
}

/// The way to the task that writes, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Batches {
    waiting: mpsc::Sender<Job>,
    _task: AbortOnDropHandle<()>,
}

impl Batches {
    pub(super) fn start(pool: &PgPool, vault: &Vault) -> Self {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        let run = AssertUnwindSafe(run(pool.clone(), vault.clone(), waiting)).catch_unwind();
        // A panic of its own, and not one around it while it is dropped.
        let task = tokio::spawn(async { run.await.unwrap_or_else(|_| end_the_process()) });
        Self { waiting: sender, _task: AbortOnDropHandle::new(task) }
    }

    /// Stores a callback with all that belongs to it. `false`: something stands in its way, and nothing was stored.
    pub(super) async fn take(&self, row: Arc<Row>) -> Result<bool, StoreError> {
        let (waiting, outcome) = waiting();
        self.waiting.send(Job { row, waiting }).await.map_err(|_| StoreError::Closed)?;
        Ok(outcome.await.map_err(|_| StoreError::Closed)??.rows == 1)
    }
}

async fn run(pool: PgPool, vault: Vault, mut waiting: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(BATCH_MAX);
    let mut kept = None;
    loop {
        let received = waiting.recv_many(&mut jobs, BATCH_MAX);
        let received = if kept.is_none() {
            received.await
        } else if let Ok(received) = timeout(KEPT, received).await {
            received
        } else {
            kept = None;
            continue;
        };
        if received == 0 {
            return;
        }
        let begun_at = Instant::now();
        let rows: Vec<&Row> = jobs.iter().map(|job| &*job.row).collect();
        let outcome = match connected(&pool, &mut kept).await {
            Ok(connection) => timeout(PATIENCE, write(connection, &vault, rows)).await,
            Err(error) => Ok(Err(error)),
        };
        let outcome = outcome.unwrap_or_else(|elapsed| {
            // Whatever is heard of it later is not for the next who uses it.
            drop(kept.take().map(PoolConnection::detach));
            Err(failed("wait for the database")(elapsed))
        });
        if outcome.is_err() {
            // The pool finds out whether it is good for anything.
            kept = None;
        }
        let mut post = Post::default();
        for Job { row, waiting } in jobs.drain(..) {
            let rows = match &outcome {
                Ok(taken) => Ok(u64::from(taken.contains(&row.callback().id))),
                // One row must not fail for its neighbours.
                Err(StoreError::Database { source, .. }) if is_of_one(&**source) => Ok(0),
                Err(StoreError::Database { operation, source }) => {
                    Err(StoreError::Database { operation, source: Arc::clone(source) })
                }
                Err(_) => Ok(0),
            };
            post.add(waiting, rows.map(|rows| Done { rows, before: None }));
        }
        post.send();
        sleep(PACE.saturating_sub(begun_at.elapsed())).await;
    }
}

/// The connection of the batch before, or one of the pool's.
async fn connected<'a>(
    pool: &PgPool,
    kept: &'a mut Option<PoolConnection<Postgres>>,
) -> Result<&'a mut PgConnection, StoreError> {
    match kept {
        Some(connection) => Ok(connection),
        None => Ok(kept.insert(pool.acquire().await.map_err(failed("connect"))?)),
    }
}

/// Puts the rows that one statement writes in one order for all instances. Two batches that both hold the claim which the other waits for
/// would wait until the server gives up one of them.
fn in_order(rows: &mut [&Row]) {
    rows.sort_by(|row, other| row.claim.cmp(&other.claim));
}

/// Whether the server refused the batch for one of its rows, and surely stored none: data that it cannot take (class 22), a constraint
/// (23), a conflict with another transaction (40). PostgreSQL documentation, appendix A.
fn is_of_one(error: &(dyn std::error::Error + 'static)) -> bool {
    let told = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    let code = told.and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["22", "23", "40"].iter().any(|class| code.starts_with(class)))
}

/// Stores what nothing stands in the way of, and gives it.
async fn write(
    connection: &mut PgConnection,
    vault: &Vault,
    mut rows: Vec<&Row>,
) -> Result<HashSet<CallbackId>, StoreError> {
    // One statement is a transaction of its own.
    if rows.iter().all(|row| row.arrival.key.is_none() && row.messages.is_empty()) {
        in_order(&mut rows);
        let taken = insertion::insert(connection, &rows).await;
        return Ok(taken.map_err(failed("insert a callback"))?.into_iter().collect());
    }
    let mut transaction = connection.begin().await.map_err(failed("begin"))?;
    let (keyed, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.arrival.key.is_some());
    let named = insert_keys(&mut transaction, &keyed).await.map_err(failed("insert a key"))?;
    let is_new = |row: &&Row| named.contains(&row.callback().id);
    let (named, _known): (Vec<&Row>, Vec<&Row>) = keyed.into_iter().partition(is_new);
    let mut free: Vec<&Row> = others.into_iter().chain(named.iter().copied()).collect();
    in_order(&mut free);
    let taken = insertion::insert(&mut transaction, &free).await.map_err(failed("insert a callback"))?;
    let taken: HashSet<CallbackId> = taken.into_iter().collect();
    let left: Vec<&Row> = named.into_iter().filter(|row| !taken.contains(&row.callback().id)).collect();
    delete_keys(&mut transaction, &left).await.map_err(failed("insert a key"))?;
    let stored = rows.iter().filter(|row| taken.contains(&row.callback().id));
    let messages: Vec<Message> = stored.flat_map(|row| row.messages.iter().cloned()).collect();
    outbox::insert(&mut transaction, vault, &messages).await?;
    transaction.commit().await.map_err(failed("commit"))?;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use jiff::Timestamp;

    use super::*;
    use crate::callback::sample;
    use crate::config;
    use crate::store::postgres::PostgresStore;
    use crate::store::{Arrival, Claim, IdempotencyKey, Use};

    fn row(store: &PostgresStore, claim: &str, key: Option<&str>) -> Arc<Row> {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let scope = "site:acme".to_owned();
        let arrival = Arrival {
            callback: sample::callback(now),
            key: key.map(|key| IdempotencyKey { scope, key: key.to_owned(), fingerprint: [0; 32] }),
            claim: Some(Claim { text: claim.to_owned(), since: now, cooled_since: None }),
            consent: None,
            place: None,
        };
        Arc::new(store.row(&Arc::new(arrival)).unwrap())
    }

    async fn somebody_waits(pool: &PgPool) -> bool {
        let waits = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock')";
        sqlx::query_scalar(waits).fetch_one(pool).await.unwrap()
    }

    #[tokio::test]
    async fn claims_are_taken_in_one_order_by_who_has_a_key_and_who_has_none() {
        let url = ringback_test_postgres::Server::shared().await.database().await;
        let store =
            PostgresStore::open(&config::Store::sample(Path::new(""), &url, ""), Use::Serve).await.unwrap();
        // A batch of another process has taken the first claim, and will take the last.
        let mut other = store.pool.begin().await.unwrap();
        insertion::insert(&mut other, &[&*row(&store, "a", None)]).await.unwrap();
        let rows = [row(&store, "a", Some("key")), row(&store, "z", None)];
        let (pool, vault) = (store.pool.clone(), store.vault.clone());
        let batch = tokio::spawn(async move {
            let rows = rows.iter().map(|row| &**row).collect();
            write(&mut pool.acquire().await.unwrap(), &vault, rows).await
        });
        while !somebody_waits(&store.pool).await {}
        // It waits without the last, and nobody for it.
        insertion::insert(&mut other, &[&*row(&store, "z", None)]).await.unwrap();
        other.rollback().await.unwrap();
        assert_eq!(batch.await.unwrap().unwrap().len(), 2);
    }
}
