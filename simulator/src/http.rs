//! The client for outgoing calls.

use reqwest::redirect::Policy;

/// A client that goes straight to its target and follows no redirect.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    // The first one installed counts for the whole process; another one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()
}
