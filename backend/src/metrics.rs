//! What operators count and measure. Every name stands here once; `docs/operating.md` lists them.
//!
//! Labels are what the service itself or its configuration names: routes, sites, states, outcomes. Nothing that a caller
//! has typed is ever a label.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use parking_lot::RwLock;

use crate::callback::State;
use crate::door::Door;
use crate::level::Shown;

const BUILD: &str = "ringback_build_info";
const HTTP_REQUESTS: &str = "ringback_http_requests_total";
const HTTP_DURATION: &str = "ringback_http_request_duration_seconds";
const ACCEPTED: &str = "ringback_callbacks_accepted_total";
const JOINED: &str = "ringback_callbacks_joined_total";
const CHALLENGES: &str = "ringback_proof_challenges_total";
const WAITS: &str = "ringback_waits_total";
const SIEVED: &str = "ringback_sieved_total";
const SHOWN: &str = "ringback_forms_shown_total";
const TRANSITIONS: &str = "ringback_callback_transitions_total";
const EVENTS: &str = "ringback_webex_events_total";
const QUEUE: &str = "ringback_queue_callbacks";
const OLDEST_DUE: &str = "ringback_queue_oldest_due_seconds";
const FOLLOWERS: &str = "ringback_followers";
const AUTHORIZATION: &str = "ringback_webex_authorization_good";
const SHARED_LIMITS: &str = "ringback_shared_limits_up";

/// Upper bounds of the buckets of durations, in seconds: from an answer out of memory to a request that times out.
const DURATIONS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The states that are told of what has something to do: those on the way to Webex.
const QUEUED: [State; 3] = [State::Accepted, State::Sending, State::Unconfirmed];

/// The recorder cannot be made. Nothing but a mistake of ours leads here.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Its buckets are refused.
    #[error("the metrics cannot be set up: {0}")]
    Builder(#[from] metrics_exporter_prometheus::BuildError),
    /// The process records elsewhere already.
    #[error("the metrics of this process are recorded elsewhere already")]
    Taken,
}

static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();

/// What was counted and measured so far in this process.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Begins to count. Services of one process count together.
    pub fn install() -> Result<Self, MetricsError> {
        if let Some(handle) = INSTALLED.get() {
            return Ok(Self(handle.clone()));
        }
        let recorder = PrometheusBuilder::new().set_buckets(&DURATIONS)?.build_recorder();
        let handle = recorder.handle();
        match metrics::set_global_recorder(recorder) {
            Ok(()) => {
                describe();
                Ok(Self(INSTALLED.get_or_init(|| handle).clone()))
            }
            // Another service of this process was a moment faster.
            Err(_) => INSTALLED.get().cloned().map(Self).ok_or(MetricsError::Taken),
        }
    }

    /// Counters of each site from nought on, so that the first callback shows as an increase.
    pub fn expect_sites<'a>(&self, sites: impl IntoIterator<Item = &'a String>) {
        for site in sites {
            for door in [Door::Site, Door::Crm] {
                counter!(ACCEPTED, "site" => site.clone(), "door" => door.as_str()).absolute(0);
            }
        }
    }

    /// The text that Prometheus reads (text format, version 0.0.4).
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Puts measurements where they belong; to be called every few seconds, lest they pile up while nobody reads.
    pub fn tidy(&self) {
        self.0.run_upkeep();
    }
}

fn describe() {
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    describe_gauge!(BUILD, "The version that runs.");
    describe_counter!(HTTP_REQUESTS, "Requests that were answered at the public door.");
    describe_histogram!(HTTP_DURATION, Unit::Seconds, "Time until the answer began.");
    describe_counter!(ACCEPTED, "Callbacks that were stored and accepted.");
    describe_counter!(JOINED, "Requests that joined a callback under way to the same number.");
    describe_counter!(
        CHALLENGES,
        "Challenges to prove some work that were handed out: the site was pressed."
    );
    describe_counter!(WAITS, "Plain forms that were asked to wait because the site is pressed.");
    describe_counter!(SIEVED, "Requests that no person has made, which were answered and thrown away.");
    describe_counter!(SHOWN, "Forms that visitors were shown, by level and by why on no better one.");
    describe_counter!(TRANSITIONS, "Changes of state of callbacks.");
    describe_counter!(EVENTS, "Webhooks that were received, by what became of them.");
    describe_gauge!(QUEUE, "Callbacks with something to do, in the whole database.");
    describe_gauge!(OLDEST_DUE, Unit::Seconds, "For how long the longest due callback has been due.");
    describe_gauge!(FOLLOWERS, "Callbacks that are followed live at this process.");
    describe_gauge!(
        AUTHORIZATION,
        "1: there is an access token for Webex, and nothing to do; 0: an administrator must act."
    );
    describe_gauge!(
        SHARED_LIMITS,
        "1: limits are counted with other processes; 0: the server that counts is away."
    );
}

/// What each request comes to, at hand: to find it among all that is counted, by labels that are written anew each time, costs more
/// than the counting. By routes and sites, of which there are few.
type AtHand<T> = LazyLock<RwLock<HashMap<String, T>>>;

/// Answers of one status to one method at one route.
struct Answered {
    method: &'static str,
    status: u16,
    count: Counter,
    took: Histogram,
}

impl Answered {
    fn new(method: &'static str, route: &str, status: u16) -> Self {
        let route = route.to_owned();
        let took = histogram!(HTTP_DURATION, "method" => method, "route" => route.clone());
        let status_text = status.to_string();
        let count = counter!(HTTP_REQUESTS, "method" => method, "route" => route, "status" => status_text);
        Self { method, status, count, took }
    }

    fn note(&self, took: Duration) {
        self.took.record(took);
        self.count.increment(1);
    }
}

/// A request was answered. `route` is the pattern of its address, `method` one of HTTP's own.
pub fn answered(method: &'static str, route: &str, status: u16, took: Duration) {
    static AT_HAND: AtHand<Vec<Answered>> = LazyLock::new(RwLock::default);
    let is_it = |answered: &&Answered| (answered.method, answered.status) == (method, status);
    if let Some(known) = AT_HAND.read().get(route).and_then(|all| all.iter().find(is_it)) {
        return known.note(took);
    }
    let answered = Answered::new(method, route, status);
    answered.note(took);
    if INSTALLED.get().is_some() {
        AT_HAND.write().entry(route.to_owned()).or_default().push(answered);
    }
}

/// A callback was accepted.
pub fn accepted(site: &str, door: Door) {
    static AT_HAND: AtHand<[Counter; 2]> = LazyLock::new(RwLock::default);
    let of_doors = |counters: &[Counter; 2]| match door {
        Door::Site => counters[0].increment(1),
        Door::Crm => counters[1].increment(1),
        // Counted by what has given it away.
        Door::Decoy => {}
    };
    if let Some(known) = AT_HAND.read().get(site) {
        return of_doors(known);
    }
    let counter = |door: Door| counter!(ACCEPTED, "site" => site.to_owned(), "door" => door.as_str());
    let counters = [Door::Site, Door::Crm].map(counter);
    of_doors(&counters);
    if INSTALLED.get().is_some() {
        AT_HAND.write().insert(site.to_owned(), counters);
    }
}

/// A request joined a callback under way.
pub fn joined(site: &str, door: Door) {
    counter!(JOINED, "site" => site.to_owned(), "door" => door.as_str()).increment(1);
}

/// A form was shown to a visitor.
pub fn shown(site: &str, shown: Shown) {
    let (level, reason) = (shown.level.as_str(), shown.reason.as_str());
    counter!(SHOWN, "site" => site.to_owned(), "level" => level, "reason" => reason).increment(1);
}

/// A form is asked to prove some work.
pub fn challenged(site: &str) {
    counter!(CHALLENGES, "site" => site.to_owned()).increment(1);
}

/// A plain form was asked to wait.
pub fn waits(site: &str) {
    counter!(WAITS, "site" => site.to_owned()).increment(1);
}

/// A decoy was made of a request.
pub fn sieved(site: &str, sieve: &'static str) {
    counter!(SIEVED, "site" => site.to_owned(), "sieve" => sieve).increment(1);
}

/// A callback has come from one state to another, for good.
pub fn moved(from: State, to: State) {
    if from != to {
        counter!(TRANSITIONS, "from" => from.as_str(), "to" => to.as_str()).increment(1);
    }
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was acted on.
    Taken,
    /// It had come before.
    Duplicate,
    /// It was kept: its task is not known, or not yet.
    Unknown,
    /// It says nothing about the progress of a task.
    Irrelevant,
    /// It was signed, and could not be understood.
    Unreadable,
    /// It was refused: not signed with a secret that is known here, or long ago.
    Refused,
}

impl Event {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Duplicate => "duplicate",
            Self::Unknown => "unknown",
            Self::Irrelevant => "irrelevant",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
        }
    }
}

/// A webhook was received.
pub fn event(event: Event) {
    counter!(EVENTS, "outcome" => event.as_str()).increment(1);
}

/// The callbacks with something to do: how many in each state, and for how long the longest due has been due.
pub fn queue(counts: &[(State, u64)], oldest_due: Duration) {
    for state in QUEUED {
        let count = counts.iter().find(|(of, _)| *of == state).map_or(0, |(_, count)| *count);
        gauge!(QUEUE, "state" => state.as_str()).set(as_float(count));
    }
    gauge!(OLDEST_DUE).set(oldest_due.as_secs_f64());
}

/// So many callbacks are followed live.
pub fn followers(count: usize) {
    gauge!(FOLLOWERS).set(as_float(u64::try_from(count).unwrap_or(u64::MAX)));
}

/// Whether there is an access token for Webex, and nothing for an administrator to do about it.
pub fn authorization(is_good: bool) {
    gauge!(AUTHORIZATION).set(f64::from(u8::from(is_good)));
}

/// Whether limits are counted together with other processes, where that is wanted.
pub fn shared_limits(are_shared: bool) {
    gauge!(SHARED_LIMITS).set(f64::from(u8::from(are_shared)));
}

#[expect(clippy::cast_precision_loss, reason = "no count of ours comes near 2^53")]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_shows_with_its_labels_and_services_of_one_process_count_together() {
        let metrics = Metrics::install().unwrap();
        let again = Metrics::install().unwrap();
        accepted("metrics-test", Door::Crm);
        moved(State::Offered, State::Queued);
        moved(State::Unconfirmed, State::Unconfirmed);
        queue(&[(State::Accepted, 7)], Duration::from_millis(1500));
        let text = again.render();
        for line in [
            "ringback_callbacks_accepted_total{site=\"metrics-test\",door=\"crm\"} 1",
            "ringback_queue_callbacks{state=\"accepted\"} 7",
            "ringback_queue_callbacks{state=\"sending\"} 0",
            "ringback_queue_oldest_due_seconds 1.5",
            "# TYPE ringback_callbacks_accepted_total counter",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(
            text.contains("from=\"offered\",to=\"queued\"")
                && !text.contains("from=\"unconfirmed\",to=\"unconfirmed\"")
        );
        metrics.expect_sites([&"metrics-test".to_owned(), &"metrics-other".to_owned()]);
        let text = metrics.render();
        assert!(text.contains("{site=\"metrics-test\",door=\"crm\"} 1"), "{text}");
        assert!(text.contains("{site=\"metrics-other\",door=\"site\"} 0"), "{text}");
    }
}
