//! `ringback callbacks list | show | resolve`.

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::audit::record;
use super::{ConfigFile, note, print};
use crate::callback::{Callback, CallbackId, State};
use crate::clock::{Clock as _, SystemClock};
use crate::delivery::decision::{Decision, decide};
use crate::notify;
use crate::store::listing::Wanted;
use crate::store::{self, Attempt, Use};

/// Show callbacks, and say what became of those whose request to Webex got no answer.
#[derive(Debug, Subcommand)]
pub(super) enum Callbacks {
    /// Print the newest callbacks.
    List(List),
    /// Print a callback and every request to Webex about it.
    Show(Show),
    /// Say what became of an unconfirmed callback; the running service goes on with it.
    Resolve(Resolve),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// Only those in this state, such as unconfirmed.
    #[arg(long, value_parser = state)]
    state: Option<State>,
    /// Only those of this site.
    #[arg(long)]
    site: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    config: ConfigFile,
    /// The id of the callback.
    #[arg(value_parser = id)]
    id: CallbackId,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Resolve {
    #[command(flatten)]
    config: ConfigFile,
    /// The id of the callback.
    #[arg(value_parser = id)]
    id: CallbackId,
    #[command(flatten)]
    decision: Decided,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Decided {
    /// Webex has made a task of it. With the task's id it is followed; without, it ends as untraced.
    #[arg(long, value_name = "TASK_ID", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "the flag and its value may each be left out")]
    sent: Option<Option<String>>,
    /// Webex surely has nothing of it: send it once more, before its deadline.
    #[arg(long)]
    resend: bool,
    /// Give it up.
    #[arg(long)]
    failed: bool,
}

impl Callbacks {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(list) => list.run().await,
            Self::Show(show) => show.run().await,
            Self::Resolve(resolve) => resolve.run().await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        // One that was taken out of the configuration may have callbacks all the same.
        let unknown = self.site.clone().filter(|site| !config.sites.contains_key(site));
        let wanted = Wanted {
            sites: self.site.map(|site| vec![site]),
            state: self.state,
            limit: self.limit,
            ..Wanted::default()
        };
        let callbacks = store::open(&config.store, Use::Command).await?.list(&wanted).await?;
        if let Some(site) = unknown.filter(|_| callbacks.is_empty()) {
            bail!(
                "there is no site {site:?}, and no callback of it\n  hint: name one that has a [sites.…] section"
            );
        }
        if self.json {
            let callbacks: Vec<_> = callbacks.iter().map(as_json).collect();
            return print(&serde_json::to_string_pretty(&callbacks)?);
        }
        for callback in &callbacks {
            print(&line(callback))?;
        }
        if callbacks.is_empty() { note("there is no such callback") } else { Ok(()) }
    }
}

impl Show {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let store = store::open(&config.store, Use::Command).await?;
        let callback = store.get(self.id).await?;
        let callback = callback.with_context(|| {
            format!("there is no callback {}\n  hint: `ringback callbacks list` prints the ids", self.id)
        })?;
        let attempts = store.attempts(self.id).await?;
        if self.json {
            let mut shown = as_json(&callback);
            shown["requests"] = attempts.iter().map(attempt_as_json).collect();
            return print(&serde_json::to_string_pretty(&shown)?);
        }
        print(&line(&callback))?;
        for attempt in &attempts {
            print(&format!(
                "  {} {} {} ms {}: {}",
                attempt.begun_at, attempt.operation, attempt.took_ms, attempt.tracking_id, attempt.outcome
            ))?;
        }
        Ok(())
    }
}

impl Resolve {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let decision = match self.decision {
            Decided { resend: true, .. } => Decision::Resend,
            Decided { failed: true, .. } => Decision::Failed,
            Decided { sent, .. } => Decision::Sent(sent.flatten()),
        };
        if let Decision::Sent(Some(task_id)) = &decision {
            ensure!(
                !task_id.is_empty() && task_id.len() <= 100 && task_id.chars().all(is_of_task_id),
                "{task_id:?} is no id of a task\n  hint: copy it from Webex, or leave it out"
            );
        }
        let store = store::open(&config.store, Use::Command).await?;
        // CRMs hear of it as of any change.
        store.subscribe(notify::subscribers(&config.webhooks));
        let now = SystemClock.now();
        let callback = decide(&*store, &config.delivery, self.id, &decision, now).await?;
        record(&*store, "callback.resolve", self.id, format!("{decision:?}")).await?;
        print(&line(&callback))
    }
}

const fn is_of_task_id(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

fn line(callback: &Callback) -> String {
    format!(
        "{} {} {} {} accepted {} attempts={}{}{}",
        callback.id,
        callback.request.site,
        callback.state.as_str(),
        callback.request.phone,
        callback.created_at,
        callback.attempts,
        callback.task_id.as_ref().map_or(String::new(), |task_id| format!(" task {task_id}")),
        callback.due_at.map_or(String::new(), |due| format!(" due {due}")),
    )
}

/// Without what tells who the person is: a terminal is often seen by more than one.
fn as_json(callback: &Callback) -> Value {
    json!({
        "id": callback.id.to_string(),
        "site": callback.request.site,
        "door": callback.request.door.as_str(),
        "state": callback.state.as_str(),
        "phone": callback.request.phone.to_string(),
        "failure": callback.failure.as_ref().map(|(failure, _)| failure.as_str()),
        "task_id": callback.task_id,
        "attempts": callback.attempts,
        "created_at": callback.created_at.to_string(),
        "updated_at": callback.updated_at.to_string(),
        "deadline": callback.deadline.to_string(),
        "due_at": callback.due_at.map(|at| at.to_string()),
        "sent_at": callback.sent_at.map(|at| at.to_string()),
    })
}

fn attempt_as_json(attempt: &Attempt) -> Value {
    json!({
        "operation": attempt.operation,
        "begun_at": attempt.begun_at.to_string(),
        "took_ms": attempt.took_ms,
        "status": attempt.status,
        "tracking_id": attempt.tracking_id,
        "outcome": attempt.outcome,
    })
}

fn state(text: &str) -> anyhow::Result<State> {
    State::parse(text).with_context(|| {
        let all: Vec<_> = State::ALL.iter().map(|state| state.as_str()).collect();
        format!("use {}", all.join(", "))
    })
}

fn id(text: &str) -> anyhow::Result<CallbackId> {
    CallbackId::parse(text).context("an id is written as `ringback callbacks list` prints it")
}
