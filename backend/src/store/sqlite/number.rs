//! The number of a callback is changed, in the SQLite file.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::claims::{self, Claims};
use super::insertion::last_end;
use super::ledger::write_consents;
use super::writer::{Context, Write, execute, signed};
use crate::callback::Callback;
use crate::store::ledger::Given;
use crate::store::number::{CHANGE, Numbers, Renumbered, consent};
use crate::store::reply::Done;
use crate::store::vault::PersonalColumns;
use crate::store::{Claim, Inserted, StoreError};

/// A change to write.
pub(super) struct NumberWrite {
    pub(super) next: Box<Callback>,
    pub(super) claim: Option<Claim>,
    pub(super) consent: Option<Given>,
}

pub(super) fn apply(
    connection: &Connection,
    claims: &mut Claims,
    write: &NumberWrite,
    context: &Context,
) -> Result<Done, StoreError> {
    let NumberWrite { next, claim, consent: given } = write;
    let vault = &context.vault;
    let PersonalColumns { clear, sealed } = vault.columns(next)?;
    let claim = claim.as_ref().map(|claim| Claim { text: vault.claim(&claim.text), ..claim.clone() });
    let text = claim.as_ref().map(|claim| claim.text.as_str());
    let former = claims::of(connection, next.id)?;
    if let Some(claim) = &claim {
        if let Some(holder) = claims.holder(connection, claim)?.filter(|holder| *holder != next.id) {
            return Ok(Done { rows: 0, before: Some(Inserted::Joined(holder)) });
        }
        if let Some(since) = claim.cooled_since
            && let Some(ended_at) = last_end(connection, &clear.phone, &next.request.site, since)?
        {
            return Ok(Done { rows: 0, before: Some(Inserted::TooSoon { ended_at }) });
        }
    }
    let rows = execute(
        connection,
        "change a number",
        CHANGE,
        params![
            clear.phone,
            clear.name,
            clear.email,
            clear.message,
            clear.page,
            clear.attributes_json(),
            sealed,
            text,
            next.updated_at.as_millisecond(),
            signed(next.revision),
            clear.fields_json(),
            clear.agent,
            clear.reference,
            next.id.to_string(),
            signed(next.revision) - 1,
        ],
    )?;
    if rows == 1 {
        if let Some(former) = former {
            claims.take_back(&former, next.id);
        }
        if let Some(text) = text {
            claims.give(text, next.id);
        }
    }
    if let Some(given) = given.as_ref().filter(|_| rows == 1) {
        write_consents(connection, &[consent(vault, next, given)])?;
    }
    Ok(Done { rows, before: None })
}

#[async_trait]
impl Numbers for SqliteStore {
    async fn change_number(
        &self,
        next: &Callback,
        claim: Option<&Claim>,
        consent: Option<&Given>,
    ) -> Result<Renumbered, StoreError> {
        let next = Box::new(next.clone());
        let write = NumberWrite { next, claim: claim.cloned(), consent: consent.cloned() };
        let done = self.writer.write(Write::Number(write)).await?;
        Ok(match done.before {
            Some(Inserted::Joined(holder)) => Renumbered::Claimed(holder),
            Some(Inserted::TooSoon { ended_at }) => Renumbered::TooSoon { ended_at },
            _ if done.rows == 1 => Renumbered::Done,
            _ => Renumbered::Overtaken,
        })
    }
}
