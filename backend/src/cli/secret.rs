//! `ringback secret rotate | list | retire`.

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};

use super::audit::record;
use super::{ConfigFile, print};
use crate::clock::{Clock as _, SystemClock};
use crate::store::{self, Use};
use crate::token::{SIGNS_AFTER_S, SigningKey};

/// Change the keys that sign follow tokens and links.
#[derive(Debug, Subcommand)]
pub(super) enum Secret {
    /// Make a new key. It signs what is handed out from a minute later on; the older ones still open what they have signed.
    Rotate(Every),
    /// Print the keys, newest first.
    List(Every),
    /// Remove an older key: every token and link that it has signed is worth nothing any more.
    Retire(Retire),
}

#[derive(Debug, Args)]
pub(super) struct Every {
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Debug, Args)]
pub(super) struct Retire {
    #[command(flatten)]
    config: ConfigFile,
    /// The id of the key, as `ringback secret list` prints it.
    id: String,
}

impl Secret {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Rotate(Every { config }) => rotate(&config).await,
            Self::List(Every { config }) => list(&config).await,
            Self::Retire(Retire { config, id }) => retire(&config, &id).await,
        }
    }
}

async fn rotate(config: &ConfigFile) -> anyhow::Result<()> {
    let store = store::open(&config.load()?.store, Use::Command).await?;
    let now = SystemClock.now();
    // A new key beside none would be the first one, which signs at once: a running service has one.
    store.signing_keys(now).await?;
    let key = SigningKey::generate(now)?;
    store.add_signing_key(&key).await?;
    record(&*store, "secret.rotate", &key.id, "").await?;
    print(&format!(
        "{} signs from {SIGNS_AFTER_S} s from now on, once every running service knows it; older keys still open what they have signed",
        key.id
    ))
}

async fn list(config: &ConfigFile) -> anyhow::Result<()> {
    let store = store::open(&config.load()?.store, Use::Command).await?;
    for key in store.signing_keys(SystemClock.now()).await? {
        print(&format!("{}  made {:.0}", key.id, key.created_at))?;
    }
    Ok(())
}

async fn retire(config: &ConfigFile, id: &str) -> anyhow::Result<()> {
    let store = store::open(&config.load()?.store, Use::Command).await?;
    let now = SystemClock.now();
    let keys = store.signing_keys(now).await?;
    let known = keys.iter().any(|key| key.id == id);
    ensure!(known, "there is no signing key {id:?}\n  hint: `ringback secret list` prints them");
    let successor = keys.iter().filter(|key| key.id != id).max_by_key(|key| key.created_at);
    let successor = successor.context("it is the only key\n  hint: `ringback secret rotate` first")?;
    let age_s = now.duration_since(successor.created_at).as_secs();
    ensure!(
        age_s >= SIGNS_AFTER_S,
        "the newest key does not sign yet\n  hint: wait for {} s and try again",
        SIGNS_AFTER_S - age_s
    );
    ensure!(
        store.retire_signing_key(id).await?,
        "it is the newest key\n  hint: `ringback secret rotate` first, so that another one signs"
    );
    record(&*store, "secret.retire", id, "").await?;
    print(&format!("{id} is retired; running services refuse within seconds what it has signed"))
}
