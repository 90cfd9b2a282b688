//! Webex as an OAuth 2.0 authorisation server (RFC 6749): `GET /v1/authorize` and `POST /v1/access_token` at
//! `webexapis.com`, for every region.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::header::ACCEPT;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use super::client::{self, ClientError, TRACKING_ID};
use super::error::envelope;
use super::policy::{Operation, Policy};
use crate::clock::{SharedClock, after_s};
use crate::config;

/// Largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// An integration or a service app at Webex.
#[derive(Debug)]
pub struct OAuth {
    http: reqwest::Client,
    clock: SharedClock,
    base: Url,
    client_id: String,
    client_secret: SecretString,
    scopes: String,
}

/// Tokens that Webex has issued.
#[derive(Debug)]
pub struct Issued {
    /// The access token.
    pub access_token: SecretString,
    /// When it ends.
    pub access_ends_at: Timestamp,
    /// The refresh token, where the answer has one: it takes the place of the one before.
    pub refresh_token: Option<SecretString>,
    /// When that ends, where the answer says so.
    pub refresh_ends_at: Option<Timestamp>,
    /// The scopes that were granted, where the answer says so.
    pub scopes: Vec<String>,
}

/// Webex has issued no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotIssued {
    /// It refuses, and would again: the code or the refresh token is no good any more, or the client's secret is wrong.
    #[error("Webex refuses to issue a token: {0}")]
    Refused(String),
    /// It does not say: no answer, 429 or 5xx.
    #[error("Webex does not issue a token now: {0}")]
    Unavailable(String),
}

/// The answer of the token endpoint (RFC 6749, section 5.1; the life of the refresh token is Webex's own).
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: u64,
    refresh_token: Option<String>,
    refresh_token_expires_in: Option<u64>,
    scope: Option<String>,
}

impl OAuth {
    /// The configured client.
    pub fn new(config: &config::Webex, clock: SharedClock) -> Result<Self, ClientError> {
        Ok(Self {
            http: client::http(config)?,
            clock,
            base: Url::parse(&config.oauth.base_url)?,
            client_id: config.oauth.client_id.clone(),
            client_secret: config.oauth.client_secret.clone(),
            scopes: config.oauth.scopes.join(" "),
        })
    }

    /// The address where an administrator consents. `verifier` is the secret of PKCE (RFC 7636), which a server that
    /// does not know it passes over.
    pub fn consent_address(&self, redirect_uri: &str, state: &str, verifier: &str) -> Result<Url, NotIssued> {
        let mut url = self.endpoint("/v1/authorize")?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", &self.scopes),
            ("state", state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url)
    }

    /// Tokens for the code of a consent.
    pub async fn exchange(
        &self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<Issued, NotIssued> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        self.issue(&form).await
    }

    /// New tokens for a refresh token.
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<Issued, NotIssued> {
        self.issue(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())]).await
    }

    fn endpoint(&self, path: &str) -> Result<Url, NotIssued> {
        self.base.join(path).map_err(|error| NotIssued::Refused(format!("webex.oauth.base_url: {error}")))
    }

    async fn issue(&self, form: &[(&str, &str)]) -> Result<Issued, NotIssued> {
        // Lifetimes count from before the request, so that a slow answer makes none longer.
        let asked_at = self.clock.now();
        let client =
            [("client_id", self.client_id.as_str()), ("client_secret", self.client_secret.expose_secret())];
        let form: Vec<_> = form.iter().copied().chain(client).collect();
        let ours = format!("RINGBACK_{}", Uuid::new_v4());
        let request = self.http.post(self.endpoint("/v1/access_token")?).form(&form);
        let request = request.header(ACCEPT, "application/json").header(TRACKING_ID, &ours);
        let response = request.send().await;
        let response = response.map_err(|error| NotIssued::Unavailable(client::described(error)))?;
        let status = response.status();
        let body = client::read_bounded(response, LARGEST_ANSWER).await.map_err(NotIssued::Unavailable)?;
        if !status.is_success() {
            let said = envelope(&body);
            let tracking_id = said.tracking_id.unwrap_or(ours);
            let why =
                format!("Webex answered {}: {} (tracking id {tracking_id})", status.as_u16(), said.message);
            return Err(match Operation::IssueToken.policy(status.as_u16(), said.spoken) {
                Policy::GiveUp => NotIssued::Refused(why),
                _ => NotIssued::Unavailable(why),
            });
        }
        // What cannot be read may hold a token, so it is not quoted.
        let answer: Answer = serde_json::from_str(&body)
            .map_err(|error| NotIssued::Unavailable(format!("the answer cannot be read: {error}")))?;
        Ok(Issued {
            access_token: answer.access_token.into(),
            access_ends_at: after_s(asked_at, answer.expires_in),
            refresh_token: answer.refresh_token.map(SecretString::from),
            refresh_ends_at: answer.refresh_token_expires_in.map(|seconds| after_s(asked_at, seconds)),
            scopes: answer.scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        })
    }
}
