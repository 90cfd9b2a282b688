//! The times that a site offers, to choose from a list.

use maud::{Markup, html};

use super::super::Parts;
use crate::locale::Locale;
use crate::schedule::Window;
use crate::site::Site;
use crate::words::Words;

/// How many days are offered at once: a list of a month is too long to look through.
const DAYS: u16 = 14;

/// The times that a site offers. A page without them is better than none.
pub(super) async fn free_slots(parts: &Parts, site_id: &str, site: &Site) -> Vec<Window> {
    let free = parts.intake.free_slots(site_id, site, None, Some(DAYS)).await;
    free.unwrap_or_else(|error| {
        tracing::warn!(%error, site = site_id, "a page is shown without the times that are free");
        Vec::new()
    })
}

/// The times of each day, in its zone, as options. `chosen` is one of them, or another window, or none.
pub(super) fn options(locale: &Locale, slots: &[Window], chosen: Option<&Window>) -> Markup {
    let words = Words::of(locale.name);
    let days = slots.chunk_by(|one, other| one.by_the_clock().0 == other.by_the_clock().0);
    html! {
        @for day in days {
            @let label = day.first().map_or(String::new(), |slot| words.day(slot.by_the_clock().0));
            optgroup label=(label) {
                @for slot in day {
                    @let (_, start, end) = slot.by_the_clock();
                    option value=(slot.as_text()) selected[chosen == Some(slot)] { (words.span(start, end)) }
                }
            }
        }
    }
}

/// The zone whose clocks are meant: whose clock the reader goes by is not known here.
pub(super) fn zone(slots: &[Window]) -> Markup {
    html! {
        @if let Some(slot) = slots.first() { span.optional { " (" bdi { (slot.timezone()) } ")" } }
    }
}
