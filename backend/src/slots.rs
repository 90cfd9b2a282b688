//! The times that a site offers: spans of its opening hours in slots of one length, and how many callbacks may begin in each.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span as Days, Timestamp};

use crate::clock::after_s;
use crate::hours::{self, DAY_MINUTES, Hours, Span};
use crate::schedule::{Offer, Window, named_zone};
use crate::site::Site;

/// A place in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// When the slot begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// How many callbacks may begin in it.
    pub capacity: u32,
}

/// The days whose slots are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The first; `None`: today.
    pub from: Option<Date>,
    /// How many; `None`: as many as are offered.
    pub days: Option<u16>,
}

/// The slots that may still be asked for, in order. Whether they are taken is for the store to say.
pub fn offered(offer: &Offer, hours: Option<&Hours>, wanted: Wanted, now: Timestamp) -> Vec<Window> {
    let Some(zone) = named_zone(&offer.timezone) else {
        return Vec::new();
    };
    let today = now.to_zoned(zone).date();
    let first = wanted.from.unwrap_or(today).max(today);
    let last = today.saturating_add(Days::new().days(offer.horizon_days));
    let last = match wanted.days {
        Some(days) => last.min(first.saturating_add(Days::new().days(i32::from(days) - 1))),
        None => last,
    };
    let notice = after_s(now, u64::from(offer.notice_minutes) * 60);
    let days = first.series(Days::new().days(1)).take_while(|day| *day <= last);
    days.flat_map(|day| of_day(offer, hours, day)).filter(|slot| slot.starts_at() >= notice).collect()
}

/// The slots of a day. A slot in which clocks change is none: what it would promise is not what its times say.
fn of_day(offer: &Offer, hours: Option<&Hours>, day: Date) -> Vec<Window> {
    let length = offer.slot_minutes();
    let slot = |start: u32| {
        let window = Window::new(day, time(start)?, time(start + length)?, &offer.timezone).ok()?;
        let passing = window.ends_at().duration_since(window.starts_at()).as_secs();
        (passing == i64::from(length) * 60).then_some(window)
    };
    let starts = |span: &Span| {
        let (start, end) = (u32::from(span.start), u32::from(span.end));
        let last = end.saturating_sub(length);
        let step = usize::try_from(length).unwrap_or(usize::MAX).max(1);
        (start..=last).step_by(step).filter(move |at| at + length <= end)
    };
    spans(hours, day).iter().flat_map(starts).filter_map(slot).collect()
}

/// The spans of a day; a site without hours is always open.
fn spans(hours: Option<&Hours>, day: Date) -> &[Span] {
    hours.map_or(&[Span::DAY], |hours| hours.spans_on(day))
}

/// That minute of a day. Midnight at its end is none: a window is of one day.
fn time(minute: u32) -> Option<Time> {
    let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
    Time::new(hour, minute, 0, 0).ok()
}

/// The place that a callback for that window takes: in the slot in which the window begins. `None`: any number may.
pub fn place(site: &Site, window: &Window) -> Option<Place> {
    let offer = site.schedule.as_ref().filter(|offer| offer.slot_capacity > 0)?;
    let zone = named_zone(&offer.timezone)?;
    let (day, minute) = on_the_clock(&zone, window.starts_at());
    let span =
        spans(site.hours.as_ref(), day).iter().find(|span| (span.start..span.end).contains(&minute))?;
    let length = u16::try_from(offer.slot_minutes()).ok().filter(|length| *length > 0)?;
    let start = minute - (minute - span.start) % length;
    let slot = Span { start, end: (start + length).min(span.end).min(DAY_MINUTES) };
    let hours::Opening { opens_at, closes_at } = hours::opening(&zone, day, slot)?;
    Some(Place { from: opens_at, until: closes_at, capacity: offer.slot_capacity })
}

/// The day and the minute that the clocks of the zone show.
fn on_the_clock(zone: &TimeZone, moment: Timestamp) -> (Date, u16) {
    let local = moment.to_zoned(zone.clone());
    let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
    (local.date(), u16::try_from(minute).unwrap_or_default())
}

/// The slots that have a place left, where these are the moments at which what was booked begins, in order.
pub fn free(site: &Site, offered: Vec<Window>, booked: &[Timestamp]) -> Vec<Window> {
    let has_place = |slot: &Window| {
        let Some(place) = place(site, slot) else {
            return true;
        };
        let before = booked.partition_point(|start| *start < place.from);
        let within = booked.partition_point(|start| *start < place.until) - before;
        within < usize::try_from(place.capacity).unwrap_or(usize::MAX)
    };
    offered.into_iter().filter(has_place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hours;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn site(schedule: &str, hours: &str) -> Site {
        toml::from_str(&format!(
            "name = 'Acme'\nentry_point = 'x'\n[schedule]\nthrough = 'store'\nnotice_minutes = 30\n{schedule}\n{hours}"
        ))
        .unwrap()
    }

    fn shop(schedule: &str) -> Site {
        let mut site = site(&format!("timezone = 'Europe/Berlin'\n{schedule}"), "");
        site.hours = Some(hours::sample::hours());
        site
    }

    fn slots(site: &Site, wanted: Wanted, now: &str) -> Vec<String> {
        let offer = site.schedule.as_ref().unwrap();
        offered(offer, site.hours.as_ref(), wanted, at(now)).iter().map(Window::as_text).collect()
    }

    fn day(text: &str) -> Wanted {
        Wanted { from: Some(text.parse().unwrap()), days: Some(1) }
    }

    #[test]
    fn slots_fill_the_opening_hours_from_the_notice_to_the_horizon() {
        let site = shop("horizon_days = 3\nslot_minutes = 45");
        // A Friday; it is 15:20 in Berlin.
        let found = slots(&site, Wanted::default(), "2026-11-27T14:20:00Z");
        let expected = [
            "2026-11-27T16:00:00/16:45:00[Europe/Berlin]",
            "2026-11-27T16:45:00/17:30:00[Europe/Berlin]",
            "2026-11-28T10:00:00/10:45:00[Europe/Berlin]",
            "2026-11-28T10:45:00/11:30:00[Europe/Berlin]",
            "2026-11-28T11:30:00/12:15:00[Europe/Berlin]",
            "2026-11-28T12:15:00/13:00:00[Europe/Berlin]",
            "2026-11-30T09:00:00/09:45:00[Europe/Berlin]",
        ];
        assert_eq!(found[..7], expected);
        assert_eq!(found.len(), 6 + 10);
        assert_eq!(slots(&site, day("2026-11-28"), "2026-11-27T14:20:00Z"), expected[2..6]);
        assert!(slots(&site, day("2026-12-01"), "2026-11-27T14:20:00Z").is_empty());
        assert!(slots(&site, day("2026-11-26"), "2026-11-27T14:20:00Z")[0].starts_with("2026-11-27"));
    }

    #[test]
    fn a_site_without_hours_offers_the_whole_day_but_what_ends_at_midnight() {
        let site = site("timezone = 'Asia/Kathmandu'\nslot_minutes = 60", "");
        let found = slots(&site, day("2026-11-29"), "2026-11-27T14:20:00Z");
        assert_eq!(found.len(), 23);
        assert_eq!(found[22], "2026-11-29T22:00:00/23:00:00[Asia/Kathmandu]");
    }

    #[test]
    fn no_slot_is_offered_whose_clock_time_and_time_that_passes_differ() {
        let site = site("timezone = 'Europe/Berlin'\nslot_minutes = 30\nhorizon_days = 366", "");
        let times = |date: &str| -> Vec<String> {
            let found = slots(&site, day(date), "2026-11-27T14:20:00Z");
            found
                .iter()
                .map(|slot| slot[11..16].to_owned())
                .filter(|time| ("01:00".."04:00").contains(&time.as_str()))
                .collect()
        };
        assert_eq!(times("2027-03-27"), ["01:00", "01:30", "02:00", "02:30", "03:00", "03:30"]);
        // Two o'clock is skipped, and half past two.
        assert_eq!(times("2027-03-28"), ["01:00", "03:00", "03:30"]);
        // Between two and three happens twice: the first is meant, and what would end after it is two hours long.
        assert_eq!(times("2027-10-31"), ["01:00", "01:30", "02:00", "03:00", "03:30"]);
    }

    #[test]
    fn a_window_takes_a_place_in_the_slot_in_which_it_begins_whatever_zone_it_is_told_in() {
        let site = shop("slot_capacity = 2");
        let place = |text: &str| place(&site, &crate::schedule::sample::window(text));
        let expected =
            Some(Place { from: at("2026-11-27T09:30:00Z"), until: at("2026-11-27T10:00:00Z"), capacity: 2 });
        assert_eq!(place("2026-11-27T10:30:00/11:00:00[Europe/Berlin]"), expected);
        assert_eq!(place("2026-11-27T09:59:00/11:00:00[UTC]"), expected);
        assert_eq!(place("2026-11-27T20:00:00/21:00:00[UTC]"), None);
        let any = shop("");
        assert_eq!(
            super::place(&any, &crate::schedule::sample::window("2026-11-27T10:30:00/11:00:00[UTC]")),
            None
        );
    }

    #[test]
    fn a_full_slot_is_gone_and_its_neighbours_stay() {
        let site = shop("slot_capacity = 2");
        let offer = site.schedule.as_ref().unwrap();
        let all = offered(offer, site.hours.as_ref(), day("2026-11-28"), at("2026-11-27T14:20:00Z"));
        let booked =
            ["2026-11-28T08:59:59Z", "2026-11-28T09:30:00Z", "2026-11-28T09:59:59Z", "2026-11-28T10:00:00Z"]
                .map(at);
        let found = free(&site, all.clone(), &booked);
        assert_eq!(found.len(), all.len() - 1);
        assert!(found.iter().all(|slot| slot.starts_at() != booked[1]));
    }
}
