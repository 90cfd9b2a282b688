//! A bounded memory of what happened.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::route::Operation;

/// The newest entries, and how many older ones were forgotten.
#[derive(Debug)]
pub(crate) struct Records<T> {
    entries: VecDeque<T>,
    keep: usize,
    dropped: u64,
}

impl<T> Records<T> {
    pub(crate) fn new(keep: usize) -> Self {
        Self { entries: VecDeque::new(), keep, dropped: 0 }
    }

    pub(crate) fn push(&mut self, entry: T) {
        if self.keep == 0 {
            self.dropped += 1;
            return;
        }
        if self.entries.len() >= self.keep {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back(entry);
    }

    /// The entry that was pushed as number `number`, counted from 0, unless it was forgotten.
    pub(crate) fn at(&mut self, number: u64) -> Option<&mut T> {
        let position = number.checked_sub(self.dropped)?;
        self.entries.get_mut(usize::try_from(position).ok()?)
    }

    /// How many were ever pushed.
    pub(crate) fn total(&self) -> u64 {
        self.dropped + self.entries.len() as u64
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.dropped = 0;
    }
}

/// A request that arrived at the Webex side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRequest {
    /// Its number since the start or the last reset, from 0.
    pub number: u64,
    /// When it arrived, in milliseconds since the epoch.
    pub at: i64,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, at most its first 64 KiB.
    pub body: String,
    /// What it asked for; `None` when Webex has no such call.
    pub operation: Option<Operation>,
    /// The status of the answer; `None` while there is none, or when the connection was cut.
    pub status: Option<u16>,
    /// The fault that it met, by its name.
    pub fault: Option<String>,
}
