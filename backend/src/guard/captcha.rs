//! Captchas of others, where the operator has one: Cloudflare Turnstile and hCaptcha. The form shows it, the browser brings its
//! token, and the provider says whether that is good.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::network;
use crate::site::{CaptchaWhen, Site};

/// How long a visitor may be kept waiting for the provider.
const PATIENCE: Duration = Duration::from_secs(4);

/// The longest token that either provider documents: 2048 characters.
const TOKEN_MAX: usize = 2048;

/// What a provider says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The token is good, and was not used before.
    Good,
    /// It is not.
    Bad,
    /// The provider cannot be asked, or does not know our secret.
    Unknown,
}

/// The captchas of the sites that have one.
#[derive(Debug, Default)]
pub struct Captchas {
    /// Where no site has one, there is nothing to be asked.
    http: Option<Client>,
    sites: HashMap<String, Captcha>,
}

#[derive(Debug)]
struct Captcha {
    verify: Url,
    secret: SecretString,
    when: CaptchaWhen,
}

/// Why captchas cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum CaptchaError {
    /// The client cannot be made.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
    /// An address cannot be used.
    #[error("the address of a captcha cannot be used: {0}")]
    Url(#[from] url::ParseError),
}

/// The provider's answer: both document the same members.
#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
}

impl Captchas {
    /// The captchas of the configuration.
    pub fn new(sites: &BTreeMap<String, Site>) -> Result<Self, CaptchaError> {
        let mut captchas = Self::default();
        for (id, captcha) in sites.iter().filter_map(|(id, site)| Some((id, site.captcha.as_ref()?))) {
            let http = match &captchas.http {
                Some(http) => http.clone(),
                None => network::http_client().connect_timeout(PATIENCE).timeout(PATIENCE).build()?,
            };
            captchas.http = Some(http);
            let verify = Url::parse(captcha.verify_url())?;
            let own = Captcha { verify, secret: captcha.secret.clone(), when: captcha.when };
            captchas.sites.insert(id.clone(), own);
        }
        Ok(captchas)
    }

    /// Who is asked at the site; `None`: it has no captcha.
    pub fn when(&self, site: &str) -> Option<CaptchaWhen> {
        self.sites.get(site).map(|captcha| captcha.when)
    }

    /// Judges a token. The visitor's address is nobody's business but ours, and is not told.
    pub async fn judge(&self, site: &str, token: &str) -> Judgement {
        let (Some(http), Some(captcha)) = (&self.http, self.sites.get(site)) else {
            return Judgement::Unknown;
        };
        if token.is_empty() || token.len() > TOKEN_MAX {
            return Judgement::Bad;
        }
        let form = [("secret", captcha.secret.expose_secret()), ("response", token)];
        let asked = http.post(captcha.verify.clone()).form(&form).send().await;
        let answer = match asked.and_then(reqwest::Response::error_for_status) {
            Ok(response) => response.json::<Answer>().await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(Answer { success: true, .. }) => Judgement::Good,
            Ok(Answer { error_codes, .. }) if error_codes.iter().any(|code| is_of_operator(code)) => {
                tracing::error!(
                    site,
                    ?error_codes,
                    "the captcha's secret is refused; hint: compare it with the provider's console"
                );
                Judgement::Unknown
            }
            Ok(_) => Judgement::Bad,
            Err(error) => {
                let error = error.without_url();
                tracing::warn!(site, %error, "the captcha's provider cannot be asked");
                Judgement::Unknown
            }
        }
    }
}

/// Whether the fault is the operator's: the visitor has done nothing wrong.
fn is_of_operator(code: &str) -> bool {
    matches!(code, "missing-input-secret" | "invalid-input-secret" | "sitekey-secret-mismatch")
}
