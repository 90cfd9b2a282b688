//! `ringback consent list | text | revoke`.

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use serde_json::json;

use super::audit::record;
use super::forget::phone;
use super::{ConfigFile, print};
use crate::clock::{Clock as _, SystemClock};
use crate::delivery::forget::call_off;
use crate::notify;
use crate::phone::PhoneNumber;
use crate::store::{self, Use};

/// Show what visitors agreed to, and take it back for a person.
#[derive(Debug, Subcommand)]
pub(super) enum Consent {
    /// Print who agreed to what and when, and who took it back, oldest first: one line of JSON an entry. Persons are hashes of their
    /// numbers.
    List(List),
    /// Print the text of a hash, word for word.
    Text(Text),
    /// Take back what a person agreed to, and call off what was not sent to Webex yet.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// Only of the person with this number, with + and the country's code.
    #[arg(long, value_parser = phone)]
    phone: Option<PhoneNumber>,
}

#[derive(Debug, Args)]
pub(super) struct Text {
    #[command(flatten)]
    config: ConfigFile,
    /// The member `text_hash` of an entry.
    hash: String,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    config: ConfigFile,
    /// The number, with + and the country's code, such as +12025550142.
    #[arg(long, value_parser = phone)]
    phone: PhoneNumber,
    /// Only at this site; else at all.
    #[arg(long)]
    site: Option<String>,
}

impl Consent {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(list) => list.run().await,
            Self::Text(text) => text.run().await,
            Self::Revoke(revoke) => revoke.run().await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let store = store::open(&self.config.load()?.store, Use::Command).await?;
        let mut after = 0;
        loop {
            let page = store.consents(self.phone.as_ref(), after).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.number;
            for consent in &page {
                let line = json!({
                    "number": consent.number,
                    "at": consent.at.to_string(),
                    "person": consent.person,
                    "given": consent.given,
                    "site": consent.site,
                    "version": consent.version,
                    "language": consent.language,
                    "text_hash": consent.text_hash,
                    "page": consent.page,
                    "callback": consent.callback_id,
                });
                print(&line.to_string())?;
            }
        }
    }
}

impl Text {
    async fn run(self) -> anyhow::Result<()> {
        let store = store::open(&self.config.load()?.store, Use::Command).await?;
        let text = store.text(&self.hash).await?;
        print(&text.context("there is no such text\n  hint: `ringback consent list` prints the hashes")?.text)
    }
}

impl Revoke {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let store = store::open(&config.store, Use::Command).await?;
        // CRMs hear of what is called off as of any change.
        store.subscribe(notify::subscribers(&config.webhooks));
        let (site, now) = (self.site.as_deref(), SystemClock.now());
        let sites = store.revoke_consent(&self.phone, site, now).await?;
        let called_off = call_off(&*store, &self.phone, site, now).await?;
        record(&*store, "consent.revoke", &self.phone, format!("{sites} sites, {called_off} called off"))
            .await?;
        ensure!(
            sites > 0 || called_off > 0,
            "{} has agreed to nothing that is not taken back\n  hint: `ringback consent list --phone` prints what is known",
            self.phone
        );
        print(&format!(
            "taken back at {sites} sites; {called_off} callbacks called off; `ringback forget` erases the rest"
        ))
    }
}
