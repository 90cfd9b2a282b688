//! The organisation's consent, kept fresh: sealed tokens in the store, renewed early, by one process at a time.

mod consent;
mod source;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use self::consent::ConsentError;
pub use self::source::TokenSource;
use crate::clock::{SharedClock, after_ms, after_s, is_ahead};
use crate::config::Config;
use crate::entropy;
use crate::seal::{SealError, SealingKey};
use crate::store::credential::StoredCredential;
use crate::store::{Store, StoreError};
use crate::webex::client::ClientError;
use crate::webex::oauth::{Issued, NotIssued, OAuth};
use crate::webex::token::{self, Tokens};

/// What the credential is sealed for.
const PURPOSE: &str = "webex credential";

/// How much longer than a request one process may take to renew the credential before another may try, in milliseconds.
const LEASE_MARGIN_MS: u64 = 2000;

/// How often to look whether the process that renews the credential is done, in milliseconds.
const LOOK_MS: u64 = 100;

/// How often to look for a new login, in milliseconds.
const NEW_LOGIN_MS: u64 = 10_000;

/// How long to wait at least after something has failed, in milliseconds.
const AFTER_FAILURE_MS: u64 = 500;

/// How long to wait after Webex has refused the refresh token, in seconds: only a new login will help.
const REFUSED_PAUSE_S: u64 = 900;

/// A token that is younger than this is not renewed because Webex refuses it, in milliseconds: something else is wrong.
const YOUNG_MS: i64 = 10_000;

/// The tokens of the organisation.
#[derive(Clone, Serialize, Deserialize)]
struct Credential {
    access_token: String,
    refresh_token: String,
    obtained_at: Timestamp,
    access_ends_at: Timestamp,
    refresh_ends_at: Option<Timestamp>,
    scopes: Vec<String>,
}

impl Credential {
    /// How long the access token was good for when it was issued, in milliseconds.
    fn life_ms(&self) -> i64 {
        (self.access_ends_at.as_millisecond() - self.obtained_at.as_millisecond()).max(0)
    }

    /// Whether the access token will do for one more request.
    fn is_good(&self, now: Timestamp) -> bool {
        let margin = (self.life_ms() / 10).min(30_000);
        self.access_ends_at.as_millisecond() - margin > now.as_millisecond()
    }

    /// The tokens that take the place of these.
    fn renewed(&self, issued: Issued, now: Timestamp) -> Self {
        let refresh_token = issued.refresh_token.map(|token| token.expose_secret().to_owned());
        Self {
            access_token: issued.access_token.expose_secret().to_owned(),
            refresh_token: refresh_token.unwrap_or_else(|| self.refresh_token.clone()),
            obtained_at: now,
            access_ends_at: issued.access_ends_at,
            refresh_ends_at: issued.refresh_ends_at.or(self.refresh_ends_at),
            scopes: if issued.scopes.is_empty() { self.scopes.clone() } else { issued.scopes },
        }
    }
}

/// A credential as it was read.
#[derive(Clone)]
struct Held {
    revision: u64,
    credential: Credential,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Nobody has logged in.
    #[error(
        "the organisation is not connected; hint: run `ringback auth login` (or `auth import` for a service app)"
    )]
    NotConnected,
    /// The tokens cannot be opened.
    #[error(
        "the stored tokens cannot be opened: {0}; hint: set store.encryption_key to the key they were sealed with, or log in again with `ringback auth login`"
    )]
    Sealed(SealError),
    /// The refresh token is no good any more.
    #[error(
        "the refresh token is refused: {0}; hint: check webex.oauth.client_secret, then connect again with `ringback auth login`"
    )]
    Refused(String),
    /// The refresh token has ended.
    #[error("the refresh token ended at {0}; hint: connect again with `ringback auth login`")]
    Ended(Timestamp),
    /// Webex issues none now.
    #[error("{0}; it is tried again")]
    Unavailable(String),
    /// The store does not answer.
    #[error("the tokens cannot be read or written: {0}")]
    Store(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

/// How the connection to the organisation stands, for people and for checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// When the tokens were issued.
    pub obtained_at: Timestamp,
    /// When the access token ends.
    pub access_ends_at: Timestamp,
    /// When the refresh token ends, where Webex has said so.
    pub refresh_ends_at: Option<Timestamp>,
    /// What was granted, where Webex has said so.
    pub scopes: Vec<String>,
    /// The organisation, where the token names it.
    pub organization: Option<String>,
    /// Why an operator should do something soon.
    pub warning: Option<String>,
}

/// Keeps the tokens of one organisation.
pub struct Authorization {
    store: Arc<dyn Store>,
    clock: SharedClock,
    oauth: OAuth,
    key: SealingKey,
    organization: String,
    warn_days: u64,
    /// How long this process may take to renew the tokens.
    lease_ms: u64,
    known: Mutex<Known>,
    /// Held by whoever renews the tokens in this process.
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    held: Option<Arc<Held>>,
    trouble: Option<Trouble>,
    not_before: Option<Timestamp>,
    failures: u32,
}

impl Known {
    /// Until when nothing is tried, after something has failed.
    fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        // With its jitter.
        let longest = Duration::from_secs(REFUSED_PAUSE_S) * 5 / 4;
        self.not_before.filter(|not_before| is_ahead(*not_before, now, longest))
    }
}

/// The tokens of the organisation cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizationError {
    /// The client of the authorisation server cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The key cannot be used. [`Config::load`] refuses such a configuration.
    #[error("store.encryption_key: {0}")]
    Key(#[from] SealError),
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Authorization").finish_non_exhaustive()
    }
}

impl Authorization {
    /// The tokens of the configured client.
    pub fn new(
        config: &Config,
        store: Arc<dyn Store>,
        clock: SharedClock,
    ) -> Result<Self, AuthorizationError> {
        Ok(Self {
            store,
            oauth: OAuth::new(&config.webex, Arc::clone(&clock))?,
            clock,
            key: SealingKey::parse(&config.store.encryption_key)?,
            organization: config.webex.organization_id.clone(),
            warn_days: config.webex.oauth.warn_days,
            lease_ms: config.webex.request_timeout_ms.saturating_add(LEASE_MARGIN_MS),
            known: Mutex::default(),
            renewing: tokio::sync::Mutex::new(()),
        })
    }

    /// How the connection stands.
    pub async fn status(&self) -> Result<Status, Trouble> {
        let held = self.read().await?;
        let credential = &held.credential;
        let now = self.clock.now();
        let warned_from = after_s(now, self.warn_days.saturating_mul(24 * 60 * 60));
        let trouble = self.known.lock().trouble.clone();
        let warning = match (trouble, credential.refresh_ends_at) {
            (Some(trouble), _) => Some(trouble.to_string()),
            (None, Some(ends_at)) if ends_at <= now => Some(Trouble::Ended(ends_at).to_string()),
            (None, Some(ends_at)) if ends_at <= warned_from => Some(format!(
                "the refresh token ends at {ends_at}; hint: connect again with `ringback auth login`"
            )),
            _ => None,
        };
        Ok(Status {
            obtained_at: credential.obtained_at,
            access_ends_at: credential.access_ends_at,
            refresh_ends_at: credential.refresh_ends_at,
            scopes: credential.scopes.clone(),
            organization: token::organization_of(&credential.access_token.as_str().into()),
            warning,
        })
    }

    /// Why an administrator should do something; `None`: nothing is to be done.
    pub async fn warning(&self) -> Option<String> {
        match self.status().await {
            Ok(status) => status.warning,
            Err(trouble) => Some(trouble.to_string()),
        }
    }

    /// Forgets the tokens. `false`: there were none.
    pub async fn logout(&self) -> Result<bool, StoreError> {
        *self.known.lock() = Known::default();
        self.store.forget_credential().await
    }

    /// Renews the tokens early, until it is told to stop.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        // Each process draws its own moment within the last quarter of the life but one tenth; the first renews, and
        // the others find that done.
        let mut drawn: Option<(u64, Timestamp)> = None;
        loop {
            let now = self.clock.now();
            let mut next = after_ms(now, NEW_LOGIN_MS);
            match self.read().await {
                Ok(held) => {
                    let due = match drawn {
                        Some((revision, due)) if revision == held.revision => due,
                        _ => early_moment(&held.credential),
                    };
                    drawn = Some((held.revision, due));
                    let due =
                        self.known.lock().waits_until(now).map_or(due, |not_before| due.max(not_before));
                    if due <= now {
                        let obtained_at = held.credential.obtained_at;
                        if self.renew(|other| other.obtained_at > obtained_at).await.is_ok() {
                            continue;
                        }
                        // What went wrong is told where it is noted.
                        next = after_ms(self.clock.now(), AFTER_FAILURE_MS);
                    } else {
                        next = next.min(due);
                    }
                }
                Err(trouble) => tracing::error!(%trouble, "there is no token for Webex"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.wait_until(next) => {}
            }
        }
    }

    /// Stores tokens that were issued to a person at hand.
    async fn keep(&self, credential: &Credential) -> Result<(), ConsentError> {
        let found = token::organization_of(&credential.access_token.as_str().into());
        if let Some(found) = found
            && !self.organization.is_empty()
            && found != self.organization
        {
            return Err(ConsentError::OtherOrganization { found, wanted: self.organization.clone() });
        }
        self.store.set_credential(&self.sealed(credential).map_err(Trouble::Sealed)?).await?;
        *self.known.lock() = Known::default();
        Ok(())
    }

    fn sealed(&self, credential: &Credential) -> Result<Vec<u8>, SealError> {
        let plain = serde_json::to_vec(credential).map_err(|_| SealError::Sealed)?;
        self.key.seal(PURPOSE, &plain)
    }

    fn opened(&self, stored: &StoredCredential) -> Result<Held, Trouble> {
        let plain = self.key.open(PURPOSE, &stored.sealed).map_err(Trouble::Sealed)?;
        let credential = serde_json::from_slice(&plain).map_err(|_| Trouble::Sealed(SealError::Opened))?;
        Ok(Held { revision: stored.revision, credential })
    }

    /// The tokens as they stand in the store.
    async fn read(&self) -> Result<Arc<Held>, Trouble> {
        let stored = self.store.credential().await?.ok_or(Trouble::NotConnected)?;
        let known = self.known.lock().held.clone().filter(|held| held.revision == stored.revision);
        if let Some(held) = known {
            return Ok(held);
        }
        let held = Arc::new(self.opened(&stored)?);
        *self.known.lock() = Known { held: Some(Arc::clone(&held)), ..Known::default() };
        Ok(held)
    }

    /// Tokens that will do: those of the store where they do already, else new ones.
    async fn renew(&self, will_do: impl Fn(&Credential) -> bool) -> Result<Arc<Held>, Trouble> {
        let _one_at_a_time = self.renewing.lock().await;
        loop {
            let held = self.read().await?;
            if will_do(&held.credential) {
                return Ok(held);
            }
            let now = self.clock.now();
            if let Some(ends_at) = held.credential.refresh_ends_at.filter(|ends_at| *ends_at <= now) {
                return Err(self.failed(Trouble::Ended(ends_at), &held.credential));
            }
            let trouble = {
                let known = self.known.lock();
                known.trouble.clone().filter(|_| known.waits_until(now).is_some())
            };
            if let Some(trouble) = trouble {
                return Err(trouble);
            }
            if self.store.lease_credential(held.revision, now, after_ms(now, self.lease_ms)).await? {
                return self.refresh(&held).await;
            }
            // Another process renews them right now, or has just done so.
            self.clock.wait_until(after_ms(now, LOOK_MS)).await;
        }
    }

    /// Gets new tokens and stores them before anybody uses them. The lease is ours.
    async fn refresh(&self, held: &Held) -> Result<Arc<Held>, Trouble> {
        let refresh_token = SecretString::from(held.credential.refresh_token.as_str());
        match self.oauth.refresh(&refresh_token).await {
            Ok(issued) => {
                let credential = held.credential.renewed(issued, self.clock.now());
                let sealed = self.sealed(&credential).map_err(Trouble::Sealed)?;
                if self.store.replace_credential(held.revision, &sealed).await? {
                    tracing::info!(until = %credential.access_ends_at, "the tokens for Webex were renewed");
                } else {
                    tracing::info!("somebody has logged in meanwhile; those tokens are used");
                }
                self.read().await
            }
            Err(error) => {
                // Whoever comes next waits as long as this process does, or tries for itself.
                self.store.release_credential(held.revision).await?;
                let trouble = match error {
                    NotIssued::Refused(why) => Trouble::Refused(why),
                    NotIssued::Unavailable(why) => Trouble::Unavailable(why),
                };
                Err(self.failed(trouble, &held.credential))
            }
        }
    }

    /// Notes what went wrong, and when to try again.
    fn failed(&self, trouble: Trouble, credential: &Credential) -> Trouble {
        let mut known = self.known.lock();
        let pause_ms = if matches!(trouble, Trouble::Unavailable(_)) {
            // A twentieth of the life at first, twice as long each time; short lives are for tests.
            let first = u64::try_from(credential.life_ms() / 20).unwrap_or(0).clamp(100, 5000);
            first.saturating_mul(1 << known.failures.min(6))
        } else {
            REFUSED_PAUSE_S * 1000
        };
        known.failures = known.failures.saturating_add(1);
        known.not_before = Some(after_ms(self.clock.now(), pause_ms + entropy::below(pause_ms / 4 + 1)));
        known.trouble = Some(trouble.clone());
        drop(known);
        if matches!(trouble, Trouble::Unavailable(_)) {
            tracing::warn!(%trouble, "the tokens for Webex were not renewed");
        } else {
            tracing::error!(%trouble, "the tokens for Webex cannot be renewed");
        }
        trouble
    }
}

/// Between three quarters and nine tenths of the life.
fn early_moment(credential: &Credential) -> Timestamp {
    let life = u64::try_from(credential.life_ms()).unwrap_or(0);
    after_ms(credential.obtained_at, life / 4 * 3 + entropy::below(life * 3 / 20 + 1))
}

#[async_trait]
impl Tokens for Authorization {
    async fn current(&self) -> Result<SecretString, String> {
        let now = self.clock.now();
        let known = self.known.lock().held.clone().filter(|held| held.credential.is_good(now));
        let held = match known {
            Some(held) => held,
            None => self
                .renew(|credential| credential.is_good(self.clock.now()))
                .await
                .map_err(|trouble| trouble.to_string())?,
        };
        Ok(held.credential.access_token.as_str().into())
    }

    async fn instead_of(&self, refused: &SecretString) -> Option<SecretString> {
        let is_other = |credential: &Credential| {
            credential.access_token != refused.expose_secret() && credential.is_good(self.clock.now())
        };
        let held = self.read().await.ok()?;
        let credential = &held.credential;
        let age = self.clock.now().as_millisecond() - credential.obtained_at.as_millisecond();
        if !is_other(credential) && age < YOUNG_MS.min(credential.life_ms() / 10) {
            return None;
        }
        let held = self.renew(is_other).await.ok()?;
        Some(held.credential.access_token.as_str().into())
    }
}
