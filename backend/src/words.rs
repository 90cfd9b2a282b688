//! Countries, moments and durations in the words of a language, for pages that a browser shows without any script of ours. Where
//! scripts run, the browser's `Intl` says the same from the same data (CLDR).

use icu_calendar::{Date, Gregorian};
use icu_datetime::input::Time;
use icu_datetime::{FixedCalendarDateTimeFormatter, NoCalendarFormatter, fieldsets};
use icu_decimal::input::Decimal;
use icu_experimental::dimension::units::categorized_formatter::CategorizedFormatter;
use icu_experimental::dimension::units::options::{UnitsFormatterOptions, Width};
use icu_experimental::displaynames::DisplayNamesOptions;
use icu_experimental::displaynames::multi::RegionDisplayNames;
use icu_experimental::measure::category::{CategorizedMeasureUnit, Duration};
use icu_experimental::relativetime::{RelativeTimeFormatter, RelativeTimeFormatterOptions};
use icu_locale_core::Locale;
use ringback_contract::wait::{self, Unit};

use crate::schedule::Window;

/// The words of one language.
#[derive(Debug)]
pub struct Words(Locale);

impl Words {
    /// The words of the language of that tag; what cannot be said in it is said in English.
    pub fn of(tag: &str) -> Self {
        Self(tag.parse().unwrap_or(Locale::UNKNOWN))
    }

    /// The name of a country, or its code where there is none.
    pub fn country(&self, code: &str) -> String {
        let names = RegionDisplayNames::try_new((&self.0).into(), DisplayNamesOptions::default());
        let name = names.ok().and_then(|names| Some(names.of(code.parse().ok()?)?.to_owned()));
        name.unwrap_or_else(|| code.to_owned())
    }

    /// How long people wait for an agent: "3 minutes".
    pub fn wait(&self, seconds: u32) -> String {
        self.lasting(Duration::minute(), wait::minutes(seconds.into()))
    }

    /// So many seconds: "15 seconds".
    pub fn seconds(&self, count: u32) -> String {
        self.lasting(Duration::second(), count)
    }

    fn lasting(&self, unit: CategorizedMeasureUnit<Duration>, count: u32) -> String {
        let long = UnitsFormatterOptions::from(Width::Long);
        let format = CategorizedFormatter::try_new_core((&self.0).into(), unit, long);
        format.map_or_else(
            |_| count.to_string(),
            |format| format.format_fixed_decimal(&Decimal::from(count)).to_string(),
        )
    }

    /// A time from now, in the unit in which people say it: "in 3 minutes".
    pub fn from_now(&self, seconds: u32) -> String {
        let (locale, numeric) = ((&self.0).into(), RelativeTimeFormatterOptions::default());
        let (count, unit) = wait::rounded(seconds);
        let format = match unit {
            Unit::Second => RelativeTimeFormatter::try_new_long_second(locale, numeric),
            Unit::Minute => RelativeTimeFormatter::try_new_long_minute(locale, numeric),
            Unit::Hour => RelativeTimeFormatter::try_new_long_hour(locale, numeric),
        };
        format.map_or_else(|_| String::new(), |format| format.format(Decimal::from(count)).to_string())
    }

    /// A day: "Tuesday, December 1, 2026".
    pub fn day(&self, day: jiff::civil::Date) -> String {
        let date =
            Date::try_new_gregorian(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs());
        let format = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(
            (&self.0).into(),
            fieldsets::YMDE::long(),
        );
        match (date, format) {
            (Ok(date), Ok(format)) => format.format(&date).to_string(),
            _ => day.to_string(),
        }
    }

    /// A moment by the clocks of that zone: "Tuesday, December 1, 2026, 9:00 (Europe/Berlin)".
    pub fn moment(&self, at: jiff::civil::DateTime, timezone: &str) -> String {
        format!("{}, {} ({timezone})", self.day(at.date()), self.time(at.time()))
    }

    fn time(&self, time: jiff::civil::Time) -> String {
        let format = NoCalendarFormatter::try_new((&self.0).into(), fieldsets::T::hm());
        let shown = Time::try_new(time.hour().unsigned_abs(), time.minute().unsigned_abs(), 0, 0);
        match (format, shown) {
            (Ok(format), Ok(shown)) => format.format(&shown).to_string(),
            _ => time.to_string(),
        }
    }

    /// A span of a day: "10:00 – 12:30".
    pub fn span(&self, start: jiff::civil::Time, end: jiff::civil::Time) -> String {
        format!("{} – {}", self.time(start), self.time(end))
    }

    /// A window by the clocks of its zone, which is named: whose clock the reader goes by is not known here.
    pub fn window(&self, window: &Window) -> String {
        let (day, start, end) = window.by_the_clock();
        format!("{}, {} ({})", self.day(day), self.span(start, end), window.timezone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale;
    use crate::schedule::sample::window;

    #[test]
    fn each_language_says_it_in_its_own_words() {
        let said = |tag| {
            let words = Words::of(tag);
            let window = words.window(&window("2026-12-01T10:00:00/12:30:00[Europe/Berlin]"));
            [words.country("DE"), words.wait(180), words.seconds(1), words.from_now(600), window]
        };
        assert_eq!(
            said("en"),
            [
                "Germany",
                "3 minutes",
                "1 second",
                "in 10 minutes",
                "Tuesday, December 1, 2026, 10:00\u{202f}AM – 12:30\u{202f}PM (Europe/Berlin)"
            ]
        );
        assert_eq!(
            said("de"),
            [
                "Deutschland",
                "3 Minuten",
                "1 Sekunde",
                "in 10 Minuten",
                "Dienstag, 1. Dezember 2026, 10:00 – 12:30 (Europe/Berlin)"
            ]
        );
    }

    #[test]
    fn every_language_of_ours_has_words_of_its_own() {
        let english = Words::of("en");
        for tag in locale::names().into_iter().filter(|tag| *tag != "en") {
            let words = Words::of(tag);
            assert!(words.wait(180).contains('3'), "{tag}");
            for (own, other) in
                [(words.country("DE"), english.country("DE")), (words.from_now(60), english.from_now(60))]
            {
                assert!(!own.is_empty() && own != other, "{tag}: {own}");
            }
        }
    }

    #[test]
    fn what_has_no_name_is_told_by_its_code_and_no_tag_ends_the_service() {
        assert_eq!(Words::of("en").country("ZQ"), "ZQ");
        assert_eq!(Words::of("en").country("nonsense"), "nonsense");
        assert!(!Words::of("not a tag").from_now(5400).is_empty());
    }
}
