//! Takes what is due, leases it, asks Webex, and settles it. No transaction is held while Webex is asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::circuit::Circuit;
use super::preference::Preference;
use super::{Parts, Settled, decoy, outlived, reconcile, scheduled, settle};
use crate::callback::{Callback, Failure, Fallback, State};
use crate::clock::{SharedClock, after_ms};
use crate::config::Config;
use crate::metrics;
use crate::store::{self, Attempt, Store, StoreError};
use crate::webex::client::Client;
use crate::webex::directory::Directory;
use crate::webex::error::WebexError;
use crate::webex::policy::{Operation, Policy};
use crate::webex::task::CreateTask;

/// How long to wait after the store has failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How long to rest at most before looking for work: what a command wrote to the database (`ringback callbacks resolve`),
/// or another process whose news was lost, is not told here.
const REST: Duration = Duration::from_secs(5);

/// How long to wait while another process takes what is due, in milliseconds.
const TAKEN_PAUSE_MS: u64 = 20;

/// Sends callbacks until it is told to stop.
#[derive(Debug)]
pub struct Dispatcher(pub(super) Arc<Parts>);

impl Dispatcher {
    /// A dispatcher that stops taking new work once `stop` is cancelled.
    pub fn new(
        config: &Config,
        store: Arc<dyn Store>,
        webex: Arc<Client>,
        directory: Arc<Directory>,
        clock: SharedClock,
        stop: CancellationToken,
    ) -> Self {
        Self(Arc::new(Parts {
            store,
            webex,
            directory,
            clock,
            config: config.delivery.clone(),
            sites: config.sites.clone(),
            agents: config.agents.clone(),
            kept_s: i64::from(config.store.retention_days) * 24 * 60 * 60,
            circuit: Circuit::default(),
            stop,
        }))
    }

    /// Sends callbacks until the stop, then finishes what is under way.
    ///
    /// # Errors
    ///
    /// Where a delivery panicked: the process should end, rather than go on with part of its work undone.
    pub async fn run(self) -> Result<(), JoinError> {
        self.recover().await;
        let parts = &self.0;
        let mut under_way = JoinSet::new();
        // Calls to Webex that were reserved and not yet made.
        let mut reserved = 0;
        while !parts.stop.is_cancelled() {
            let free = parts.config.concurrency.saturating_sub(under_way.len());
            let pace = parts.webex.pace().reserve(free.saturating_sub(reserved));
            reserved += pace.calls;
            let paused = parts.webex.pace().paused_until();
            // Reserved before anything is leased: a lease must not run out while its holder waits for its turn.
            let may_call = if paused.is_some() { 0 } else { free.min(reserved) };
            let (may_take, closed_at) = parts.circuit.allows(may_call, parts.clock.now());
            let taken = match parts.take_due(may_take).await {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::error!(%error, "the dispatcher cannot read its work; it tries again");
                    tokio::time::sleep(STORE_PAUSE).await;
                    continue;
                }
            };
            let idle = taken.is_empty();
            reserved -= taken.len();
            for callback in taken {
                under_way.spawn(Arc::clone(parts).deliver(callback));
            }
            if idle {
                tokio::select! {
                    () = parts.stop.cancelled() => {}
                    Some(done) = under_way.join_next() => done?,
                    () = parts.wait_for_work(), if may_take > 0 => {}
                    () = parts.wait_until(paused.or(closed_at).or(pace.more_at)), if may_take == 0 && free > 0 => {}
                }
            }
            while let Some(done) = under_way.try_join_next() {
                done?;
            }
        }
        while let Some(done) = under_way.join_next().await {
            done?;
        }
        Ok(())
    }

    /// What the process before was sending when it ended may have left: each such callback is looked up.
    async fn recover(&self) {
        let parts = &self.0;
        while !parts.stop.is_cancelled() {
            let recovered = async {
                for callback in parts.store.orphans().await?.iter().filter(|callback| !callback.is_decoy()) {
                    tracing::warn!(callback = %callback.id, "was being sent when the service ended; looking it up");
                    if let Some(next) = settle::orphaned(callback, parts.clock.now())
                        && parts.store.update(&next, None).await?
                    {
                        metrics::moved(callback.state, next.state);
                    }
                }
                Ok::<_, StoreError>(())
            };
            match recovered.await {
                Ok(()) => return,
                Err(error) => {
                    tracing::error!(%error, "the work of the process before cannot be read; trying again");
                }
            }
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }
}

impl Parts {
    /// Takes what is due, at most so many: those returned are leased.
    async fn take_due(&self, limit: usize) -> Result<Vec<Callback>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let before = Mutex::new(HashMap::new());
        let step = |callback: &Callback| {
            if callback.is_decoy() {
                return decoy::step(callback, now);
            }
            before.lock().insert(callback.id, callback.state);
            outlived::ended(callback, now, self.kept_s).or_else(|| settle::taken(callback, now, &self.config))
        };
        let taken = self.store.take_due(now, limit, &step).await?;
        let before = before.into_inner();
        for next in &taken {
            before.get(&next.id).into_iter().for_each(|state| metrics::moved(*state, next.state));
        }
        Ok(taken.into_iter().filter(|callback| settle::is_leased(callback) && !callback.is_decoy()).collect())
    }

    pub(super) async fn wait_until(&self, moment: Option<Timestamp>) {
        match moment {
            Some(moment) => self.clock.wait_until(moment).await,
            None => std::future::pending().await,
        }
    }

    async fn wait_for_work(&self) {
        let Ok(next) = self.store.next_due().await else {
            return tokio::time::sleep(STORE_PAUSE).await;
        };
        // Due, and not to be had: another process is taking it.
        let next = next.map(|moment| moment.max(after_ms(self.clock.now(), TAKEN_PAUSE_MS)));
        tokio::select! {
            () = self.store.changes().work() => {}
            () = self.wait_until(next) => {}
            () = tokio::time::sleep(REST) => {}
        }
    }

    async fn deliver(self: Arc<Self>, callback: Callback) {
        let kept = callback.appointment.as_ref().filter(|kept| kept.is_webexes());
        let next = match (callback.state, kept) {
            (State::Unconfirmed, Some(kept)) => scheduled::look_up(&self, &callback, kept).await,
            (State::Unconfirmed, None) => reconcile::look_up(&self, &callback).await,
            (State::Rescheduling, Some(kept)) => scheduled::change(&self, &callback, kept).await,
            (State::Cancelling, Some(kept)) => scheduled::call_off(&self, &callback, kept).await,
            _ if self.stop.is_cancelled() => {
                settle::given_back(&callback, self.clock.now()).map(|next| (next, None))
            }
            _ => self.send(&callback).await,
        };
        let Some((next, attempt)) = next else {
            return;
        };
        tracing::info!(
            callback = %next.id,
            site = next.request.site,
            state = next.state.as_str(),
            attempts = next.attempts,
            task = next.task_id,
            outcome = attempt.as_ref().map(|attempt| attempt.outcome.as_str()),
            tracking_id = attempt.as_ref().map(|attempt| attempt.tracking_id.as_str()),
            "callback settled"
        );
        if let Err(error) = self.settle(callback.state, &next, attempt.as_ref()).await {
            // The lease runs out, and the callback is looked up then: nothing is lost, and nobody rung twice.
            tracing::error!(callback = %next.id, %error, "what Webex answered could not be stored");
        }
    }

    pub(super) async fn settle(
        &self,
        before: State,
        next: &Callback,
        attempt: Option<&Attempt>,
    ) -> Result<(), StoreError> {
        if self.store.update(next, attempt).await? {
            metrics::moved(before, next.state);
        } else {
            tracing::warn!(callback = %next.id, "another change came first");
        }
        // Webex may have told of the task before its answer was stored.
        match &next.task_id {
            Some(task_id) => self.progress().catch_up(task_id).await.map(|_| ()),
            None => Ok(()),
        }
    }

    async fn send(&self, callback: &Callback) -> Settled {
        let begun_at = self.clock.now();
        let Some(site) = self.sites.get(&callback.request.site) else {
            let detail = format!("the site {:?} is not configured any more", callback.request.site);
            return settle::failed(callback, begun_at, Failure::Refused, detail).map(|next| (next, None));
        };
        if let Some(kept) = callback.appointment.as_ref().filter(|kept| kept.is_webexes()) {
            return scheduled::send(self, callback, site, kept).await;
        }
        let agent = match self.preference(callback, site).await {
            Preference::NextFree => None,
            Preference::Agent(agent) => Some(agent),
            Preference::RuledOut(reason, detail) => {
                return settle::without_agent(callback, self.clock.now(), site.falls_back(), reason, detail)
                    .map(|next| (next, None));
            }
            Preference::Unanswered(error) => {
                let attempt = self.failed_attempt(store::FIND_AGENT, begun_at, &error);
                return settle::not_sent(callback, self.clock.now(), &self.config, error.retry_after)
                    .map(|next| (next, Some(attempt)));
            }
        };
        let task = CreateTask::new(callback, site, agent.as_ref());
        self.circuit.begins();
        // Whatever it waits for, nothing is sent once the lease has run out: another may be looking it up by then.
        let answer = tokio::select! {
            answer = self.webex.create_task(&task) => answer,
            () = self.wait_until(callback.due_at) => Err(WebexError::late(Operation::CreateTask)),
        };
        let now = self.clock.now();
        self.circuit.ends(
            answer.as_ref().map_or_else(|error| error.status.is_some_and(|status| status < 500), |_| true),
            now,
        );
        let attempt = match &answer {
            Ok(created) => {
                self.attempt(store::CREATE_TASK, begun_at, Some(201), &created.tracking_id, "created")
            }
            Err(error) => self.failed_attempt(store::CREATE_TASK, begun_at, error),
        };
        let next = match answer {
            Ok(created) => settle::requested(callback, now, &self.config, created.id),
            // Refused for good, so no task was made: the next free agent can call without anybody being rung twice.
            Err(error) if error.policy == Policy::GiveUp && agent.is_some() && site.falls_back() => {
                settle::without_agent(callback, now, true, Fallback::AgentRefused, error.message)
            }
            Err(error) => settle::after_error(callback, now, &self.config, error),
        };
        next.map(|next| (next, Some(attempt)))
    }
}
