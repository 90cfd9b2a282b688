//! Windows to be called in, around the moment of the test.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The present moment.
#[expect(clippy::disallowed_methods, reason = "the service under test runs in real time")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// A zone in which it is about noon, and the time there.
pub fn noon() -> (String, jiff::civil::DateTime) {
    let now = now();
    let offset = 12 - i64::from(now.to_zoned(jiff::tz::TimeZone::UTC).hour());
    // The signs of these names are those of POSIX: what they call -2 is two hours ahead.
    let timezone = format!("Etc/GMT{:+}", -offset).replace("GMT+0", "GMT");
    let zone = jiff::tz::TimeZone::get(&timezone).expect("a zone");
    (timezone, now.to_zoned(zone).datetime())
}

/// A window that begins in so many seconds and lasts for so many, in a zone where it is about noon: a window never
/// crosses midnight, whenever the tests run.
pub fn window(starts_in_s: i64, lasts_s: i64) -> Value {
    let start = now() + SignedDuration::from_secs(starts_in_s);
    let offset = 12 - i64::from(start.to_zoned(jiff::tz::TimeZone::UTC).hour());
    // The signs of these names are those of POSIX: what they call -2 is two hours ahead.
    let timezone = format!("Etc/GMT{:+}", -offset).replace("GMT+0", "GMT");
    let zone = jiff::tz::TimeZone::get(&timezone).expect("a zone");
    let local = |moment: Timestamp| moment.to_zoned(zone.clone()).datetime();
    let end = start + SignedDuration::from_secs(lasts_s);
    json!({
        "date": local(start).date().to_string(),
        "start": local(start).strftime("%H:%M:%S").to_string(),
        "end": local(end).strftime("%H:%M:%S").to_string(),
        "timezone": timezone,
    })
}
