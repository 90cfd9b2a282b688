//! `ringback key create | list | revoke`.

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use super::audit::record;
use super::link::lifetime;
use super::{ConfigFile, first_store, print};
use crate::api_key::{ApiKey, Scope, Standing, Terms};
use crate::clock::{Clock as _, SystemClock};
use crate::store::{self, Use};

/// Make, list and take back keys for the REST door.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Make a key and print it. It cannot be shown again.
    Create(Create),
    /// Print every key: what it may do, and where it stands.
    List(List),
    /// Take a key back. It is worth nothing from then on.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    sites: Sites,
    /// What the key may do: callbacks:write, callbacks:read, links:write.
    #[arg(long, value_delimiter = ',', value_parser = scope, default_value = "callbacks:write,callbacks:read")]
    scopes: Vec<Scope>,
    /// How long the key works, such as 90d or 1y; until it is taken back where this is left out.
    #[arg(long, value_parser = lifetime)]
    expires: Option<SignedDuration>,
    /// What to know the key by.
    #[arg(long, default_value = "")]
    name: String,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Sites {
    /// The sites that the key is for.
    #[arg(long = "site", value_name = "SITE", value_delimiter = ',')]
    named: Vec<String>,
    /// The key is for every site, also for those that come later.
    #[arg(long)]
    all_sites: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    config: ConfigFile,
    /// The id of the key, as `ringback key list` prints it.
    id: String,
}

impl Key {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run().await,
            Self::List(list) => list.run().await,
            Self::Revoke(revoke) => revoke.run().await,
        }
    }
}

impl Create {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        for site in &self.sites.named {
            ensure!(
                config.sites.contains_key(site),
                "there is no site {site:?}\n  hint: name one that has a [sites.…] section"
            );
        }
        ensure!(
            self.name.chars().count() <= 100 && !self.name.chars().any(char::is_control),
            "the name is too long, or holds control characters\n  hint: use 100 characters at most"
        );
        let now = SystemClock.now();
        let expires_at = self.expires.map(|lifetime| now.checked_add(lifetime)).transpose();
        let terms = Terms {
            name: self.name,
            sites: self.sites.named,
            scopes: self.scopes,
            expires_at: expires_at.context("that is too long")?,
        };
        let (key, text) = ApiKey::generate(terms, now)?;
        let store = first_store(&config.store).await?;
        store.add_api_key(&key).await?;
        record(&*store, "key.create", &key.id, format!("{:?} {}", key.name, scopes(&key).join(","))).await?;
        // The key alone, so that a script can keep it.
        print(text.expose_secret())
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let keys = store::open(&config.store, Use::Command).await?.api_keys().await?;
        let now = SystemClock.now();
        if self.json {
            let keys: Vec<_> = keys.iter().map(|key| as_json(key, now)).collect();
            return print(&serde_json::to_string_pretty(&keys)?);
        }
        if keys.is_empty() {
            return print("there is no key; `ringback key create` makes one");
        }
        for key in &keys {
            let sites = if key.sites.is_empty() { "all sites".to_owned() } else { key.sites.join(",") };
            let used = key.last_used_at.map_or("never used".to_owned(), |at| format!("last used {at}"));
            print(&format!(
                "{} {:?} {sites} {} {} {used}",
                key.id,
                key.name,
                scopes(key).join(","),
                standing(key, now),
            ))?;
        }
        Ok(())
    }
}

impl Revoke {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let store = store::open(&config.store, Use::Command).await?;
        if store.revoke_api_key(&self.id, SystemClock.now()).await? {
            record(&*store, "key.revoke", &self.id, "").await?;
            return print(&format!("revoked {}", self.id));
        }
        ensure!(
            store.api_key(&self.id).await?.is_some(),
            "there is no key {:?} in the store\n  hint: `ringback key list` prints the ids; a key of the \
             configuration is taken back by taking out its section",
            self.id
        );
        print(&format!("{} had been revoked before", self.id))
    }
}

fn standing(key: &ApiKey, now: Timestamp) -> String {
    match (key.standing(now), key.expires_at, key.revoked_at) {
        (Standing::Revoked, _, Some(at)) => format!("REVOKED {at}"),
        (Standing::Expired, Some(at), _) => format!("EXPIRED {at}"),
        (_, Some(at), _) => format!("expires {at}"),
        _ => "does not expire".to_owned(),
    }
}

fn scopes(key: &ApiKey) -> Vec<&'static str> {
    key.scopes.iter().map(|scope| scope.as_str()).collect()
}

fn as_json(key: &ApiKey, now: Timestamp) -> serde_json::Value {
    serde_json::json!({
        "id": key.id,
        "name": key.name,
        "sites": key.sites,
        "scopes": scopes(key),
        "valid": key.standing(now) == Standing::Valid,
        "created_at": key.created_at.to_string(),
        "expires_at": key.expires_at.map(|at| at.to_string()),
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
        "last_used_at": key.last_used_at.map(|at| at.to_string()),
    })
}

fn scope(text: &str) -> anyhow::Result<Scope> {
    Scope::parse(text).with_context(|| {
        let all: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        format!("use {}", all.join(", "))
    })
}
