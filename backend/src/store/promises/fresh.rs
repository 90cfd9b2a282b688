//! A new store for each promise.

use std::sync::Arc;

use crate::config;
use crate::store::{self, Store, Use};

/// A key that stores are sealed with.
pub(super) const KEY: &str = "4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a";

/// A store of its own.
pub(super) struct Fresh {
    pub(super) store: Arc<dyn Store>,
    pub(super) config: config::Store,
    pub(super) folder: tempfile::TempDir,
}

impl Fresh {
    pub(super) async fn sqlite() -> Self {
        Self::open(String::new(), "").await
    }

    pub(super) async fn postgres() -> Self {
        Self::open(ringback_test_postgres::Server::shared().await.database().await, "").await
    }

    pub(super) async fn sealed_sqlite() -> Self {
        Self::open(String::new(), KEY).await
    }

    pub(super) async fn sealed_postgres() -> Self {
        Self::open(ringback_test_postgres::Server::shared().await.database().await, KEY).await
    }

    pub(super) async fn open(url: String, key: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config::Store::sample(&folder.path().join("ringback.db"), &url, key);
        Self { store: store::open(&config, Use::Serve).await.unwrap(), config, folder }
    }

    /// The same store after a restart.
    pub(super) async fn reopened(self) -> Self {
        let Self { store, config, folder } = self;
        drop(store);
        Self { store: store::open(&config, Use::Serve).await.unwrap(), config, folder }
    }
}
