//! What a value must be beyond its type. Everything that is wrong is collected, so that one start tells it all.

mod crm;
mod fields;
mod limits;
mod look;
mod webex;
mod when;

use std::collections::HashSet;

use ringback_contract::field::{self, Code};
use secrecy::ExposeSecret as _;
use url::Url;

use super::{Config, ConfigError, LEDGER_DAYS_MIN};
use crate::agent::Agent;
use crate::attributes;
use crate::locale;
use crate::phone::{self, PhoneNumber};
use crate::site::{IdentifyBy, PreferredAgent, Site, WaitTimeSource};

/// Everything that is wrong with the values.
pub(super) fn check(config: &Config) -> Vec<ConfigError> {
    let mut found = Findings(Vec::new());
    server(config, &mut found);
    store(config, &mut found);
    webex::check(config, &mut found);
    delivery(config, &mut found);
    limits::check(config, &mut found);
    limits::proof(config, &mut found);
    if config.sites.is_empty() {
        found.add(
            "sites",
            "no site is configured",
            "add a section such as [sites.acme]; `ringback config` shows one",
        );
    }
    for (id, site) in &config.sites {
        found.identifier("sites", id);
        check_site(&format!("sites.{id}"), site, &mut found);
    }
    for (handle, agent) in &config.agents {
        found.identifier("agents", handle);
        check_agent(&format!("agents.{handle}"), agent, config, &mut found);
    }
    crm::check(config, &mut found);
    found.0
}

struct Findings(Vec<ConfigError>);

impl Findings {
    fn add(&mut self, key: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(ConfigError::new(key, problem, remedy));
    }

    fn require(
        &mut self,
        holds: bool,
        key: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if !holds {
            self.add(key, problem, remedy);
        }
    }

    fn identifier(&mut self, section: &str, id: &str) {
        self.require(
            field::identifier(id).is_ok(),
            format!("{section}.{id}"),
            "this is not an identifier",
            format!("use 1 to {} lower-case letters, digits, - and _", field::IDENTIFIER_MAX),
        );
    }

    fn entry_point(&mut self, key: String, id: &str) {
        self.require(
            (1..=36).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()),
            key,
            format!("{id:?} is not the id of an entry point"),
            "copy the id (36 characters) from Control Hub: Contact Center, Channels",
        );
    }

    fn queue(&mut self, key: String, id: &str) {
        self.require(
            (1..=36).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()),
            key,
            format!("{id:?} is not the id of a queue"),
            "copy the id (36 characters) from Control Hub: Contact Center, Queues",
        );
    }

    fn ani(&mut self, key: String, ani: &str) {
        self.require(
            PhoneNumber::from_e164(ani).is_some(),
            key,
            format!("{ani:?} is not a number with + and country code"),
            "write it as the outdial ANI is configured in Webex, such as +15555550100",
        );
    }

    fn known_sites(&mut self, key: &str, sites: &[String], config: &Config) {
        for site in sites.iter().filter(|site| !config.sites.contains_key(*site)) {
            self.add(key, format!("there is no site {site:?}"), "name sites that have a [sites.…] section");
        }
    }
}

fn server(config: &Config, found: &mut Findings) {
    let server = &config.server;
    if !server.public_url.is_empty() {
        found.require(
            is_origin(&server.public_url),
            "server.public_url",
            format!("{:?} is not an address of scheme and host alone", server.public_url),
            "write it as https://callback.example.com, without a path and without a / at its end",
        );
    }
    found.require(
        server.listen != server.ops_listen || server.listen.port() == 0,
        "server.ops_listen",
        "it is the same as server.listen",
        "give the operators' door a port of its own",
    );
}

/// Whether the text is an origin as browsers write it (RFC 6454 section 6.2).
fn is_origin(text: &str) -> bool {
    if let Some((scheme, rest)) = text.split_once("://*.") {
        // A star for a whole top-level domain lists half the world.
        return rest.contains('.') && is_origin(&format!("{scheme}://{rest}"));
    }
    // A star elsewhere is part of a name to whoever reads an address, and to a browser every name that there is.
    !text.contains('*')
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
        })
}

fn store(config: &Config, found: &mut Findings) {
    let url = config.store.url.expose_secret();
    found.require(
        url.is_empty() || url.starts_with("postgres://") || url.starts_with("postgresql://"),
        "store.url",
        "it is not the address of a PostgreSQL database",
        "write it as postgres://user:password@host/database, or leave it empty for the SQLite file",
    );
    found.require(
        (3..=1000).contains(&config.store.connections),
        "store.connections",
        format!("{} connections are too few or too many", config.store.connections),
        "use 3 to 1000: one listens, and one must be left for each of reading and writing",
    );
    for (key, days) in
        [("store.consent_days", config.store.consent_days), ("store.audit_days", config.store.audit_days)]
    {
        found.require(
            (LEDGER_DAYS_MIN..=36_500).contains(&days),
            key,
            format!("{days} is not between {LEDGER_DAYS_MIN} and 36500"),
            "a ledger that forgets within weeks proves nothing: 1095 days are three years",
        );
    }
    found.require(
        (1..=36_500).contains(&config.store.retention_days),
        "store.retention_days",
        format!("{} is not between 1 and 36500", config.store.retention_days),
        "personal data is kept for no longer than it is needed: 30 days are usual, and 36500 are a hundred years",
    );
}

fn delivery(config: &Config, found: &mut Findings) {
    let per_minute = config.webex.requests_per_minute;
    found.require(
        per_minute == 0 || per_minute >= 10,
        "webex.requests_per_minute",
        format!("{per_minute} calls a minute are too few"),
        "use 10 or more, as much as Webex allows the client id, or 0 for no limit",
    );
    let delivery = &config.delivery;
    found.require(
        delivery.lease_s.saturating_mul(1000) > config.webex.request_timeout_ms,
        "delivery.lease_s",
        format!(
            "a lease of {} s can run out while a request of {} ms is under way",
            delivery.lease_s, config.webex.request_timeout_ms
        ),
        "make it longer than webex.request_timeout_ms",
    );
    found.require(
        !delivery.retry_s.is_empty() && delivery.retry_s.iter().all(|seconds| *seconds > 0),
        "delivery.retry_s",
        "the list is empty, or holds a 0",
        "list waits in seconds, such as [2, 5, 15, 30, 60, 120]",
    );
    found.require(
        (1..=256).contains(&delivery.concurrency),
        "delivery.concurrency",
        format!("{} is not between 1 and 256", delivery.concurrency),
        "8 is enough for hundreds of callbacks a minute",
    );
    found.require(
        delivery.search_grace_s > 0,
        "delivery.search_grace_s",
        "0 would take what Webex does not show at once for absent, and ring twice",
        "give the seconds within which a new task can be found, such as 60",
    );
    found.require(
        delivery.quiet_s > 0,
        "delivery.quiet_s",
        "0 would ask Webex without pause",
        "give a number of seconds, such as 15",
    );
    found.require(
        delivery.schedule_check_s > 0,
        "delivery.schedule_check_s",
        "0 would ask Webex without pause",
        "give a number of seconds, such as 21600",
    );
    found.require(
        delivery.deadline_s > 0,
        "delivery.deadline_s",
        "0 would expire each callback at once",
        "give a number of seconds, such as 7200",
    );
}

fn destinations(key: &str, site: &Site, found: &mut Findings) {
    found.require(
        !site.countries.is_empty(),
        format!("{key}.countries"),
        "no country is listed",
        "list at least one",
    );
    for country in site.countries.iter().filter(|country| !phone::is_country(country)) {
        found.add(
            format!("{key}.countries"),
            format!("{country:?} is not a country with telephone numbers"),
            "use two capital letters, such as US (ISO 3166-1 alpha-2)",
        );
    }
    for (name, prefixes) in
        [("call_prefixes", &site.call_prefixes), ("refuse_prefixes", &site.refuse_prefixes)]
    {
        let is_prefix = |prefix: &str| {
            let digits = prefix.strip_prefix('+').unwrap_or_default();
            (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        for prefix in prefixes.iter().filter(|prefix| !is_prefix(prefix)) {
            found.add(
                format!("{key}.{name}"),
                format!("{prefix:?} is not how a number begins"),
                "write + and digits, country code first, such as +4930",
            );
        }
    }
}

fn check_site(key: &str, site: &Site, found: &mut Findings) {
    found.require(
        field::name(&site.name, field::Presence::Required).is_ok(),
        format!("{key}.name"),
        "the name is empty, too long, or holds control characters",
        "give the name that visitors know",
    );
    for origin in site.origins.iter().filter(|origin| !is_origin(origin)) {
        found.add(
            format!("{key}.origins"),
            format!("{origin:?} is not an origin"),
            "write scheme, host and port as browsers do: https://www.example.com, or https://*.example.com for all below it",
        );
    }
    found.entry_point(format!("{key}.entry_point"), &site.entry_point);
    if !site.ani.is_empty() {
        found.ani(format!("{key}.ani"), &site.ani);
    }
    destinations(key, site, found);
    if let Some(captcha) = &site.captcha {
        limits::captcha(&format!("{key}.captcha"), captcha, found);
    }
    found.require(
        locale::exact(&site.locale).is_some(),
        format!("{key}.locale"),
        format!("there are no texts for {:?}", site.locale),
        format!("use one of {}", locale::names().join(", ")),
    );
    look::check(key, site, found);
    fields::check(key, site, found);
    check_attributes(key, site, found);
    let mut ids = HashSet::new();
    for reason in &site.reasons {
        found.identifier(&format!("{key}.reasons"), &reason.id);
        found.require(
            ids.insert(&reason.id),
            format!("{key}.reasons"),
            format!("the id {:?} stands twice", reason.id),
            "give each reason an id of its own",
        );
        fields::label(&format!("{key}.reasons.{}.label", reason.id), &reason.label, site, found);
        if !reason.entry_point.is_empty() {
            found.entry_point(format!("{key}.reasons.{}.entry_point", reason.id), &reason.entry_point);
        }
    }
    if let Some(consent) = &site.consent {
        found.require(
            !consent.text.trim().is_empty() && !consent.version.trim().is_empty(),
            format!("{key}.consent"),
            "text or version is empty",
            "give both; change the version whenever the text changes",
        );
        found.require(
            field::page(&consent.policy_url) == Ok(()),
            format!("{key}.consent.policy_url"),
            "this is not the address of a web page",
            "write it as https://www.example.com/privacy",
        );
    }
    if let Some(source) = &site.wait_time {
        wait_time(&format!("{key}.wait_time"), source, found);
    }
    when::check(key, site, found);
    for reason in site.reasons.iter().filter(|reason| !reason.queue.is_empty()) {
        found.queue(format!("{key}.reasons.{}.queue", reason.id), &reason.queue);
    }
    if let Some(preferred) = &site.preferred_agent {
        preferred_agent(&format!("{key}.preferred_agent"), preferred, found);
    }
}

fn preferred_agent(key: &str, preferred: &PreferredAgent, found: &mut Findings) {
    found.entry_point(format!("{key}.entry_point"), &preferred.entry_point);
    found.ani(format!("{key}.ani"), &preferred.ani);
    found.require(
        (1..=attributes::KEY_MAX).contains(&preferred.variable.len()),
        format!("{key}.variable"),
        "the name of the flow variable is empty or too long",
        "give the variable that the flow's activity Queue To Agent reads",
    );
}

/// The limits of Webex's API (OpenAPI, group "Estimated Wait Time").
fn wait_time(key: &str, source: &WaitTimeSource, found: &mut Findings) {
    found.queue(format!("{key}.queue"), &source.queue);
    found.require(
        source.refresh_s >= 10,
        format!("{key}.refresh_s"),
        format!("{} s would ask Webex too often", source.refresh_s),
        "use 10 or more; 60 is often enough",
    );
    found.require(
        (5..=240).contains(&source.lookback_minutes),
        format!("{key}.lookback_minutes"),
        format!("{} is not between 5 and 240", source.lookback_minutes),
        "use 60",
    );
    for (name, value) in [("max_cv", source.max_cv), ("min_valid_samples", source.min_valid_samples)] {
        found.require(
            (1..=100).contains(&value),
            format!("{key}.{name}"),
            format!("{value} is not between 1 and 100"),
            "use 40, as Webex does by itself",
        );
    }
}

/// The limits of Webex's task API (OpenAPI, `CreateTaskRequest.attributes`).
fn check_attributes(key: &str, site: &Site, found: &mut Findings) {
    let most = attributes::PAIRS_MAX - usize::from(site.preferred_agent.is_some());
    found.require(
        site.attributes.len() <= most,
        format!("{key}.attributes"),
        format!("{} attributes are more than Webex takes", site.attributes.len()),
        format!(
            "keep {most} at most; a preferred agent's variable counts as one of {}",
            attributes::PAIRS_MAX
        ),
    );
    for (name, text) in &site.attributes {
        found.require(
            (1..=attributes::KEY_MAX).contains(&name.len()),
            format!("{key}.attributes"),
            format!("the key {name:?} is empty or longer than {} bytes", attributes::KEY_MAX),
            "name it as the global variable of the flow",
        );
        placeholders(format!("{key}.attributes.{name}"), text, site, found);
    }
    let reference = &site.reference_variable;
    found.require(
        reference.is_empty() || site.attributes.get(reference).is_some_and(|text| text == "{callback_id}"),
        format!("{key}.reference_variable"),
        format!("the attribute {reference:?} is missing or is not exactly {{callback_id}}"),
        format!("add {reference} = \"{{callback_id}}\" to {key}.attributes, or leave this key empty"),
    );
}

/// What stands in braces is known.
fn placeholders(key: String, template: &str, site: &Site, found: &mut Findings) {
    let fields: Vec<_> = site.custom_fields.iter().map(|field| field.id.as_str()).collect();
    let unknown = attributes::unknown_placeholders(template, &fields);
    if !unknown.is_empty() {
        // Where there is none yet, how it would be written.
        let of_fields = if fields.is_empty() { vec!["ID (a field of custom_fields)"] } else { fields };
        let of_fields = of_fields.into_iter().map(|id| format!("{}{id}", attributes::OF_FIELD));
        let known: Vec<_> =
            attributes::PLACEHOLDERS.iter().map(|name| (*name).to_owned()).chain(of_fields).collect();
        found.add(
            key,
            format!("{{{}}} stands for nothing", unknown.join("}, {")),
            format!("use one of {}", known.join(", ")),
        );
    }
}

fn check_agent(key: &str, agent: &Agent, config: &Config, found: &mut Findings) {
    found.require(
        field::name(&agent.name, field::Presence::Required).is_ok(),
        format!("{key}.name"),
        "the name is empty, too long, or holds control characters",
        "give the name that visitors see",
    );
    found.require(
        field::email(agent.email.reveal(), field::Presence::Optional).is_ok(),
        format!("{key}.email"),
        Code::EmailShape.message(),
        "give the agent's address in Webex",
    );
    found.known_sites(&format!("{key}.sites"), &agent.sites, config);
    for (id, site) in config.sites.iter().filter(|(id, _)| agent.serves(id)) {
        let missing = match site.preferred_agent.as_ref().map(|preferred| preferred.identify_by) {
            // Webex finds the id by the address.
            Some(_) if site.looks_agents_up() && agent.email.is_empty() => "email",
            Some(IdentifyBy::Email) if agent.email.is_empty() => "email",
            Some(IdentifyBy::Id) if agent.id.is_empty() && !site.looks_agents_up() => "id",
            _ => continue,
        };
        found.add(
            format!("{key}.{missing}"),
            format!("the site {id:?} looks agents up by {missing}, and this agent has none"),
            format!("give it, or list other sites in {key}.sites"),
        );
    }
}
