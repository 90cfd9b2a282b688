//! A captcha of others, as the operator configures it.

use ringback_contract::captcha::{self, Provider};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

/// A captcha of others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captcha {
    /// Who makes it.
    pub provider: Provider,
    /// The key that the provider knows the site by; public.
    pub site_key: String,
    /// The secret that tokens are judged with.
    #[serde(default)]
    pub secret: SecretString,
    /// A file that holds it.
    #[serde(default)]
    pub secret_file: String,
    /// Who is asked.
    #[serde(default)]
    pub when: CaptchaWhen,
    /// Where tokens are judged; empty: at the provider.
    #[serde(default)]
    pub verify_url: String,
    /// The script that draws it; empty: the provider's.
    #[serde(default)]
    pub script_url: String,
}

/// Who is asked for a captcha.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptchaWhen {
    /// Nobody while the site is calm; and while it is pressed, whoever passes it has no work to prove.
    #[default]
    Pressed,
    /// Every visitor.
    Always,
}

impl Captcha {
    /// Where tokens are judged.
    pub fn verify_url(&self) -> &str {
        if self.verify_url.is_empty() { verify_url(self.provider) } else { &self.verify_url }
    }

    /// The script that draws it.
    pub fn script_url(&self) -> &str {
        if self.script_url.is_empty() { script_url(self.provider) } else { &self.script_url }
    }

    /// What a page with a strict policy must allow.
    pub fn policy_sources(&self) -> String {
        match Url::parse(&self.script_url) {
            Ok(own) => own.origin().ascii_serialization(),
            Err(_) => policy_sources(self.provider).to_owned(),
        }
    }

    /// What the form needs to draw it.
    pub fn to_show(&self) -> captcha::Captcha {
        captcha::Captcha {
            provider: self.provider,
            site_key: self.site_key.clone(),
            script: self.script_url().to_owned(),
        }
    }
}

/// Where a provider judges tokens (its documentation, "server-side validation").
const fn verify_url(provider: Provider) -> &'static str {
    match provider {
        Provider::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        Provider::Hcaptcha => "https://api.hcaptcha.com/siteverify",
    }
}

/// The provider's script, told to draw nothing by itself.
const fn script_url(provider: Provider) -> &'static str {
    match provider {
        Provider::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit",
        Provider::Hcaptcha => "https://js.hcaptcha.com/1/api.js?render=explicit",
    }
}

/// What a page with a strict policy must allow for the provider (its documentation, "Content-Security-Policy").
const fn policy_sources(provider: Provider) -> &'static str {
    match provider {
        Provider::Turnstile => "https://challenges.cloudflare.com",
        Provider::Hcaptcha => "https://hcaptcha.com https://*.hcaptcha.com",
    }
}
