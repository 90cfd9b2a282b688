//! `ringback migrate`, `ringback export` and `ringback import`.

use std::path::PathBuf;

use clap::Args;

use super::audit::record;
use super::{ConfigFile, print};
use crate::store::moving::{self, Counts};
use crate::store::{self, Use};

/// Bring the store's schema up to date.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    config: ConfigFile,
}

/// What is moved, and where the file is.
#[derive(Debug, Args)]
pub(super) struct Moved {
    #[command(flatten)]
    config: ConfigFile,
    /// The file.
    file: PathBuf,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let store = self.config.load()?.store;
        let before = store::schema(&store).await?;
        drop(store::make(&store).await?);
        let now = store::schema(&store).await?.unwrap_or_default();
        match before {
            Some(before) if before == now => print(&format!("schema {now}, nothing to do")),
            Some(before) => print(&format!("schema {before} -> {now}")),
            None => print(&format!("schema {now}, made anew")),
        }
    }
}

impl Moved {
    pub(super) async fn export(self) -> anyhow::Result<()> {
        let config = self.config.load()?.store;
        let counts = moving::export(&config, &self.file).await?;
        let store = store::open(&config, Use::Command).await?;
        record(&*store, "store.export", self.file.display(), "").await?;
        print(&format!("exported to {}: {}", self.file.display(), told(&counts)))
    }

    pub(super) async fn import(self) -> anyhow::Result<()> {
        let config = self.config.load()?.store;
        let counts = moving::import(&config, &self.file).await?;
        let store = store::open(&config, Use::Command).await?;
        record(&*store, "store.import", self.file.display(), "").await?;
        print(&format!("imported from {}: {}", self.file.display(), told(&counts)))
    }
}

fn told(counts: &Counts) -> String {
    if counts.is_empty() {
        return "the store is empty".to_owned();
    }
    counts.iter().map(|(table, rows)| format!("{rows} of {table}")).collect::<Vec<_>>().join(", ")
}
