//! Whether a person has filled in the form, as far as a service can tell.

use std::time::Duration;

use ringback_contract::captcha::Captcha;
use ringback_contract::request::NewCallback;

use super::{Intake, Refusal};
use crate::guard::captcha::Judgement;
use crate::guard::patience::{Wait, Waited};
use crate::guard::proof::{Proofs, Solved};
use crate::metrics;
use crate::site::{CaptchaWhen, Site};
use crate::token::Purpose;

/// What shows that a person has made the request, or that it cost something.
pub(super) enum Proof {
    /// None is asked for: a CRM has a key.
    Spared,
    /// What the form has brought.
    Worked {
        /// The challenge that was solved, where one was.
        solved: Option<Solved>,
        /// The captcha's token, or nothing.
        captcha: String,
    },
    /// What a form without script has brought.
    Waited {
        /// The token of a wait, or nothing.
        token: String,
        /// The network that it was posted from.
        network: String,
    },
}

/// What a form shows for it.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// The headers of one that runs scripts.
    Headers {
        /// `Ringback-Proof`.
        proof: Option<&'a str>,
        /// `Ringback-Captcha`.
        captcha: Option<&'a str>,
    },
    /// What one that runs none can show: that its visitor has waited.
    Patience {
        /// The token of the wait, or nothing.
        token: &'a str,
        /// The network that the request comes from.
        network: &'a str,
    },
}

impl Intake {
    /// What a form's proof comes to.
    pub(super) fn proof(&self, site: &str, shown: Shown<'_>) -> Proof {
        match shown {
            Shown::Headers { proof, captcha } => Proof::Worked {
                solved: proof.and_then(|header| self.proofs.solved(site, header)),
                captcha: captcha.unwrap_or_default().to_owned(),
            },
            Shown::Patience { token, network } => {
                Proof::Waited { token: token.to_owned(), network: network.to_owned() }
            }
        }
    }

    /// Whether what the site asks for at present was done, and not used before.
    pub(super) async fn judge(&self, site: &str, proof: &Proof) -> Result<(), Refusal> {
        match proof {
            Proof::Spared => Ok(()),
            Proof::Worked { solved, captcha } => self.judge_work(site, solved.as_ref(), captcha).await,
            Proof::Waited { token, network } => self.judge_wait(site, token, network).await,
        }
    }

    /// Where others have to show something, whoever can show nothing has waited, and few come in that way.
    async fn judge_wait(&self, site: &str, token: &str, network: &str) -> Result<(), Refusal> {
        if self.captchas.when(site) != Some(CaptchaWhen::Always) && self.proofs.bits(site) == 0 {
            return Ok(());
        }
        match self.patience.judge(site, token) {
            Waited::Enough { id, until } if self.store.spend_challenge(&id, until).await? => {
                self.limits.count_waited(site, network).await
            }
            Waited::Not(seconds) => Err(Refusal::Wait(Wait { token: token.to_owned(), seconds })),
            Waited::Enough { .. } | Waited::Unknown => {
                metrics::waits(site);
                Err(Refusal::Wait(self.patience.ask(site)?))
            }
        }
    }

    async fn judge_work(&self, site: &str, solved: Option<&Solved>, captcha: &str) -> Result<(), Refusal> {
        let when = self.captchas.when(site);
        if when == Some(CaptchaWhen::Always) {
            match Box::pin(self.captchas.judge(site, captcha)).await {
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
            && Box::pin(self.captchas.judge(site, captcha)).await == Judgement::Good
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

    /// What gives away that no person has filled in the form. A form without script is held until a person may send it, by us.
    pub(super) fn sieve(&self, posted: &NewCallback, shown: Shown<'_>) -> Option<&'static str> {
        if !posted.website.is_empty() {
            return Some("hidden_field");
        }
        let is_held = matches!(shown, Shown::Patience { .. });
        (!is_held && !self.too_early(posted).is_zero()).then_some("too_fast")
    }

    /// How much later a person would have sent the form at the soonest. One of somebody else's making has no moment, and is not judged by it.
    pub fn too_early(&self, posted: &NewCallback) -> Duration {
        let opened =
            self.signer.open(Purpose::Opened, &posted.opened).and_then(|opened| opened.try_into().ok());
        let took =
            opened.map(|opened| self.clock.now().as_millisecond().saturating_sub(i64::from_be_bytes(opened)));
        let rest = took.map_or(0, |took| i64::from(self.typing_ms).saturating_sub(took));
        // The clock of whoever has drawn the form may be ahead.
        Duration::from_millis(rest.clamp(0, self.typing_ms.into()).unsigned_abs())
    }

    /// The work that forms must prove.
    pub fn proofs(&self) -> &Proofs {
        &self.proofs
    }
}
