//! Who has which claim, at hand.
//!
//! Numbers come in no order: an index of claims in the file would be written all over, a page of its own for each request, which
//! took more time than all the rest of the row. One process serves from a file and one thread of it writes, so what that thread
//! remembers is all there is. What it remembers is a hint: a claim holds where the row still has it.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::writer::execute;
use crate::callback::CallbackId;
use crate::store::row::{Columns as _, read_id};
use crate::store::{Claim, StoreError, failed};

/// Those that may have a claim: what is over has none. An index of its own would be one more to write for each request.
macro_rules! claimed {
    ($columns:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM callback WHERE id IN ( \
                 SELECT id FROM callback INDEXED BY callback_due_site WHERE due_at IS NOT NULL UNION ALL \
                 SELECT id FROM callback INDEXED BY callback_quiet WHERE poll_at IS NOT NULL UNION ALL \
                 SELECT id FROM callback INDEXED BY callback_held \
                 WHERE claim IS NOT NULL AND due_at IS NULL AND poll_at IS NULL \
             ) AND claim IS NOT NULL",
            $condition
        )
    };
}

/// Who has which claim.
const CLAIMED: &str = claimed!("id, claim", "");

/// Rows in clear that have a claim, after an id.
pub(super) const CLAIMED_IN_CLEAR: &str =
    claimed!("*", " AND sealed IS NULL AND erased_at IS NULL AND id > $1 ORDER BY id LIMIT $2");

/// A claim, hashed twice over: 128 bits, so that no two of them meet.
type Hashed = [u64; 2];

/// Who has which claim.
#[derive(Debug, Default)]
pub(super) struct Claims {
    hashers: [RandomState; 2],
    /// What is written for good; `None`: not read from the file yet. A tree grows by a node at a time: a table of a million claims would
    /// double at once, and its old half be there beside it meanwhile.
    kept: Option<BTreeMap<Hashed, CallbackId>>,
    /// What the transaction under way has given away.
    given: HashMap<Hashed, CallbackId>,
    /// What it has taken back.
    ended: Vec<(Hashed, CallbackId)>,
}

impl Claims {
    /// Reads what the file holds, where that was not done yet.
    pub(super) fn read_once(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.kept.is_some() {
            return Ok(());
        }
        let mut find = connection.prepare(CLAIMED).map_err(failed("read claims"))?;
        let mut rows = find.query([]).map_err(failed("read claims"))?;
        let mut kept = BTreeMap::new();
        while let Some(row) = rows.next().map_err(failed("read claims"))? {
            kept.insert(self.hashed(row.text("claim")?), read_id(row)?);
        }
        self.kept = Some(kept);
        Ok(())
    }

    /// The callback that has the claim, where it has not lost it.
    pub(super) fn holder(
        &self,
        connection: &Connection,
        claim: &Claim,
    ) -> Result<Option<CallbackId>, StoreError> {
        let hashed = self.hashed(&claim.text);
        let kept = || self.kept.as_ref()?.get(&hashed);
        let Some(id) = self.given.get(&hashed).or_else(kept) else {
            return Ok(None);
        };
        let find = connection.prepare_cached("SELECT created_at FROM callback WHERE id = ? AND claim = ?");
        let accepted_at: Option<i64> = find
            .and_then(|mut find| {
                find.query_row(params![id.to_string(), claim.text], |row| row.get(0)).optional()
            })
            .map_err(failed("find a claim"))?;
        match accepted_at {
            None => Ok(None),
            Some(accepted_at) if accepted_at >= claim.since.as_millisecond() => Ok(Some(*id)),
            Some(_) => {
                let release = "UPDATE callback SET claim = NULL WHERE id = ?";
                execute(connection, "release a claim", release, [id.to_string()])?;
                Ok(None)
            }
        }
    }

    /// The callback has the claim from now on.
    pub(super) fn give(&mut self, claim: &str, to: CallbackId) {
        let claim = self.hashed(claim);
        self.ended.retain(|ended| *ended != (claim, to));
        self.given.insert(claim, to);
    }

    /// The callback does not have the claim any more.
    pub(super) fn take_back(&mut self, claim: &str, from: CallbackId) {
        let claim = self.hashed(claim);
        if self.given.get(&claim) == Some(&from) {
            self.given.remove(&claim);
        }
        self.ended.push((claim, from));
    }

    /// The transaction is written for good.
    pub(super) fn commit(&mut self) {
        let (given, ended) = (self.given.drain(), self.ended.drain(..));
        // What was not read from the file yet will be, and these with it.
        if let Some(kept) = &mut self.kept {
            kept.extend(given);
            for (claim, id) in ended {
                if kept.get(&claim) == Some(&id) {
                    kept.remove(&claim);
                }
            }
        }
    }

    /// The transaction has come to nothing.
    pub(super) fn roll_back(&mut self) {
        self.given.clear();
        self.ended.clear();
    }

    fn hashed(&self, claim: &str) -> Hashed {
        [self.hashers[0].hash_one(claim), self.hashers[1].hash_one(claim)]
    }
}

/// What the callback claims as it lies in the file, if anything.
pub(super) fn of(connection: &Connection, id: CallbackId) -> Result<Option<String>, StoreError> {
    let find = connection.prepare_cached("SELECT claim FROM callback WHERE id = ?");
    let claim = find.and_then(|mut find| find.query_row([id.to_string()], |row| row.get(0)).optional());
    claim.map(Option::flatten).map_err(failed("find a claim"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const FIRST: &str = "2026-01-01T00:00:00Z";

    fn row(connection: &Connection, claim: &str) -> CallbackId {
        let at: Timestamp = FIRST.parse().unwrap();
        let id = CallbackId::new(at).unwrap();
        let insert = "INSERT INTO callback (id, claim, created_at) VALUES (?, ?, ?)";
        connection.execute(insert, params![id.to_string(), claim, at.as_millisecond()]).unwrap();
        id
    }

    /// A file with one callback, and what is remembered of it.
    fn opened() -> (Connection, Claims, CallbackId) {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE callback (id TEXT PRIMARY KEY, claim TEXT, created_at INTEGER, site TEXT, due_at INTEGER, \
                     poll_at INTEGER); \
                 CREATE INDEX callback_due_site ON callback (site, due_at, id) WHERE due_at IS NOT NULL; \
                 CREATE INDEX callback_quiet ON callback (poll_at, id) WHERE poll_at IS NOT NULL; \
                 CREATE INDEX callback_held ON callback (id) \
                 WHERE claim IS NOT NULL AND due_at IS NULL AND poll_at IS NULL",
            )
            .unwrap();
        let first = row(&connection, "a");
        let mut claims = Claims::default();
        claims.read_once(&connection).unwrap();
        (connection, claims, first)
    }

    fn holder(claims: &Claims, connection: &Connection, text: &str) -> Option<CallbackId> {
        let since = FIRST.parse().unwrap();
        claims.holder(connection, &Claim { text: text.to_owned(), since, cooled_since: None }).unwrap()
    }

    #[test]
    fn what_a_transaction_that_came_to_nothing_gave_and_took_back_is_as_before() {
        let (connection, mut claims, first) = opened();
        assert_eq!(holder(&claims, &connection, "a"), Some(first));
        let second = row(&connection, "b");
        claims.give("b", second);
        assert_eq!(holder(&claims, &connection, "b"), Some(second));
        claims.take_back("a", first);
        claims.roll_back();
        assert_eq!(holder(&claims, &connection, "a"), Some(first));
        assert_eq!(holder(&claims, &connection, "b"), None);
        claims.commit();
        assert_eq!(holder(&claims, &connection, "a"), Some(first));
    }

    #[test]
    fn a_claim_is_taken_back_from_whoever_has_it_and_from_nobody_else() {
        let (connection, mut claims, first) = opened();
        let second = row(&connection, "b");
        claims.give("b", second);
        claims.take_back("b", first);
        claims.commit();
        assert_eq!(holder(&claims, &connection, "b"), Some(second));
        claims.take_back("b", second);
        claims.commit();
        assert_eq!(holder(&claims, &connection, "b"), None);
    }

    #[test]
    fn what_is_taken_back_and_given_again_in_one_transaction_is_whose_it_was() {
        let (connection, mut claims, first) = opened();
        claims.take_back("a", first);
        claims.give("a", first);
        claims.commit();
        assert_eq!(holder(&claims, &connection, "a"), Some(first));
        let second = row(&connection, "b");
        claims.give("b", second);
        claims.take_back("b", second);
        claims.commit();
        assert_eq!(holder(&claims, &connection, "b"), None);
    }

    #[test]
    fn what_another_process_has_ended_has_no_claim() {
        let (connection, claims, first) = opened();
        connection.execute("UPDATE callback SET claim = NULL WHERE id = ?", [first.to_string()]).unwrap();
        assert_eq!(holder(&claims, &connection, "a"), None);
    }
}
