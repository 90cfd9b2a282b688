//! Holds a configuration against the Webex organisation it is for. One finding a check: what is wrong, and what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::authorization::{Authorization, Status};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::site::Site;
use crate::store::{self, Use};
use crate::webex::client::Client;
use crate::webex::configuration::{EntryPoint, GlobalVariable};
use crate::webex::error::WebexError;

/// How far the clocks may be apart, in seconds, before signatures and deadlines suffer.
const CLOCK_TOLERANCE_S: i64 = 60;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Doubtful,
    /// Callbacks will fail or be slow to show.
    Wrong,
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked: a stable name.
    pub check: &'static str,
    /// Which one of its kind, such as a site.
    pub subject: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Good => "ok   ",
            Verdict::Doubtful => "warn ",
            Verdict::Wrong => "WRONG",
        };
        write!(formatter, "{mark} {} {}: {}", self.check, self.subject, self.detail)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(formatter, "\n      hint: {remedy}"))
    }
}

/// Findings, as they come.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        check: &'static str,
        subject: &str,
        verdict: Verdict,
        detail: String,
        remedy: Option<&str>,
    ) {
        let (subject, remedy) = (subject.to_owned(), remedy.map(str::to_owned));
        self.0.push(Finding { check, subject, verdict, detail, remedy });
    }

    fn good(&mut self, check: &'static str, subject: &str, detail: impl Into<String>) {
        self.add(check, subject, Verdict::Good, detail.into(), None);
    }

    fn doubtful(&mut self, check: &'static str, subject: &str, detail: impl Into<String>, remedy: &str) {
        self.add(check, subject, Verdict::Doubtful, detail.into(), Some(remedy));
    }

    fn wrong(&mut self, check: &'static str, subject: &str, detail: impl Into<String>, remedy: &str) {
        self.add(check, subject, Verdict::Wrong, detail.into(), Some(remedy));
    }

    /// Webex could not be asked.
    fn unanswered(&mut self, check: &'static str, subject: &str, error: &WebexError) {
        let remedy = match error.status {
            Some(401) => "give a token that is still valid, for this region (webex.region)",
            Some(403) => "give a token with the scope cjp:config_read, of a Contact Center administrator",
            Some(_) => "look the tracking id up with Webex support",
            None => "check webex.region or webex.base_url, the network, and webex.organization_id",
        };
        self.wrong(check, subject, error.to_string(), remedy);
    }
}

/// Examines a deployment. Reads only.
pub async fn examine(
    config: &Config,
    webex: &Client,
    authorization: Option<&Authorization>,
    clock: &SharedClock,
) -> Vec<Finding> {
    let mut found = Findings::default();
    found.good("config", "file", "every key and value can be used");
    database(config, &mut found).await;
    public_address(config, &mut found);
    if let Some(authorization) = authorization {
        connection(authorization, &mut found).await;
    }
    if token_and_clock(webex, clock, &mut found).await {
        entry_points(config, webex, &mut found).await;
        anis(config, webex, &mut found).await;
        variables(config, webex, &mut found).await;
        agents(config, webex, &mut found).await;
        subscriptions(config, webex, &mut found).await;
    }
    found.0
}

async fn database(config: &Config, found: &mut Findings) {
    let postgres = config.store.is_postgres();
    let path = config.store.path.display().to_string();
    let subject = if postgres { "store.url" } else { path.as_str() };
    if !postgres && !config.store.path.exists() {
        return found.good("database", subject, "is not there yet: the service makes it at its first start");
    }
    match store::open(&config.store, Use::Command).await {
        Ok(_) => found.good("database", subject, "can be opened, and its schema is of this version"),
        Err(error) if postgres => found.wrong(
            "database",
            subject,
            error.to_string(),
            "see to it that the server runs, that the database is there, and that the user may make tables in it",
        ),
        Err(error) => found.wrong(
            "database",
            subject,
            error.to_string(),
            "name a file in a folder that the service may write to",
        ),
    }
}

fn public_address(config: &Config, found: &mut Findings) {
    const CHECK: &str = "public_address";
    match config.server.public_url.as_str() {
        "" => found.doubtful(
            CHECK,
            "server.public_url",
            "is empty: links and the hosted pages work on this machine only",
            "set it to the address under which the public reaches the service",
        ),
        url if url.starts_with("https://") => found.good(CHECK, url, "is https"),
        url => found.wrong(
            CHECK,
            url,
            "is not https: Webex sends no webhooks there",
            "put a proxy with TLS in front",
        ),
    }
}

/// How the tokens stand that the service renews by itself.
async fn connection(authorization: &Authorization, found: &mut Findings) {
    const CHECK: &str = "authorization";
    let told = match authorization.status().await {
        Ok(Status { warning: None, access_ends_at, .. }) => {
            let detail = format!("connected; the access token is good until {access_ends_at}");
            return found.good(CHECK, "webex.oauth", detail);
        }
        Ok(Status { warning: Some(warning), .. }) => warning,
        Err(trouble) => trouble.to_string(),
    };
    let (detail, remedy) = told.split_once("; hint: ").unwrap_or((&told, "run `ringback auth status`"));
    found.wrong(CHECK, "webex.oauth", detail, remedy);
}

/// Whether Webex can be asked at all.
async fn token_and_clock(webex: &Client, clock: &SharedClock, found: &mut Findings) -> bool {
    if let Err(why) = webex.check_token().await {
        found.wrong("token", "webex.access_token", why, "paste a token, or name a file that holds one");
        return false;
    }
    match webex.clock().await {
        Err(error) => {
            found.unanswered("webex", "connection", &error);
            return false;
        }
        Ok(None) => found.doubtful(
            "clock",
            "this machine",
            "Webex does not tell its time",
            "keep the clock in step by NTP",
        ),
        Ok(Some(theirs)) => {
            let apart = theirs.duration_since(clock.now()).as_secs().abs();
            if apart <= CLOCK_TOLERANCE_S {
                found.good("clock", "this machine", format!("within {CLOCK_TOLERANCE_S} s of Webex's"));
            } else {
                found.wrong(
                    "clock",
                    "this machine",
                    format!("{apart} s apart from Webex's"),
                    "set it, and keep it in step by NTP",
                );
            }
        }
    }
    true
}

async fn entry_points(config: &Config, webex: &Client, found: &mut Findings) {
    for (id, site) in &config.sites {
        let mut outbound: BTreeSet<&str> = BTreeSet::from([site.entry_point.as_str()]);
        outbound.extend(
            site.reasons.iter().map(|reason| reason.entry_point.as_str()).filter(|id| !id.is_empty()),
        );
        for entry_point in outbound {
            let subject = format!("sites.{id} {entry_point}");
            judge_entry_point(&subject, webex.entry_point(entry_point).await, callback_flaw, found);
        }
        if let Some(preferred) = &site.preferred_agent {
            let subject = format!("sites.{id}.preferred_agent {}", preferred.entry_point);
            judge_entry_point(&subject, webex.entry_point(&preferred.entry_point).await, flow_flaw, found);
        }
    }
}

fn judge_entry_point(
    subject: &str,
    answer: Result<Option<EntryPoint>, WebexError>,
    flaw: fn(&EntryPoint) -> Option<(&'static str, &'static str)>,
    found: &mut Findings,
) {
    const CHECK: &str = "entry_point";
    match answer {
        Err(error) => found.unanswered(CHECK, subject, &error),
        Ok(None) => found.wrong(
            CHECK,
            subject,
            "does not exist",
            "copy the id from Control Hub: Contact Center, Channels",
        ),
        Ok(Some(entry_point)) => match flaw(&entry_point) {
            Some((what, remedy)) => {
                found.wrong(CHECK, subject, format!("{:?} {what}", entry_point.name), remedy);
            }
            None => found.good(CHECK, subject, format!("{:?} is fit for its use", entry_point.name)),
        },
    }
}

/// What keeps an entry point from taking callbacks.
fn callback_flaw(entry_point: &EntryPoint) -> Option<(&'static str, &'static str)> {
    if entry_point.entry_point_type != "OUTBOUND" {
        Some(("is not an outbound one", "callbacks need an outdial entry point"))
    } else if !entry_point.active {
        Some(("is not active", "activate it in Control Hub"))
    } else if !entry_point.callback_enabled {
        Some(("does not allow callbacks", "enable callbacks for it in Control Hub"))
    } else if entry_point.outdial_queue_id.is_none() {
        Some(("has no outdial queue", "choose an outdial queue for it in Control Hub"))
    } else {
        None
    }
}

/// What keeps an entry point from running the flow for a preferred agent.
fn flow_flaw(entry_point: &EntryPoint) -> Option<(&'static str, &'static str)> {
    if entry_point.entry_point_type != "INBOUND" {
        Some(("is not an inbound one", "a flow is run behind an inbound entry point"))
    } else if !entry_point.active {
        Some(("is not active", "activate it in Control Hub"))
    } else if entry_point.flow_id.is_none() {
        Some(("has no flow", "choose the flow that queues the call to the agent"))
    } else {
        None
    }
}

async fn anis(config: &Config, webex: &Client, found: &mut Findings) {
    const CHECK: &str = "ani";
    let of_site = |site: &Site| {
        let preferred = site.preferred_agent.as_ref().map(|preferred| preferred.ani.clone());
        preferred.into_iter().chain(Some(site.ani.clone()).filter(|ani| !ani.is_empty())).collect::<Vec<_>>()
    };
    let wanted: BTreeSet<String> = config.sites.values().flat_map(of_site).collect();
    if wanted.is_empty() {
        return;
    }
    match webex.outdial_anis().await {
        Err(error) => found.unanswered(CHECK, "outdial ANIs", &error),
        Ok(known) => {
            for ani in &wanted {
                if known.contains(ani) {
                    found.good(CHECK, ani, "is an outdial ANI of the organisation");
                } else {
                    found.wrong(
                        CHECK,
                        ani,
                        "is no outdial ANI of the organisation",
                        "write it as it stands in Control Hub, or add it there",
                    );
                }
            }
        }
    }
}

async fn variables(config: &Config, webex: &Client, found: &mut Findings) {
    const CHECK: &str = "variable";
    let known: BTreeMap<String, GlobalVariable> = match webex.global_variables().await {
        Err(error) => return found.unanswered(CHECK, "global variables", &error),
        Ok(variables) => variables.into_iter().map(|variable| (variable.name.clone(), variable)).collect(),
    };
    for (id, site) in &config.sites {
        for name in site.attributes.keys() {
            let subject = format!("sites.{id}.attributes.{name}");
            match known.get(name).filter(|variable| variable.active) {
                None => found.doubtful(
                    CHECK,
                    &subject,
                    "no global variable has this name: agents may not see it",
                    "add it in Control Hub, and to the flow",
                ),
                Some(variable) if *name == site.reference_variable && !variable.reportable => found.doubtful(
                    CHECK,
                    &subject,
                    "is not reportable: requests whose answer was lost are found by number and time alone",
                    "mark the global variable as reportable",
                ),
                Some(_) => found.good(CHECK, &subject, "is a global variable"),
            }
        }
    }
}

async fn agents(config: &Config, webex: &Client, found: &mut Findings) {
    const CHECK: &str = "agent";
    for (handle, agent) in config.agents.iter().filter(|(_, agent)| !agent.email.is_empty()) {
        match webex.user(agent.email.reveal()).await {
            Err(error) => found.unanswered(CHECK, handle, &error),
            Ok(None) => found.wrong(
                CHECK,
                handle,
                "no user has this e-mail address",
                "correct agents.<handle>.email, or remove the agent",
            ),
            Ok(Some(user)) if !user.active || !user.contact_center_enabled => {
                found.wrong(
                    CHECK,
                    handle,
                    "is not active in the contact centre",
                    "enable the user in Control Hub, or remove the agent",
                );
            }
            Ok(Some(user)) if !agent.id.is_empty() && agent.id != user.id => {
                found.wrong(CHECK, handle, "has another id in Webex", "correct agents.<handle>.id");
            }
            Ok(Some(_)) => found.good(CHECK, handle, "is an active agent"),
        }
    }
}

async fn subscriptions(config: &Config, webex: &Client, found: &mut Findings) {
    const CHECK: &str = "webhooks";
    let destination = format!("{}{}", config.server.public_url, crate::http::WEBHOOK_PATH);
    let subject = if config.server.public_url.is_empty() { "subscription" } else { destination.as_str() };
    if config.webex.webhook_secrets.is_empty() {
        found.doubtful(
            CHECK,
            subject,
            "no secret is configured: webhooks are refused, and tasks are asked about instead",
            "set webex.webhook_secrets",
        );
        return;
    }
    let all = match webex.subscriptions_to(&destination).await {
        Err(error) => return found.unanswered(CHECK, subject, &error),
        Ok(all) => all,
    };
    let subscribe = "run `ringback webex subscribe`";
    match all.first() {
        None => {
            let detail = "no subscription sends its events here: tasks are asked about instead";
            found.doubtful(CHECK, subject, detail, subscribe);
        }
        Some(subscription) if !subscription.active => {
            let remedy =
                "see to it that the service answers at this address, then run `ringback webex subscribe`";
            found.wrong(CHECK, subject, "the subscription is not active", remedy);
        }
        Some(subscription) if !subscription.missing().is_empty() => {
            let detail = format!("is not subscribed to {}", subscription.missing().join(", "));
            found.doubtful(CHECK, subject, detail, subscribe);
        }
        Some(_) => found.good(CHECK, subject, "is subscribed to every event"),
    }
}
