//! The time, in the one unit that every Webex time stamp has.

use jiff::{SignedDuration, Timestamp};

/// The moment this is called.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator plays calls in real time and has no other clock"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The moment so many seconds from now, as HTTP writes it (RFC 9110 section 5.6.7).
pub(crate) fn http_date(ahead_s: i64) -> String {
    (now() + SignedDuration::from_secs(ahead_s)).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    now().as_millisecond()
}
