//! When a site is open: spans of each weekday by the clocks of a zone, holidays, and days with spans of their own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Deserializer, de};

use crate::clock::shifted_s;
use crate::schedule::{Window, named_zone, read_date};

/// The minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;
/// How many days ahead the next opening is looked for: a year, and the longest holidays.
const LOOK_AHEAD_DAYS: u16 = 400;
/// How many days back the last closing is looked for.
const LOOK_BACK_DAYS: i64 = 31;

/// The opening hours of a site.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// The zone whose clocks are meant.
    pub timezone: String,
    /// The spans of each Monday.
    #[serde(default)]
    pub monday: Vec<Span>,
    /// Of each Tuesday.
    #[serde(default)]
    pub tuesday: Vec<Span>,
    /// Of each Wednesday.
    #[serde(default)]
    pub wednesday: Vec<Span>,
    /// Of each Thursday.
    #[serde(default)]
    pub thursday: Vec<Span>,
    /// Of each Friday.
    #[serde(default)]
    pub friday: Vec<Span>,
    /// Of each Saturday.
    #[serde(default)]
    pub saturday: Vec<Span>,
    /// Of each Sunday.
    #[serde(default)]
    pub sunday: Vec<Span>,
    /// Days on which the site is closed.
    #[serde(default)]
    pub holidays: Vec<Day>,
    /// Days with spans of their own. They go before holidays, and one of a year before one of every year.
    #[serde(default)]
    pub days: BTreeMap<Day, Vec<Span>>,
}

/// A span of a day, in minutes since midnight by the clock; its end may be midnight again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it begins.
    pub start: u16,
    /// When it ends.
    pub end: u16,
}

impl Span {
    /// A whole day.
    pub const DAY: Self = Self { start: 0, end: DAY_MINUTES };

    /// The span of that text, such as `09:00-17:30`. That it ends after its start is looked at with the rest of the configuration.
    fn parse(text: &str) -> Option<Self> {
        let (start, end) = text.split_once('-')?;
        Some(Self { start: minutes(start.trim())?, end: minutes(end.trim())? })
    }

    /// How long it is by the clock, in minutes.
    pub const fn length(self) -> u16 {
        self.end.saturating_sub(self.start)
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u16>().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= DAY_MINUTES).then_some(all)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom("write each span as \"09:00-17:30\", and midnight at its end as 24:00")
        })
    }
}

/// A day: of one year, or of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Day {
    /// Of one year.
    Once(Date),
    /// Month and day of every year.
    Yearly(i8, i8),
}

impl Day {
    fn parse(text: &str) -> Option<Self> {
        // In a leap year, so that 29 February is one.
        let yearly = || read_date(&format!("2024-{text}")).map(|date| Self::Yearly(date.month(), date.day()));
        if text.len() == 5 { yearly() } else { read_date(text).map(Self::Once) }
    }

    fn is(self, date: Date) -> bool {
        match self {
            Self::Once(day) => day == date,
            Self::Yearly(month, day) => (date.month(), date.day()) == (month, day),
        }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom("write each day as \"2026-12-24\", or \"12-25\" for every year"))
    }
}

/// A time at which the site is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// When it opens.
    pub opens_at: Timestamp,
    /// When it closes.
    pub closes_at: Timestamp,
}

impl Hours {
    /// The spans of a day, in order.
    pub fn spans_on(&self, date: Date) -> &[Span] {
        let yearly = Day::Yearly(date.month(), date.day());
        if let Some(spans) = self.days.get(&Day::Once(date)).or_else(|| self.days.get(&yearly)) {
            return spans;
        }
        if self.holidays.iter().any(|holiday| holiday.is(date)) {
            return &[];
        }
        self.of_weekday(date.weekday())
    }

    fn of_weekday(&self, weekday: Weekday) -> &[Span] {
        match weekday {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }

    /// Every list of spans, with the key that it stands under.
    pub fn lists(&self) -> impl Iterator<Item = (String, &[Span])> {
        let weekdays = [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ];
        let days = self.days.iter().map(|(day, spans)| {
            let day = match day {
                Day::Once(date) => date.to_string(),
                Day::Yearly(month, day) => format!("{month:02}-{day:02}"),
            };
            (format!("days.{day}"), spans.as_slice())
        });
        weekdays.into_iter().map(|(name, spans)| (name.to_owned(), spans.as_slice())).chain(days)
    }

    /// Its zone; a start is refused where there is none of that name.
    fn zone(&self) -> TimeZone {
        named_zone(&self.timezone).unwrap_or(TimeZone::UTC)
    }

    fn openings_on<'a>(
        &'a self,
        zone: &'a TimeZone,
        date: Date,
    ) -> impl DoubleEndedIterator<Item = Opening> + 'a {
        let opening = move |span: &Span| opening(zone, date, *span);
        self.spans_on(date).iter().filter_map(opening)
    }

    /// Until when it stays open, or that moment where it is open for longer; `None`: it is closed.
    pub fn open_until(&self, moment: Timestamp, latest: Timestamp) -> Option<Timestamp> {
        let zone = self.zone();
        let after = |moment: Timestamp| {
            let date = moment.to_zoned(zone.clone()).date();
            let mut openings = self.openings_on(&zone, date);
            openings.find(|opening| opening.opens_at <= moment && moment < opening.closes_at)
        };
        let mut until = after(moment)?.closes_at;
        // What closes at midnight may open then.
        while until < latest
            && let Some(next) = after(until)
        {
            until = next.closes_at;
        }
        Some(until.min(latest))
    }

    /// Whether it is open from the one moment to the other.
    pub fn cover(&self, from: Timestamp, until: Timestamp) -> bool {
        self.open_until(from, until) == Some(until)
    }

    /// When it opens next; `None`: not within a year.
    pub fn next_opening(&self, moment: Timestamp) -> Option<Opening> {
        let zone = self.zone();
        let today = moment.to_zoned(zone.clone()).date();
        let mut dates =
            (0..LOOK_AHEAD_DAYS).map_while(|day| today.checked_add(jiff::Span::new().days(day)).ok());
        dates.find_map(|date| self.openings_on(&zone, date).find(|opening| opening.opens_at >= moment))
    }

    /// The next opening, where it is closed now.
    pub fn opening_after(&self, moment: Timestamp) -> Option<Opening> {
        let closed = self.open_until(moment, moment).is_none();
        self.next_opening(moment).filter(|_| closed)
    }

    /// Since when it has been closed; the moment itself where it is open.
    pub fn closed_since(&self, moment: Timestamp) -> Timestamp {
        if self.open_until(moment, moment).is_some() {
            return moment;
        }
        let zone = self.zone();
        let today = moment.to_zoned(zone.clone()).date();
        let mut dates =
            (0..LOOK_BACK_DAYS).map_while(|day| today.checked_sub(jiff::Span::new().days(day)).ok());
        let closed = dates
            .find_map(|date| self.openings_on(&zone, date).rev().find(|opening| opening.closes_at <= moment));
        closed.map_or_else(
            || shifted_s(moment, -LOOK_BACK_DAYS * i64::from(DAY_MINUTES) * 60),
            |opening| opening.closes_at,
        )
    }

    /// The window at the next opening in which whoever asks while it is closed is called: it is no longer than that, in
    /// seconds, and ends with the opening.
    pub fn window_at_opening(&self, moment: Timestamp, longest_s: u64) -> Option<Window> {
        let zone = self.zone();
        let opening = self.next_opening(moment)?;
        let local = |moment: Timestamp| moment.to_zoned(zone.clone()).datetime();
        let start = local(opening.opens_at);
        let end = local(opening.closes_at.min(crate::clock::after_s(opening.opens_at, longest_s)));
        // A window is of one day: midnight is its last second.
        let last = jiff::civil::time(23, 59, 59, 0);
        let end = if end.date() == start.date() { end.time() } else { last };
        let window = |end| Window::new(start.date(), start.time(), end, &self.timezone).ok();
        // Where clocks are set back meanwhile, the end may come before the start by the clock.
        window(end).or_else(|| window(last))
    }
}

/// When a span of a day is by the clock: from when it first shows the start until it first shows the end. `None`: the clocks skip it.
pub fn opening(zone: &TimeZone, date: Date, span: Span) -> Option<Opening> {
    let (opens_at, closes_at) = (instant(zone, date, span.start)?, instant(zone, date, span.end)?);
    (opens_at < closes_at).then_some(Opening { opens_at, closes_at })
}

/// The first moment at which the clocks show that minute of the day, or a later one.
fn instant(zone: &TimeZone, date: Date, minute: u16) -> Option<Timestamp> {
    let date = if minute == DAY_MINUTES { date.tomorrow().ok()? } else { date };
    let minute = minute % DAY_MINUTES;
    let time = jiff::civil::time(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0);
    let ambiguous = zone.to_ambiguous_timestamp(date.to_datetime(time));
    if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
        // Skipped: the moment at which they skip it.
        let before = ambiguous.earlier().ok()?;
        return zone.following(before).next().map(|transition| transition.timestamp());
    }
    ambiguous.earlier().ok()
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    /// Nine to half past five with a break, Saturday mornings, in Berlin.
    pub(crate) fn hours() -> Hours {
        let week: String = ["monday", "tuesday", "wednesday", "thursday", "friday"]
            .map(|day| format!("{day} = ['09:00-12:00', '13:00-17:30']\n"))
            .concat();
        of(&format!("timezone = 'Europe/Berlin'\n{week}saturday = ['10:00-13:00']"))
    }

    pub(crate) fn of(text: &str) -> Hours {
        toml::from_str(text).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Until when it is open, as text; `-`: it is closed.
    fn until(hours: &Hours, moment: &str) -> String {
        let until = hours.open_until(at(moment), at("2100-01-01T00:00:00Z"));
        until.map_or_else(|| "-".to_owned(), |until| until.to_string())
    }

    fn next(hours: &Hours, moment: &str) -> (String, String) {
        let opening = hours.next_opening(at(moment)).unwrap();
        (opening.opens_at.to_string(), opening.closes_at.to_string())
    }

    #[test]
    fn a_span_is_read_as_it_is_written_and_as_nothing_else() {
        assert_eq!(Span::parse("09:00-17:30"), Some(Span { start: 540, end: 1050 }));
        assert_eq!(Span::parse("00:00 - 24:00"), Some(Span::DAY));
        for bad in [
            "",
            "09:00",
            "9:00-17:00",
            "09:00-24:01",
            "09:60-10:00",
            "09.00-10.00",
            "09:00-+9:00",
            "09:00-10:00-11:00",
        ] {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
        assert_eq!(Day::parse("12-25"), Some(Day::Yearly(12, 25)));
        assert_eq!(Day::parse("02-29"), Some(Day::Yearly(2, 29)));
        assert!(matches!(Day::parse("2026-12-24"), Some(Day::Once(_))));
        for bad in ["", "12/25", "13-01", "02-30", "2026-02-29", "-026-12-24", "26-12-24"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn it_is_open_from_the_first_minute_of_a_span_until_its_end() {
        let hours = sample::hours();
        // A Wednesday, and it is an hour later in Berlin.
        for (moment, expected) in [
            ("2026-11-25T07:59:59Z", "-"),
            ("2026-11-25T08:00:00Z", "2026-11-25T11:00:00Z"),
            ("2026-11-25T10:59:59Z", "2026-11-25T11:00:00Z"),
            ("2026-11-25T11:00:00Z", "-"),
            ("2026-11-25T12:00:00Z", "2026-11-25T16:30:00Z"),
            ("2026-11-25T16:30:00Z", "-"),
            // A Saturday and a Sunday.
            ("2026-11-28T09:00:00Z", "2026-11-28T12:00:00Z"),
            ("2026-11-29T09:00:00Z", "-"),
        ] {
            assert_eq!(until(&hours, moment), expected, "{moment}");
        }
        assert!(hours.cover(at("2026-11-25T08:00:00Z"), at("2026-11-25T11:00:00Z")));
        assert!(!hours.cover(at("2026-11-25T10:00:00Z"), at("2026-11-25T11:00:01Z")));
        assert!(!hours.cover(at("2026-11-25T10:00:00Z"), at("2026-11-25T13:00:00Z")));
    }

    #[test]
    fn the_next_opening_is_after_the_break_the_night_or_the_weekend() {
        let hours = sample::hours();
        for (moment, opens_at) in [
            ("2026-11-25T11:30:00Z", "2026-11-25T12:00:00Z"),
            ("2026-11-25T20:00:00Z", "2026-11-26T08:00:00Z"),
            ("2026-11-28T12:00:00Z", "2026-11-30T08:00:00Z"),
        ] {
            assert_eq!(next(&hours, moment).0, opens_at, "{moment}");
        }
        assert_eq!(hours.closed_since(at("2026-11-29T20:00:00Z")), at("2026-11-28T12:00:00Z"));
        assert_eq!(hours.closed_since(at("2026-11-25T08:30:00Z")), at("2026-11-25T08:30:00Z"));
    }

    #[test]
    fn holidays_close_and_days_of_their_own_open_whatever_weekday_they_are() {
        let mut hours = sample::hours();
        hours.holidays = ["12-25", "12-26", "2026-12-24"].map(|day| Day::parse(day).unwrap()).to_vec();
        let span = |text| vec![Span::parse(text).unwrap()];
        hours.days = [("2026-12-26", "08:00-09:00"), ("12-31", "09:00-11:00"), ("2026-12-31", "10:00-11:00")]
            .map(|(day, text)| (Day::parse(day).unwrap(), span(text)))
            .into();
        assert_eq!(until(&hours, "2026-12-24T09:00:00Z"), "-");
        assert_eq!(until(&hours, "2027-12-24T09:00:00Z"), "2027-12-24T11:00:00Z");
        // Opened for once although it is a holiday of every year.
        assert_eq!(next(&hours, "2026-12-23T17:00:00Z").0, "2026-12-26T07:00:00Z");
        assert_eq!(until(&hours, "2027-12-27T09:00:00Z"), "2027-12-27T11:00:00Z");
        // The day of one year goes before that of every year.
        assert_eq!(next(&hours, "2026-12-30T17:00:00Z").0, "2026-12-31T09:00:00Z");
        assert_eq!(next(&hours, "2027-12-30T17:00:00Z").0, "2027-12-31T08:00:00Z");
    }

    #[test]
    fn what_closes_at_midnight_and_opens_then_does_not_close() {
        let hours = sample::of(
            "timezone = 'America/New_York'\nfriday = ['22:00-24:00']\nsaturday = ['00:00-02:00', '10:00-24:00']\nsunday = ['00:00-24:00']",
        );
        assert_eq!(until(&hours, "2026-11-28T03:30:00Z"), "2026-11-28T07:00:00Z");
        assert_eq!(until(&hours, "2026-11-28T16:00:00Z"), "2026-11-30T05:00:00Z");
        let always: String = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
            .map(|day| format!("{day} = ['00:00-24:00']\n"))
            .concat();
        let always = sample::of(&format!("timezone = 'Europe/Berlin'\n{always}"));
        let latest = at("2027-04-30T00:00:00Z");
        assert_eq!(always.open_until(at("2026-11-28T03:30:00Z"), latest), Some(latest));
    }

    #[test]
    fn on_the_days_when_clocks_change_the_clock_on_the_wall_opens_and_closes() {
        let hours = sample::of("timezone = 'Europe/Berlin'\nsunday = ['01:00-02:30', '03:30-10:00']");
        // On 28 March 2027 clocks go from two to three: the first span ends there.
        assert_eq!(
            next(&hours, "2027-03-27T12:00:00Z"),
            ("2027-03-28T00:00:00Z".to_owned(), "2027-03-28T01:00:00Z".to_owned())
        );
        assert_eq!(next(&hours, "2027-03-28T01:00:00Z").0, "2027-03-28T01:30:00Z");
        // On 31 October 2027 they go from three back to two: it has closed when half past two comes again.
        assert_eq!(until(&hours, "2027-10-31T00:15:00Z"), "2027-10-31T00:30:00Z");
        assert_eq!(until(&hours, "2027-10-31T01:15:00Z"), "-");
        assert_eq!(next(&hours, "2027-10-31T00:30:00Z").0, "2027-10-31T02:30:00Z");
        let skipped = sample::of("timezone = 'Europe/Berlin'\nsunday = ['02:00-03:00']");
        assert_eq!(next(&skipped, "2027-03-27T12:00:00Z").0, "2027-04-04T00:00:00Z");
        // Lord Howe Island moves its clocks by half an hour, at two.
        let howe = sample::of("timezone = 'Australia/Lord_Howe'\nsunday = ['01:00-02:15', '09:00-17:00']");
        assert_eq!(next(&howe, "2026-10-03T12:00:00Z").1, "2026-10-03T15:30:00Z");
        // Kathmandu is five hours and three quarters ahead.
        let odd = sample::of("timezone = 'Asia/Kathmandu'\nsunday = ['10:00-16:00']");
        assert_eq!(next(&odd, "2026-11-28T12:00:00Z").0, "2026-11-29T04:15:00Z");
        // Cairo sets its clocks ahead at midnight.
        let midnight =
            sample::of("timezone = 'Africa/Cairo'\nthursday = ['20:00-24:00']\nfriday = ['00:00-02:00']");
        assert_eq!(until(&midnight, "2027-04-29T19:00:00Z"), "2027-04-29T23:00:00Z");
    }

    #[test]
    fn whoever_asks_while_it_is_closed_is_called_in_the_first_hours_of_the_next_opening() {
        let hours = sample::hours();
        let window = |moment, longest_s| hours.window_at_opening(at(moment), longest_s).unwrap().as_text();
        assert_eq!(window("2026-11-27T20:00:00Z", 7200), "2026-11-28T10:00:00/12:00:00[Europe/Berlin]");
        assert_eq!(window("2026-11-27T20:00:00Z", 86_400), "2026-11-28T10:00:00/13:00:00[Europe/Berlin]");
        let night = sample::of("timezone = 'Europe/Berlin'\nmonday = ['23:00-24:00']");
        let window = |moment, longest_s| night.window_at_opening(at(moment), longest_s).unwrap().as_text();
        assert_eq!(window("2026-11-27T20:00:00Z", 7200), "2026-11-30T23:00:00/23:59:59[Europe/Berlin]");
        // Clocks are set back within it: an hour by the clock is two that pass.
        let early = sample::of("timezone = 'Europe/Berlin'\nsunday = ['02:30-06:00']");
        let window = early.window_at_opening(at("2027-10-30T20:00:00Z"), 2700).unwrap();
        assert_eq!(window.starts_at(), at("2027-10-31T00:30:00Z"));
    }

    #[test]
    fn who_is_never_open_has_no_next_opening() {
        assert_eq!(sample::of("timezone = 'UTC'").next_opening(at("2026-11-27T20:00:00Z")), None);
    }
}
