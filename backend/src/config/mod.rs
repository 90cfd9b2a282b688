//! The configuration: the embedded default file, then the operator's file, then the environment.
//!
//! `backend/config/ringback.toml` is the reference: it lists every key with its default, and is what loading starts
//! from.

mod check;
mod layers;
pub mod region;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use ringback_contract::callback::State;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::agent::Agent;
use crate::api_key::Scope;
use crate::rates::Rates;
use crate::site::Site;

/// The commented default file.
pub const DEFAULT_FILE: &str = include_str!("../../config/ringback.toml");

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Addresses and proxies.
    pub server: Server,
    /// Where callbacks are kept.
    pub store: Store,
    /// The organisation that places the calls.
    pub webex: Webex,
    /// How callbacks are sent.
    pub delivery: Delivery,
    /// How much of what is accepted.
    pub limits: Limits,
    /// How much work forms must prove.
    pub proof: Proof,
    /// What is logged.
    pub log: Log,
    /// The websites, by id.
    #[serde(default)]
    pub sites: BTreeMap<String, Site>,
    /// The agents, by handle.
    #[serde(default)]
    pub agents: BTreeMap<String, Agent>,
    /// How webhooks are delivered.
    pub webhook_delivery: WebhookDelivery,
    /// The webhooks, by name.
    #[serde(default)]
    pub webhooks: BTreeMap<String, Webhook>,
    /// The keys for the REST door, by name.
    #[serde(default)]
    pub api_keys: BTreeMap<String, ApiKey>,
}

/// Addresses and proxies.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file says what each key is")]
pub struct Server {
    pub listen: SocketAddr,
    pub ops_listen: SocketAddr,
    pub public_url: String,
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    pub shutdown_grace_s: u64,
    pub workers: usize,
}

/// The shortest time for which a ledger can be kept, in days: the database itself refuses to delete what is younger.
const LEDGER_DAYS_MIN: u32 = 30;

/// Where callbacks are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file says what each key is")]
pub struct Store {
    pub path: PathBuf,
    pub url: SecretString,
    pub url_file: String,
    pub encryption_key: SecretString,
    pub encryption_key_file: String,
    pub connections: u32,
    pub retention_days: u32,
    pub consent_days: u32,
    pub audit_days: u32,
}

impl Store {
    /// Whether callbacks are kept in PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        !self.url.expose_secret().is_empty()
    }
}

/// The organisation that places the calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file says what each key is")]
pub struct Webex {
    pub region: String,
    pub base_url: String,
    pub access_token: SecretString,
    pub access_token_file: String,
    pub organization_id: String,
    pub webhook_secrets: Vec<SecretString>,
    pub webhook_secrets_file: String,
    pub connect_timeout_ms: u64,
    pub request_timeout_ms: u64,
    pub requests_per_minute: u32,
    pub agents_cached_s: u64,
    pub oauth: OAuth,
}

/// How the service gets its access tokens from Webex by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file says what each key is")]
pub struct OAuth {
    pub client_id: String,
    pub client_secret: SecretString,
    pub client_secret_file: String,
    pub scopes: Vec<String>,
    pub base_url: String,
    pub redirect_port: u16,
    pub warn_days: u64,
}

impl OAuth {
    /// Whether the service gets its tokens by itself.
    pub fn is_used(&self) -> bool {
        !self.client_id.is_empty()
    }
}

/// How callbacks are sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file says what each key is")]
pub struct Delivery {
    pub concurrency: usize,
    pub lease_s: u64,
    pub retry_s: Vec<u64>,
    pub deadline_s: u64,
    pub join_s: u32,
    pub search_grace_s: u64,
    pub when_unsearchable: WhenUnsearchable,
    pub quiet_s: u64,
    pub schedule_check_s: u64,
}

/// What becomes of a callback whose request was lost when the search does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUnsearchable {
    /// It stays unconfirmed, for the operator.
    Hold,
    /// It is sent again, and may ring twice.
    Resend,
}

/// How much of what is accepted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file says what each key is")]
pub struct Limits {
    pub address: Rates,
    pub number: Rates,
    pub site: Rates,
    pub link: Rates,
    pub key: Rates,
    pub waited: Rates,
    pub waited_site: Rates,
    pub reads: Rates,
    pub guesses: Rates,
    pub redis_url: SecretString,
    pub redis_url_file: String,
    pub body_bytes: usize,
    pub body_timeout_ms: u64,
    pub followers: usize,
    pub followers_per_address: usize,
    pub cooldown_s: u32,
    pub typing_ms: u32,
}

/// How much work forms must prove.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file says what each key is")]
pub struct Proof {
    pub calm_per_minute: u32,
    pub least_bits: u8,
    pub most_bits: u8,
    pub lifetime_s: u64,
    pub wait_s: u32,
}

/// What is logged.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file says what each key is")]
pub struct Log {
    pub level: LogLevel,
    pub format: LogFormat,
}

/// From which severity on the service logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of the levels say it")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    /// The level's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How webhooks are delivered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the commented default file says what each key is")]
pub struct WebhookDelivery {
    pub concurrency: usize,
    pub timeout_ms: u64,
    pub retry_s: Vec<u64>,
    #[serde(deserialize_with = "networks")]
    pub allowed_networks: Vec<IpNet>,
}

/// Where a CRM hears of changes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where messages go. It may hold a token, so it does not print.
    pub url: SecretString,
    /// What messages are signed with: `whsec_` and base64, the newest first.
    #[serde(default)]
    pub secrets: Vec<SecretString>,
    /// A file that holds the secrets, one on a line.
    #[serde(default)]
    pub secrets_file: String,
    /// The sites that it hears of; empty: all.
    #[serde(default)]
    pub sites: Vec<String>,
    /// The states that it hears of; empty: all.
    #[serde(default)]
    pub states: Vec<State>,
}

/// A key for the REST door.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The key itself; [`Config::load`] fills it from the file where one is named.
    #[serde(default)]
    pub key: SecretString,
    /// A file that holds the key.
    #[serde(default)]
    pub key_file: String,
    /// The sites that the key is for; empty: all.
    #[serde(default)]
    pub sites: Vec<String>,
    /// What the key may do.
    #[serde(default = "every_scope")]
    pub scopes: Vec<Scope>,
}

fn every_scope() -> Vec<Scope> {
    Scope::ALL.to_vec()
}

fn networks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)))
        .collect::<Result<_, _>>()
        .map_err(|_| serde::de::Error::custom("write each as an address or a network, such as 10.0.0.0/8"))
}

/// Something that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The key, with its section.
    pub key: String,
    /// What is wrong with its value.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl ConfigError {
    fn new(key: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}\n  hint: {}", self.key, self.problem, self.remedy)
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration cannot be used")?;
        self.0.iter().try_for_each(|error| write!(formatter, "\n{error}"))
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl Config {
    /// Loads the configuration: the embedded defaults, that file, that environment, in this order.
    ///
    /// # Errors
    ///
    /// Where a key is unknown or a value cannot be used; everything that is wrong is told at once.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let own = match file {
            None => None,
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                ConfigError::new(
                    path.display().to_string(),
                    format!("the file cannot be read: {error}"),
                    "name an existing file with --config; `ringback config` prints one to start from",
                )
            })?),
        };
        let mut config =
            layers::load(own.as_deref().map(|text| (file.unwrap_or(Path::new("")), text)), environment)?;
        let mut errors = check::read_secret_files(&mut config);
        errors.extend(check::check(&config));
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
        [webex]
        access_token = "token_PF84_658d1102-0000-4000-8000-000000000001"
        [sites.acme]
        name = "Acme"
        entry_point = "11111111-2222-4333-8444-555555555555"
        [sites.acme.preferred_agent]
        entry_point = "66666666-7777-4888-9999-000000000000"
        ani = "+15555550100"
        [agents.grace]
        name = "Grace Loh"
        email = "grace.loh@example.com"
        [api_keys.crm]
        key = "0123456789abcdef0123456789abcdef"
    "#;

    fn loaded(text: &str) -> Result<Config, ConfigErrors> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ringback.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path), [])
    }

    #[test]
    fn a_sound_configuration_is_taken() {
        assert!(loaded(SOUND).is_ok());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let text = "[delivery]\nlease_s = 5\nretry_s = []\n[sites.Acme]\nname = ''\nentry_point = ''";
        let told = loaded(text).unwrap_err();
        let keys: Vec<_> = told.0.iter().map(|error| error.key.as_str()).collect();
        let expected = [
            "webex.access_token",
            "delivery.lease_s",
            "delivery.retry_s",
            "sites.Acme",
            "sites.Acme.name",
            "sites.Acme.entry_point",
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn each_value_that_cannot_work_is_found() {
        let token = "access_token = \"token";
        let name = "name = \"Acme\"";
        let email = "email = \"grace.loh@example.com\"";
        for (from, to, key) in [
            (token, "region = 'us9'\naccess_token = \"token", "webex.region"),
            (token, "base_url = 'https://x/y'\naccess_token = \"token", "webex.base_url"),
            (token, "access_token = \"Bearer token", "webex.access_token"),
            (token, "webhook_secrets = ['short']\naccess_token = \"token", "webex.webhook_secrets"),
            (name, "name = 'Acme'\norigins = ['https://x/']", "sites.acme.origins"),
            (name, "name = 'Acme'\nani = '15555550100'", "sites.acme.ani"),
            (name, "name = 'Acme'\ncountries = ['XX']", "sites.acme.countries"),
            (name, "name = 'Acme'\nlocale = 'xx'", "sites.acme.locale"),
            (name, "name = 'Acme'\nfields = ['name']", "sites.acme.fields"),
            (name, "name = 'Acme'\nfields = ['phone']\nrequired = ['name']", "sites.acme.required"),
            (name, "name = 'Acme'\nattributes = { X = '{nmae}' }", "sites.acme.attributes.X"),
            (name, "name = 'Acme'\nattributes = { X = '{field.size}' }", "sites.acme.attributes.X"),
            (name, "name = 'Acme'\nfields = ['phone', 'nmae']\nrequired = []", "sites.acme.fields"),
            (name, "name = 'Acme'\nfields = ['phone', 'phone']\nrequired = []", "sites.acme.fields"),
            (name, "name = 'Acme'\nattributes = {}", "sites.acme.reference_variable"),
            (name, "name = 'Acme'\nreasons = [{ id = 'A b', label = 'x' }]", "sites.acme.reasons.A b"),
            (name, "name = 'Acme'\nwait_time = { queue = '' }", "sites.acme.wait_time.queue"),
            (
                name,
                "name = 'Acme'\nwait_time = { queue = 'q', refresh_s = 1 }",
                "sites.acme.wait_time.refresh_s",
            ),
            (name, "name = 'Acme'\nwait_time = { queue = 'q', max_cv = 0 }", "sites.acme.wait_time.max_cv"),
            (
                name,
                "name = 'Acme'\nwait_time = { queue = 'q', lookback_minutes = 4 }",
                "sites.acme.wait_time.lookback_minutes",
            ),
            (
                name,
                "name = 'Acme'\nreasons = [{ id = 'a', label = 'x', queue = 'q q' }]",
                "sites.acme.reasons.a.queue",
            ),
            ("ani = \"+15555550100\"", "ani = '+15555550100'\nidentify_by = 'id'", "agents.grace.id"),
            (name, "name = 'Acme'\nhours = { timezone = 'UTC' }", "sites.acme.hours"),
            (
                name,
                "name = 'Acme'\nhours = { timezone = 'UTC', monday = ['9-12'] }",
                "sites.acme.hours.monday[0]",
            ),
            (
                name,
                "name = 'Acme'\nhours = { timezone = 'UTC', monday = [], holidays = ['25.12.'] }",
                "sites.acme.hours.holidays[0]",
            ),
            ("ani = \"+15555550100\"", "ani = '5550100'", "sites.acme.preferred_agent.ani"),
            (email, "email = 'grace'", "agents.grace.email"),
            (email, "", "agents.grace.email"),
            (email, "email = 'grace.loh@example.com'\nsites = ['nowhere']", "agents.grace.sites"),
            ("key = \"0123456789abcdef0123456789abcdef\"", "key = 'short'", "api_keys.crm.key"),
            ("key = \"0123", "key_file = '/nonexistent'\nkey = \"0123", "api_keys.crm.key_file"),
            (
                "[api_keys.crm]",
                "[limits]\naddress = { requests = 0, per_s = 1 }\n[api_keys.crm]",
                "limits.address",
            ),
        ] {
            assert!(SOUND.contains(from), "{from}");
            let told = loaded(&SOUND.replacen(from, to, 1)).unwrap_err();
            assert!(told.0.iter().any(|error| error.key == key && !error.remedy.is_empty()), "{key}: {told}");
        }
    }

    #[test]
    fn a_field_of_the_operators_own_that_cannot_work_is_found() {
        let told_of = |fields: &str, field: &str| {
            let site =
                format!("name = 'Acme'\nrequired = []\nfields = [{fields}]\ncustom_fields = [{field}]");
            loaded(&SOUND.replacen("name = \"Acme\"", &site, 1)).err().map(|errors| errors.to_string())
        };
        let shown = "'phone', 'size'";
        let sound = "{ id = 'size', kind = 'choice', label = { en = 'Size', de = 'Größe' }, choices = [{ id = 's', label = 'S' }] }";
        assert_eq!(told_of(shown, sound), None);
        for (fields, field, key) in [
            ("'phone'", sound, "custom_fields.size: the form does not show it"),
            (shown, "{ id = 'size', kind = 'text', label = '' }", "custom_fields.size.label"),
            (
                shown,
                "{ id = 'size', kind = 'text', label = { de = 'Größe' } }",
                "custom_fields.size.label: there is no text",
            ),
            (
                shown,
                "{ id = 'size', kind = 'text', label = { en = 'S', tlh = 'S' } }",
                "custom_fields.size.label: the form is in no",
            ),
            (
                shown,
                "{ id = 'size', kind = 'text', label = 'S', max_length = 251 }",
                "custom_fields.size.max_length",
            ),
            (
                shown,
                "{ id = 'size', kind = 'text', label = 'S', autocomplete = 'cc-number' }",
                "custom_fields.size.autocomplete",
            ),
            (
                shown,
                "{ id = 'size', kind = 'text', label = 'S', choices = [{ id = 's', label = 'S' }] }",
                "custom_fields.size.choices",
            ),
            (
                shown,
                "{ id = 'size', kind = 'choice', label = 'S' }",
                "custom_fields.size.choices: there are 0",
            ),
            (
                shown,
                "{ id = 'size', kind = 'choice', label = 'S', choices = [{ id = 's', label = 'S' }, { id = 's', label = 'T' }] }",
                "custom_fields.size.choices.s: the id stands twice",
            ),
            (
                shown,
                "{ id = 'size', kind = 'text', label = 'S' }, { id = 'size', kind = 'text', label = 'T' }",
                "the id \"size\" stands twice",
            ),
            (
                "'phone', 'country'",
                "{ id = 'country', kind = 'text', label = 'S' }",
                "a member of this name already",
            ),
            (
                "'phone', 'Size'",
                "{ id = 'Size', kind = 'text', label = 'S' }",
                "custom_fields.Size: this is not an identifier",
            ),
            (shown, "{ id = 'size', kind = 'number', label = 'S' }", "kind"),
            (shown, "{ id = 'size', kind = 'text', label = 5 }", "a text, or a table of texts by language"),
        ] {
            let told = told_of(fields, field).unwrap_or_default();
            assert!(told.contains(key) && told.contains("hint: "), "{field}: {told}");
        }
        let ids: Vec<_> = (0..13).map(|index| format!("f{index}")).collect();
        let many = ids.iter().map(|id| format!("{{ id = '{id}', kind = 'text', label = 'S' }}"));
        let listed = ids.iter().map(|id| format!("'{id}'")).chain(["'phone'".to_owned()]);
        let told = told_of(&listed.collect::<Vec<_>>().join(","), &many.collect::<Vec<_>>().join(","));
        assert!(told.unwrap().contains("13 fields of your own are too many"));
    }

    #[test]
    fn words_and_looks_that_cannot_be_shown_are_found() {
        for (given, key) in [
            ("theme.color = 'blue'", "theme.color"),
            ("theme.radius = 41", "theme.radius"),
            ("theme.font = 'x;y'", "theme.font"),
            ("texts.xx = {}", "texts.xx"),
            ("texts.en = { 'form.titel' = 'x' }", "texts.en.form.titel"),
            ("texts.en = { 'meta.direction' = 'rtl' }", "texts.en.meta.direction"),
            ("texts.en = { 'form.title' = ' ' }", "texts.en.form.title"),
            ("texts.en = { 'form.title' = \"a\\u0007\" }", "texts.en.form.title"),
            ("texts.all = { 'form.title.agent' = 'We call' }", "texts.all.form.title.agent"),
        ] {
            let told = loaded(&SOUND.replacen("name = \"Acme\"", &format!("name = 'Acme'\n{given}"), 1));
            let key = format!("sites.acme.{key}");
            assert!(
                told.unwrap_err().0.iter().any(|error| error.key == key && !error.remedy.is_empty()),
                "{key}"
            );
        }
    }

    #[test]
    fn more_attributes_than_webex_takes_are_refused() {
        let pairs: Vec<_> = (0..30).map(|index| format!("A{index} = 'x'")).collect();
        let text = format!("name = 'Acme'\nreference_variable = ''\nattributes = {{ {} }}", pairs.join(", "));
        let told = loaded(&SOUND.replacen("name = \"Acme\"", &text, 1)).unwrap_err().to_string();
        assert!(told.contains("sites.acme.attributes: 30 attributes are more than Webex takes"), "{told}");
    }

    #[test]
    fn a_key_may_stand_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "fedcba9876543210fedcba9876543210\n").unwrap();
        let key_file = format!("key_file = {:?}", path.display().to_string());
        let text = SOUND.replacen("key = \"0123456789abcdef0123456789abcdef\"", &key_file, 1);
        let config = loaded(&text).unwrap();
        assert_eq!(config.api_keys["crm"].key.expose_secret(), "fedcba9876543210fedcba9876543210");
    }
}
