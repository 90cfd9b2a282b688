//! Waiting for what must come, for as long as it may take and no longer.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything may take. Generous: a machine may be busy, and a test that holds is over long before.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often to look.
const INTERVAL: Duration = Duration::from_millis(15);

/// Looks until there is something, and gives it; panics with `what` when the patience is at its end.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        sleep(INTERVAL).await;
    }
}

/// Looks for a while, and panics when something holds that must not.
pub async fn never(what: &str, during: Duration, mut look: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + during;
    while Instant::now() < end {
        assert!(!look().await, "this must not happen: {what}");
        sleep(INTERVAL).await;
    }
}
