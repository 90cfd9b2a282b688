//! The configuration: the embedded default file, then the operator's file, then the environment.
//!
//! `backend/config/ringback.toml` is the reference: it lists every key with its default, and is what loading starts
//! from.

mod check;
mod layers;
pub mod region;
mod secret_files;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
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
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    #[serde(deserialize_with = "address")]
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

    /// A store for tests: the file at `path`, or the PostgreSQL database at `url` if that is not empty.
    #[cfg(test)]
    pub(crate) fn sample(path: &Path, url: &str, encryption_key: &str) -> Self {
        Self {
            path: path.to_owned(),
            url: url.into(),
            url_file: String::new(),
            encryption_key: encryption_key.into(),
            encryption_key_file: String::new(),
            connections: 10,
            retention_days: 30,
            consent_days: 30,
            audit_days: 30,
        }
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
    pub changes: Rates,
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

/// An address to listen on. What is written is no secret, and is told back.
fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        serde::de::Error::custom(format!(
            "{text:?} is no IP address with a port: write it as 127.0.0.1:8080, or as 0.0.0.0:8080 for every address of this machine"
        ))
    })
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
                    match error.kind() {
                        ErrorKind::NotFound => {
                            "name an existing file with --config; `ringback config` prints one to start from"
                        }
                        ErrorKind::PermissionDenied => "let the user that runs ringback read it",
                        ErrorKind::IsADirectory => "name a file in that folder with --config",
                        _ => "see to it that it can be read, and holds text in UTF-8",
                    },
                )
            })?),
        };
        let mut config =
            layers::load(own.as_deref().map(|text| (file.unwrap_or(Path::new("")), text)), environment)?;
        let mut errors = secret_files::read(&mut config);
        errors.extend(check::check(&config));
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }
}
