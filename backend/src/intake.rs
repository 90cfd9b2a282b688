//! The one way in: what a browser or a CRM posts becomes a stored callback, or is refused with a reason.

mod agents;
mod fields;
mod limits;
mod number;
mod person;
mod report;
mod when;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ringback_contract::callback::State;
use ringback_contract::field::{Code, trimmed};
use ringback_contract::problem::FieldError;
use ringback_contract::proof::Challenge;
use ringback_contract::request::{NewCallback, NewCrmCallback};
use sha2::{Digest as _, Sha256};
use validator::ValidateArgs;

pub use self::agents::{LinkedAgent, Minted, NoLink, agent_link};
pub use self::fields::refuse;
use self::fields::{answer_errors, attribute_errors, field_errors, refused};
use self::limits::Limits;
use self::person::Proof;
pub use self::person::Shown;
use self::when::When;
use crate::agent::{Agent, AgentName, Revocations};
use crate::callback::{Callback, CallbackId, Fallback, Request};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::door::Door;
use crate::guard::captcha::Captchas;
use crate::guard::destination;
use crate::guard::origin;
use crate::guard::patience::{Patience, Wait};
use crate::guard::proof::Proofs;
use crate::guard::rate::Verdict;
use crate::guard::shared::SharedLimits;
use crate::personal::Personal;
use crate::phone::PhoneNumber;
use crate::schedule::Appointment;
use crate::site::{NumberCheck, Site};
use crate::store::ledger::Given;
use crate::store::{Arrival, IdempotencyKey, Inserted, Store, StoreError};
use crate::token::{Purpose, Signer};
use crate::trust::Trust;

/// A callback that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub id: CallbackId,
    /// The token that opens it.
    pub follow: String,
    /// Whether it had been asked for before: the token then shows it and no more.
    pub joined: bool,
    /// When it is called; `None`: as soon as possible.
    pub appointment: Option<Appointment>,
}

impl Taken {
    /// Its state when it was taken. What Webex is to keep is sent there at once; what we keep waits for its window.
    pub fn state(&self) -> State {
        let is_kept = self.appointment.as_ref().is_some_and(|kept| !kept.is_webexes());
        if is_kept { State::Scheduled } else { State::Accepted }
    }
}

/// What is to be taken.
struct Wanted {
    request: Request,
    fallback: Option<(Fallback, String)>,
    when: When,
    /// Whether a call of its own is wanted, though another is on its way.
    another: bool,
    /// The preferred-agent link that it came by.
    link: Option<String>,
    /// What the visitor has agreed to.
    consent: Option<Given>,
    proof: Proof,
    /// What gives away that no person asks.
    sieve: Option<&'static str>,
    /// What whoever asks knows the request by.
    key: Option<IdempotencyKey>,
}

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Fields break rules.
    #[error("fields were refused")]
    Fields(Vec<FieldError>),
    /// A limit is reached.
    #[error("the limit {name} is reached")]
    Limited {
        /// Which.
        name: &'static str,
        /// What it says.
        verdict: Verdict,
    },
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The site is pressed, and no work was proven.
    #[error("no work was proven")]
    Unproven(Challenge),
    /// Others have to show something at present, and this one, who can show nothing, has not waited for it.
    #[error("nobody has waited")]
    Wait(Wait),
    /// The site's captcha was not passed.
    #[error("the captcha was not passed")]
    Captcha,
    /// Another callback to the number is on its way.
    #[error("another callback to the number is on its way")]
    Claimed,
    /// There is no randomness for an id.
    #[error(transparent)]
    Entropy(#[from] crate::entropy::NoEntropy),
    /// A link could not be written as JSON, which does not happen.
    #[error(transparent)]
    Link(#[from] serde_json::Error),
}

/// The way in.
#[derive(Debug)]
pub struct Intake {
    store: Arc<dyn Store>,
    clock: SharedClock,
    signer: Arc<Signer>,
    revocations: Arc<Revocations>,
    sites: BTreeMap<String, Site>,
    agents: BTreeMap<String, Agent>,
    /// The numbers that calls come from, and those of every site itself.
    own_numbers: BTreeSet<String>,
    deadline_s: u64,
    join_s: u32,
    cooldown_s: u32,
    typing_ms: u32,
    limits: Limits,
    /// What visitors of a site agree to.
    consents: BTreeMap<String, Given>,
    proofs: Proofs,
    patience: Patience,
    captchas: Captchas,
    /// Where the hosted pages are.
    public_url: String,
}

impl Intake {
    /// The way in for the configured sites.
    pub fn new(
        config: &Config,
        store: Arc<dyn Store>,
        clock: SharedClock,
        Trust { signer, revocations }: Trust,
        shared: Option<&Arc<SharedLimits>>,
        captchas: Captchas,
        public_url: &str,
    ) -> Self {
        let proofs = Proofs::new(config.sites.keys(), &config.proof, Arc::clone(&signer), Arc::clone(&clock));
        let patience = Patience::new(&config.proof, Arc::clone(&signer), Arc::clone(&clock));
        Self {
            store,
            clock,
            signer,
            revocations,
            sites: config.sites.clone(),
            agents: config.agents.clone(),
            own_numbers: config.sites.values().flat_map(own_numbers).collect(),
            deadline_s: config.delivery.deadline_s,
            join_s: config.delivery.join_s,
            cooldown_s: config.limits.cooldown_s,
            typing_ms: config.limits.typing_ms,
            limits: Limits::new(config, shared),
            consents: config.sites.iter().filter_map(|(id, site)| Some((id.clone(), given(site)?))).collect(),
            proofs,
            patience,
            captchas,
            public_url: public_url.to_owned(),
        }
    }

    /// Takes what a visitor's browser has posted.
    pub async fn take_from_visitor(
        &self,
        site_id: &str,
        site: &Site,
        posted: &NewCallback,
        key: Option<String>,
        shown: Shown<'_>,
    ) -> Result<Taken, Refusal> {
        self.take(self.asked_by_visitor(site_id, site, posted, key, shown)?).await
    }

    /// What a visitor asks for, where it breaks no rule. In a box: what waits for the store is to be small.
    fn asked_by_visitor(
        &self,
        site_id: &str,
        site: &Site,
        posted: &NewCallback,
        key: Option<String>,
        shown: Shown<'_>,
    ) -> Result<Box<Wanted>, Refusal> {
        self.proofs.press(site_id);
        let sieve = self.sieve(posted, shown);
        let mut errors = field_errors(posted.validate_with_args(&site.visitor_rules()));
        let phone = self.read_phone(site, &posted.phone, &posted.country, &mut errors);
        let agent = match posted.agent.as_str() {
            "" => None,
            token => self
                .agent_of_link(site_id, token)
                .and_then(|linked| match linked.agent {
                    None if !site.falls_back() => Err(Code::AgentUnavailable),
                    _ => Ok(linked),
                })
                .map_err(|code| errors.push(refused("agent", code)))
                .ok(),
        };
        errors.extend(answer_errors(site.judge_answers(&posted.fields, false)));
        let when = self.when(site, posted.schedule.as_ref(), false, &mut errors);
        let (Some(phone), Some(when), true) = (phone, when, errors.is_empty()) else {
            return Err(Refusal::Fields(errors));
        };
        let mut request = Request {
            site: site_id.to_owned(),
            door: if sieve.is_some() { Door::Decoy } else { Door::Site },
            phone,
            name: Personal::new(trimmed(&posted.name)),
            email: Personal::new(trimmed(&posted.email)),
            reason: posted.reason.clone(),
            message: Personal::new(trimmed(&posted.message)),
            page: origin::own_page(site, &self.public_url, &posted.page).to_owned(),
            locale: posted.locale.clone(),
            agent: agent.as_ref().map(|linked| AgentName::Handle(linked.handle.clone())),
            reference: None,
            consent_version: site.consent.as_ref().map(|consent| consent.version.clone()),
            attributes: BTreeMap::new(),
            fields: site.answers(&posted.fields, Door::Site),
        };
        if sieve.is_some() {
            request.forget_person();
        }
        let key = key.map(|key| idempotency_key(format!("site:{site_id}"), key, posted));
        let fallback = agent.filter(|linked| linked.agent.is_none()).map(|_| {
            (Fallback::AgentNotConfigured, "the link's agent takes no callbacks for this site".to_owned())
        });
        let link = Some(posted.agent.clone()).filter(|token| !token.is_empty());
        let consent = self.consents.get(site_id).filter(|_| sieve.is_none()).cloned();
        let consent = consent.map(|given| given.in_language(&posted.locale));
        let proof = self.proof(site_id, shown);
        Ok(Box::new(Wanted { request, fallback, when, another: false, link, consent, proof, sieve, key }))
    }

    /// Takes what a CRM has posted; `caller` is whose idempotency keys do not meet those of others.
    pub async fn take_from_crm(
        &self,
        caller: String,
        site: &Site,
        posted: &NewCrmCallback,
        key: Option<String>,
    ) -> Result<Taken, Refusal> {
        self.take(self.asked_by_crm(caller, site, posted, key)?).await
    }

    /// What a CRM asks for, where it breaks no rule.
    fn asked_by_crm(
        &self,
        caller: String,
        site: &Site,
        posted: &NewCrmCallback,
        key: Option<String>,
    ) -> Result<Box<Wanted>, Refusal> {
        let mut errors = field_errors(posted.validate_with_args(&site.crm_rules()));
        let phone = self.read_phone(site, &posted.phone, &posted.country, &mut errors);
        let agent = match posted.agent.as_str() {
            "" => None,
            named => self.agent_asked_for(&posted.site, site, named).or_else(|| {
                errors.push(refused("agent", Code::AgentUnknown));
                None
            }),
        };
        attribute_errors(site, &posted.attributes, &mut errors);
        errors.extend(answer_errors(site.judge_answers(&posted.fields, true)));
        let when = self.when(site, posted.schedule.as_ref(), posted.ignore_hours, &mut errors);
        let (Some(phone), Some(when), true) = (phone, when, errors.is_empty()) else {
            return Err(Refusal::Fields(errors));
        };
        let some = |text: &str| Some(trimmed(text).to_owned()).filter(|text| !text.is_empty());
        let request = Request {
            site: posted.site.clone(),
            door: Door::Crm,
            phone,
            name: Personal::new(trimmed(&posted.name)),
            email: Personal::new(trimmed(&posted.email)),
            reason: posted.reason.clone(),
            message: Personal::new(trimmed(&posted.message)),
            page: String::new(),
            locale: String::new(),
            agent,
            reference: some(&posted.reference),
            consent_version: None,
            attributes: personal(&posted.attributes),
            fields: site.answers(&posted.fields, Door::Crm),
        };
        let key = key.map(|key| idempotency_key(caller, key, posted));
        Ok(Box::new(Wanted {
            request,
            fallback: None,
            when,
            another: posted.another,
            link: None,
            consent: None,
            proof: Proof::Spared,
            sieve: None,
            key,
        }))
    }

    /// The cursor of the page that follows that callback, for that caller and question.
    pub fn cursor(&self, last: CallbackId, question: &[u8; 32]) -> String {
        self.signer.sign(Purpose::Cursor, &[last.as_bytes(), &question[..]].concat())
    }

    /// Where the page before ended; `None`: the cursor is not ours, or not for that caller and question.
    pub fn open_cursor(&self, cursor: &str, question: &[u8; 32]) -> Option<CallbackId> {
        let payload = self.signer.open(Purpose::Cursor, cursor)?;
        let (last, asked) = payload.split_at_checked(16)?;
        (asked == question).then(|| CallbackId::from_slice(last))?
    }

    /// The callback that a follow token opens, and whether whoever holds it joined a request of somebody else.
    pub fn followed(&self, token: &str) -> Option<(CallbackId, bool)> {
        let opened = |purpose| CallbackId::from_slice(&self.signer.open(purpose, token)?);
        let joined = || opened(Purpose::Join).map(|id| (id, true));
        opened(Purpose::Follow).map(|id| (id, false)).or_else(joined)
    }

    async fn take(&self, wanted: Box<Wanted>) -> Result<Taken, Refusal> {
        // A repeated post is answered as the first was, and counts for nothing.
        if let Some(key) = &wanted.key {
            match self.store.inserted_with(key).await? {
                Some(Inserted::Before { id, joined }) => return self.found(id, joined).await,
                Some(Inserted::KeyReused) => return Err(Refusal::KeyReused),
                Some(_) | None => {}
            }
        }
        // Before the limits: whoever proves nothing takes nobody's place.
        self.judge(&wanted.request.site, &wanted.proof).await?;
        self.limits.count(&wanted).await?;
        let sieve = wanted.sieve;
        let arrival = self.arrival(wanted)?;
        let inserted = self.store.take_in(Arc::clone(&arrival)).await?;
        let callback = &arrival.callback;
        report::tell(callback, &inserted, sieve);
        match inserted {
            Inserted::New => Ok(self.taken(callback.id, false, callback.appointment.clone())),
            Inserted::Joined(id) => self.found(id, true).await,
            Inserted::Before { id, joined } => self.found(id, joined).await,
            Inserted::SlotFull => Err(Refusal::slot_full()),
            Inserted::KeyReused => Err(Refusal::KeyReused),
            Inserted::TooSoon { ended_at } => Err(self.too_soon(&callback.request.site, ended_at)),
        }
    }

    /// What is stored of a request, its callback made.
    fn arrival(&self, wanted: Box<Wanted>) -> Result<Arc<Arrival>, Refusal> {
        let Wanted { request, fallback, when, another, consent, key, .. } = *wanted;
        let now = self.clock.now();
        let place = when.place().cloned();
        let callback = Callback { fallback, ..when.callback(request, now)? };
        let claim = (!another && self.join_s > 0).then(|| self.claim(&callback, now));
        Ok(Arc::new(Arrival { callback, key, claim, consent, place }))
    }

    /// A number rests after a call. Whoever asks may be a stranger to whom it is no business that there was one, and when it ended: they are
    /// told what the limit of the number tells, and to come back after a whole rest.
    fn too_soon(&self, site: &str, ended_at: Timestamp) -> Refusal {
        tracing::info!(site, %ended_at, "a request came too soon after a call to its number");
        self.limits.refuse_number(Duration::from_secs(self.cooldown_s.into()))
    }

    /// One that was taken before.
    async fn found(&self, id: CallbackId, joined: bool) -> Result<Taken, Refusal> {
        let callback = self.store.get(id).await?;
        Ok(self.taken(id, joined, callback.and_then(|callback| callback.appointment)))
    }

    fn taken(&self, id: CallbackId, joined: bool, appointment: Option<Appointment>) -> Taken {
        let purpose = if joined { Purpose::Join } else { Purpose::Follow };
        Taken { id, follow: self.signer.sign(purpose, id.as_bytes()), joined, appointment }
    }

    /// The number, where it has the shape of one and may be called. Whoever is refused learns that, and not by which rule.
    fn read_phone(
        &self,
        site: &Site,
        typed: &str,
        country: &str,
        errors: &mut Vec<FieldError>,
    ) -> Option<PhoneNumber> {
        if errors.iter().any(|error| error.pointer == "/phone" || error.pointer == "/country") {
            return None;
        }
        destination::parse(typed, country, &site.countries, site.numbers)
            .and_then(|number| {
                // A contact centre that calls itself keeps two of its own lines busy.
                let may_be_called = site.may_call(&number) && !self.own_numbers.contains(number.e164());
                if may_be_called { Ok(number) } else { Err(Code::PhoneNotAllowed) }
            })
            .map_err(|code| errors.push(refused("phone", code)))
            .ok()
    }

    /// Forgets callers of the limits that are as good as new.
    pub fn sweep(&self) {
        self.limits.sweep();
    }
}

/// The numbers that a site's calls come from, and the one under which it is called.
fn own_numbers(site: &Site) -> impl Iterator<Item = String> {
    let shown = destination::parse(&site.phone, "", &site.countries, NumberCheck::Possible).ok();
    site.own_numbers().cloned().chain(shown.map(|number| number.e164().to_owned()))
}

/// What visitors of the site agree to, where it asks them.
fn given(site: &Site) -> Option<Given> {
    let consent = site.consent.as_ref()?;
    Some(Given { text_hash: consent.text_hash(), version: consent.version.clone(), language: String::new() })
}

fn personal(attributes: &BTreeMap<String, String>) -> BTreeMap<String, Personal> {
    attributes.iter().map(|(key, value)| (key.clone(), Personal::new(value))).collect()
}

fn idempotency_key(scope: String, key: String, posted: &impl serde::Serialize) -> IdempotencyKey {
    // The parsed request, so that white space between members does not matter. It always has a JSON form.
    let json = serde_json::to_vec(posted).unwrap_or_default();
    IdempotencyKey { scope, key, fingerprint: Sha256::digest(json).into() }
}
