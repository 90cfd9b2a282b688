//! `ringback audit`, and the writing down of what operators do.

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::{ConfigFile, print};
use crate::clock::{Clock as _, SystemClock};
use crate::store::ledger::Deed;
use crate::store::{self, Store, Use};

/// Print what operators and keys did, oldest first: one line of JSON a deed.
#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(flatten)]
    config: ConfigFile,
    /// Only what was done at this moment or later, such as 2026-01-31T00:00:00Z.
    #[arg(long, default_value = "1970-01-01T00:00:00Z")]
    since: Timestamp,
}

impl Audit {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let store = store::open(&self.config.load()?.store, Use::Command).await?;
        let mut after = 0;
        loop {
            let page = store.deeds(self.since, after).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.number;
            for deed in &page {
                let line = json!({
                    "number": deed.number,
                    "at": deed.at.to_string(),
                    "actor": deed.actor,
                    "action": deed.action,
                    "subject": deed.subject,
                    "detail": deed.detail,
                });
                print(&line.to_string())?;
            }
        }
    }
}

/// Writes down what the operator at this terminal has done.
pub(super) async fn record(
    store: &dyn Store,
    action: &'static str,
    subject: impl ToString,
    detail: impl ToString,
) -> anyhow::Result<()> {
    let deed = Deed {
        at: SystemClock.now(),
        actor: operator(),
        action,
        subject: subject.to_string(),
        detail: detail.to_string(),
    };
    store.record(&deed).await.context("it was done, and could not be written down in the audit record")
}

/// The operator, by the name that the operating system has for them.
fn operator() -> String {
    let named = |name| std::env::var(name).ok().filter(|user| !user.is_empty());
    // Who became root with sudo is meant, and not root.
    let user = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(named);
    format!("operator:{}", user.unwrap_or_else(|| "unnamed".to_owned()))
}
