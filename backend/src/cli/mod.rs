//! The command line.

mod audit;
mod auth;
mod callbacks;
mod consent;
mod doctor;
mod embed;
mod forget;
mod key;
mod link;
mod log;
mod moving;
mod secret;
mod serve;
mod webex;
mod webhooks;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::config::{self, Config, DEFAULT_FILE};
use crate::store::{self, Store};

/// Takes callback requests, and makes sure that Webex Contact Center places them.
#[derive(Debug, Parser)]
#[command(name = "ringback", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    Serve(serve::Serve),
    /// Connect the Webex organisation.
    #[command(subcommand)]
    Auth(auth::Auth),
    /// Print a preferred-agent link, or take links back.
    Link(link::Link),
    /// Print what a page needs to show the form: the script tag, the same pinned to this version, and what a policy must allow.
    Embed(embed::Embed),
    /// Change the keys that sign follow tokens and links.
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Make, list and take back keys for the REST door.
    #[command(subcommand)]
    Key(key::Key),
    /// Show callbacks, and say what became of those whose request to Webex got no answer.
    #[command(subcommand)]
    Callbacks(callbacks::Callbacks),
    /// Show what visitors agreed to, and take it back for a person.
    #[command(subcommand)]
    Consent(consent::Consent),
    /// Print what operators and keys did, oldest first: one line of JSON a deed.
    Audit(audit::Audit),
    /// Erase what is known of a person, by their number.
    Forget(forget::Forget),
    /// Show the messages to CRMs, and have parked ones tried again.
    #[command(subcommand)]
    Webhooks(webhooks::Webhooks),
    /// Have Webex tell this service of its tasks.
    #[command(subcommand)]
    Webex(webex::Webex),
    /// Bring the store's schema up to date. `serve` does so too; this is for whoever wants it done before.
    Migrate(moving::Migrate),
    /// Write the whole store to a file, to move it into another database. Stop the service first.
    Export(moving::Moved),
    /// Read a whole store from a file into a database that is new.
    Import(moving::Moved),
    /// Check the configuration against the Webex organisation, and say what to do about what is wrong.
    Doctor(doctor::Doctor),
    /// Print the description of the REST door (OpenAPI 3.1).
    Openapi,
    /// Print the configuration file with every key, its default and what it means.
    Config,
}

/// Where the configuration is.
#[derive(Debug, clap::Args)]
struct ConfigFile {
    /// The configuration file; ringback.toml in the working folder where there is one. Variables named
    /// `RINGBACK__SECTION__KEY` change what it says.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The configuration file that is taken where none is named.
const USUAL_FILE: &str = "ringback.toml";

impl ConfigFile {
    fn load(&self) -> anyhow::Result<Config> {
        let usual = || Some(PathBuf::from(USUAL_FILE)).filter(|path| path.exists());
        let file = self.config.clone().or_else(usual);
        Ok(Config::load(file.as_deref(), std::env::vars())?)
    }
}

impl Cli {
    /// Does what the command line asks for.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve(serve) => serve.run().await,
            Command::Auth(auth) => auth.run().await,
            Command::Link(link) => link.run().await,
            Command::Embed(embed) => embed.run(),
            Command::Secret(secret) => secret.run().await,
            Command::Key(key) => key.run().await,
            Command::Callbacks(callbacks) => callbacks.run().await,
            Command::Consent(consent) => consent.run().await,
            Command::Audit(audit) => audit.run().await,
            Command::Forget(forget) => forget.run().await,
            Command::Webhooks(webhooks) => webhooks.run().await,
            Command::Webex(webex) => webex.run().await,
            Command::Migrate(migrate) => migrate.run().await,
            Command::Export(moved) => moved.export().await,
            Command::Import(moved) => moved.import().await,
            Command::Doctor(doctor) => doctor.run().await,
            Command::Openapi => print(crate::http::openapi::text().trim_end()),
            Command::Config => print(DEFAULT_FILE.trim_end()),
        }
    }
}

/// What went wrong, in one line for each cause. Many errors say what their cause says, and then that is not said again.
pub fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !told.contains(&cause) {
            let between = if told.is_empty() { "" } else { ": " };
            told.extend([between, &cause]);
        }
    }
    told
}

/// Whether nobody reads any more what is printed, as behind `| head`.
pub fn is_unread(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Opens the store for what is often done before the service has ever run, and says so where that makes it: its path may be a slip.
async fn first_store(config: &config::Store) -> anyhow::Result<Arc<dyn Store>> {
    let is_new = !config.is_postgres() && !config.path.exists();
    let store = store::make(config).await?;
    if is_new {
        note(&format!(
            "{} is new: see to it that the service has the same store.path",
            config.path.display()
        ))?;
    }
    Ok(store)
}

/// Prints a line on the standard error output: what is said to people, and is no part of what was asked for.
fn note(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stderr(), "{text}")?)
}

/// Prints a line on the standard output.
fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}")?;
    Ok(output.flush()?)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let full = || io::Error::other("the disk is full");
        let error =
            Err::<(), _>(full()).context("cannot write ringback.db: the disk is full; hint: make room");
        assert_eq!(told(&error.unwrap_err()), "cannot write ringback.db: the disk is full; hint: make room");
        let error = Err::<(), _>(full()).context("cannot write ringback.db").unwrap_err();
        assert_eq!(told(&error), "cannot write ringback.db: the disk is full");
    }
}
