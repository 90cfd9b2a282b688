//! A connection that writes.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::BUSY_TIMEOUT;
use super::checkpoint::Checkpointer;
use crate::store::{StoreError, failed};

/// The pages that are kept at hand, in kilobytes: twice SQLite's own. What is inserted comes in the order of time, so the ends
/// of tables and indexes are written, and little is read again.
const CACHE_KB: i64 = 4000;
/// Statements that are kept ready.
const STATEMENTS_MAX: usize = 64;

/// The start of a transaction, which takes the lock.
pub(super) const BEGIN: &str = "begin";

/// Opens a file that is there.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        // That is done beside the writing, see `checkpoint`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "cache_size", -CACHE_KB)?;
        // What is erased is overwritten, and not left on its page until something else needs the room.
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Checkpointer::count(&connection);
        Ok(connection)
    };
    opened().map_err(failed::<rusqlite::Error>(BEGIN))
}
