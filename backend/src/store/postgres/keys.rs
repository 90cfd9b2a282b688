//! What requests are known by, so that the same one is stored once.

use std::collections::HashSet;

use sqlx::postgres::PgConnection;

use super::insertion::{Row, column};
use crate::callback::CallbackId;

/// Keeps the keys of rows, and gives those whose key was new.
pub(super) async fn insert_keys(
    connection: &mut PgConnection,
    rows: &[&Row],
) -> Result<HashSet<CallbackId>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| name(row));
    let query = sqlx::query_scalar(
        "INSERT INTO idempotency (scope, key, fingerprint, callback_id, created_at) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[]) \
         ON CONFLICT (scope, key) DO NOTHING RETURNING callback_id",
    );
    let query = query
        .bind(column(&rows, |row| name(row).map(|(scope, _)| scope)))
        .bind(column(&rows, |row| name(row).map(|(_, key)| key)))
        .bind(column(&rows, |row| row.fingerprint.as_ref().map(|fingerprint| &fingerprint[..])))
        .bind(column(&rows, |row| row.callback().id.to_string()))
        .bind(column(&rows, |row| row.callback().created_at.as_millisecond()));
    let named: Vec<String> = query.fetch_all(connection).await?;
    Ok(named.iter().filter_map(|id| CallbackId::parse(id)).collect())
}

/// Lets go of the keys of rows that were not taken.
pub(super) async fn delete_keys(connection: &mut PgConnection, rows: &[&Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(
        "DELETE FROM idempotency USING unnest($1::text[], $2::text[]) AS named (scope, key) \
         WHERE idempotency.scope = named.scope AND idempotency.key = named.key",
    );
    let query = query
        .bind(column(rows, |row| name(row).map(|(scope, _)| scope)))
        .bind(column(rows, |row| name(row).map(|(_, key)| key)));
    query.execute(connection).await.map(|_| ())
}

/// What the request of a row is known by.
fn name(row: &Row) -> Option<(&str, &str)> {
    row.arrival.key.as_ref().map(|key| (key.scope.as_str(), key.key.as_str()))
}
