//! The processes that serve from one database share what Webex allows one client: each takes its part of the pace, and
//! all keep quiet when one was told to. Each learns here too what tokens are believed by.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::{SharedClock, after_s};
use crate::store::{Heartbeat, Store};
use crate::trust::Trust;
use crate::webex::client::Client;

/// How often a process says that it is there, in seconds.
const BEAT_S: u64 = 2;

/// Keeps the company of the other processes until it is told to stop.
#[derive(Debug)]
pub struct Instances {
    store: Arc<dyn Store>,
    webex: Arc<Client>,
    clock: SharedClock,
    trust: Trust,
    stop: CancellationToken,
}

impl Instances {
    /// One that ends once `stop` is cancelled.
    pub fn new(
        store: Arc<dyn Store>,
        webex: Arc<Client>,
        clock: SharedClock,
        trust: Trust,
        stop: CancellationToken,
    ) -> Self {
        Self { store, webex, clock, trust, stop }
    }

    /// Runs until the stop; gives the name under which the others know this process.
    pub async fn run(self) -> String {
        let instance = Uuid::new_v4().to_string();
        let pace = self.webex.pace();
        let mut told = None;
        loop {
            let paused_until = pace.paused_until();
            let heartbeat =
                Heartbeat { instance: instance.clone(), paused_until, news: paused_until != told };
            match self.store.heartbeat(&heartbeat).await {
                Ok(others) => {
                    told = paused_until;
                    pace.share_with(others.count);
                    if let Some(until) = others.paused_until {
                        pace.pause_until(until);
                    }
                }
                // The pace stays as it was.
                Err(error) => tracing::warn!(%error, "the other instances cannot be counted"),
            }
            if let Err(error) = self.trust.refresh(&*self.store, self.clock.now()).await {
                tracing::warn!(%error, "signing keys and links taken back cannot be read; the service goes on with those it knows");
            }
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = self.clock.wait_until(after_s(self.clock.now(), BEAT_S)) => {}
                () = pace.paused() => {}
                () = self.store.changes().instances() => {}
            }
        }
        instance
    }
}
