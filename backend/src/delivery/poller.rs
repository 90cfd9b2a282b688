//! Asks Webex about what nothing was heard of for a while: tasks, since webhooks may be lost and some organisations have
//! none, and callbacks that Webex keeps until their time, of which it never tells.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use super::dispatcher::Dispatcher;
use super::progress::Progress;
use super::{Parts, scheduled};
use crate::callback::{Callback, State};
use crate::clock::{after_ms, after_s, shifted_s};
use crate::store::{self, StoreError};
use crate::webex::error::WebexError;
use crate::webex::listing::Statuses;
use crate::webex::policy::Policy;

/// Callbacks that one round asks about.
const ROUND: usize = 1000;
/// Changes that are written at the same time, and share a flush.
const WRITES: usize = 64;
/// How far apart in time the tasks may be that one question is about, in seconds.
const SPAN_S: i64 = 600;
/// How long after it was accepted, or after its window began, a callback is asked about, in seconds. A call that is longer
/// is not ours to follow.
const LONGEST_S: u64 = 24 * 60 * 60;
/// The longest pause between two questions about one callback, in seconds.
const LONGEST_PAUSE_S: u64 = 600;
/// The shortest pause after a question that was refused, in seconds.
const REFUSED_PAUSE_S: u64 = 60;

/// Asks until it is told to stop.
#[derive(Debug)]
pub struct Poller {
    parts: Arc<Parts>,
    progress: Progress,
}

impl Poller {
    /// A poller beside that dispatcher, which ends when it does.
    pub fn new(dispatcher: &Dispatcher, progress: Progress) -> Self {
        Self { parts: Arc::clone(&dispatcher.0), progress }
    }

    /// Asks until the stop.
    pub async fn run(self) {
        loop {
            let now = self.parts.clock.now();
            match self.parts.store.quiet(now, ROUND).await {
                Ok(quiet) => {
                    tokio::select! {
                        () = self.parts.stop.cancelled() => return,
                        () = self.ask_about(quiet) => {}
                    }
                }
                Err(error) => tracing::error!(%error, "the quiet callbacks cannot be read; trying again"),
            }
            // No callback becomes quiet sooner than this after it was last heard of.
            let pause = (self.parts.config.quiet_s * 1000 / 4).clamp(100, 5000);
            tokio::select! {
                () = self.parts.stop.cancelled() => return,
                () = self.parts.clock.wait_until(after_ms(self.parts.clock.now(), pause)) => {}
            }
        }
    }

    async fn ask_about(&self, quiet: Vec<Callback>) {
        let (kept, tasks): (Vec<_>, Vec<_>) =
            quiet.into_iter().partition(|callback| callback.state == State::Scheduled);
        tokio::join!(self.look_at_all(kept), self.ask_about_tasks(tasks));
    }

    /// One question is about all that were made at about the same time: the list has them all, and Webex counts calls.
    async fn ask_about_tasks(&self, mut quiet: Vec<Callback>) {
        quiet.sort_by_key(sent_at);
        while let Some(first) = quiet.first().map(sent_at) {
            let later = quiet.partition_point(|callback| sent_at(callback) <= shifted_s(first, SPAN_S));
            let rest = quiet.split_off(later);
            if let Err(error) = self.ask(std::mem::replace(&mut quiet, rest)).await {
                tracing::error!(%error, "what Webex answered could not be stored");
            }
        }
    }

    /// Asks about callbacks in the order in which they were sent.
    async fn ask(&self, quiet: Vec<Callback>) -> Result<(), StoreError> {
        let begun_at = self.parts.clock.now();
        let asked: Vec<Callback> = stream::iter(quiet)
            .map(|callback| async move {
                // Said first, so that no other instance asks the same, and a failure waits its turn.
                let mut next = callback.clone();
                next.revision += 1;
                next.poll_at = self.next_question(&callback, begun_at);
                Ok::<_, StoreError>(self.parts.store.update(&next, None).await?.then_some(next))
            })
            .buffered(WRITES)
            .try_filter_map(|asked| async { Ok(asked) })
            .try_collect()
            .await?;
        if asked.is_empty() {
            return Ok(());
        }
        let wanted =
            asked.iter().filter_map(|callback| Some((callback.task_id.as_deref()?, asked_for(callback))));
        match self.parts.webex.task_statuses(wanted.collect(), begun_at).await {
            Ok(statuses) => {
                stream::iter(&asked)
                    .map(Ok)
                    .try_for_each_concurrent(WRITES, |callback| self.take(callback, &statuses))
                    .await
            }
            Err(error) => {
                tracing::warn!(callbacks = asked.len(), %error, "cannot be asked about");
                stream::iter(asked)
                    .map(Ok)
                    .try_for_each_concurrent(WRITES, |callback| self.note(callback, begun_at, &error))
                    .await
            }
        }
    }

    /// Takes in what was answered about one.
    async fn take(&self, callback: &Callback, statuses: &Statuses) -> Result<(), StoreError> {
        let Some(task_id) = &callback.task_id else {
            return Ok(());
        };
        if let Some(status) = statuses.found.get(task_id) {
            return self.progress.take_answer(callback, *status).await;
        }
        if statuses.unread.contains(task_id) {
            // Its turn did not come, and waiting longer from question to question would keep it from coming.
            let mut next = callback.clone();
            next.revision += 1;
            next.poll_at = Some(after_s(self.parts.clock.now(), self.parts.config.quiet_s));
            return self.parts.store.update(&next, None).await.map(|_| ());
        }
        tracing::debug!(callback = %callback.id, "Webex does not list its task");
        Ok(())
    }

    /// The question was not answered.
    async fn note(
        &self,
        mut callback: Callback,
        begun_at: Timestamp,
        error: &WebexError,
    ) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        // What is refused now will be refused in a moment; what is asked for in time is not asked for before.
        let pause_s = match error.policy {
            Policy::GiveUp => REFUSED_PAUSE_S,
            _ => error.retry_after.map_or(0, |wait| wait.as_secs()),
        };
        callback.revision += 1;
        callback.poll_at = callback.poll_at.map(|at| at.max(after_s(now, pause_s)));
        let attempt = self.parts.failed_attempt(store::LIST_TASKS, begun_at, error);
        self.parts.store.update(&callback, Some(&attempt)).await.map(|_| ())
    }

    /// One after the other: new callbacks matter more.
    async fn look_at_all(&self, kept: Vec<Callback>) {
        for callback in kept {
            if let Err(error) = self.look_at(&callback).await {
                tracing::error!(callback = %callback.id, %error, "what Webex answered could not be stored");
            }
        }
    }

    /// Looks after a callback that Webex keeps until its time.
    async fn look_at(&self, callback: &Callback) -> Result<(), StoreError> {
        let Some(kept) = &callback.appointment else {
            return Ok(());
        };
        // Said first, so that no other instance asks the same, and somebody asks again where this one ends.
        let mut next = callback.clone();
        next.revision += 1;
        next.poll_at = Some(after_s(self.parts.clock.now(), self.parts.config.lease_s));
        if !self.parts.store.update(&next, None).await? {
            return Ok(());
        }
        let Some((settled, attempt)) = scheduled::look_at(&self.parts, &next, kept).await else {
            return Ok(());
        };
        if settled.state != callback.state {
            tracing::info!(callback = %settled.id, state = settled.state.as_str(), task = settled.task_id, "callback moved");
        }
        self.parts.settle(callback.state, &settled, attempt.as_ref()).await
    }

    /// When to ask again if nothing changes: less often the longer nothing did. `None`: not any more.
    fn next_question(&self, callback: &Callback, now: Timestamp) -> Option<Timestamp> {
        if after_s(callback.earliest_task(), LONGEST_S) <= now {
            tracing::warn!(callback = %callback.id, state = callback.state.as_str(), "Webex is not asked about it any more");
            return None;
        }
        let unchanged = u64::try_from(now.duration_since(callback.updated_at).as_secs()).unwrap_or(0);
        Some(after_s(now, (unchanged / 4).min(LONGEST_PAUSE_S).max(self.parts.config.quiet_s)))
    }
}

/// When its task was asked for, as late as is known: what was created long before it was sent would have all that came between
/// read. Webex makes the task of one that it keeps when its window begins.
fn asked_for(callback: &Callback) -> Timestamp {
    if callback.appointment.is_some() { callback.earliest_task() } else { sent_at(callback) }
}

fn sent_at(callback: &Callback) -> Timestamp {
    callback.sent_at.unwrap_or(callback.created_at)
}
