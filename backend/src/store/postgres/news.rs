//! Tells the other processes on the same database what has changed, and hears from them (`LISTEN`, `NOTIFY`).
//!
//! A notification inside a transaction would make every commit wait for the one before, since PostgreSQL keeps
//! notifications in the order of commits. So the changes are gathered after their commits and told together, on a
//! connection of their own. They are hints: a process that dies with news untold delays others, and loses nothing.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::patient::PATIENCE;
use crate::callback::CallbackId;
use crate::store::{Changes, Use};

/// The channel of the notifications.
const CHANNEL: &str = "ringback_changes";

/// Items in one notification: a payload holds less than 8000 bytes (PostgreSQL documentation, "NOTIFY"), one item 37 at most.
const ITEMS_MAX: usize = 200;

/// Changes that wait to be told. More are left out: whoever follows those asks again in time.
const WAITING_MAX: usize = 10_000;

/// How long to gather news after some were told. A notification is a commit, which the server flushes, and every other process looks for work
/// after it: told one by one, the changes of two processes cost more than they saved.
const GATHERING: Duration = Duration::from_millis(20);

/// How long nothing may be heard before the server is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(10);

/// How long to wait after the database has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a heartbeat is called in a notification.
const HEARTBEAT: &str = "heartbeat";

/// Something to tell.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    /// A callback has changed.
    Callback(CallbackId),
    /// There is something new in a heartbeat.
    Heartbeat,
}

/// The way to the tasks that tell and hear, which end when this is dropped.
#[derive(Debug)]
pub(super) struct News {
    untold: mpsc::Sender<Item>,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl News {
    pub(super) fn start(pool: &PgPool, changes: &Changes, purpose: Use) -> Self {
        let (untold, waiting) = mpsc::channel(WAITING_MAX);
        let own = uuid::Uuid::new_v4().to_string();
        let mut tasks = vec![AbortOnDropHandle::new(tokio::spawn(tell(pool.clone(), waiting, own.clone())))];
        if purpose == Use::Serve {
            tasks.push(AbortOnDropHandle::new(tokio::spawn(hear(pool.clone(), changes.clone(), own))));
        }
        Self { untold, _tasks: tasks }
    }

    /// Tells it, soon.
    pub(super) fn tell(&self, item: Item) {
        // Full: the database is away, and whoever waits for the news asks again.
        let _ = self.untold.try_send(item);
    }
}

async fn tell(pool: PgPool, mut waiting: mpsc::Receiver<Item>, own: String) {
    let mut items = Vec::with_capacity(ITEMS_MAX);
    while waiting.recv_many(&mut items, ITEMS_MAX).await > 0 {
        let is_all = items.len() < ITEMS_MAX;
        let payload = items.drain(..).fold(own.clone(), |payload, item| match item {
            Item::Callback(id) => format!("{payload} {id}"),
            Item::Heartbeat => format!("{payload} {HEARTBEAT}"),
        });
        let query = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload);
        let told = timeout(PATIENCE, query.execute(&pool)).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        if let Err(error) = told {
            tracing::warn!(%error, "other instances were not told of changes; they find them later");
        }
        if is_all {
            tokio::time::sleep(GATHERING).await;
        }
    }
}

async fn hear(pool: PgPool, changes: Changes, own: String) {
    loop {
        if let Err(error) = listen(&pool, &changes, &own).await {
            tracing::warn!(%error, "changes of other instances cannot be heard; trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen(pool: &PgPool, changes: &Changes, own: &str) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // Whatever was told before this moment was missed.
    changes.tell_all();
    loop {
        let Ok(heard) = timeout(SILENCE, listener.try_recv()).await else {
            // Whoever only listens is not told that the other side is gone.
            let answer = timeout(PATIENCE, sqlx::query("SELECT 1").execute(&mut listener)).await;
            answer.map_err(|_| sqlx::Error::PoolTimedOut)??;
            continue;
        };
        match heard? {
            Some(notification) => {
                let mut words = notification.payload().split(' ');
                if words.next() != Some(own) {
                    words.for_each(|word| tell_here(changes, word));
                }
            }
            None => changes.tell_all(),
        }
    }
}

fn tell_here(changes: &Changes, word: &str) {
    if word == HEARTBEAT {
        changes.tell_instances();
    } else if let Some(id) = CallbackId::parse(word) {
        changes.tell(&[id]);
    }
}
