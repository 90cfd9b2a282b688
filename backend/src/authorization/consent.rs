//! How an organisation is connected: an administrator consents in a browser (authorisation code with `state` and PKCE,
//! RFC 6749 section 4.1 and RFC 7636), or the tokens of a service app are pasted once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Authorization, Credential, Trouble};
use crate::clock::after_s;
use crate::entropy::{self, NoEntropy};
use crate::seal::SealError;
use crate::store::StoreError;
use crate::webex::oauth::NotIssued;

/// What the state of a consent is sealed for.
const PURPOSE: &str = "webex consent";

/// How long an administrator may take to consent, in seconds.
const CONSENT_S: u64 = 600;

/// The organisation was not connected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// The state is not one of ours, or too old.
    #[error(
        "this answer belongs to no login that was begun in the last ten minutes; hint: begin again with `ringback auth login`"
    )]
    State,
    /// The administrator, or Webex, has said no.
    #[error(
        "Webex says {0:?}; hint: log in as an administrator of the organisation and allow what is asked for; check webex.oauth.scopes against the integration's"
    )]
    Denied(String),
    /// Webex issued no tokens for the code.
    #[error(
        "{0}; hint: check webex.oauth.client_id and client_secret, and that the redirect address is registered, then begin again"
    )]
    NotIssued(#[from] NotIssued),
    /// The tokens are of another organisation.
    #[error(
        "the tokens are for the organisation {found}, and webex.organization_id is {wanted}; hint: log in to the right organisation, or correct the key"
    )]
    OtherOrganization {
        /// The organisation of the tokens.
        found: String,
        /// The organisation of the configuration.
        wanted: String,
    },
    /// What was pasted holds no usable tokens.
    #[error(
        "these are no tokens of a service app: {0}; hint: give a JSON object with access_token, expires_in, refresh_token and refresh_token_expires_in"
    )]
    Import(String),
    /// The tokens cannot be kept.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// There is no randomness.
    #[error("the operating system gives no randomness")]
    Entropy,
}

impl From<NoEntropy> for ConsentError {
    fn from(_: NoEntropy) -> Self {
        Self::Entropy
    }
}

impl From<StoreError> for ConsentError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<SealError> for ConsentError {
    fn from(error: SealError) -> Self {
        Self::Trouble(Trouble::Sealed(error))
    }
}

/// What a consent that was begun must remember. It travels sealed through the browser, so that it may end at another
/// process than it began at.
#[derive(Serialize, Deserialize)]
struct Begun {
    verifier: String,
    redirect_uri: String,
    until: Timestamp,
}

/// The tokens of a service app, as the portal and the API give them.
#[derive(Deserialize)]
struct Pasted {
    access_token: String,
    expires_in: u64,
    refresh_token: String,
    refresh_token_expires_in: Option<u64>,
    scope: Option<String>,
}

impl Authorization {
    /// The address where an administrator consents; Webex answers to `redirect_uri`.
    pub fn begin_consent(&self, redirect_uri: &str) -> Result<Url, ConsentError> {
        let verifier = hex::encode(entropy::bytes::<32>()?);
        let until = after_s(self.clock.now(), CONSENT_S);
        let begun = Begun { verifier: verifier.clone(), redirect_uri: redirect_uri.to_owned(), until };
        let plain = serde_json::to_vec(&begun).map_err(|_| ConsentError::State)?;
        let state = hex::encode(self.key.seal(PURPOSE, &plain)?);
        Ok(self.oauth.consent_address(redirect_uri, &state, &verifier)?)
    }

    /// Takes Webex's answer to a consent. `code` and `state` are as in the address; a code is good for one attempt, so
    /// that an answer that is seen by others is worth nothing.
    pub async fn finish_consent(
        &self,
        state: &str,
        code: Result<&str, &str>,
    ) -> Result<super::Status, ConsentError> {
        let begun = hex::decode(state).ok().and_then(|sealed| self.key.open(PURPOSE, &sealed).ok());
        let begun: Begun =
            begun.and_then(|plain| serde_json::from_slice(&plain).ok()).ok_or(ConsentError::State)?;
        if begun.until <= self.clock.now() {
            return Err(ConsentError::State);
        }
        let code = code.map_err(|error| ConsentError::Denied(error.to_owned()))?;
        let asked_at = self.clock.now();
        let issued = self.oauth.exchange(code, &begun.redirect_uri, &begun.verifier).await?;
        let none = Credential {
            access_token: String::new(),
            refresh_token: String::new(),
            obtained_at: asked_at,
            access_ends_at: asked_at,
            refresh_ends_at: None,
            scopes: Vec::new(),
        };
        let credential = none.renewed(issued, asked_at);
        if credential.refresh_token.is_empty() {
            return Err(ConsentError::NotIssued(NotIssued::Refused(
                "the answer has no refresh token".to_owned(),
            )));
        }
        self.keep(&credential).await?;
        Ok(self.status().await?)
    }

    /// Takes the tokens of a service app, as JSON.
    pub async fn import(&self, json: &str) -> Result<super::Status, ConsentError> {
        // What the parser says may quote a token, so only where it stopped is told.
        let pasted: Pasted = serde_json::from_str(json).map_err(|error| {
            ConsentError::Import(format!("line {}, column {}", error.line(), error.column()))
        })?;
        let now = self.clock.now();
        let credential = Credential {
            access_token: pasted.access_token,
            refresh_token: pasted.refresh_token,
            obtained_at: now,
            access_ends_at: after_s(now, pasted.expires_in),
            refresh_ends_at: pasted.refresh_token_expires_in.map(|seconds| after_s(now, seconds)),
            scopes: pasted.scope.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        };
        if credential.access_token.is_empty() || credential.refresh_token.is_empty() {
            return Err(ConsentError::Import("a token is empty".to_owned()));
        }
        self.keep(&credential).await?;
        Ok(self.status().await?)
    }
}
