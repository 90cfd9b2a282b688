//! Everything that the simulator holds, in one place.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::ewt::Waits;
use crate::faults::Fault;
use crate::oauth::Tokens;
use crate::options::Options;
use crate::records::{RecordedRequest, Records};
use crate::scheduled::ScheduledCallbacks;
use crate::settings::{Outcome, Pace, Settings};
use crate::subscriptions::Subscriptions;
use crate::tasks::{Plan, Tasks};
use crate::webhooks::Webhooks;

/// The state, shared by every worker and every call that is played.
///
/// Locks are taken in the order of the fields, never two of one kind, and never across a wait.
pub(crate) struct World {
    pub(crate) options: Options,
    runtime: Handle,
    pub(crate) stopped: CancellationToken,
    pub(crate) pace: watch::Sender<Pace>,
    pub(crate) requests: Mutex<Records<RecordedRequest>>,
    pub(crate) faults: Mutex<Vec<Fault>>,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) scheduled: Mutex<ScheduledCallbacks>,
    pub(crate) tasks: Mutex<Tasks>,
    plans: Mutex<Vec<Plan>>,
    pub(crate) waits: Mutex<Waits>,
    pub(crate) subscriptions: Mutex<Subscriptions>,
    pub(crate) webhooks: Mutex<Webhooks>,
    pub(crate) settings: Mutex<Settings>,
    /// Calls of each client in the minute that began then.
    minutes: Mutex<HashMap<String, (Instant, u32)>>,
    pub(crate) http: reqwest::Client,
}

impl World {
    pub(crate) fn new(options: Options, http: reqwest::Client) -> Self {
        Self {
            runtime: Handle::current(),
            stopped: CancellationToken::new(),
            pace: watch::Sender::new(options.settings.pace),
            requests: Mutex::new(Records::new(options.keep_requests)),
            faults: Mutex::default(),
            tokens: Mutex::new(Tokens::fixture()),
            scheduled: Mutex::default(),
            tasks: Mutex::new(Tasks::new(options.keep_tasks)),
            plans: Mutex::default(),
            waits: Mutex::new(Waits::fixture()),
            subscriptions: Mutex::default(),
            webhooks: Mutex::new(Webhooks::new(options.keep_deliveries)),
            settings: Mutex::new(options.settings.clone()),
            minutes: Mutex::default(),
            options,
            http,
        }
    }

    /// Forgets everything since the start.
    pub(crate) fn reset(&self) {
        self.requests.lock().clear();
        self.faults.lock().clear();
        *self.tokens.lock() = Tokens::fixture();
        self.scheduled.lock().clear();
        self.tasks.lock().clear();
        self.plans.lock().clear();
        *self.waits.lock() = Waits::fixture();
        self.subscriptions.lock().clear();
        self.webhooks.lock().clear();
        self.minutes.lock().clear();
        self.apply(self.options.settings.clone());
    }

    pub(crate) fn apply(&self, settings: Settings) {
        self.pace.send_replace(settings.pace);
        *self.settings.lock() = settings;
    }

    /// Runs something beside the calls, on the runtime that started the simulator, until it is stopped.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.stopped.clone();
        self.runtime.spawn(async move {
            stopped.run_until_cancelled(work).await;
        });
    }

    /// The time by this Webex's clock, which may be apart from the machine's: milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        clock::now_ms() + self.settings.lock().clock_ahead_s * 1000
    }

    pub(crate) fn plan(&self, plan: Plan) {
        self.plans.lock().push(plan);
    }

    /// How a new call to this number goes: the first plan that fits, else the default.
    pub(crate) fn outcome_for(&self, destination: &str) -> Outcome {
        let mut plans = self.plans.lock();
        let fits = |plan: &Plan| plan.destination.as_deref().is_none_or(|wanted| wanted == destination);
        if let Some(position) = plans.iter().position(fits)
            && let Some(plan) = plans.get_mut(position)
        {
            let outcome = plan.outcome;
            plan.times = plan.times.saturating_sub(1);
            if plan.times == 0 {
                plans.remove(position);
            }
            return outcome;
        }
        drop(plans);
        self.settings.lock().outcome
    }

    /// Counts a call of a client; over the limit, says after how many seconds to come back.
    ///
    /// Source: developer.webex.com/docs/rate-limiting.
    pub(crate) fn over_limit(&self, client: &str) -> Option<u64> {
        let limit = self.settings.lock().rate_limit_per_minute?;
        let mut minutes = self.minutes.lock();
        if minutes.len() > 1000 {
            minutes.retain(|_, (began, _)| began.elapsed().as_secs() < 60);
        }
        let (began, count) = minutes.entry(client.to_owned()).or_insert_with(|| (Instant::now(), 0));
        if began.elapsed().as_secs() >= 60 {
            *began = Instant::now();
            *count = 0;
        }
        *count += 1;
        (*count > limit).then(|| 60_u64.saturating_sub(began.elapsed().as_secs()).max(1))
    }

    pub(crate) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}
