//! The time, in the one unit that every Webex time stamp has.

use jiff::Timestamp;

/// The moment this is called.
#[expect(
    clippy::disallowed_methods,
    reason = "the simulator plays calls in real time and has no other clock"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    now().as_millisecond()
}
