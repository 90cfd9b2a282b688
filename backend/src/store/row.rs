//! Rows to values, whatever database they come from.

use jiff::Timestamp;

use super::credential::StoredCredential;
use super::ledger::{Consent, ConsentText, Entry};
use super::outbox::{Message, MessageAttempt, MessageStatus};
use super::queue::Waiting;
use super::vault::{Vault, Who};
use super::{Attempt, IdempotencyKey, Inserted, KeptEvent, OPERATIONS, StoreError};
use crate::agent::{AgentName, Revoked};
use crate::api_key::{ApiKey, Scope};
use crate::callback::{Callback, CallbackId, Failure, Fallback, Request, State};
use crate::door::Door;
use crate::personal::Personal;
use crate::phone::PhoneNumber;
use crate::schedule::{Appointment, Keeper, Window};
use crate::site::Answer;
use crate::task_event::{TaskChange, TaskEvent};

/// A row, by the kinds of columns that every store has. Each call fails where the column is missing or of another kind.
pub(super) trait Columns {
    fn text(&self, name: &str) -> Result<&str, StoreError>;
    fn optional_text(&self, name: &str) -> Result<Option<&str>, StoreError>;
    fn integer(&self, name: &str) -> Result<i64, StoreError>;
    fn optional_integer(&self, name: &str) -> Result<Option<i64>, StoreError>;
    fn bytes(&self, name: &str) -> Result<&[u8], StoreError>;
    fn optional_bytes(&self, name: &str) -> Result<Option<&[u8]>, StoreError>;
    fn flag(&self, name: &str) -> Result<bool, StoreError>;
}

/// Reads rows of one database by [`Columns`].
macro_rules! columns_of {
    ($row:ty) => {
        impl crate::store::row::Columns for $row {
            fn text(&self, name: &str) -> Result<&str, StoreError> {
                self.try_get(name).map_err(|_| crate::store::row::unreadable(name))
            }
            fn optional_text(&self, name: &str) -> Result<Option<&str>, StoreError> {
                self.try_get(name).map_err(|_| crate::store::row::unreadable(name))
            }
            fn integer(&self, name: &str) -> Result<i64, StoreError> {
                self.try_get(name).map_err(|_| crate::store::row::unreadable(name))
            }
            fn optional_integer(&self, name: &str) -> Result<Option<i64>, StoreError> {
                self.try_get(name).map_err(|_| crate::store::row::unreadable(name))
            }
            fn bytes(&self, name: &str) -> Result<&[u8], StoreError> {
                self.try_get(name).map_err(|_| crate::store::row::unreadable(name))
            }
            fn optional_bytes(&self, name: &str) -> Result<Option<&[u8]>, StoreError> {
                self.try_get(name).map_err(|_| crate::store::row::unreadable(name))
            }
            fn flag(&self, name: &str) -> Result<bool, StoreError> {
                self.try_get(name).map_err(|_| crate::store::row::unreadable(name))
            }
        }
    };
}
pub(super) use columns_of;

/// Why a row cannot be read: the column, never its value.
pub(super) fn unreadable(column: &str) -> StoreError {
    StoreError::Row(format!("column {column}"))
}

pub(super) fn moment(milliseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| unreadable("of a time"))
}

pub(super) fn moment_in(row: &impl Columns, name: &str) -> Result<Timestamp, StoreError> {
    moment(row.integer(name)?)
}

fn optional_moment_in(row: &impl Columns, name: &str) -> Result<Option<Timestamp>, StoreError> {
    row.optional_integer(name)?.map(moment).transpose()
}

fn count<T: TryFrom<i64>>(row: &impl Columns, name: &str) -> Result<T, StoreError> {
    row.integer(name)?.try_into().map_err(|_| unreadable(name))
}

pub(super) fn optional_owned(row: &impl Columns, name: &str) -> Result<Option<String>, StoreError> {
    Ok(row.optional_text(name)?.map(str::to_owned))
}

fn parsed<T>(row: &impl Columns, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(row.text(name)?).ok_or_else(|| unreadable(name))
}

/// A value and the sentence that explains it.
fn explained<T>(
    row: &impl Columns,
    name: &str,
    detail: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<(T, String)>, StoreError> {
    let Some(text) = row.optional_text(name)? else {
        return Ok(None);
    };
    let value = parse(text).ok_or_else(|| unreadable(name))?;
    Ok(Some((value, row.optional_text(detail)?.unwrap_or_default().to_owned())))
}

/// Reads a callback; who the person is has been read already.
pub(super) fn read_callback(row: &impl Columns, who: Who) -> Result<Callback, StoreError> {
    let answers =
        who.fields.iter().filter_map(|(id, value)| Some((id.clone(), Answer::of(value)?))).collect();
    let attributes = who.attributes.into_iter().map(|(key, value)| (key, Personal::new(value)));
    Ok(Callback {
        id: read_id(row)?,
        request: Request {
            site: row.text("site")?.to_owned(),
            door: parsed(row, "door", Door::parse)?,
            phone: PhoneNumber::from_e164(&who.phone).ok_or_else(|| unreadable("phone"))?,
            name: Personal::new(who.name),
            email: Personal::new(who.email),
            reason: row.text("reason")?.to_owned(),
            message: Personal::new(who.message),
            page: who.page,
            locale: row.text("locale")?.to_owned(),
            agent: who.agent.as_deref().map(AgentName::parse),
            reference: who.reference,
            consent_version: optional_owned(row, "consent_version")?,
            attributes: attributes.collect(),
            fields: answers,
        },
        state: parsed(row, "state", State::parse)?,
        failure: explained(row, "failure", "failure_detail", Failure::parse)?,
        fallback: explained(row, "fallback", "fallback_detail", Fallback::parse)?,
        appointment: read_appointment(row)?,
        task_id: optional_owned(row, "task_id")?,
        attempts: count(row, "attempts")?,
        created_at: moment_in(row, "created_at")?,
        updated_at: moment_in(row, "updated_at")?,
        deadline: moment_in(row, "deadline")?,
        due_at: optional_moment_in(row, "due_at")?,
        poll_at: optional_moment_in(row, "poll_at")?,
        sent_at: optional_moment_in(row, "sent_at")?,
        last_event_at: optional_moment_in(row, "last_event_at")?,
        erased_at: optional_moment_in(row, "erased_at")?,
        revision: count(row, "revision")?,
    })
}

fn read_appointment(row: &impl Columns) -> Result<Option<Appointment>, StoreError> {
    if row.optional_text("schedule")?.is_none() {
        return Ok(None);
    }
    let wanted = row.optional_text("schedule_wanted")?;
    Ok(Some(Appointment {
        window: parsed(row, "schedule", Window::parse)?,
        keeper: parsed(row, "schedule_keeper", Keeper::parse)?,
        webex_id: optional_owned(row, "schedule_id")?,
        wanted: wanted
            .map(|text| Window::parse(text).ok_or_else(|| unreadable("schedule_wanted")))
            .transpose()?,
        at_opening: row.flag("at_opening")?,
    }))
}

pub(super) fn read_id(row: &impl Columns) -> Result<CallbackId, StoreError> {
    parsed(row, "id", CallbackId::parse)
}

pub(super) fn read_credential(row: &impl Columns) -> Result<StoredCredential, StoreError> {
    Ok(StoredCredential { revision: count(row, "revision")?, sealed: row.bytes("sealed")?.to_vec() })
}

pub(super) fn read_attempt(row: &impl Columns) -> Result<Attempt, StoreError> {
    Ok(Attempt {
        operation: parsed(row, "operation", |text| {
            OPERATIONS.into_iter().find(|operation| *operation == text)
        })?,
        begun_at: moment_in(row, "begun_at")?,
        took_ms: row.integer("took_ms")?,
        status: read_status(row)?,
        tracking_id: row.text("tracking_id")?.to_owned(),
        outcome: row.text("outcome")?.to_owned(),
    })
}

pub(super) fn read_waiting(row: &impl Columns) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        state: parsed(row, "state", State::parse)?,
        count: count(row, "count")?,
        first_due: moment_in(row, "first_due")?,
    })
}

pub(super) fn read_event(row: &impl Columns) -> Result<KeptEvent, StoreError> {
    let event = TaskEvent {
        id: row.text("id")?.to_owned(),
        task_id: row.text("task_id")?.to_owned(),
        change: parsed(row, "change", TaskChange::parse)?,
        at: moment_in(row, "at")?,
        reason: optional_owned(row, "reason")?,
    };
    Ok(KeptEvent { event, applied: row.flag("applied")? })
}

pub(super) fn read_revoked(row: &impl Columns) -> Result<Revoked, StoreError> {
    Ok(Revoked { subject: row.text("subject")?.to_owned(), at: moment_in(row, "revoked_at")? })
}

pub(super) fn read_api_key(row: &impl Columns) -> Result<ApiKey, StoreError> {
    let scopes = row.text("scopes")?.split(' ').filter(|scope| !scope.is_empty());
    Ok(ApiKey {
        id: row.text("id")?.to_owned(),
        name: row.text("name")?.to_owned(),
        digest: row.bytes("digest")?.try_into().map_err(|_| unreadable("digest"))?,
        sites: row.text("sites")?.split_whitespace().map(str::to_owned).collect(),
        scopes: scopes.map(Scope::parse).collect::<Option<_>>().ok_or_else(|| unreadable("scopes"))?,
        created_at: moment_in(row, "created_at")?,
        expires_at: optional_moment_in(row, "expires_at")?,
        revoked_at: optional_moment_in(row, "revoked_at")?,
        last_used_at: optional_moment_in(row, "last_used_at")?,
    })
}

/// The scopes as they are written.
pub(super) fn joined_scopes(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

pub(super) fn read_text(row: &impl Columns) -> Result<ConsentText, StoreError> {
    Ok(ConsentText {
        hash: row.text("hash")?.to_owned(),
        text: row.text("text")?.to_owned(),
        policy_url: row.text("policy_url")?.to_owned(),
    })
}

pub(super) fn read_consent(row: &impl Columns) -> Result<Consent, StoreError> {
    Ok(Consent {
        number: row.integer("number")?,
        person: row.text("person")?.to_owned(),
        given: row.flag("given")?,
        site: row.text("site")?.to_owned(),
        text_hash: row.text("text_hash")?.to_owned(),
        version: row.text("version")?.to_owned(),
        language: row.text("language")?.to_owned(),
        page: row.text("page")?.to_owned(),
        callback_id: optional_owned(row, "callback_id")?,
        at: moment_in(row, "at")?,
    })
}

pub(super) fn read_entry(row: &impl Columns) -> Result<Entry, StoreError> {
    Ok(Entry {
        number: row.integer("number")?,
        at: moment_in(row, "at")?,
        actor: row.text("actor")?.to_owned(),
        action: row.text("action")?.to_owned(),
        subject: row.text("subject")?.to_owned(),
        detail: row.text("detail")?.to_owned(),
    })
}

pub(super) fn read_message(row: &impl Columns) -> Result<Message, StoreError> {
    Ok(Message {
        webhook: row.text("webhook")?.to_owned(),
        id: row.text("id")?.to_owned(),
        callback_id: parsed(row, "callback_id", CallbackId::parse)?,
        body: row.text("body")?.to_owned(),
        status: parsed(row, "status", MessageStatus::parse)?,
        attempts: count(row, "attempts")?,
        created_at: moment_in(row, "created_at")?,
        due_at: optional_moment_in(row, "due_at")?,
    })
}

pub(super) fn read_message_attempt(row: &impl Columns) -> Result<MessageAttempt, StoreError> {
    Ok(MessageAttempt {
        begun_at: moment_in(row, "begun_at")?,
        took_ms: row.integer("took_ms")?,
        status: read_status(row)?,
        outcome: row.text("outcome")?.to_owned(),
    })
}

/// The HTTP status of an answer, where there was one.
fn read_status(row: &impl Columns) -> Result<Option<u16>, StoreError> {
    row.optional_integer("status")?.map(u16::try_from).transpose().map_err(|_| unreadable("status"))
}

/// What the row of an idempotency key says of a request with that key.
pub(super) fn read_inserted(
    row: &impl Columns,
    key: &IdempotencyKey,
    vault: &Vault,
) -> Result<Inserted, StoreError> {
    if !vault.is_of(row.bytes("fingerprint")?, key) {
        return Ok(Inserted::KeyReused);
    }
    Ok(Inserted::Before { id: parsed(row, "callback_id", CallbackId::parse)?, joined: row.flag("joined")? })
}
