//! The one way out: callbacks become tasks of Webex, and what Webex tells of the tasks becomes the callbacks' state.

mod circuit;
pub mod decision;
mod decoy;
pub mod dispatcher;
pub mod forget;
pub mod instances;
#[cfg(test)]
mod model;
mod outlived;
pub mod poller;
mod preference;
pub mod progress;
mod reconcile;
mod scheduled;
mod settle;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use self::circuit::Circuit;
use self::progress::Progress;
use crate::agent::Agent;
use crate::callback::Callback;
use crate::clock::SharedClock;
use crate::config;
use crate::site::Site;
use crate::store::{Attempt, Store};
use crate::webex::client::Client;
use crate::webex::directory::Directory;
use crate::webex::error::WebexError;

/// How far the clocks of Webex and of this machine may be apart, in seconds.
const CLOCK_SKEW_S: i64 = 60;

/// How a callback goes on after something was asked of Webex, with what was asked; `None`: it stays as it is.
type Settled = Option<(Callback, Option<Attempt>)>;

/// What deliveries share.
#[derive(Debug)]
struct Parts {
    store: Arc<dyn Store>,
    webex: Arc<Client>,
    directory: Arc<Directory>,
    clock: SharedClock,
    config: config::Delivery,
    sites: BTreeMap<String, Site>,
    agents: BTreeMap<String, Agent>,
    /// For how long personal data is kept, in seconds.
    kept_s: i64,
    circuit: Circuit,
    stop: CancellationToken,
}

impl Parts {
    fn progress(&self) -> Progress {
        Progress::new(Arc::clone(&self.store), Arc::clone(&self.clock), &self.config)
    }

    fn attempt(
        &self,
        operation: &'static str,
        begun_at: Timestamp,
        status: Option<u16>,
        tracking_id: &str,
        outcome: &str,
    ) -> Attempt {
        let took_ms = self.clock.now().as_millisecond() - begun_at.as_millisecond();
        Attempt {
            operation,
            begun_at,
            took_ms,
            status,
            tracking_id: tracking_id.to_owned(),
            outcome: outcome.to_owned(),
        }
    }

    fn failed_attempt(&self, operation: &'static str, begun_at: Timestamp, error: &WebexError) -> Attempt {
        self.attempt(operation, begun_at, error.status, &error.tracking_id, &error.message)
    }
}
