//! The organisation's users by e-mail address, remembered for a while.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::client::Client;
use super::configuration::User;
use super::error::WebexError;
use super::remembered::Remembered;
use crate::clock::SharedClock;
use crate::personal::Personal;

/// Users that are remembered at most.
const MOST: usize = 1000;

/// The users that were looked up.
#[derive(Debug)]
pub struct Directory {
    webex: Arc<Client>,
    runtime: Handle,
    cached_s: u64,
    known: Arc<Remembered<String, Option<User>>>,
}

impl Directory {
    /// Nobody is known yet; what is looked up is good for so many seconds.
    pub fn new(webex: Arc<Client>, clock: SharedClock, cached_s: u64) -> Self {
        Self { webex, runtime: Handle::current(), cached_s, known: Arc::new(Remembered::new(clock, MOST)) }
    }

    /// The user of that address; `None` where there is none.
    pub async fn find(&self, email: &Personal) -> Result<Option<User>, WebexError> {
        let key = key(email);
        if let Some((user, _)) = self.known.within_s(&key, self.cached_s) {
            return Ok(user);
        }
        let answer = self.webex.user(email.reveal()).await;
        self.known.tell(key, answer.as_ref().ok().cloned());
        answer
    }

    /// What is known of that address, at once; looks it up behind the caller's back where that is old.
    pub fn known(&self, email: &Personal) -> Option<Option<User>> {
        let key = key(email);
        let found = self.known.within_s(&key, self.cached_s).map(|(user, _)| user);
        if found.is_none() && self.known.begin(&key, self.cached_s) {
            let (webex, known, email) = (Arc::clone(&self.webex), Arc::clone(&self.known), email.clone());
            self.runtime.spawn(async move {
                let answer = webex.user(email.reveal()).await;
                if let Err(error) = &answer {
                    tracing::warn!(%error, "an agent cannot be looked up");
                }
                known.tell(key, answer.ok());
            });
        }
        found
    }
}

/// Mail domains are the same in capitals, and Webex takes the part before as such too.
fn key(email: &Personal) -> String {
    email.reveal().to_lowercase()
}
