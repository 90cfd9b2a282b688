//! Rows that cannot be read: damaged, or of a newer version that serves beside this one. One of them must not hold up the others, and
//! nothing is written into it but when it is looked at again.

use jiff::Timestamp;

use super::row::Columns;
use super::vault::Vault;
use crate::callback::Callback;
use crate::clock::after_s;

/// How long such a row is left alone, in seconds. Each time it is told again.
const PAUSE_S: u64 = 600;

/// Puts off the row of that id (`$3`) which is due by now (`$1`) until then (`$2`). Its revision stays: whoever can read it goes on with it.
pub(super) const PUT_OFF: &str = "UPDATE callback SET \
     due_at = CASE WHEN due_at <= $1 THEN $2 ELSE due_at END, \
     poll_at = CASE WHEN poll_at <= $1 THEN $2 ELSE poll_at END WHERE id = $3";

/// What of some rows could be read.
#[derive(Debug, Default)]
pub(super) struct Readable {
    /// The callbacks, in the order of their rows.
    pub(super) callbacks: Vec<Callback>,
    /// The ids of the other rows.
    pub(super) others: Vec<String>,
}

impl Readable {
    /// Reads what can be read.
    pub(super) fn of<R: Columns>(rows: &[R], vault: &Vault) -> Self {
        let mut readable = Self::default();
        for row in rows {
            match vault.callback(row) {
                Ok(callback) => readable.callbacks.push(callback),
                Err(error) => {
                    let id = row.text("id").unwrap_or_default();
                    tracing::error!(callback = id, %error, "a callback is left alone");
                    readable.others.push(id.to_owned());
                }
            }
        }
        readable
    }
}

/// Until when a row that could not be read now is left alone.
pub(super) fn until(now: Timestamp) -> Timestamp {
    after_s(now, PAUSE_S)
}
