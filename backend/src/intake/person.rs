//! Whether a person has filled in the form, as far as a service can tell.

use ringback_contract::request::NewCallback;

use super::{Intake, Refusal, Taken};
use crate::callback::CallbackId;
use crate::guard::proof::{Proofs, Solved};
use crate::metrics;
use crate::token::Purpose;

/// The work that a form has proven.
pub(super) enum Proof {
    /// None is asked for: a CRM has a key.
    Spared,
    /// What was solved, where anything was.
    Asked(Option<Solved>),
}

impl Intake {
    /// Whether the work that the site asks for at present was done, and not used before.
    pub(super) async fn judge(&self, site: &str, proof: &Proof) -> Result<(), Refusal> {
        let Proof::Asked(solved) = proof else {
            return Ok(());
        };
        if self.proofs.bits(site) == 0 {
            return Ok(());
        }
        if let Some(Solved { id, until }) = solved
            && self.store.spend_challenge(id, *until).await?
        {
            return Ok(());
        }
        match self.proofs.challenge(site)? {
            Some(challenge) => Err(Refusal::Unproven(challenge)),
            // The pressure fell that very moment.
            None => Ok(()),
        }
    }

    /// A token of this moment, for a form that is asked for now.
    pub fn opened_now(&self) -> String {
        self.signer.sign(Purpose::Opened, &self.clock.now().as_millisecond().to_be_bytes())
    }

    /// What gives away that no person has filled in the form.
    pub(super) fn sieve(&self, posted: &NewCallback) -> Option<&'static str> {
        if !posted.website.is_empty() {
            return Some("hidden_field");
        }
        // A form of somebody else's making has no moment, and is not judged by it.
        let opened = self.signer.open(Purpose::Opened, &posted.opened)?;
        let opened = i64::from_be_bytes(opened.try_into().ok()?);
        let took = self.clock.now().as_millisecond().saturating_sub(opened);
        (took < i64::from(self.typing_ms)).then_some("too_fast")
    }

    /// Answers as if all were well: whoever wrote the program learns nothing from it.
    pub(super) fn pretend(&self, site_id: &str, sieve: &'static str) -> Result<Taken, Refusal> {
        metrics::sieved(site_id, sieve);
        tracing::info!(site = site_id, sieve, "a request that no person has made was thrown away");
        Ok(self.taken(CallbackId::new(self.clock.now())?, false))
    }

    /// The work that forms must prove.
    pub fn proofs(&self) -> &Proofs {
        &self.proofs
    }
}
