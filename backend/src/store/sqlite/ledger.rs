//! The ledgers in the SQLite file.

use std::sync::LazyLock;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::{Null, ToSqlOutput};
use rusqlite::{Connection, params, params_from_iter};

use super::SqliteStore;
use super::writer::{Write, execute};
use crate::phone::PhoneNumber;
use crate::store::ledger::{
    self, Consent, ConsentText, Deed, Entry, FORGET_CONSENTS, FORGET_DEEDS, INSERT_DEED, INSERT_TEXT,
    Ledgers, NewConsent, Outlived, PAGE, TEXT,
};
use crate::store::row::{read_consent, read_entry, read_text};
use crate::store::{StoreError, failed};

/// One thing to write.
pub(super) enum LedgerWrite {
    Text { text: ConsentText, now: Timestamp },
    Consents(Vec<NewConsent>),
    Deed(Deed),
    Forget(Outlived),
}

pub(super) fn apply(connection: &Connection, write: &LedgerWrite) -> Result<u64, StoreError> {
    match write {
        LedgerWrite::Text { text, now } => execute(
            connection,
            "keep a text",
            INSERT_TEXT,
            params![text.hash, text.text, text.policy_url, now.as_millisecond()],
        ),
        LedgerWrite::Consents(consents) => write_consents(connection, consents),
        LedgerWrite::Deed(deed) => execute(
            connection,
            "record a deed",
            INSERT_DEED,
            params![deed.at.as_millisecond(), deed.actor, deed.action, deed.subject, deed.detail],
        ),
        LedgerWrite::Forget(outlived) => {
            let consents =
                execute(connection, "forget", FORGET_CONSENTS, [outlived.consents.as_millisecond()])?;
            Ok(consents + execute(connection, "forget", FORGET_DEEDS, [outlived.deeds.as_millisecond()])?)
        }
    }
}

/// Consents that one statement writes. SQLite opens a journal for each statement on a table that a trigger guards, and copies the pages
/// that it changes: for one consent that took longer than to write it.
const TOGETHER: usize = 16;

static INSERT_TOGETHER: LazyLock<String> = LazyLock::new(|| insert_consents_of(TOGETHER));
static INSERT_ONE: LazyLock<String> = LazyLock::new(|| insert_consents_of(1));

/// The statement that writes so many.
fn insert_consents_of(rows: usize) -> String {
    let head = "INSERT INTO consent (person, given, site, text_hash, version, language, page, callback_id, at) VALUES ";
    head.to_owned() + &vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows].join(", ")
}

/// Consents of the requests of a transaction, to be written with them.
#[derive(Default)]
pub(super) struct Consents(Vec<NewConsent>);

impl Consents {
    /// Another one.
    pub(super) fn add(&mut self, consent: NewConsent) {
        self.0.push(consent);
    }

    /// Writes those that were added.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<(), StoreError> {
        write_consents(connection, &self.0)?;
        self.0.clear();
        Ok(())
    }
}

/// Writes consents.
pub(super) fn write_consents(connection: &Connection, consents: &[NewConsent]) -> Result<u64, StoreError> {
    let (together, rest) = consents.as_chunks::<TOGETHER>();
    let together = together.iter().map(|consents| insert_consents(connection, &INSERT_TOGETHER, consents));
    let rest = rest.chunks(1).map(|consent| insert_consents(connection, &INSERT_ONE, consent));
    together.chain(rest).sum()
}

fn insert_consents(connection: &Connection, sql: &str, consents: &[NewConsent]) -> Result<u64, StoreError> {
    execute(connection, "keep a consent", sql, params_from_iter(consents.iter().flat_map(values)))
}

fn values(consent: &NewConsent) -> [ToSqlOutput<'_>; 9] {
    [
        consent.person.as_str().into(),
        consent.given.into(),
        consent.site.as_str().into(),
        consent.text_hash.as_str().into(),
        consent.version.as_str().into(),
        consent.language.as_str().into(),
        consent.page.as_str().into(),
        consent.callback_id.map_or(Null.into(), |id| id.to_string().into()),
        consent.at.as_millisecond().into(),
    ]
}

#[async_trait]
impl Ledgers for SqliteStore {
    async fn keep_text(&self, text: &ConsentText, now: Timestamp) -> Result<(), StoreError> {
        let write = LedgerWrite::Text { text: text.clone(), now };
        self.writer.write(Write::Ledger(write)).await.map(|_| ())
    }

    async fn text(&self, hash: &str) -> Result<Option<ConsentText>, StoreError> {
        let row = sqlx::query(TEXT).bind(hash).fetch_optional(&self.readers).await;
        row.map_err(failed("read"))?.as_ref().map(read_text).transpose()
    }

    async fn consents(&self, of: Option<&PhoneNumber>, after: i64) -> Result<Vec<Consent>, StoreError> {
        let query = sqlx::query(
            "SELECT rowid AS number, * FROM consent WHERE rowid > ? AND (? IS NULL OR person IN (?, ?)) ORDER BY rowid LIMIT ?",
        );
        let [hashed, plain] = self.vault.persons(of);
        let query = query.bind(after).bind(&hashed).bind(&hashed).bind(&plain).bind(PAGE);
        query.fetch_all(&self.readers).await.map_err(failed("read"))?.iter().map(read_consent).collect()
    }

    async fn revoke_consent(
        &self,
        phone: &PhoneNumber,
        site: Option<&str>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let revoked = ledger::revocations(&ledger::all(self, phone).await?, site);
        let count = revoked.len();
        let entries = revoked.into_iter().map(|consent| NewConsent::revoking(consent, now)).collect();
        self.writer.write(Write::Ledger(LedgerWrite::Consents(entries))).await?;
        Ok(count)
    }

    async fn record(&self, deed: &Deed) -> Result<(), StoreError> {
        self.writer.write(Write::Ledger(LedgerWrite::Deed(deed.clone()))).await.map(|_| ())
    }

    async fn deeds(&self, since: Timestamp, after: i64) -> Result<Vec<Entry>, StoreError> {
        let query = sqlx::query(
            "SELECT rowid AS number, * FROM audit WHERE rowid > ? AND at >= ? ORDER BY rowid LIMIT ?",
        );
        let query = query.bind(after).bind(since.as_millisecond()).bind(PAGE);
        query.fetch_all(&self.readers).await.map_err(failed("read"))?.iter().map(read_entry).collect()
    }

    async fn forget_outlived(&self, outlived: Outlived) -> Result<u64, StoreError> {
        Ok(self.writer.write(Write::Ledger(LedgerWrite::Forget(outlived))).await?.rows)
    }
}
