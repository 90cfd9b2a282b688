//! Asks Webex about tasks of which nothing was heard for a while: webhooks may be lost, and some organisations have none.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::CLOCK_SKEW_S;
use super::progress::Progress;
use crate::callback::Callback;
use crate::clock::{SharedClock, after_ms, after_s, shifted_s};
use crate::config::{self, Config};
use crate::store::{self, Attempt, Store, StoreError};
use crate::webex::client::Client;
use crate::webex::policy::Policy;

/// Questions under way at the same time: few, since new callbacks matter more.
const CONCURRENCY: usize = 2;
/// Callbacks that one round asks about.
const ROUND: usize = 100;
/// How long after it was accepted a callback is asked about, in seconds. A call that is longer is not ours to follow.
const LONGEST_S: u64 = 24 * 60 * 60;
/// The longest pause between two questions about one callback, in seconds.
const LONGEST_PAUSE_S: u64 = 600;
/// The shortest pause after a question that was refused, in seconds.
const REFUSED_PAUSE_S: u64 = 60;

/// Asks until it is told to stop.
#[derive(Debug)]
pub struct Poller {
    store: Arc<dyn Store>,
    webex: Arc<Client>,
    clock: SharedClock,
    config: config::Delivery,
    progress: Progress,
    stop: CancellationToken,
}

impl Poller {
    /// A poller that ends once `stop` is cancelled.
    pub fn new(
        config: &Config,
        store: Arc<dyn Store>,
        webex: Arc<Client>,
        clock: SharedClock,
        progress: Progress,
        stop: CancellationToken,
    ) -> Self {
        Self { store, webex, clock, config: config.delivery.clone(), progress, stop }
    }

    /// Asks until the stop.
    pub async fn run(self) {
        loop {
            let now = self.clock.now();
            match self.store.quiet(now, ROUND).await {
                Ok(quiet) => {
                    let asking =
                        stream::iter(&quiet).for_each_concurrent(CONCURRENCY, |callback| self.ask(callback));
                    tokio::select! {
                        () = self.stop.cancelled() => return,
                        () = asking => {}
                    }
                }
                Err(error) => tracing::error!(%error, "the quiet callbacks cannot be read; trying again"),
            }
            // No callback becomes quiet sooner than this after it was last heard of.
            let pause = (self.config.quiet_s * 1000 / 4).clamp(100, 5000);
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.clock.wait_until(after_ms(self.clock.now(), pause)) => {}
            }
        }
    }

    async fn ask(&self, callback: &Callback) {
        if let Err(error) = self.ask_about(callback).await {
            tracing::error!(callback = %callback.id, %error, "what Webex answered could not be stored");
        }
    }

    async fn ask_about(&self, callback: &Callback) -> Result<(), StoreError> {
        let begun_at = self.clock.now();
        // Said first, so that no other instance asks the same, and a failure waits its turn.
        let mut next = callback.clone();
        next.revision += 1;
        next.poll_at = self.next_question(callback, begun_at);
        if !self.store.update(&next, None).await? {
            return Ok(());
        }
        let Some(task_id) = &next.task_id else {
            return Ok(());
        };
        let sent_at = next.sent_at.unwrap_or(next.created_at);
        // The task was made when it was asked for, give or take the clocks; Webex may refuse a time in the future.
        let from = shifted_s(next.created_at, -CLOCK_SKEW_S);
        let to = shifted_s(sent_at, 2 * CLOCK_SKEW_S).min(begun_at);
        match self.webex.task_status(task_id, from, to).await {
            Ok(Some(status)) => self.progress.take_answer(&next, status).await,
            Ok(None) => {
                tracing::debug!(callback = %next.id, "Webex does not list its task");
                Ok(())
            }
            Err(error) => {
                tracing::warn!(callback = %next.id, %error, "cannot be asked about");
                let mut noted = next.clone();
                noted.revision += 1;
                // What is refused now will be refused in a moment; what is asked for in time is not asked for before.
                let pause_s = match error.policy {
                    Policy::GiveUp => REFUSED_PAUSE_S,
                    _ => error.retry_after.map_or(0, |wait| wait.as_secs()),
                };
                noted.poll_at = noted.poll_at.map(|at| at.max(after_s(self.clock.now(), pause_s)));
                let attempt = Attempt {
                    operation: store::LIST_TASKS,
                    begun_at,
                    took_ms: self.clock.now().as_millisecond() - begun_at.as_millisecond(),
                    status: error.status,
                    tracking_id: error.tracking_id,
                    outcome: error.message,
                };
                self.store.update(&noted, Some(&attempt)).await.map(|_| ())
            }
        }
    }

    /// When to ask again if nothing changes: less often the longer nothing did. `None`: not any more.
    fn next_question(&self, callback: &Callback, now: Timestamp) -> Option<Timestamp> {
        if after_s(callback.created_at, LONGEST_S) <= now {
            tracing::warn!(callback = %callback.id, state = callback.state.as_str(), "Webex is not asked about it any more");
            return None;
        }
        let unchanged = u64::try_from(now.duration_since(callback.updated_at).as_secs()).unwrap_or(0);
        Some(after_s(now, (unchanged / 4).min(LONGEST_PAUSE_S).max(self.config.quiet_s)))
    }
}
