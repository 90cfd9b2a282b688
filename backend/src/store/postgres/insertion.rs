//! Callbacks as rows, any number of them in one statement: the values of a column are one array.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::QueryScalar;
use sqlx::{AssertSqlSafe, Postgres};

use super::PostgresStore;
use super::write::integer;
use crate::callback::{Callback, CallbackId};
use crate::store::ledger::NewConsent;
use crate::store::outbox::Message;
use crate::store::scheduled::begins;
use crate::store::vault::PersonalColumns;
use crate::store::{Arrival, StoreError};

/// A request as it is written.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) arrival: Arc<Arrival>,
    pub(super) personal: PersonalColumns,
    pub(super) claim: Option<String>,
    /// What tells whether a key is used for the same request again.
    pub(super) fingerprint: Option<[u8; 32]>,
    pub(super) consent: Option<NewConsent>,
    pub(super) messages: Vec<Message>,
}

impl PostgresStore {
    /// Makes the row of a request.
    pub(super) fn row(&self, arrival: &Arc<Arrival>) -> Result<Row, StoreError> {
        let callback = &arrival.callback;
        Ok(Row {
            personal: self.vault.columns(callback)?,
            claim: arrival.claim.as_ref().map(|claim| self.vault.claim(&claim.text)),
            fingerprint: arrival.key.as_ref().map(|key| self.vault.fingerprint(key)),
            consent: arrival.consent.as_ref().map(|given| self.vault.consent(callback, given)),
            messages: self.subscribers.messages(callback),
            arrival: Arc::clone(arrival),
        })
    }
}

impl Row {
    pub(super) fn callback(&self) -> &Callback {
        &self.arrival.callback
    }

    /// The moment after which no call to the number may have ended.
    fn cooled_since(&self) -> Option<i64> {
        self.arrival.claim.as_ref()?.cooled_since.map(Timestamp::as_millisecond)
    }
}

/// One value of each, in their order.
pub(super) fn column<'a, R, T>(rows: &'a [R], value: impl FnMut(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// The columns of a new callback.
const COLUMNS: &str = "id, site, door, phone, name, email, reason, message, page, locale, agent, reference, \
     consent_version, state, attempts, created_at, updated_at, deadline, due_at, revision, claim, attributes, \
     fallback, fallback_detail, schedule, schedule_keeper, sealed, at_opening, begins_at, wanted_at, fields";

/// Takes nothing where another has the claim, or where a call to the number has just ended.
fn insert_callbacks() -> String {
    format!(
        "INSERT INTO callback ({COLUMNS}) SELECT {COLUMNS} FROM unnest( \
         $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], \
         $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::bigint[], \
         $18::bigint[], $19::bigint[], $20::bigint[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[], \
         $26::text[], $27::bytea[], $28::boolean[], $29::bigint[], $30::bigint[], $31::text[], $32::bigint[]) \
         AS given ({COLUMNS}, cooled_since) \
         WHERE (SELECT max(ended_at) FROM callback AS ended WHERE ended.phone = given.phone AND ended.site = given.site \
         AND ended.state = 'completed' AND ended.ended_at > given.cooled_since) IS NULL \
         ON CONFLICT (claim) WHERE claim IS NOT NULL DO NOTHING RETURNING id"
    )
}

/// What follows it where visitors have agreed to something: the entries of those whose callbacks were taken.
const CONSENTS_OF_TAKEN: &str = "INSERT INTO consent (person, given, site, text_hash, version, language, page, callback_id, at) \
     SELECT agreed.* FROM unnest($33::text[], $34::boolean[], $35::text[], $36::text[], $37::text[], $38::text[], \
     $39::text[], $40::text[], $41::bigint[]) AS agreed (person, given, site, text_hash, version, language, page, callback_id, at) \
     JOIN taken ON taken.id = agreed.callback_id";

/// Inserts callbacks with their consents in one statement, and gives those that were taken. The others were not stored.
pub(super) async fn insert(
    connection: &mut PgConnection,
    rows: &[&Row],
) -> Result<Vec<CallbackId>, sqlx::Error> {
    let consents: Vec<&NewConsent> = rows.iter().filter_map(|row| row.consent.as_ref()).collect();
    let mut statement = insert_callbacks();
    if !consents.is_empty() {
        statement =
            format!("WITH taken AS ({statement}), kept AS ({CONSENTS_OF_TAKEN}) SELECT id FROM taken");
    }
    let mut query = with_callbacks(sqlx::query_scalar(AssertSqlSafe(statement)), rows);
    if !consents.is_empty() {
        query = with_consents(query, &consents);
    }
    let taken: Vec<String> = query.fetch_all(connection).await?;
    Ok(taken.iter().filter_map(|id| CallbackId::parse(id)).collect())
}

type Insert<'a> = QueryScalar<'a, Postgres, String, PgArguments>;

fn with_callbacks<'a>(query: Insert<'a>, rows: &'a [&'a Row]) -> Insert<'a> {
    let begun: Vec<_> = column(rows, |row| begins(row.callback()));
    query
        .bind(column(rows, |row| row.callback().id.to_string()))
        .bind(column(rows, |row| row.callback().request.site.as_str()))
        .bind(column(rows, |row| row.callback().request.door.as_str()))
        .bind(column(rows, |row| row.personal.clear.phone.as_str()))
        .bind(column(rows, |row| row.personal.clear.name.as_str()))
        .bind(column(rows, |row| row.personal.clear.email.as_str()))
        .bind(column(rows, |row| row.callback().request.reason.as_str()))
        .bind(column(rows, |row| row.personal.clear.message.as_str()))
        .bind(column(rows, |row| row.personal.clear.page.as_str()))
        .bind(column(rows, |row| row.callback().request.locale.as_str()))
        .bind(column(rows, |row| row.personal.clear.agent.as_deref()))
        .bind(column(rows, |row| row.personal.clear.reference.as_deref()))
        .bind(column(rows, |row| row.callback().request.consent_version.as_deref()))
        .bind(column(rows, |row| row.callback().state.as_str()))
        .bind(column(rows, |row| i64::from(row.callback().attempts)))
        .bind(column(rows, |row| row.callback().created_at.as_millisecond()))
        .bind(column(rows, |row| row.callback().updated_at.as_millisecond()))
        .bind(column(rows, |row| row.callback().deadline.as_millisecond()))
        .bind(column(rows, |row| row.callback().due_at.map(Timestamp::as_millisecond)))
        .bind(column(rows, |row| integer(row.callback().revision)))
        .bind(column(rows, |row| row.claim.as_deref()))
        .bind(column(rows, |row| row.personal.clear.attributes_json()))
        .bind(column(rows, |row| row.callback().fallback.as_ref().map(|(fallback, _)| fallback.as_str())))
        .bind(column(rows, |row| row.callback().fallback.as_ref().map(|(_, detail)| detail.as_str())))
        .bind(column(rows, |row| row.callback().appointment.as_ref().map(|kept| kept.window.as_text())))
        .bind(column(rows, |row| row.callback().appointment.as_ref().map(|kept| kept.keeper.as_str())))
        .bind(column(rows, |row| row.personal.sealed.as_deref()))
        .bind(column(rows, |row| row.callback().appointment.as_ref().is_some_and(|kept| kept.at_opening)))
        .bind(column(&begun, |(begins_at, _)| *begins_at))
        .bind(column(&begun, |(_, wanted_at)| *wanted_at))
        .bind(column(rows, |row| row.personal.clear.fields_json()))
        .bind(column(rows, |row| row.cooled_since()))
}

fn with_consents<'a>(query: Insert<'a>, consents: &'a [&'a NewConsent]) -> Insert<'a> {
    query
        .bind(column(consents, |consent| consent.person.as_str()))
        .bind(column(consents, |consent| consent.given))
        .bind(column(consents, |consent| consent.site.as_str()))
        .bind(column(consents, |consent| consent.text_hash.as_str()))
        .bind(column(consents, |consent| consent.version.as_str()))
        .bind(column(consents, |consent| consent.language.as_str()))
        .bind(column(consents, |consent| consent.page.as_str()))
        .bind(column(consents, |consent| consent.callback_id.map(|id| id.to_string())))
        .bind(column(consents, |consent| consent.at.as_millisecond()))
}
