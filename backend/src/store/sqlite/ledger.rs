//! The ledgers in the SQLite file.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::writer::{Write, execute};
use crate::phone::PhoneNumber;
use crate::store::ledger::{
    self, Consent, ConsentText, Deed, Entry, FORGET_CONSENTS, FORGET_DEEDS, INSERT_CONSENT, INSERT_DEED,
    INSERT_TEXT, Ledgers, NewConsent, Outlived, PAGE, TEXT,
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
        LedgerWrite::Consents(consents) => {
            consents.iter().map(|consent| insert_consent(connection, consent)).sum()
        }
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

pub(super) fn insert_consent(connection: &Connection, consent: &NewConsent) -> Result<u64, StoreError> {
    execute(
        connection,
        "keep a consent",
        INSERT_CONSENT,
        params![
            consent.person,
            consent.given,
            consent.site,
            consent.text_hash,
            consent.version,
            consent.language,
            consent.page,
            consent.callback_id.map(|id| id.to_string()),
            consent.at.as_millisecond(),
        ],
    )
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
