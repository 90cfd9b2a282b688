//! When somebody wants to be called: a window of one day, by the clocks of a time zone.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use ringback_contract::field::Code;
use ringback_contract::request::Schedule;
use serde::Deserialize;

use crate::clock::after_s;

/// Webex takes no window that begins sooner than this after its request, in seconds (Webex OpenAPI, group "Callback
/// Schedule").
pub const WEBEX_NOTICE_S: u64 = 30 * 60;
/// The shortest window that Webex takes, in minutes (same place).
pub const WEBEX_SHORTEST_MINUTES: u32 = 30;
/// The longest, in minutes (same place).
pub const WEBEX_LONGEST_MINUTES: u32 = 8 * 60;
/// How far ahead a window may be for Webex, in days (same place).
pub const WEBEX_HORIZON_DAYS: u16 = 31;

/// Who keeps a callback until its window begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeper {
    /// Webex, as a scheduled callback of its own.
    Webex,
    /// We do; then it becomes a task as any other.
    Store,
}

impl Keeper {
    /// The text of the keeper in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webex => "webex",
            Self::Store => "store",
        }
    }

    /// The keeper of that text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Webex, Self::Store].into_iter().find(|keeper| keeper.as_str() == text)
    }
}

/// What a site offers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Who keeps a callback until its window begins.
    pub through: Keeper,
    /// The queue that scheduled callbacks of Webex wait in.
    #[serde(default)]
    pub queue: String,
    /// The zone of windows that name none.
    pub timezone: String,
    /// How many days ahead a window may be.
    #[serde(default = "default_horizon_days")]
    pub horizon_days: u16,
    /// How long before it begins a window must be asked for, in minutes.
    #[serde(default = "default_notice_minutes")]
    pub notice_minutes: u32,
    /// The shortest window, in minutes.
    #[serde(default = "default_shortest_minutes")]
    pub shortest_minutes: u32,
    /// The longest window, in minutes.
    #[serde(default = "default_longest_minutes")]
    pub longest_minutes: u32,
    /// How long each time is that the form offers, in minutes; `None`: the shortest window.
    #[serde(default)]
    pub slot_minutes: Option<u32>,
    /// How many callbacks may begin in one of these; 0: any number.
    #[serde(default)]
    pub slot_capacity: u32,
    /// What agents see as the reason of a scheduled callback of Webex: a template.
    #[serde(default = "default_callback_reason")]
    pub callback_reason: String,
}

impl Offer {
    /// How long each time is that the form offers, in minutes.
    pub fn slot_minutes(&self) -> u32 {
        self.slot_minutes
            .unwrap_or_else(|| self.shortest_minutes.max(WEBEX_SHORTEST_MINUTES).min(self.longest_minutes))
    }
}

const fn default_horizon_days() -> u16 {
    WEBEX_HORIZON_DAYS
}

const fn default_notice_minutes() -> u32 {
    30
}

const fn default_shortest_minutes() -> u32 {
    WEBEX_SHORTEST_MINUTES
}

const fn default_longest_minutes() -> u32 {
    WEBEX_LONGEST_MINUTES
}

fn default_callback_reason() -> String {
    "{reason}".to_owned()
}

/// A callback's appointment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// When the person wants to be called.
    pub window: Window,
    /// Who keeps it until then.
    pub keeper: Keeper,
    /// What Webex names it by.
    pub webex_id: Option<String>,
    /// The window that it is being moved to at Webex.
    pub wanted: Option<Window>,
    /// Whether nobody chose the window: it was asked for as soon as possible while the site was closed.
    pub at_opening: bool,
}

impl Appointment {
    /// Whether Webex has it, or may be about to.
    pub const fn is_webexes(&self) -> bool {
        matches!(self.keeper, Keeper::Webex)
    }

    /// The earliest moment at which Webex may call: while it is being moved, either window may be in force there.
    pub fn earliest_start(&self) -> Timestamp {
        let wanted = self.wanted.as_ref().map(Window::starts_at);
        wanted.map_or(self.window.starts_at(), |wanted| wanted.min(self.window.starts_at()))
    }
}

/// A window of one day. Local times are kept, and the instants are found anew when it is read: what was promised is the
/// clock on the wall, whatever a government decides about it meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    date: Date,
    start: Time,
    end: Time,
    timezone: String,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// Why there is no such window: the member of [`Schedule`] that is wrong, and what is wrong with it.
pub type Flaw = (&'static str, Code);

impl Window {
    /// The window between two times of a day.
    ///
    /// A time that comes twice, when clocks are set back, is the first of the two; one that the clocks skip is none.
    pub fn new(date: Date, start: Time, end: Time, timezone: &str) -> Result<Self, Flaw> {
        let zone = named_zone(timezone).ok_or(("timezone", Code::TimezoneUnknown))?;
        let instant = |member: &'static str, time: Time| {
            let ambiguous = zone.to_ambiguous_zoned(date.to_datetime(time));
            if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
                return Err((member, Code::TimeSkipped));
            }
            ambiguous.compatible().map(|zoned| zoned.timestamp()).map_err(|_| ("date", Code::DateShape))
        };
        let (starts_at, ends_at) = (instant("start", start)?, instant("end", end)?);
        if end <= start || ends_at <= starts_at {
            return Err(("end", Code::WindowOrder));
        }
        Ok(Self { date, start, end, timezone: timezone.to_owned(), starts_at, ends_at })
    }

    /// The window that was asked for, where the site offers it.
    pub fn read(posted: &Schedule, offer: &Offer, now: Timestamp) -> Result<Self, Flaw> {
        let date = read_date(&posted.date).ok_or(("date", Code::DateShape))?;
        let start = read_time(&posted.start).ok_or(("start", Code::TimeShape))?;
        let end = read_time(&posted.end).ok_or(("end", Code::TimeShape))?;
        let timezone = if posted.timezone.is_empty() { &offer.timezone } else { &posted.timezone };
        let window = Self::new(date, start, end, timezone)?;
        // Minutes by the clock and minutes that pass differ on the days when clocks change; both must fit, since Webex does
        // not say which it counts.
        let passing = window.ends_at.duration_since(window.starts_at).as_secs();
        let by_the_clock = end.duration_since(start).as_secs();
        if passing.min(by_the_clock) < i64::from(offer.shortest_minutes) * 60 {
            return Err(("end", Code::WindowShort));
        }
        if passing.max(by_the_clock) > i64::from(offer.longest_minutes) * 60 {
            return Err(("end", Code::WindowLong));
        }
        if window.starts_at < after_s(now, u64::from(offer.notice_minutes) * 60) {
            return Err(("start", Code::WindowSoon));
        }
        let today = named_zone(timezone).map(|zone| now.to_zoned(zone).date());
        let days = today.and_then(|today| today.until(date).ok()).map(|span| span.get_days());
        if days.is_none_or(|days| days > i32::from(offer.horizon_days)) {
            return Err(("date", Code::WindowFar));
        }
        Ok(window)
    }

    /// Whether Webex takes a window of its length and so far ahead.
    pub fn suits_webex(&self, now: Timestamp) -> bool {
        let lengths = [
            self.ends_at.duration_since(self.starts_at).as_secs(),
            self.end.duration_since(self.start).as_secs(),
        ];
        let allowed = i64::from(WEBEX_SHORTEST_MINUTES) * 60..=i64::from(WEBEX_LONGEST_MINUTES) * 60;
        let horizon = after_s(now, u64::from(WEBEX_HORIZON_DAYS) * 24 * 60 * 60);
        lengths.iter().all(|length| allowed.contains(length)) && self.starts_at <= horizon
    }

    /// The window of that text: one that was promised. Since then a government may have had clocks skip its times, and a promise is not to
    /// be lost by that: what they skip comes as much later as they are set ahead, and what would end before it begins is as long as it was.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once('T')?;
        let (start, rest) = rest.split_once('/')?;
        let (end, rest) = rest.split_once('[')?;
        let (date, start, end) = (read_date(date)?, read_time(start)?, read_time(end)?);
        let timezone = rest.strip_suffix(']')?;
        let zone = named_zone(timezone)?;
        let instant = |time| {
            let ambiguous = zone.to_ambiguous_zoned(date.to_datetime(time));
            ambiguous.compatible().map(|zoned| zoned.timestamp()).ok()
        };
        let (starts_at, ends_at) = (instant(start)?, instant(end)?);
        let ends_at = if starts_at < ends_at {
            ends_at
        } else {
            starts_at.checked_add(end.duration_since(start)).ok()?
        };
        let timezone = timezone.to_owned();
        (start < end).then_some(Self { date, start, end, timezone, starts_at, ends_at })
    }

    /// The text of the window in the store.
    pub fn as_text(&self) -> String {
        format!("{}T{}/{}[{}]", self.date, self.start, self.end, self.timezone)
    }

    /// When it begins.
    pub const fn starts_at(&self) -> Timestamp {
        self.starts_at
    }

    /// When it ends.
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// The day, as `YYYY-MM-DD`.
    pub fn date(&self) -> String {
        self.date.to_string()
    }

    /// The time at which it begins, as `HH:MM:SS`.
    pub fn start(&self) -> String {
        self.start.strftime("%H:%M:%S").to_string()
    }

    /// The time at which it ends, as `HH:MM:SS`.
    pub fn end(&self) -> String {
        self.end.strftime("%H:%M:%S").to_string()
    }

    /// The day, and the times at which it begins and ends.
    pub const fn by_the_clock(&self) -> (Date, Time, Time) {
        (self.date, self.start, self.end)
    }

    /// What a request says that asks for it.
    pub fn as_request(&self) -> Schedule {
        Schedule { date: self.date(), start: self.start(), end: self.end(), timezone: self.timezone.clone() }
    }

    /// The IANA name of the zone.
    pub fn timezone(&self) -> &str {
        &self.timezone
    }
}

/// A moment with the offset of a zone: RFC 3339, so that its first ten characters are the day there.
pub fn with_offset(moment: Timestamp, timezone: &str) -> String {
    let zone = named_zone(timezone).unwrap_or(TimeZone::UTC);
    moment.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The zone of that IANA name.
pub fn named_zone(name: &str) -> Option<TimeZone> {
    // jiff would also take `UTC-05:00` and POSIX rules, which no other side does.
    let is_name = |character: char| character.is_ascii_alphanumeric() || "/_+-".contains(character);
    (!name.is_empty() && name.len() <= 64 && name.chars().all(is_name))
        .then(|| zone_in(jiff::tz::db(), name))?
}

/// The zone of that name in the machine's database. Its makers leave names out in time, or put them into a package of their own, and a window
/// of such a zone was promised all the same: the one that comes with the program has them all.
fn zone_in(machines: &TimeZoneDatabase, name: &str) -> Option<TimeZone> {
    static OURS: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    machines.get(name).or_else(|_| OURS.get(name)).ok()
}

/// The day of that text, `YYYY-MM-DD`.
pub(crate) fn read_date(text: &str) -> Option<Date> {
    // A sign, which the format lets pass, belongs to no year in which anybody is called.
    Date::strptime("%Y-%m-%d", text)
        .ok()
        .filter(|_| text.len() == 10 && text.starts_with(|first: char| first.is_ascii_digit()))
}

/// `HH:MM`, or `HH:MM:SS`.
fn read_time(text: &str) -> Option<Time> {
    let format = match text.len() {
        5 => "%H:%M",
        8 => "%H:%M:%S",
        _ => return None,
    };
    // A leap second is no time of a wall clock.
    Time::strptime(format, text).ok().filter(|_| !text.ends_with(":60"))
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    pub(crate) fn window(text: &str) -> Window {
        Window::parse(text).unwrap()
    }

    pub(crate) fn offer() -> Offer {
        toml::from_str("through = 'webex'\nqueue = 'q'\ntimezone = 'Europe/Berlin'").unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(date: &str, start: &str, end: &str, timezone: &str) -> Schedule {
        let [date, start, end, timezone] = [date, start, end, timezone].map(str::to_owned);
        Schedule { date, start, end, timezone }
    }

    fn read(date: &str, start: &str, end: &str) -> Result<Window, Flaw> {
        let now = "2026-11-24T08:00:00Z".parse().unwrap();
        Window::read(&posted(date, start, end, ""), &sample::offer(), now)
    }

    #[test]
    fn a_window_stands_between_two_times_of_a_day_by_the_clocks_of_its_zone() {
        let window = read("2026-12-01", "10:00", "12:00:00").unwrap();
        assert_eq!(window.starts_at().to_string(), "2026-12-01T09:00:00Z");
        assert_eq!(window.ends_at().to_string(), "2026-12-01T11:00:00Z");
        assert_eq!(window.as_text(), "2026-12-01T10:00:00/12:00:00[Europe/Berlin]");
        assert_eq!(Window::parse(&window.as_text()), Some(window.clone()));
        assert_eq!((window.date().as_str(), window.start().as_str()), ("2026-12-01", "10:00:00"));
        let other = Window::read(
            &posted("2026-12-01", "10:00", "12:00", "America/New_York"),
            &sample::offer(),
            "2026-11-24T08:00:00Z".parse().unwrap(),
        );
        assert_eq!(other.unwrap().starts_at().to_string(), "2026-12-01T15:00:00Z");
    }

    #[test]
    fn each_rule_names_the_member_that_breaks_it() {
        for (date, start, end, flaw) in [
            ("2026-13-01", "10:00", "12:00", ("date", Code::DateShape)),
            ("1.12.2026", "10:00", "12:00", ("date", Code::DateShape)),
            ("2026-12-01", "10", "12:00", ("start", Code::TimeShape)),
            ("2026-12-01", "25:00", "26:00", ("start", Code::TimeShape)),
            ("2026-12-01", "10:00", "11:59:60", ("end", Code::TimeShape)),
            ("2026-12-01", "10:00", "12:00Z", ("end", Code::TimeShape)),
            ("2026-12-01", "10:00", "10:00", ("end", Code::WindowOrder)),
            ("2026-12-01", "23:00", "01:00", ("end", Code::WindowOrder)),
            ("2026-12-01", "10:00", "10:29", ("end", Code::WindowShort)),
            ("2026-12-01", "10:00", "18:01", ("end", Code::WindowLong)),
            // It is nine in Berlin.
            ("2026-11-24", "09:29", "10:00", ("start", Code::WindowSoon)),
            ("2026-11-23", "10:00", "12:00", ("start", Code::WindowSoon)),
            ("2026-12-26", "10:00", "12:00", ("date", Code::WindowFar)),
        ] {
            assert_eq!(read(date, start, end), Err(flaw), "{date} {start} {end}");
        }
        for (date, start, end) in [("2026-11-24", "09:30", "10:00"), ("2026-12-25", "10:00", "18:00")] {
            assert!(read(date, start, end).is_ok(), "{date} {start} {end}");
        }
        let now = "2026-11-24T08:00:00Z".parse().unwrap();
        for zone in ["Europe/Nowhere", "UTC+1:00", "EST5EDT,M3.2.0,M11.1.0", "../etc/passwd", "x y"] {
            let flaw = Window::read(&posted("2026-12-01", "10:00", "12:00", zone), &sample::offer(), now);
            assert_eq!(flaw, Err(("timezone", Code::TimezoneUnknown)), "{zone}");
        }
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_none_and_of_one_that_comes_twice_the_first_is_meant() {
        let new = |date: &str, start: &str, end: &str| {
            let time = |text: &str| read_time(text).unwrap();
            Window::new(read_date(date).unwrap(), time(start), time(end), "Europe/Berlin")
        };
        // On 28 March 2027 clocks go from two to three.
        assert_eq!(new("2027-03-28", "02:30", "04:00"), Err(("start", Code::TimeSkipped)));
        assert_eq!(new("2027-03-28", "01:00", "02:30"), Err(("end", Code::TimeSkipped)));
        let over = new("2027-03-28", "01:30", "03:30").unwrap();
        assert_eq!(over.ends_at().duration_since(over.starts_at()).as_secs(), 3600);
        // On 31 October 2027 they go from three back to two.
        let twice = new("2027-10-31", "02:15", "02:45").unwrap();
        assert_eq!(twice.starts_at().to_string(), "2027-10-31T00:15:00Z");
        assert_eq!(twice.ends_at().to_string(), "2027-10-31T00:45:00Z");
        let over = new("2027-10-31", "01:30", "03:30").unwrap();
        assert_eq!(over.ends_at().duration_since(over.starts_at()).as_secs(), 3 * 3600);
    }

    #[test]
    fn what_was_promised_is_kept_though_clocks_have_come_to_skip_it() {
        // On 28 March 2027 clocks go from two to three.
        for (text, starts_at, ends_at) in [
            ("2027-03-28T01:00:00/02:30:00[Europe/Berlin]", "2027-03-28T00:00:00Z", "2027-03-28T01:30:00Z"),
            ("2027-03-28T02:30:00/04:30:00[Europe/Berlin]", "2027-03-28T01:30:00Z", "2027-03-28T02:30:00Z"),
            ("2027-03-28T02:00:00/02:30:00[Europe/Berlin]", "2027-03-28T01:00:00Z", "2027-03-28T01:30:00Z"),
            ("2027-03-28T02:45:00/03:00:00[Europe/Berlin]", "2027-03-28T01:45:00Z", "2027-03-28T02:00:00Z"),
        ] {
            let window = Window::parse(text).unwrap();
            let instants = (window.starts_at().to_string(), window.ends_at().to_string());
            assert_eq!((instants.0.as_str(), instants.1.as_str()), (starts_at, ends_at), "{text}");
            assert_eq!(window.as_text(), text);
        }
        for text in ["2027-03-28T04:00:00/04:00:00[UTC]", "2027-03-28T04:00:00/03:00:00[UTC]"] {
            assert_eq!(Window::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_zone_that_this_machine_does_not_know_is_known_all_the_same() {
        let knows_nothing = TimeZoneDatabase::none();
        assert!(zone_in(&knows_nothing, "US/Pacific").is_some());
        assert!(zone_in(&knows_nothing, "Europe/Nowhere").is_none());
    }

    #[test]
    fn on_the_days_when_clocks_change_both_lengths_count() {
        let offer = Offer { longest_minutes: 120, horizon_days: 3650, ..sample::offer() };
        let now = "2026-11-24T08:00:00Z".parse().unwrap();
        let flaw = |date: &str, start: &str, end: &str| {
            Window::read(&posted(date, start, end, ""), &offer, now).map(|_| ()).map_err(|(_, code)| code)
        };
        // An hour and a half by the clock, and half an hour that passes.
        assert_eq!(flaw("2027-03-28", "01:45", "03:14"), Err(Code::WindowShort));
        assert_eq!(flaw("2027-03-28", "01:45", "03:15"), Ok(()));
        // An hour and a half by the clock, and two and a half that pass.
        assert_eq!(flaw("2027-10-31", "01:45", "03:15"), Err(Code::WindowLong));
    }
}
