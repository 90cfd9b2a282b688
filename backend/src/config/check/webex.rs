//! The section `webex`, and the key that seals its tokens.

use std::path::Path;

use secrecy::ExposeSecret as _;

use super::super::{Config, region, secret_files};
use super::{Findings, is_origin};
use crate::seal::SealingKey;

/// What is wrong with the section `webex`.
pub(super) fn check(config: &Config, found: &mut Findings) {
    let section = &config.webex;
    found.require(
        region::base_url(&section.region).is_some(),
        "webex.region",
        format!("{:?} is no data centre of Webex Contact Center", section.region),
        format!("use one of {}", region::NAMES.join(", ")),
    );
    if !section.base_url.is_empty() {
        found.require(
            is_origin(&section.base_url),
            "webex.base_url",
            format!("{:?} is not an address of scheme and host alone", section.base_url),
            "write it as https://api.wxcc-us1.cisco.com, or leave it empty and set webex.region",
        );
    }
    oauth(config, found);
    match (section.access_token.expose_secret().is_empty(), section.access_token_file.is_empty()) {
        (true, true) if section.oauth.is_used() => {}
        (true, true) => found.add(
            "webex.access_token",
            "there is no access token",
            "set webex.oauth.client_id and run `ringback auth login`, or paste a token from the developer portal",
        ),
        _ if section.oauth.is_used() => found.add(
            "webex.oauth.client_id",
            "there is also a pasted access token",
            "take webex.access_token and webex.access_token_file out, or leave webex.oauth.client_id empty",
        ),
        (false, false) => found.add(
            "webex.access_token_file",
            "the access token is given twice",
            "keep either webex.access_token or webex.access_token_file",
        ),
        (true, false) => {
            if let Err(error) = std::fs::read_to_string(Path::new(&section.access_token_file)) {
                found.0.push(secret_files::unreadable(
                    "webex.access_token_file".to_owned(),
                    &section.access_token_file,
                    &error,
                ));
            }
        }
        (false, true) => found.require(
            section.access_token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()),
            "webex.access_token",
            "it holds white space or characters outside ASCII",
            "paste the token alone, without `Bearer`",
        ),
    }
    for secret in &section.webhook_secrets {
        found.require(
            (32..=256).contains(&secret.expose_secret().len()),
            "webex.webhook_secrets",
            "a secret is shorter than 32 or longer than 256 characters",
            "use what the subscription was made with; Webex takes 32 to 256 characters",
        );
    }
    for (key, value) in [
        ("webex.connect_timeout_ms", section.connect_timeout_ms),
        ("webex.request_timeout_ms", section.request_timeout_ms),
    ] {
        found.require(
            value > 0,
            key,
            "0 leaves no time at all",
            "give a number of milliseconds, such as 10000",
        );
    }
}

fn oauth(config: &Config, found: &mut Findings) {
    let key = &config.store.encryption_key;
    let is_set = !key.expose_secret().is_empty();
    if is_set && let Err(error) = SealingKey::parse(key) {
        found.add("store.encryption_key", error.to_string(), "use the output of `openssl rand -hex 32`");
    }
    let oauth = &config.webex.oauth;
    if !oauth.is_used() {
        return;
    }
    found.require(
        is_set,
        "store.encryption_key",
        "there is no key to seal the tokens of webex.oauth with",
        "set it to the output of `openssl rand -hex 32`, or name a file in store.encryption_key_file",
    );
    found.require(
        !oauth.client_secret.expose_secret().is_empty(),
        "webex.oauth.client_secret",
        "there is no client secret",
        "copy it from the integration or service app on developer.webex.com",
    );
    found.require(
        is_origin(&oauth.base_url),
        "webex.oauth.base_url",
        format!("{:?} is not an address of scheme and host alone", oauth.base_url),
        "leave it at https://webexapis.com",
    );
    found.require(
        !oauth.scopes.is_empty() && oauth.scopes.iter().all(|scope| !scope.contains(char::is_whitespace)),
        "webex.oauth.scopes",
        "there is no scope, or one holds white space",
        "list them, such as [\"cjp:user\", \"cjp:config_read\", \"cjp:config_write\"]",
    );
}
