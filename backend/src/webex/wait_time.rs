//! `GET /v1/ewt`: how long do people wait for an agent? Asked behind the visitors' backs: what is known is shown at once,
//! and Webex is asked at most once a period, whatever the number of visitors.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::runtime::Handle;

use super::client::Client;
use super::error::WebexError;
use super::policy::Operation;
use super::remembered::Remembered;
use crate::clock::SharedClock;
use crate::site::WaitTimeSource;

/// Queues that are remembered at most; a configuration has fewer.
const MOST: usize = 1000;

/// For how many periods a figure is shown when no newer one can be had.
const STALE_PERIODS: u64 = 5;

/// How long people wait for an agent, as Webex has figured it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTime {
    /// The wait.
    pub wait: Duration,
    /// When Webex was asked.
    pub measured_at: Timestamp,
}

impl WaitTime {
    /// The wait in whole seconds, rounded up.
    pub fn seconds(&self) -> u32 {
        u32::try_from(self.wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
    }
}

/// The figures of every queue that was asked about.
#[derive(Debug)]
pub struct WaitTimes {
    webex: Arc<Client>,
    runtime: Handle,
    known: Arc<Remembered<WaitTimeSource, Option<Duration>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    estimated_wait_time: f64,
}

impl WaitTimes {
    /// No figures yet. Webex is asked on the runtime that this is called on.
    pub fn new(webex: Arc<Client>, clock: SharedClock) -> Self {
        Self { webex, runtime: Handle::current(), known: Arc::new(Remembered::new(clock, MOST)) }
    }

    /// What is known of a queue, at once; asks Webex behind the caller's back where that is old. `None`: no figure.
    pub fn known(&self, source: &WaitTimeSource) -> Option<WaitTime> {
        if self.known.begin(source, source.refresh_s) {
            let (webex, known, source) = (Arc::clone(&self.webex), Arc::clone(&self.known), source.clone());
            self.runtime.spawn(async move {
                let answer = webex.estimated_wait(&source).await;
                if let Err(error) = &answer {
                    tracing::warn!(queue = source.queue, %error, "the wait time cannot be asked for");
                }
                known.tell(source, answer.ok());
            });
        }
        let stale_s = source.refresh_s.saturating_mul(STALE_PERIODS);
        let (wait, measured_at) = self.known.within_s(source, stale_s)?;
        Some(WaitTime { wait: wait?, measured_at })
    }
}

impl Client {
    /// How long people wait in a queue at present. `None`: Webex has too few samples, or knows no such queue; it does
    /// not say which (204).
    pub async fn estimated_wait(&self, source: &WaitTimeSource) -> Result<Option<Duration>, WebexError> {
        let mut query = vec![
            ("queueId", source.queue.clone()),
            ("lookbackMinutes", source.lookback_minutes.to_string()),
            ("maxCV", source.max_cv.to_string()),
            ("minValidSamples", source.min_valid_samples.to_string()),
        ];
        query.extend(self.organization().await.map(|id| ("orgId", id)));
        let answer = self.get(Operation::EstimateWait, "/v1/ewt", &query).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let read: Answer = answer.read()?;
        Duration::try_from_secs_f64(read.estimated_wait_time / 1000.0)
            .map(Some)
            .map_err(|_| answer.unreadable("the estimated wait time is no time"))
    }
}
