//! Moves the store in an SQLite file out and in.

use std::collections::HashMap;

use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Transaction, TransactionBehavior, params_from_iter};
use serde_json::Value;

use super::connection::connect;
use super::{SqliteStore, lock};
use crate::config;
use crate::store::moving::{Counts, Fields, MovingError, Order, Source, TABLES, Target};
use crate::store::{StoreError, Use, failed};

/// The columns of a table, each with whether it holds bytes.
type Columns = HashMap<String, bool>;

/// Writes every row of one moment. No service may run: what it would accept after that moment would be left behind.
pub(in crate::store) fn export(config: &config::Store, target: &mut Target) -> Result<Counts, MovingError> {
    let _lock = lock(&config.path).map_err(in_use)?;
    let mut connection = opened(config)?;
    let reading = connection.transaction().map_err(failed("begin"))?;
    target.begin(super::schema(&reading)?)?;
    for (table, order) in TABLES {
        let columns = columns(&reading, table)?;
        let order = match order {
            Order::By(order) => order,
            Order::Written => "rowid",
        };
        let query = format!("SELECT * FROM {table} ORDER BY {order}");
        let mut query = reading.prepare(&query).map_err(failed("export"))?;
        let names: Vec<String> = query.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = query.query([]).map_err(failed("export"))?;
        while let Some(row) = rows.next().map_err(failed("export"))? {
            let mut fields = Fields::new();
            for (index, name) in names.iter().enumerate() {
                let cell = row.get_ref(index).map_err(failed("export"))?;
                let is_bytes = columns.get(name).copied().unwrap_or_default();
                fields.insert(name.clone(), as_json(cell, is_bytes).ok_or_else(|| unreadable(table, name))?);
            }
            target.row(table, fields)?;
        }
    }
    Ok(target.counts())
}

/// Writes every row of the file in one transaction.
pub(in crate::store) fn import(config: &config::Store, source: &mut Source) -> Result<Counts, MovingError> {
    let _lock = lock(&config.path).map_err(in_use)?;
    let mut connection = opened(config)?;
    let begun =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed("begin"))?;
    source.fits(super::schema(&begun)?)?;
    let mut known = HashMap::new();
    for (table, _) in TABLES {
        let query = format!("SELECT EXISTS (SELECT 1 FROM {table})");
        if begun.query_row(&query, [], |row| row.get(0)).map_err(failed("import"))? {
            return Err(MovingError::NotEmpty(table.to_owned()));
        }
        known.insert(table, columns(&begun, table)?);
    }
    while let Some((table, row)) = source.next()? {
        let columns = known.get(table).ok_or_else(|| source.wrong("no such table"))?;
        insert(&begun, table, columns, &row).map_err(|what| match what {
            Wrong::Column(name) => {
                source.wrong(&format!("the table {table} has no column {name:?} of that kind"))
            }
            Wrong::Store(error) => error.into(),
        })?;
    }
    begun.commit().map_err(failed("commit"))?;
    Ok(source.counts())
}

enum Wrong {
    Column(String),
    Store(StoreError),
}

fn insert(begun: &Transaction<'_>, table: &str, columns: &Columns, row: &Fields) -> Result<(), Wrong> {
    let mut cells = Vec::with_capacity(row.len());
    for (name, value) in row {
        // Names become SQL: only those of the table pass.
        let cell = columns.get(name).and_then(|is_bytes| as_cell(value, *is_bytes));
        cells.push(cell.ok_or_else(|| Wrong::Column(name.clone()))?);
    }
    let names = row.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let places = vec!["?"; cells.len()].join(", ");
    let statement = format!("INSERT INTO {table} ({names}) VALUES ({places})");
    let inserted =
        begun.prepare_cached(&statement).and_then(|mut insert| insert.execute(params_from_iter(cells)));
    inserted.map(|_| ()).map_err(|error| Wrong::Store(failed("import")(error)))
}

/// The connection of a store whose schema is this version's.
fn opened(config: &config::Store) -> Result<Connection, MovingError> {
    let runtime = tokio::runtime::Handle::current();
    drop(runtime.block_on(SqliteStore::open(config, Use::Command))?);
    Ok(connect(&config.path)?)
}

fn columns(connection: &Connection, table: &str) -> Result<Columns, StoreError> {
    let mut query =
        connection.prepare("SELECT name, type FROM pragma_table_info(?)").map_err(failed("read"))?;
    let rows = query.query_map([table], |row| Ok((row.get(0)?, row.get::<_, String>(1)? == "BLOB")));
    rows.map_err(failed("read"))?.collect::<Result<_, _>>().map_err(failed("read"))
}

fn as_json(cell: ValueRef<'_>, is_bytes: bool) -> Option<Value> {
    Some(match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Text(text) => std::str::from_utf8(text).ok()?.into(),
        ValueRef::Blob(bytes) if is_bytes => format!("\\x{}", hex::encode(bytes)).into(),
        ValueRef::Blob(_) | ValueRef::Real(_) => return None,
    })
}

fn as_cell(value: &Value, is_bytes: bool) -> Option<Cell> {
    Some(match value {
        Value::Null => Cell::Null,
        // PostgreSQL has a kind of its own for these.
        Value::Bool(flag) => Cell::Integer(i64::from(*flag)),
        Value::Number(number) => Cell::Integer(number.as_i64()?),
        Value::String(text) if is_bytes => Cell::Blob(hex::decode(text.strip_prefix("\\x")?).ok()?),
        Value::String(text) => Cell::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

fn in_use(error: StoreError) -> MovingError {
    match error {
        StoreError::InUse(_) => MovingError::InUse,
        error => error.into(),
    }
}

fn unreadable(table: &str, column: &str) -> StoreError {
    StoreError::Row(format!("column {column} of {table}"))
}
