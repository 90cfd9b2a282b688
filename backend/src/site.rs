//! Sites: the websites that show the form, as the operator configures them.

mod captcha;
mod fields;
mod label;
mod texts;
mod theme;

use std::collections::BTreeMap;

use ringback_contract::field::Presence;
use ringback_contract::form::FieldName;
use ringback_contract::request::Rules;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

pub use self::captcha::{Captcha, CaptchaWhen};
pub use self::fields::{Answer, Answers, CustomChoice, CustomField, CustomKind, FieldId};
pub use self::label::Label;
pub use self::texts::{EVERY, Texts};
pub use self::theme::Theme;
use crate::hours::Hours;
use crate::phone::PhoneNumber;
use crate::rates::Rates;
use crate::schedule::Offer;

/// A site.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The name that visitors know.
    pub name: String,
    /// The origins of the pages that may show the form.
    #[serde(default)]
    pub origins: Vec<String>,
    /// The outbound entry point that callbacks are created on.
    pub entry_point: String,
    /// The number that visitors see calling; empty: the organisation's own.
    #[serde(default)]
    pub ani: String,
    /// How many new callbacks it takes; `None`: as every site.
    #[serde(default)]
    pub limit: Option<Rates>,
    /// Countries whose numbers may be called, the usual one first.
    #[serde(default = "default_countries")]
    pub countries: Vec<String>,
    /// How well a number must be known to exist.
    #[serde(default)]
    pub numbers: NumberCheck,
    /// What a number must begin with, with `+`, to be called; empty: anything.
    #[serde(default)]
    pub call_prefixes: Vec<String>,
    /// What a number must not begin with, with `+`, to be called.
    #[serde(default)]
    pub refuse_prefixes: Vec<String>,
    /// Language of the form where the page names none.
    #[serde(default = "default_locale")]
    pub locale: String,
    /// The operator's own words, in the place of ours.
    #[serde(default)]
    pub texts: Texts,
    /// How the form looks.
    #[serde(default)]
    pub theme: Theme,
    /// The site's own number; empty: none is shown.
    #[serde(default)]
    pub phone: String,
    /// The fields of the form, in order.
    #[serde(default = "default_fields")]
    pub fields: Vec<FieldId>,
    /// Which of them must be filled in.
    #[serde(default = "default_required")]
    pub required: Vec<FieldId>,
    /// The operator's own fields.
    #[serde(default)]
    pub custom_fields: Vec<CustomField>,
    /// Whether the form may be filled in from the address of its page.
    #[serde(default)]
    pub prefill_from_address: bool,
    /// Attributes of the task, as templates.
    #[serde(default = "default_attributes")]
    pub attributes: BTreeMap<String, String>,
    /// The attribute that requests whose answer was lost are searched by; empty: by number and time.
    #[serde(default = "default_reference_variable")]
    pub reference_variable: String,
    /// The reasons to choose from.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// The text to agree to.
    #[serde(default)]
    pub consent: Option<Consent>,
    /// How a task for a preferred agent is made; `None`: the site takes no preferred agents.
    #[serde(default)]
    pub preferred_agent: Option<PreferredAgent>,
    /// Where to ask how long people wait; `None`: visitors are not told.
    #[serde(default)]
    pub wait_time: Option<WaitTimeSource>,
    /// What is offered to whom wants to be called at a chosen time; `None`: nothing.
    #[serde(default)]
    pub schedule: Option<Offer>,
    /// When it is open; `None`: always.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// A captcha of others; `None`: there is none.
    #[serde(default)]
    pub captcha: Option<Captcha>,
}

/// How well a number must be known to exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberCheck {
    /// It has a length that numbers of its country have. Area codes newer than our numbering plans pass.
    #[default]
    Possible,
    /// It is in a range that is in use, as far as our numbering plans know.
    Valid,
}

/// A reason to choose from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// What a request names it by.
    pub id: String,
    /// What visitors see.
    pub label: Label,
    /// Instead of the site's own entry point; empty: the site's.
    #[serde(default)]
    pub entry_point: String,
    /// The queue that its calls wait in, instead of the site's; empty: the site's.
    #[serde(default)]
    pub queue: String,
}

/// Where to ask how long people wait for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitTimeSource {
    /// The queue.
    pub queue: String,
    /// How often Webex is asked at most, in seconds.
    #[serde(default = "default_refresh_s")]
    pub refresh_s: u64,
    /// From how many past minutes the figure is made: 5 to 240.
    #[serde(default = "default_lookback_minutes")]
    pub lookback_minutes: u16,
    /// How far the samples may vary, in percent: 1 to 100.
    #[serde(default = "default_percentage")]
    pub max_cv: u8,
    /// How many of the samples must be valid, in percent: 1 to 100.
    #[serde(default = "default_percentage")]
    pub min_valid_samples: u8,
}

/// A text to agree to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Its version.
    pub version: String,
    /// The text.
    pub text: String,
    /// Where the whole policy can be read; empty: nowhere.
    #[serde(default)]
    pub policy_url: String,
}

impl Consent {
    /// The SHA-256 of the text, in hexadecimal.
    pub fn text_hash(&self) -> String {
        hex::encode(Sha256::digest(&self.text))
    }
}

/// How a task for a preferred agent is made: `EXECUTE_FLOW` on an inbound entry point.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreferredAgent {
    /// The inbound entry point whose flow queues the call to the agent.
    pub entry_point: String,
    /// The number that visitors see calling; Webex asks for it here.
    pub ani: String,
    /// The flow variable that receives the agent.
    #[serde(default = "default_variable")]
    pub variable: String,
    /// What the flow looks the agent up by.
    #[serde(default)]
    pub identify_by: IdentifyBy,
    /// Where agents are known from.
    #[serde(default)]
    pub agents_from: AgentsFrom,
    /// What becomes of a callback whose agent takes no calls, or whose task Webex refuses.
    #[serde(default)]
    pub fallback: WithoutAgent,
}

/// Where agents are known from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentsFrom {
    /// The configuration, which is believed.
    #[default]
    Config,
    /// The configuration and Webex's users: each agent is looked up by e-mail address before a call is made, and a CRM
    /// may name one by that address.
    Webex,
}

/// What becomes of a callback whose agent cannot be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutAgent {
    /// The next free agent calls: whoever asks wants to be called first of all.
    #[default]
    Callback,
    /// It fails.
    Fail,
}

/// What the flow looks an agent up by: the lookup type of the activity Queue To Agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifyBy {
    /// The e-mail address.
    #[default]
    Email,
    /// The agent's id.
    Id,
}

fn default_countries() -> Vec<String> {
    vec!["US".to_owned()]
}

fn default_locale() -> String {
    "en".to_owned()
}

fn default_fields() -> Vec<FieldId> {
    FieldName::ALL.map(FieldId::Known).into()
}

fn default_required() -> Vec<FieldId> {
    [FieldName::Name, FieldName::Phone].map(FieldId::Known).into()
}

fn default_attributes() -> BTreeMap<String, String> {
    [
        ("CallReason", "{reason}"),
        ("Name", "{name}"),
        ("Email", "{email}"),
        ("Page", "{page}"),
        ("RingbackRef", "{callback_id}"),
    ]
    .map(|(key, template)| (key.to_owned(), template.to_owned()))
    .into()
}

fn default_reference_variable() -> String {
    "RingbackRef".to_owned()
}

const fn default_refresh_s() -> u64 {
    60
}

const fn default_lookback_minutes() -> u16 {
    60
}

/// Webex's own default for both of the percentages (OpenAPI, group "Estimated Wait Time").
const fn default_percentage() -> u8 {
    40
}

fn default_variable() -> String {
    "preferredAgent".to_owned()
}

impl Site {
    /// Whether the site's prefixes let that number be called.
    pub fn may_call(&self, number: &PhoneNumber) -> bool {
        let begins = |prefix: &String| number.e164().starts_with(prefix.as_str());
        (self.call_prefixes.is_empty() || self.call_prefixes.iter().any(begins))
            && !self.refuse_prefixes.iter().any(begins)
    }

    /// The numbers that its calls come from.
    pub fn own_numbers(&self) -> impl Iterator<Item = &String> {
        let preferred = self.preferred_agent.iter().map(|preferred| &preferred.ani);
        std::iter::once(&self.ani).chain(preferred).filter(|ani| !ani.is_empty())
    }

    /// The number that its calls come from, or those to a preferred agent; `None` where the organisation's own is shown, which is
    /// not known here.
    pub fn calls_from(&self, by_agent: bool) -> Option<&str> {
        let preferred = self.preferred_agent.as_ref().filter(|_| by_agent);
        let ani = preferred.map_or(&self.ani, |preferred| &preferred.ani);
        Some(ani.as_str()).filter(|ani| !ani.is_empty())
    }

    /// The reason of that id.
    pub fn reason(&self, id: &str) -> Option<&Reason> {
        self.reasons.iter().find(|reason| reason.id == id)
    }

    /// Where to ask how long people wait who call for that reason.
    pub fn wait_time_for(&self, reason: &str) -> Option<WaitTimeSource> {
        let source = self.wait_time.clone()?;
        let own = self.reason(reason).map(|reason| reason.queue.clone()).filter(|queue| !queue.is_empty());
        Some(match own {
            Some(queue) => WaitTimeSource { queue, ..source },
            None => source,
        })
    }

    /// Whether whoever asks for an agent who cannot be had is called by the next free one.
    pub fn falls_back(&self) -> bool {
        self.preferred_agent.as_ref().is_some_and(|preferred| preferred.fallback == WithoutAgent::Callback)
    }

    /// Whether agents are looked up in Webex.
    pub fn looks_agents_up(&self) -> bool {
        self.preferred_agent.as_ref().is_some_and(|preferred| preferred.agents_from == AgentsFrom::Webex)
    }

    /// Whether the form shows that field.
    pub fn shows(&self, field: &FieldId) -> bool {
        let has_choices = *field != FieldId::Known(FieldName::Reason) || !self.reasons.is_empty();
        self.fields.contains(field) && has_choices
    }

    /// Whether that field must be filled in by a visitor.
    pub fn presence(&self, field: &FieldId) -> Presence {
        let is_phone = *field == FieldId::Known(FieldName::Phone);
        let required = is_phone || (self.required.contains(field) && self.shows(field));
        if required { Presence::Required } else { Presence::Optional }
    }

    /// The rules for what a visitor sends.
    pub fn visitor_rules(&self) -> Rules {
        let presence = |name| self.presence(&FieldId::Known(name));
        Rules {
            name: presence(FieldName::Name),
            email: presence(FieldName::Email),
            reason: presence(FieldName::Reason),
            message: presence(FieldName::Message),
            reasons: self.reasons.iter().map(|reason| reason.id.clone()).collect(),
            consent_version: self.consent.as_ref().map(|consent| consent.version.clone()),
        }
    }

    /// The rules for what a CRM sends: it knows whom it asks for, and has its own record of their consent.
    pub fn crm_rules(&self) -> Rules {
        Rules {
            name: Presence::Optional,
            email: Presence::Optional,
            reason: Presence::Optional,
            message: Presence::Optional,
            consent_version: None,
            ..self.visitor_rules()
        }
    }
}
