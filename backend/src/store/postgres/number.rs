//! The number of a callback is changed, in the PostgreSQL database.

use async_trait::async_trait;

use super::write::integer;
use super::{INSERT_TRIES, PostgresStore, ledger};
use crate::callback::Callback;
use crate::store::ledger::{Given, NewConsent};
use crate::store::number::{CHANGE, Numbers, OTHER_HOLDER, RELEASE, Renumbered, consent};
use crate::store::row::{moment, read_id};
use crate::store::trust::LAST_END;
use crate::store::vault::PersonalColumns;
use crate::store::{Claim, StoreError, failed};

impl PostgresStore {
    /// One try. `None`: somebody took the claim meanwhile.
    async fn change_number_once(
        &self,
        next: &Callback,
        claim: Option<&Claim>,
        consent: Option<&NewConsent>,
    ) -> Result<Option<Renumbered>, StoreError> {
        let PersonalColumns { clear, sealed } = self.vault.columns(next)?;
        let text = claim.map(|claim| self.vault.claim(&claim.text));
        let id = next.id.to_string();
        let mut transaction = self.pool.begin().await.map_err(failed("begin"))?;
        if let Some((claim, text)) = claim.zip(text.as_ref()) {
            let release = sqlx::query(RELEASE).bind(text).bind(claim.since.as_millisecond());
            release.execute(&mut *transaction).await.map_err(failed("release a claim"))?;
            let find = sqlx::query(OTHER_HOLDER).bind(text).bind(&id);
            let holder = find.fetch_optional(&mut *transaction).await.map_err(failed("find a claim"))?;
            if let Some(holder) = holder {
                return Ok(Some(Renumbered::Claimed(read_id(&holder)?)));
            }
            if let Some(since) = claim.cooled_since {
                let find = sqlx::query_scalar(LAST_END).bind(&clear.phone).bind(&next.request.site);
                let ended: Option<i64> = find
                    .bind(since.as_millisecond())
                    .fetch_one(&mut *transaction)
                    .await
                    .map_err(failed("find the last call"))?;
                if let Some(ended) = ended {
                    return Ok(Some(Renumbered::TooSoon { ended_at: moment(ended)? }));
                }
            }
        }
        let change = sqlx::query(CHANGE)
            .bind(&clear.phone)
            .bind(&clear.name)
            .bind(&clear.email)
            .bind(&clear.message)
            .bind(&clear.page)
            .bind(clear.attributes_json())
            .bind(&sealed)
            .bind(&text)
            .bind(next.updated_at.as_millisecond())
            .bind(integer(next.revision))
            .bind(clear.fields_json())
            .bind(&clear.agent)
            .bind(&clear.reference)
            .bind(&id)
            .bind(integer(next.revision) - 1);
        let changed = match change.execute(&mut *transaction).await {
            // The index of claims is the only one that a change can break.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(None),
            changed => changed.map_err(failed("change a number"))?.rows_affected() == 1,
        };
        if !changed {
            return Ok(Some(Renumbered::Overtaken));
        }
        if let Some(consent) = consent {
            ledger::insert_consent(&mut transaction, consent).await?;
        }
        transaction.commit().await.map_err(failed("commit"))?;
        Ok(Some(Renumbered::Done))
    }
}

#[async_trait]
impl Numbers for PostgresStore {
    async fn change_number(
        &self,
        next: &Callback,
        claim: Option<&Claim>,
        given: Option<&Given>,
    ) -> Result<Renumbered, StoreError> {
        let consent = given.map(|given| consent(&self.vault, next, given));
        for _ in 0..INSERT_TRIES {
            if let Some(renumbered) = self.change_number_once(next, claim, consent.as_ref()).await? {
                if renumbered == Renumbered::Done {
                    self.tell(next.id);
                }
                return Ok(renumbered);
            }
        }
        Err(StoreError::Row("a claim that comes and goes".to_owned()))
    }
}
