//! Takes a request in: callback, key and claim are one row or two, and what was there before is looked at first.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::FIND_KEY;
use super::claims::Claims;
use super::scheduled;
use super::writer::{execute, signed};
use crate::callback::CallbackId;
use crate::store::reply::Done;
use crate::store::row::{moment, read_inserted};
use crate::store::scheduled::begins;
use crate::store::trust::LAST_END;
use crate::store::vault::{PersonalColumns, Vault};
use crate::store::{Arrival, Claim, IdempotencyKey, Inserted, StoreError, failed};

fn find_key(
    connection: &Connection,
    key: &IdempotencyKey,
    vault: &Vault,
) -> Result<Option<Inserted>, StoreError> {
    let mut find = connection.prepare_cached(FIND_KEY).map_err(failed("find a key"))?;
    let mut rows = find.query(params![key.scope, key.key]).map_err(failed("find a key"))?;
    rows.next().map_err(failed("find a key"))?.map(|row| read_inserted(row, key, vault)).transpose()
}

/// Inserts a callback with its key and its claim, unless the key says that it has been stored before, another has the claim, or
/// there is no place.
pub(super) fn insert(
    connection: &Connection,
    claims: &mut Claims,
    Arrival { callback, key, claim, consent: _, place }: &Arrival,
    vault: &Vault,
) -> Result<Done, StoreError> {
    let claim = claim.as_ref().map(|claim| Claim { text: vault.claim(&claim.text), ..claim.clone() });
    if let Some(key) = key
        && let Some(before) = find_key(connection, key, vault)?
    {
        return Ok(Done { rows: 0, before: Some(before) });
    }
    if let Some(claim) = &claim
        && let Some(first) = claims.holder(connection, claim)?
    {
        if let Some(key) = key {
            insert_key(connection, key, vault, &Keyed { id: first, joined: true }, callback.created_at)?;
        }
        return Ok(Done { rows: 0, before: Some(Inserted::Joined(first)) });
    }
    let PersonalColumns { clear, sealed } = vault.columns(callback)?;
    if let Some(since) = claim.as_ref().and_then(|claim| claim.cooled_since)
        && let Some(ended_at) = last_end(connection, &clear.phone, &callback.request.site, since)?
    {
        return Ok(Done { rows: 0, before: Some(Inserted::TooSoon { ended_at }) });
    }
    if let Some(place) = place
        && scheduled::is_full(connection, callback, place)?
    {
        return Ok(Done { rows: 0, before: Some(Inserted::SlotFull) });
    }
    let request = &callback.request;
    let fallback = callback.fallback.as_ref();
    let appointment = callback.appointment.as_ref();
    let (begins_at, wanted_at) = begins(callback);
    execute(
        connection,
        "insert a callback",
        "INSERT INTO callback (id, site, door, phone, name, email, reason, message, page, locale, agent, reference, \
         consent_version, attributes, state, attempts, created_at, updated_at, deadline, due_at, revision, claim, fallback, \
         fallback_detail, schedule, schedule_keeper, sealed, at_opening, begins_at, wanted_at, fields) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            callback.id.to_string(),
            request.site,
            request.door.as_str(),
            clear.phone,
            clear.name,
            clear.email,
            request.reason,
            clear.message,
            clear.page,
            request.locale,
            clear.agent,
            clear.reference,
            request.consent_version,
            clear.attributes_json(),
            callback.state.as_str(),
            callback.attempts,
            callback.created_at.as_millisecond(),
            callback.updated_at.as_millisecond(),
            callback.deadline.as_millisecond(),
            callback.due_at.map(Timestamp::as_millisecond),
            signed(callback.revision),
            claim.as_ref().map(|claim| &claim.text),
            fallback.map(|(fallback, _)| fallback.as_str()),
            fallback.map(|(_, detail)| detail),
            appointment.map(|kept| kept.window.as_text()),
            appointment.map(|kept| kept.keeper.as_str()),
            sealed,
            appointment.is_some_and(|kept| kept.at_opening),
            begins_at,
            wanted_at,
            clear.fields_json(),
        ],
    )?;
    if let Some(claim) = &claim {
        claims.give(&claim.text, callback.id);
    }
    if let Some(key) = key {
        insert_key(connection, key, vault, &Keyed { id: callback.id, joined: false }, callback.created_at)?;
    }
    Ok(Done { rows: 1, before: None })
}

/// When the last call to the number ended, if that was after a moment.
pub(super) fn last_end(
    connection: &Connection,
    phone: &str,
    site: &str,
    since: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let mut find = connection.prepare_cached(LAST_END).map_err(failed("find the last call"))?;
    let ended = find.query_row(params![phone, site, since.as_millisecond()], |row| row.get(0));
    let ended: Option<i64> = ended.map_err(failed("find the last call"))?;
    ended.map(moment).transpose()
}

/// What a key leads to.
struct Keyed {
    id: CallbackId,
    joined: bool,
}

fn insert_key(
    connection: &Connection,
    key: &IdempotencyKey,
    vault: &Vault,
    keyed: &Keyed,
    now: Timestamp,
) -> Result<u64, StoreError> {
    execute(
        connection,
        "insert a key",
        "INSERT INTO idempotency (scope, key, fingerprint, callback_id, created_at, joined) VALUES (?, ?, ?, ?, ?, ?)",
        params![
            key.scope,
            key.key,
            &vault.fingerprint(key)[..],
            keyed.id.to_string(),
            now.as_millisecond(),
            keyed.joined
        ],
    )
}
