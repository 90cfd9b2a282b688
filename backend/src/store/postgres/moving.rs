//! Moves the store in a PostgreSQL database out and in.

use std::collections::{HashMap, HashSet};

use futures_util::TryStreamExt as _;
use serde_json::Value;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Connection as _};

use super::PostgresStore;
use crate::config;
use crate::store::moving::{Counts, Fields, MovingError, NUMBER, Order, Source, TABLES, Target};
use crate::store::{StoreError, Use, failed};

/// Writes every row of one moment, while nobody else writes.
pub(in crate::store) async fn export(
    store: &config::Store,
    target: &mut Target,
) -> Result<Counts, MovingError> {
    let pool = PostgresStore::open(store, Use::Command).await?.pool;
    let mut connection = alone(&pool, "SHARE").await?;
    target.begin(super::schema(&mut connection).await?)?;
    for (table, order) in TABLES {
        let order = match order {
            Order::By(order) => order,
            Order::Written => NUMBER,
        };
        let query = format!("SELECT row_to_json(whole)::text FROM {table} AS whole ORDER BY {order}");
        let mut rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(query)).fetch(&mut connection);
        while let Some(row) = rows.try_next().await.map_err(failed("export"))? {
            let mut fields: Fields =
                serde_json::from_str(&row).map_err(|_| StoreError::Row(format!("of {table}")))?;
            fields.remove(NUMBER);
            target.row(table, fields)?;
        }
    }
    end(&mut connection, "ROLLBACK").await?;
    Ok(target.counts())
}

/// Writes every row of the file in one transaction.
pub(in crate::store) async fn import(
    store: &config::Store,
    source: &mut Source,
) -> Result<Counts, MovingError> {
    let pool = PostgresStore::open(store, Use::Command).await?.pool;
    let mut connection = alone(&pool, "ACCESS EXCLUSIVE").await?;
    // What is not committed in the end is undone with the connection.
    source.fits(super::schema(&mut connection).await?)?;
    let mut known = HashMap::new();
    for (table, _) in TABLES {
        let query = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        let has_rows = sqlx::query_scalar::<_, bool>(AssertSqlSafe(query)).fetch_one(&mut connection).await;
        if has_rows.map_err(failed("import"))? {
            return Err(MovingError::NotEmpty(table.to_owned()));
        }
        let query = "SELECT column_name::text FROM information_schema.columns \
                     WHERE table_schema = current_schema() AND table_name = $1";
        let columns = sqlx::query_scalar(query).bind(table).fetch_all(&mut connection).await;
        known.insert(table, columns.map_err(failed("import"))?.into_iter().collect::<HashSet<String>>());
    }
    while let Some((table, row)) = source.next()? {
        // Names become SQL: only those of the table pass.
        let stranger =
            row.keys().find(|name| known.get(table).is_none_or(|columns| !columns.contains(*name)));
        if let Some(name) = stranger {
            return Err(source.wrong(&format!("the table {table} has no column {name:?}")));
        }
        let names = row.keys().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let insert = format!(
            "INSERT INTO {table} ({names}) SELECT {names} FROM json_populate_record(NULL::{table}, $1::json)"
        );
        let insert = sqlx::query(AssertSqlSafe(insert)).bind(Value::Object(row).to_string());
        insert.execute(&mut connection).await.map_err(failed("import"))?;
    }
    end(&mut connection, "COMMIT").await?;
    Ok(source.counts())
}

/// A transaction in which nobody else writes, and which may take its time.
async fn alone(pool: &PgPool, mode: &str) -> Result<PgConnection, MovingError> {
    let serving = sqlx::query_scalar::<_, bool>(super::write::SERVING).fetch_one(pool).await;
    if serving.map_err(failed("look for services"))? {
        return Err(MovingError::InUse);
    }
    let mut connection = pool.acquire().await.map_err(failed("connect"))?.detach();
    let tables = TABLES.map(|(table, _)| table).join(", ");
    for statement in [
        "SET statement_timeout = 0".to_owned(),
        "SET idle_in_transaction_session_timeout = 0".to_owned(),
        "BEGIN ISOLATION LEVEL REPEATABLE READ".to_owned(),
        format!("LOCK TABLE {tables} IN {mode} MODE"),
    ] {
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await;
        done.map_err(failed("begin"))?;
    }
    Ok(connection)
}

async fn end(connection: &mut PgConnection, statement: &'static str) -> Result<(), StoreError> {
    sqlx::query(statement).execute(&mut *connection).await.map_err(failed("commit"))?;
    connection.ping().await.map_err(failed("commit"))
}
