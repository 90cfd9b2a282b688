//! Whether a person has filled in the form, as far as a service can tell.

use ringback_contract::captcha::Captcha;
use ringback_contract::request::NewCallback;

use super::{Intake, Refusal, Taken};
use crate::callback::CallbackId;
use crate::guard::captcha::Judgement;
use crate::guard::proof::{Proofs, Solved};
use crate::metrics;
use crate::site::{CaptchaWhen, Site};
use crate::token::Purpose;

/// What shows that a person has made the request, or that it cost something.
pub(super) enum Proof {
    /// None is asked for: a CRM has a key.
    Spared,
    /// What the form has brought.
    Asked {
        /// The challenge that was solved, where one was.
        solved: Option<Solved>,
        /// The captcha's token, or nothing.
        captcha: String,
    },
}

/// The headers of a form that show it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// `Ringback-Proof`.
    pub proof: Option<&'a str>,
    /// `Ringback-Captcha`.
    pub captcha: Option<&'a str>,
}

impl Intake {
    /// Whether the work that the site asks for at present was done, and not used before.
    pub(super) async fn judge(&self, site: &str, proof: &Proof) -> Result<(), Refusal> {
        let Proof::Asked { solved, captcha } = proof else {
            return Ok(());
        };
        let when = self.captchas.when(site);
        if when == Some(CaptchaWhen::Always) {
            match self.captchas.judge(site, captcha).await {
                Judgement::Good => return Ok(()),
                Judgement::Bad => return Err(Refusal::Captcha),
                // A site whose provider is away is a site without a captcha: no visitor is turned away for that.
                Judgement::Unknown => {}
            }
        }
        if self.proofs.bits(site) == 0 {
            return Ok(());
        }
        if when == Some(CaptchaWhen::Pressed)
            && !captcha.is_empty()
            && self.captchas.judge(site, captcha).await == Judgement::Good
        {
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

    /// The captcha to show in a form of the site now.
    pub fn captcha(&self, site_id: &str, site: &Site) -> Option<Captcha> {
        let own = site.captcha.as_ref()?;
        (own.when == CaptchaWhen::Always || self.proofs.bits(site_id) > 0).then(|| own.to_show())
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
    pub(super) fn pretend(
        &self,
        site_id: &str,
        site: &Site,
        posted: &NewCallback,
        sieve: &'static str,
    ) -> Result<Taken, Refusal> {
        metrics::sieved(site_id, sieve);
        tracing::info!(site = site_id, sieve, "a request that no person has made was thrown away");
        let when = self.when(site, posted.schedule.as_ref(), false, &mut Vec::new());
        let appointment = when.and_then(|when| when.appointment());
        Ok(self.taken(CallbackId::new(self.clock.now())?, false, appointment))
    }

    /// The work that forms must prove.
    pub fn proofs(&self) -> &Proofs {
        &self.proofs
    }
}
