//! The ledgers in the PostgreSQL database.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::PostgresStore;
use crate::phone::PhoneNumber;
use crate::store::ledger::{
    self, Consent, ConsentText, Deed, Entry, FORGET_CONSENTS, FORGET_DEEDS, INSERT_CONSENT, INSERT_DEED,
    INSERT_TEXT, Ledgers, NewConsent, Outlived, PAGE, TEXT,
};
use crate::store::row::{read_consent, read_entry, read_text};
use crate::store::{StoreError, failed};

pub(super) async fn insert_consent(
    connection: &mut PgConnection,
    consent: &NewConsent,
) -> Result<(), StoreError> {
    let query = sqlx::query(INSERT_CONSENT)
        .bind(&consent.person)
        .bind(consent.given)
        .bind(&consent.site)
        .bind(&consent.text_hash)
        .bind(&consent.version)
        .bind(&consent.language)
        .bind(&consent.page)
        .bind(consent.callback_id.map(|id| id.to_string()))
        .bind(consent.at.as_millisecond());
    query.execute(connection).await.map_err(failed("keep a consent")).map(|_| ())
}

#[async_trait]
impl Ledgers for PostgresStore {
    async fn keep_text(&self, text: &ConsentText, now: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(INSERT_TEXT).bind(&text.hash).bind(&text.text).bind(&text.policy_url);
        let query = query.bind(now.as_millisecond());
        query.execute(&self.pool).await.map_err(failed("keep a text")).map(|_| ())
    }

    async fn text(&self, hash: &str) -> Result<Option<ConsentText>, StoreError> {
        let row = sqlx::query(TEXT).bind(hash).fetch_optional(&self.pool).await;
        row.map_err(failed("read"))?.as_ref().map(read_text).transpose()
    }

    async fn consents(&self, of: Option<&PhoneNumber>, after: i64) -> Result<Vec<Consent>, StoreError> {
        let query = sqlx::query(
            "SELECT * FROM consent WHERE number > $1 AND ($2 IS NULL OR person IN ($2, $3)) ORDER BY number LIMIT $4",
        );
        let [hashed, plain] = self.vault.persons(of);
        let query = query.bind(after).bind(hashed).bind(plain).bind(PAGE);
        query.fetch_all(&self.pool).await.map_err(failed("read"))?.iter().map(read_consent).collect()
    }

    async fn revoke_consent(
        &self,
        phone: &PhoneNumber,
        site: Option<&str>,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let revoked = ledger::revocations(&ledger::all(self, phone).await?, site);
        let count = revoked.len();
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        for consent in revoked {
            insert_consent(&mut transaction, &NewConsent::revoking(consent, now)).await?;
        }
        transaction.commit().await.map_err(failed("commit"))?;
        Ok(count)
    }

    async fn record(&self, deed: &Deed) -> Result<(), StoreError> {
        let query = sqlx::query(INSERT_DEED).bind(deed.at.as_millisecond()).bind(&deed.actor);
        let query = query.bind(deed.action).bind(&deed.subject).bind(&deed.detail);
        query.execute(&self.pool).await.map_err(failed("record a deed")).map(|_| ())
    }

    async fn deeds(&self, since: Timestamp, after: i64) -> Result<Vec<Entry>, StoreError> {
        let query =
            sqlx::query("SELECT * FROM audit WHERE number > $1 AND at >= $2 ORDER BY number LIMIT $3");
        let query = query.bind(after).bind(since.as_millisecond()).bind(PAGE);
        query.fetch_all(&self.pool).await.map_err(failed("read"))?.iter().map(read_entry).collect()
    }

    async fn forget_outlived(&self, outlived: Outlived) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        for (statement, before) in [(FORGET_CONSENTS, outlived.consents), (FORGET_DEEDS, outlived.deeds)] {
            let query = sqlx::query(statement).bind(before.as_millisecond());
            forgotten += query.execute(&self.pool).await.map_err(failed("forget"))?.rows_affected();
        }
        Ok(forgotten)
    }
}
