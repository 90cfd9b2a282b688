//! When a site takes callbacks: its opening hours, and the times that it offers.

use super::Findings;
use crate::hours::{DAY_MINUTES, Hours, Span};
use crate::schedule::{self, Keeper, Offer};
use crate::site::Site;

pub(super) fn check(key: &str, site: &Site, found: &mut Findings) {
    if let Some(hours) = &site.hours {
        opening_hours(&format!("{key}.hours"), hours, found);
    }
    if let Some(offer) = &site.schedule {
        schedule_offer(&format!("{key}.schedule"), offer, site, found);
        slots(&format!("{key}.schedule"), offer, site.hours.as_ref(), found);
    }
}

fn zone(key: &str, name: &str, found: &mut Findings) {
    found.require(
        schedule::named_zone(name).is_some(),
        format!("{key}.timezone"),
        format!("{name:?} is no time zone"),
        "give its IANA name, such as Europe/Berlin",
    );
}

fn opening_hours(key: &str, hours: &Hours, found: &mut Findings) {
    zone(key, &hours.timezone, found);
    let lists: Vec<_> = hours.lists().collect();
    for (name, spans) in &lists {
        let key = format!("{key}.{name}");
        for span in spans.iter().filter(|span| span.start >= span.end) {
            let (from, until) = (clock(span.start), clock(span.end));
            let remedy = if span.end == 0 || span.start == span.end {
                format!("write {from}-24:00 where it is open until midnight")
            } else {
                format!("write {from}-24:00 here, and 00:00-{until} on the next day")
            };
            found.add(&key, format!("{from}-{until} does not end after its start, on the same day"), remedy);
        }
        let follows = |pair: &[Span]| matches!(pair, [one, next] if one.end > next.start);
        if spans.windows(2).any(follows) {
            found.add(&key, "its spans overlap, or are not in order", "list them from morning to evening");
        }
    }
    found.require(
        lists.iter().any(|(name, spans)| !name.starts_with("days.") && !spans.is_empty()),
        key,
        "it never opens: no weekday has a span",
        "give at least one, such as monday = [\"09:00-17:30\"], or leave the section out where it is always open",
    );
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The limits of Webex's API (OpenAPI, group "Callback Schedule"), where that is used.
fn schedule_offer(key: &str, offer: &Offer, site: &Site, found: &mut Findings) {
    zone(key, &offer.timezone, found);
    found.require(
        offer.shortest_minutes <= offer.longest_minutes && offer.longest_minutes > 0,
        format!("{key}.longest_minutes"),
        format!("no window is {} to {} minutes long", offer.shortest_minutes, offer.longest_minutes),
        "make longest_minutes at least as much as shortest_minutes",
    );
    found.require(
        (1..=366).contains(&offer.horizon_days),
        format!("{key}.horizon_days"),
        format!("{} is not between 1 and 366", offer.horizon_days),
        "use 31 or fewer",
    );
    super::placeholders(format!("{key}.callback_reason"), &offer.callback_reason, site, found);
    if offer.through != Keeper::Webex {
        return;
    }
    found.queue(format!("{key}.queue"), &offer.queue);
    for (name, holds, allowed) in [
        ("notice_minutes", offer.notice_minutes >= 30, "30 or more"),
        ("shortest_minutes", offer.shortest_minutes >= schedule::WEBEX_SHORTEST_MINUTES, "30 or more"),
        ("longest_minutes", offer.longest_minutes <= schedule::WEBEX_LONGEST_MINUTES, "480 or fewer"),
        ("horizon_days", offer.horizon_days <= schedule::WEBEX_HORIZON_DAYS, "31 or fewer"),
    ] {
        found.require(
            holds,
            format!("{key}.{name}"),
            "Webex would refuse such a window",
            format!("use {allowed}, or through = \"store\""),
        );
    }
}

/// What the form offers must be what the service takes.
fn slots(key: &str, offer: &Offer, hours: Option<&Hours>, found: &mut Findings) {
    let length = offer.slot_minutes();
    let lengths = offer.shortest_minutes.max(1)..=offer.longest_minutes.min(u32::from(DAY_MINUTES));
    found.require(
        lengths.is_empty() || lengths.contains(&length),
        format!("{key}.slot_minutes"),
        format!("{length} minutes are no window that the site takes"),
        format!("use {} to {}", lengths.start(), lengths.end()),
    );
    let Some(hours) = hours else {
        return;
    };
    found.require(
        hours.timezone == offer.timezone,
        format!("{key}.timezone"),
        format!("it is {:?}, and the hours are by the clocks of {:?}", offer.timezone, hours.timezone),
        "give the same zone in both places",
    );
    found.require(
        hours.lists().any(|(_, spans)| spans.iter().any(|span| u32::from(span.length()) >= length)),
        format!("{key}.slot_minutes"),
        format!("the site is never open for {length} minutes"),
        "make slots shorter than the longest span of its hours",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a site of these sections, by key.
    fn wrong(text: &str) -> Vec<String> {
        let text = format!("name = 'Acme'\nentry_point = 'x'\n{text}");
        let mut found = Findings(Vec::new());
        check("acme", &toml::from_str(&text).unwrap(), &mut found);
        found.0.iter().map(|error| error.key.clone()).collect()
    }

    #[test]
    fn each_window_that_cannot_be_offered_is_found() {
        for (schedule, key) in [
            ("through = 'store', timezone = 'Mars'", "timezone"),
            ("through = 'webex', timezone = 'UTC'", "queue"),
            ("through = 'webex', queue = 'q', timezone = 'UTC', notice_minutes = 5", "notice_minutes"),
            ("through = 'webex', queue = 'q', timezone = 'UTC', horizon_days = 40", "horizon_days"),
            ("through = 'store', timezone = 'UTC', shortest_minutes = 999", "longest_minutes"),
            ("through = 'store', timezone = 'UTC', callback_reason = '{x}'", "callback_reason"),
            ("through = 'store', timezone = 'UTC', slot_minutes = 20", "slot_minutes"),
            ("through = 'store', timezone = 'UTC', slot_minutes = 481", "slot_minutes"),
        ] {
            assert_eq!(
                wrong(&format!("schedule = {{ {schedule} }}")),
                [format!("acme.schedule.{key}")],
                "{schedule}"
            );
        }
        assert!(wrong("schedule = { through = 'store', timezone = 'UTC', slot_minutes = 45 }").is_empty());
    }

    #[test]
    fn each_span_that_cannot_be_kept_is_found() {
        for (hours, key) in [
            ("timezone = 'UTC'", ""),
            ("timezone = 'UTC', days = { 2026-12-24 = ['09:00-12:00'] }", ""),
            ("timezone = 'Mars', monday = ['09:00-10:00']", ".timezone"),
            ("timezone = 'UTC', monday = ['22:00-02:00']", ".monday"),
            ("timezone = 'UTC', monday = ['22:00-00:00']", ".monday"),
            ("timezone = 'UTC', monday = ['09:00-12:00', '11:00-13:00']", ".monday"),
            ("timezone = 'UTC', monday = ['13:00-14:00', '11:00-12:00']", ".monday"),
            ("timezone = 'UTC', sunday = ['09:00-10:00'], days = { 12-24 = ['13:00-12:00'] }", ".days.12-24"),
        ] {
            assert_eq!(wrong(&format!("hours = {{ {hours} }}")), [format!("acme.hours{key}")], "{hours}");
        }
        assert!(wrong("hours = { timezone = 'UTC', monday = ['00:00-12:00', '12:00-24:00'] }").is_empty());
    }

    #[test]
    fn hours_and_slots_must_fit_each_other() {
        let both = |zone: &str, span: &str| {
            wrong(&format!(
                "schedule = {{ through = 'store', timezone = 'UTC' }}\nhours = {{ timezone = '{zone}', monday = ['{span}'] }}"
            ))
        };
        assert_eq!(both("UTC", "09:00-09:29"), ["acme.schedule.slot_minutes"]);
        assert_eq!(both("Europe/Berlin", "09:00-10:00"), ["acme.schedule.timezone"]);
        assert!(both("UTC", "09:00-09:30").is_empty());
    }
}
