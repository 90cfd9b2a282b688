//! What CRMs use: keys and webhooks.

use std::collections::HashSet;

use secrecy::ExposeSecret as _;
use url::Url;

use super::Findings;
use crate::config::{Config, Webhook};
use crate::{api_key, network, webhook_secret};

/// Shortest key for the REST door, in characters: 32 hexadecimal digits hold 128 bits.
const API_KEY_MIN: usize = 32;

pub(super) fn check(config: &Config, found: &mut Findings) {
    api_keys(config, found);
    webhook_delivery(config, found);
    for (name, webhook) in &config.webhooks {
        found.identifier("webhooks", name);
        check_webhook(&format!("webhooks.{name}"), webhook, config, found);
    }
}

fn api_keys(config: &Config, found: &mut Findings) {
    let mut seen = HashSet::new();
    for (name, of_name) in &config.api_keys {
        found.identifier("api_keys", name);
        let secret = of_name.key.expose_secret();
        found.require(
            secret.len() >= API_KEY_MIN && secret.bytes().all(|byte| byte.is_ascii_graphic()),
            format!("api_keys.{name}.key"),
            format!("the key is shorter than {API_KEY_MIN} characters, or holds white space"),
            "make one with `openssl rand -hex 32`",
        );
        found.require(
            seen.insert(secret),
            format!("api_keys.{name}.key"),
            "another name has the same key",
            "give each caller a key of its own",
        );
        found.require(
            !api_key::is_reserved(&of_name.key),
            format!("api_keys.{name}.key"),
            format!("the key begins with {}, as those in the store do", api_key::PREFIX),
            "make one with `openssl rand -hex 32`, or use `ringback key create` and leave this section out",
        );
        found.require(
            !of_name.scopes.is_empty(),
            format!("api_keys.{name}.scopes"),
            "a key without a scope may do nothing",
            "leave the line out for every scope",
        );
        found.known_sites(&format!("api_keys.{name}.sites"), &of_name.sites, config);
    }
}

fn webhook_delivery(config: &Config, found: &mut Findings) {
    let delivery = &config.webhook_delivery;
    found.require(
        (1..=256).contains(&delivery.concurrency),
        "webhook_delivery.concurrency",
        format!("{} is not between 1 and 256", delivery.concurrency),
        "8 is enough for hundreds of messages a minute",
    );
    found.require(
        (100..=60_000).contains(&delivery.timeout_ms),
        "webhook_delivery.timeout_ms",
        format!("{} is not between 100 and 60000", delivery.timeout_ms),
        "give a number of milliseconds, such as 10000",
    );
    found.require(
        delivery.retry_s.iter().all(|seconds| *seconds > 0),
        "webhook_delivery.retry_s",
        "the list holds a 0",
        "list waits in seconds, such as [5, 30, 120, 600]; an empty list parks a message after one attempt",
    );
}

fn check_webhook(key: &str, webhook: &Webhook, config: &Config, found: &mut Findings) {
    let allowed = &config.webhook_delivery.allowed_networks;
    match Url::parse(webhook.url.expose_secret()) {
        Err(_) => found.add(
            format!("{key}.url"),
            "this is not an address",
            "write it as https://crm.example.com/hooks/ringback",
        ),
        Ok(url) => {
            let plain_is_possible = url.scheme() == "http" && !allowed.is_empty();
            found.require(
                url.scheme() == "https" || plain_is_possible,
                format!("{key}.url"),
                "it is not an https address",
                "use https; plain http is possible to webhook_delivery.allowed_networks only",
            );
            found.require(
                network::refused_literal(&url, allowed).is_none(),
                format!("{key}.url"),
                "its address is not a public one",
                "add it to webhook_delivery.allowed_networks, if messages may go there",
            );
        }
    }
    found.require(
        !webhook.secrets.is_empty(),
        format!("{key}.secrets"),
        "there is no secret to sign with",
        "make one with `echo whsec_$(openssl rand -base64 32)`",
    );
    for secret in &webhook.secrets {
        found.require(
            webhook_secret::read(secret).is_some(),
            format!("{key}.secrets"),
            "a secret is not `whsec_` and 24 to 64 bytes in base64",
            "make one with `echo whsec_$(openssl rand -base64 32)`",
        );
    }
    found.known_sites(&format!("{key}.sites"), &webhook.sites, config);
}
