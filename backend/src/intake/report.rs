//! What operators see of a request that was taken: a line of the log and a count.

use crate::callback::Callback;
use crate::metrics;
use crate::store::Inserted;

/// Tells what became of a request. `sieve` is what has given away that no person has made it.
pub(super) fn tell(callback: &Callback, inserted: &Inserted, sieve: Option<&'static str>) {
    let request = &callback.request;
    match (inserted, sieve) {
        (Inserted::New | Inserted::Joined(_), Some(sieve)) => {
            metrics::sieved(&request.site, sieve);
            tracing::info!(callback = %callback.id, site = request.site, sieve, "a request that no person has made became a decoy");
        }
        (Inserted::New, None) => {
            metrics::accepted(&request.site, request.door);
            tracing::info!(
                callback = %callback.id,
                site = request.site,
                door = request.door.as_str(),
                phone = %request.phone,
                "callback accepted"
            );
        }
        (Inserted::Joined(id), None) => {
            metrics::joined(&request.site, request.door);
            tracing::info!(callback = %id, site = request.site, "another request joined the callback");
        }
        // Repeated or refused: whoever asked is told, and nothing has changed.
        _ => {}
    }
}
