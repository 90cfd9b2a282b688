//! Rows to values.

use jiff::Timestamp;
use secrecy::SecretBox;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::super::{Attempt, KeptEvent, StoreError};
use crate::callback::{Callback, CallbackId, Door, Failure, Request, State};
use crate::personal::Personal;
use crate::phone::PhoneNumber;
use crate::task_event::{TaskChange, TaskEvent};
use crate::token::SigningKey;

/// Why a row cannot be read: the column, never its value.
fn unreadable(column: &str) -> StoreError {
    StoreError::Row(format!("column {column}"))
}

fn column<'r, T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(
    row: &'r SqliteRow,
    name: &str,
) -> Result<T, StoreError> {
    row.try_get(name).map_err(|_| unreadable(name))
}

pub(super) fn moment(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| unreadable("of a time"))
}

fn moment_in(row: &SqliteRow, name: &str) -> Result<Timestamp, StoreError> {
    moment(column(row, name)?)
}

fn optional_moment_in(row: &SqliteRow, name: &str) -> Result<Option<Timestamp>, StoreError> {
    column::<Option<i64>>(row, name)?.map(moment).transpose()
}

fn parsed<T>(row: &SqliteRow, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(column(row, name)?).ok_or_else(|| unreadable(name))
}

pub(super) fn read_callback(row: &SqliteRow) -> Result<Callback, StoreError> {
    let failure = match column::<Option<&str>>(row, "failure")? {
        None => None,
        Some(text) => {
            let failure = Failure::parse(text).ok_or_else(|| unreadable("failure"))?;
            Some((failure, column::<Option<String>>(row, "failure_detail")?.unwrap_or_default()))
        }
    };
    Ok(Callback {
        id: parsed(row, "id", CallbackId::parse)?,
        request: Request {
            site: column(row, "site")?,
            door: parsed(row, "door", Door::parse)?,
            phone: parsed(row, "phone", PhoneNumber::from_e164)?,
            name: Personal::new(column::<String>(row, "name")?),
            email: Personal::new(column::<String>(row, "email")?),
            reason: column(row, "reason")?,
            message: Personal::new(column::<String>(row, "message")?),
            page: column(row, "page")?,
            locale: column(row, "locale")?,
            agent: column(row, "agent")?,
            reference: column(row, "reference")?,
            consent_version: column(row, "consent_version")?,
        },
        state: parsed(row, "state", State::parse)?,
        failure,
        task_id: column(row, "task_id")?,
        attempts: column(row, "attempts")?,
        created_at: moment_in(row, "created_at")?,
        updated_at: moment_in(row, "updated_at")?,
        deadline: moment_in(row, "deadline")?,
        due_at: optional_moment_in(row, "due_at")?,
        poll_at: optional_moment_in(row, "poll_at")?,
        sent_at: optional_moment_in(row, "sent_at")?,
        last_event_at: optional_moment_in(row, "last_event_at")?,
        revision: u64::try_from(column::<i64>(row, "revision")?).map_err(|_| unreadable("revision"))?,
    })
}

pub(super) fn read_attempt(row: &SqliteRow) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        operation: parsed(row, "operation", |text| {
            crate::store::OPERATIONS.into_iter().find(|operation| *operation == text)
        })?,
        begun_at: moment_in(row, "begun_at")?,
        took_ms: column(row, "took_ms")?,
        status: column(row, "status")?,
        tracking_id: column(row, "tracking_id")?,
        outcome: column(row, "outcome")?,
    })
}

pub(super) fn read_event(row: &SqliteRow) -> Result<KeptEvent, StoreError> {
    let event = TaskEvent {
        id: column(row, "id")?,
        task_id: column(row, "task_id")?,
        change: parsed(row, "change", TaskChange::parse)?,
        at: moment_in(row, "at")?,
        reason: column(row, "reason")?,
    };
    Ok(KeptEvent { event, applied: column(row, "applied")? })
}

pub(super) fn read_key(row: &SqliteRow) -> Result<SigningKey, StoreError> {
    let secret: [u8; 32] = column::<&[u8]>(row, "secret")?.try_into().map_err(|_| unreadable("secret"))?;
    Ok(SigningKey { id: column(row, "id")?, secret: SecretBox::new(Box::new(secret)) })
}
