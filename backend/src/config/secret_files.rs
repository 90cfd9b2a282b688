//! Secrets that stand in files of their own: each may be given by a key `…_file`.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Config, ConfigError};

/// Puts the text of each file that a key `…_file` names in the place of the value.
pub(super) fn read(config: &mut Config) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    let Config { store, webex, limits, .. } = config;
    read_secret_file("store.url", &store.url_file, &mut store.url, &mut errors);
    read_secret_file(
        "store.encryption_key",
        &store.encryption_key_file,
        &mut store.encryption_key,
        &mut errors,
    );
    read_secret_file("limits.redis_url", &limits.redis_url_file, &mut limits.redis_url, &mut errors);
    let of_webhooks = &mut webex.webhook_secrets;
    read_secrets_file("webex.webhook_secrets", &webex.webhook_secrets_file, of_webhooks, &mut errors);
    let oauth = &mut webex.oauth;
    read_secret_file(
        "webex.oauth.client_secret",
        &oauth.client_secret_file,
        &mut oauth.client_secret,
        &mut errors,
    );
    for (name, api_key) in &mut config.api_keys {
        read_secret_file(&format!("api_keys.{name}.key"), &api_key.key_file, &mut api_key.key, &mut errors);
    }
    for (id, site) in &mut config.sites {
        if let Some(captcha) = &mut site.captcha {
            let key = format!("sites.{id}.captcha.secret");
            read_secret_file(&key, &captcha.secret_file, &mut captcha.secret, &mut errors);
        }
    }
    for (name, webhook) in &mut config.webhooks {
        let key = format!("webhooks.{name}.secrets");
        read_secrets_file(&key, &webhook.secrets_file, &mut webhook.secrets, &mut errors);
    }
    errors
}

/// The same for several secrets, one on a line.
fn read_secrets_file(key: &str, path: &str, secrets: &mut Vec<SecretString>, errors: &mut Vec<ConfigError>) {
    let mut text = secrets.first().cloned().unwrap_or_default();
    read_secret_file(key, path, &mut text, errors);
    if secrets.is_empty() {
        let lines = text.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty());
        *secrets = lines.map(SecretString::from).collect();
    }
}

fn read_secret_file(key: &str, path: &str, value: &mut SecretString, errors: &mut Vec<ConfigError>) {
    if path.is_empty() {
        return;
    }
    let file_key = format!("{key}_file");
    if !value.expose_secret().is_empty() {
        let name = key.rsplit('.').next().unwrap_or(key);
        let remedy = format!("keep either `{name}` or `{name}_file`");
        errors.push(ConfigError::new(file_key, format!("{key} is given twice"), remedy));
        return;
    }
    match std::fs::read_to_string(path) {
        Ok(text) => *value = SecretString::from(text.trim()),
        Err(error) => errors.push(unreadable(file_key, path, &error)),
    }
}

pub(super) fn unreadable(key: String, path: &str, error: &std::io::Error) -> ConfigError {
    ConfigError::new(key, format!("{path} cannot be read: {error}"), "name a file that the service may read")
}
