//! `ringback webhooks list | show | retry`.

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};

use super::audit::record;
use super::{ConfigFile, note, print};
use crate::clock::{Clock as _, SystemClock};
use crate::store::outbox::{Message, MessageAttempt, MessageStatus};
use crate::store::{self, Use};

/// Show the messages to CRMs, and have parked ones tried again.
#[derive(Debug, Subcommand)]
pub(super) enum Webhooks {
    /// Print the newest messages.
    List(List),
    /// Print every attempt to deliver a message.
    Show(Show),
    /// Have parked messages tried once more, by the running service.
    Retry(Retry),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// Only those that are waiting, delivered or parked.
    #[arg(long, value_parser = status)]
    status: Option<MessageStatus>,
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
    /// The name of the webhook.
    webhook: String,
    /// The id of the message.
    id: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["id", "webhook", "all"]).multiple(true)))]
pub(super) struct Retry {
    #[command(flatten)]
    config: ConfigFile,
    /// The id of one message.
    id: Option<String>,
    /// Those of this webhook.
    #[arg(long)]
    webhook: Option<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
}

impl Webhooks {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(list) => list.run().await,
            Self::Show(show) => show.run().await,
            Self::Retry(retry) => retry.run().await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let messages =
            store::open(&config.store, Use::Command).await?.messages(self.status, self.limit).await?;
        if self.json {
            let messages: Vec<_> = messages.iter().map(message_as_json).collect();
            return print(&serde_json::to_string_pretty(&messages)?);
        }
        for message in &messages {
            print(&format!(
                "{} {} {} {} attempts={} {}",
                message.created_at,
                message.webhook,
                message.id,
                message.status.as_str(),
                message.attempts,
                message.due_at.map_or(String::new(), |due| format!("due {due}")),
            ))?;
        }
        if messages.is_empty() { note("there is no such message") } else { Ok(()) }
    }
}

impl Show {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let store = store::open(&config.store, Use::Command).await?;
        let attempts = store.message_attempts(&self.webhook, &self.id).await?;
        if self.json {
            let attempts: Vec<_> = attempts.iter().map(attempt_as_json).collect();
            return print(&serde_json::to_string_pretty(&attempts)?);
        }
        ensure!(
            !attempts.is_empty(),
            "nothing was sent yet for {} to {}\n  hint: `ringback webhooks list` prints webhooks and ids",
            self.id,
            self.webhook
        );
        for attempt in &attempts {
            print(&format!("{} {} ms: {}", attempt.begun_at, attempt.took_ms, attempt.outcome))?;
        }
        Ok(())
    }
}

impl Retry {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let store = store::open(&config.store, Use::Command).await?;
        let count =
            store.retry_messages(self.webhook.as_deref(), self.id.as_deref(), SystemClock.now()).await?;
        if let Some(id) = self.id.filter(|_| count == 0) {
            bail!(
                "there is no parked message {id:?}\n  hint: `ringback webhooks list --status parked` prints those that there are"
            );
        }
        if let Some(webhook) =
            self.webhook.as_ref().filter(|name| count == 0 && !config.webhooks.contains_key(*name))
        {
            bail!(
                "there is no webhook {webhook:?}, and no parked message to it\n  hint: name one that has a [webhooks.…] section"
            );
        }
        record(
            &*store,
            "webhook.retry",
            self.webhook.as_deref().unwrap_or("all"),
            format!("{count} messages"),
        )
        .await?;
        print(&format!("{count} parked messages are tried again"))
    }
}

fn message_as_json(message: &Message) -> serde_json::Value {
    serde_json::json!({
        "webhook": message.webhook,
        "id": message.id,
        "callback": message.callback_id.to_string(),
        "status": message.status.as_str(),
        "attempts": message.attempts,
        "created_at": message.created_at.to_string(),
        "due_at": message.due_at.map(|due| due.to_string()),
    })
}

fn attempt_as_json(attempt: &MessageAttempt) -> serde_json::Value {
    serde_json::json!({
        "begun_at": attempt.begun_at.to_string(),
        "took_ms": attempt.took_ms,
        "status": attempt.status,
        "outcome": attempt.outcome,
    })
}

fn status(text: &str) -> anyhow::Result<MessageStatus> {
    MessageStatus::parse(text).context("use waiting, delivered or parked")
}
