//! One delivery: signed as the Standard Webhooks specification says, to where it may go, in bounded time.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretSlice};
use url::Url;

use super::resolver::Resolver;
use crate::config;
use crate::network;
use crate::store::outbox::Message;
use crate::webhook_secret;

/// Webhooks cannot be delivered at all.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// TLS cannot be set up.
    #[error("the client for webhooks cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
    /// An address or a secret is not one. [`config::Config::load`] refuses such a configuration.
    #[error("the webhook {0} cannot be used; hint: check its url and its secrets")]
    Webhook(String),
}

/// What came of one delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the receiver has taken it.
    pub delivered: bool,
    /// Whether trying again is in vain.
    pub hopeless: bool,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// How long the receiver wants to be left alone, in seconds.
    pub retry_after_s: Option<u64>,
    /// The same in words.
    pub said: String,
}

impl Outcome {
    fn failed(said: impl Into<String>) -> Self {
        Self { said: said.into(), ..Self::default() }
    }
}

/// Delivers messages.
#[derive(Debug)]
pub struct Deliverer {
    /// To public addresses and to those that are allowed, by TLS.
    guarded: Client,
    /// To those that are allowed alone, in plain text.
    plain: Client,
    receivers: BTreeMap<String, Receiver>,
    allowed: Vec<IpNet>,
}

#[derive(Debug)]
struct Receiver {
    url: Url,
    secrets: Vec<SecretSlice<u8>>,
}

impl Deliverer {
    /// A deliverer to the configured webhooks.
    pub fn new(
        webhooks: &BTreeMap<String, config::Webhook>,
        delivery: &config::WebhookDelivery,
    ) -> Result<Self, WebhookError> {
        let allowed = &delivery.allowed_networks;
        let receivers = webhooks.iter().map(|(name, webhook)| {
            let unusable = || WebhookError::Webhook(name.clone());
            let url = Url::parse(webhook.url.expose_secret()).map_err(|_| unusable())?;
            let secrets = webhook.secrets.iter().map(webhook_secret::read).collect::<Option<Vec<_>>>();
            Ok((name.clone(), Receiver { url, secrets: secrets.ok_or_else(unusable)? }))
        });
        Ok(Self {
            guarded: client(Resolver::new(allowed, true), delivery.timeout_ms)?,
            plain: client(Resolver::new(allowed, false), delivery.timeout_ms)?,
            receivers: receivers.collect::<Result<_, WebhookError>>()?,
            allowed: allowed.clone(),
        })
    }

    /// Delivers a message at that time, in seconds since 1970.
    pub async fn deliver(&self, message: &Message, timestamp: i64) -> Outcome {
        let Some(receiver) = self.receivers.get(&message.webhook) else {
            let said = "no webhook of this name is configured any more";
            return Outcome { hopeless: true, ..Outcome::failed(said) };
        };
        // An address that stands in the URL is not resolved, and would pass the resolver by.
        if network::refused_literal(&receiver.url, &self.allowed).is_some() {
            return Outcome::failed("the address is not one that webhooks may go to");
        }
        let signatures: Vec<_> = receiver
            .secrets
            .iter()
            .map(|secret| webhook_secret::sign(secret, &message.id, timestamp, &message.body))
            .collect();
        let client = if receiver.url.scheme() == "https" { &self.guarded } else { &self.plain };
        let sent = client
            .post(receiver.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures.join(" "))
            .body(message.body.clone())
            .send()
            .await;
        match sent {
            Ok(response) => answered(&response),
            Err(error) => Outcome::failed(told(error)),
        }
    }
}

fn client(resolver: Resolver, timeout_ms: u64) -> Result<Client, reqwest::Error> {
    let longest = Duration::from_millis(timeout_ms);
    network::http_client()
        .dns_resolver(std::sync::Arc::new(resolver))
        // A proxy would resolve names by itself, and go wherever they lead.
        .no_proxy()
        .connect_timeout(longest)
        .timeout(longest)
        .pool_idle_timeout(Duration::from_secs(30))
        .build()
}

/// The status decides; the body is not read.
fn answered(response: &Response) -> Outcome {
    let status = response.status();
    let mut said = format!("answered {}", status.as_u16());
    if status.is_redirection() {
        said.push_str("; redirects are not followed");
    }
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Outcome {
        delivered: status.is_success(),
        // The specification: the receiver wants no more of these.
        hopeless: status == StatusCode::GONE,
        status: Some(status.as_u16()),
        retry_after_s: retry_after.and_then(|value| value.trim().parse().ok()),
        said,
    }
}

/// Why there was no answer. Without the address, which may hold a token.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut said = if error.is_timeout() { "no answer in time".to_owned() } else { "no answer".to_owned() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        // A message of any length must not fill the log.
        let text: String = inner.to_string().chars().take(200).collect();
        let _ = write!(said, ": {text}");
        cause = inner.source();
    }
    said
}
