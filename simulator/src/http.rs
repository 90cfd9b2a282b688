//! The client for outgoing calls.

use std::time::Duration;

use reqwest::redirect::Policy;

/// How long a connection without work is kept: servers close theirs after five seconds and more, and a request that is sent down
/// one which is just being closed is lost.
const CONNECTION_IDLE: Duration = Duration::from_secs(2);

/// A client that goes straight to its target and follows no redirect.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    // The first one installed counts for the whole process; another one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().pool_idle_timeout(CONNECTION_IDLE).build()
}
