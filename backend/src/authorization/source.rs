//! Where access tokens come from: a pasted one, or what the organisation has consented to.

use std::sync::Arc;

use super::{Authorization, AuthorizationError};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::store::Store;
use crate::webex::token::{PastedToken, Tokens};

/// Where access tokens come from.
#[derive(Clone, Debug)]
pub struct TokenSource {
    /// The tokens.
    pub tokens: Arc<dyn Tokens>,
    /// Who renews them, where the service does so itself.
    pub authorization: Option<Arc<Authorization>>,
}

impl TokenSource {
    /// The configured one: a pasted token, or the organisation's consent.
    pub fn of(
        config: &Config,
        store: &Arc<dyn Store>,
        clock: &SharedClock,
    ) -> Result<Self, AuthorizationError> {
        if !config.webex.oauth.is_used() {
            return Ok(Self::pasted(config));
        }
        let authorization = Arc::new(Authorization::new(config, Arc::clone(store), Arc::clone(clock))?);
        Ok(Self { tokens: Arc::clone(&authorization) as _, authorization: Some(authorization) })
    }

    /// A pasted token.
    pub fn pasted(config: &Config) -> Self {
        Self { tokens: Arc::new(PastedToken::of(&config.webex)), authorization: None }
    }
}
