//! Carries the write-ahead log over to the database file, on a thread and a connection of its own: whoever waits for a commit
//! does not wait for that.
//!
//! What is committed meanwhile is carried over by the connection that writes, which then begins the log anew: a log that is
//! written without a pause would else never be all carried over, and would grow for as long (SQLite documentation,
//! "Write-Ahead Logging", section 6).

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::connection::connect;
use crate::store::{EndsTheProcess, StoreError, failed};

/// Pages in the log before they are carried over: a page that changes again and again is carried once. 16 MB, four times SQLite's
/// own.
const ENOUGH_PAGES: i32 = 4000;
/// Pages in the log before whoever writes carries them over, whatever the other thread does.
const MOST_PAGES: i32 = 4 * ENOUGH_PAGES;

const CARRY: &str = "PRAGMA wal_checkpoint(PASSIVE)";

thread_local! {
    /// Pages in the log after the last commit of this thread's connection.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// Whoever carries the log over beside the writing. Dropping it waits for what is under way.
pub(super) struct Checkpointer {
    orders: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    is_done: Arc<AtomicBool>,
    is_under_way: bool,
}

impl Checkpointer {
    pub(super) fn start(path: PathBuf) -> Result<Self, StoreError> {
        let (sender, orders) = sync_channel(1);
        let is_done = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("store-checkpoint".to_owned());
        let done = Arc::clone(&is_done);
        let thread = thread.spawn(move || run(&path, &orders, &done)).map_err(failed("start"))?;
        Ok(Self { orders: Some(sender), thread: Some(thread), is_done, is_under_way: false })
    }

    /// Has the connection's commits counted, in place of SQLite's own check after each.
    pub(super) fn count(connection: &Connection) {
        connection.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
    }

    /// Between two transactions: sees to it that the log does not grow.
    pub(super) fn look_after(&mut self, connection: &Connection) {
        let pages = PAGES.get();
        if self.is_under_way && (self.is_done.swap(false, Ordering::AcqRel) || pages >= MOST_PAGES) {
            self.is_under_way = false;
            carry_over(connection);
            // The next commit begins the log anew, unless somebody reads what is in it.
            PAGES.set(0);
        } else if !self.is_under_way && pages >= ENOUGH_PAGES {
            // The channel is full where the thread has not come to the order before: then there is nothing to order.
            self.is_under_way = self.orders.as_ref().is_some_and(|orders| orders.try_send(()).is_ok());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.orders = None;
        // Its panic has ended the process.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn run(path: &Path, orders: &Receiver<()>, is_done: &AtomicBool) {
    let _guard = EndsTheProcess;
    for () in orders {
        // Opened for each: one that is kept would hold pages of its own, and opening it is little beside what it carries.
        match connect(path) {
            Ok(connection) => carry_over(&connection),
            Err(error) => tracing::warn!(%error, "the store's log cannot be carried over"),
        }
        is_done.store(true, Ordering::Release);
    }
}

fn carry_over(connection: &Connection) {
    if let Err(error) = connection.query_row(CARRY, [], |_| Ok(())) {
        tracing::warn!(%error, "the store's log cannot be carried over");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_is_written_without_a_pause_is_begun_anew_time_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE told (words BLOB)")
            .unwrap();
        let connection = connect(&path).unwrap();
        let mut checkpointer = Checkpointer::start(path.clone()).unwrap();
        let (mut before, mut begun_anew, mut written) = (0, 0, 0);
        while begun_anew < 2 {
            connection.execute("INSERT INTO told VALUES (zeroblob(400000))", []).unwrap();
            written += 1;
            let pages = PAGES.get();
            begun_anew += u32::from(pages < before);
            before = pages;
            checkpointer.look_after(&connection);
            // The largest that two rounds take: each ends at the latest when the writing connection has to do it all.
            assert!(written < 2 * (MOST_PAGES / 90), "{pages} pages after {written} commits");
        }
        let most = u64::try_from(MOST_PAGES).unwrap() * 4200;
        assert!(path.with_extension("db-wal").metadata().unwrap().len() < most);
        drop(checkpointer);
        let kept: i64 = connection.query_row("SELECT count(*) FROM told", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, i64::from(written));
    }
}
