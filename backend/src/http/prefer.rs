//! `Prefer: wait=N` (RFC 7240 section 4.3): the caller would rather have a later answer that says more.

use std::time::Duration;

use actix_web::HttpRequest;

use super::Parts;
use super::problem::Failure;
use crate::callback::{Callback, CallbackId};

/// The longest wait. Proxies give up after a minute, and a CRM that wants to know more has webhooks.
const LONGEST: Duration = Duration::from_secs(30);

/// How long the caller is ready to wait, held to what is allowed; `None` where it does not say so. What cannot be read is
/// passed over, as section 2 of the RFC asks for.
pub(super) fn wait(request: &HttpRequest) -> Option<Duration> {
    let values = request.headers().get_all("prefer").filter_map(|value| value.to_str().ok());
    let preferences = values.flat_map(|value| value.split(','));
    // The first of two counts.
    let seconds = preferences.map(|preference| preference.split(';').next().unwrap_or_default()).find_map(
        |preference| {
            let (name, value) = preference.split_once('=')?;
            name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').to_owned())
        },
    )?;
    Some(Duration::from_secs(seconds.parse().ok()?).min(LONGEST))
}

/// The callback once it is known what came of the request to Webex, or as it stands when the wait or the service ends.
/// `None` where as many wait and follow as the service allows.
pub(super) async fn settled(
    parts: &Parts,
    id: CallbackId,
    longest: Duration,
) -> Result<Option<Callback>, Failure> {
    let Ok(_place) = parts.followers.take(None) else {
        return Ok(None);
    };
    // Follow first and read then, so that no change falls between.
    let mut changed = parts.store.changes().follow(id);
    let until_settled = async {
        loop {
            match parts.store.get(id).await? {
                Some(callback) if !callback.state.is_settled() => changed.changed().await,
                settled => return Ok(settled),
            }
        }
    };
    tokio::select! {
        settled = until_settled => settled,
        () = tokio::time::sleep(longest) => Ok(parts.store.get(id).await?),
        () = parts.stop.cancelled() => Ok(parts.store.get(id).await?),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_wait_is_read_as_the_rfc_writes_it_and_held_to_the_longest() {
        let seconds = |values: &[&str]| {
            let request = TestRequest::default();
            let request =
                values.iter().fold(request, |request, value| request.append_header(("Prefer", *value)));
            wait(&request.to_http_request()).map(|wait| wait.as_secs())
        };
        assert_eq!(seconds(&["wait=10"]), Some(10));
        assert_eq!(seconds(&["respond-async, Wait = \"5\"; x=1"]), Some(5));
        assert_eq!(seconds(&["return=minimal", "wait=7", "wait=9"]), Some(7));
        assert_eq!(seconds(&["wait=86400"]), Some(LONGEST.as_secs()));
        for none in [&["wait=soon"][..], &["wait=-1"], &["wait"], &["waiting=5"], &[]] {
            assert_eq!(seconds(none), None, "{none:?}");
        }
    }
}
