//! When somebody is called: now while the site is open, else at its next opening, or in the window that was asked for.

use jiff::Timestamp;
use jiff::civil::Date;
use ringback_contract::field::Code;
use ringback_contract::problem::FieldError;
use ringback_contract::request::Schedule;

use super::{Intake, Refusal, refused};
use crate::callback::{Callback, Request};
use crate::clock::{after_s, shifted_s};
use crate::entropy::NoEntropy;
use crate::schedule::{Keeper, Window};
use crate::site::Site;
use crate::slots::{self, Place, Wanted};
use crate::store::{Claim, StoreError};

/// When somebody is called.
pub(super) enum When {
    /// As soon as possible, and no later than that.
    Now(Timestamp),
    /// As soon as the site is open again.
    AtOpening(Window, Keeper),
    /// In the window that was asked for.
    Booked(Window, Keeper, Option<Place>),
}

impl When {
    /// The place that is needed in a slot.
    pub(super) const fn place(&self) -> Option<&Place> {
        match self {
            Self::Booked(_, _, place) => place.as_ref(),
            Self::Now(_) | Self::AtOpening(..) => None,
        }
    }

    /// A callback for then.
    pub(super) fn callback(self, request: Request, now: Timestamp) -> Result<Callback, NoEntropy> {
        match self {
            Self::Now(deadline) => Callback::accept(request, now, deadline),
            Self::AtOpening(window, keeper) => Callback::book_at_opening(request, now, window, keeper),
            Self::Booked(window, keeper, _) => Callback::book(request, now, window, keeper),
        }
    }
}

impl Intake {
    /// When somebody is called who asks for that; `None`: there is something wrong with it. Whoever may ignore the hours is also
    /// free to begin in a slot that is full.
    pub(super) fn when(
        &self,
        site: &Site,
        posted: Option<&Schedule>,
        ignores_hours: bool,
        errors: &mut Vec<FieldError>,
    ) -> Option<When> {
        let found = match posted {
            None => self.soonest(site, ignores_hours),
            Some(posted) => self.window(site, posted, ignores_hours).map(|(window, place)| {
                let through = site.schedule.as_ref().map(|offer| offer.through);
                When::Booked(window, through.unwrap_or(Keeper::Store), place)
            }),
        };
        found.map_err(|error| errors.push(error)).ok()
    }

    /// As soon as possible: a phone must ring neither before the site opens nor after it has closed.
    fn soonest(&self, site: &Site, ignores_hours: bool) -> Result<When, FieldError> {
        let now = self.clock.now();
        let deadline = after_s(now, self.deadline_s);
        let Some(hours) = site.hours.as_ref().filter(|_| !ignores_hours) else {
            return Ok(When::Now(deadline));
        };
        if let Some(until) = hours.open_until(now, deadline) {
            return Ok(When::Now(until));
        }
        let window = hours
            .window_at_opening(now, self.deadline_s)
            .ok_or_else(|| refused("schedule", Code::OutsideHours))?;
        let through = site.schedule.as_ref().map_or(Keeper::Store, |offer| offer.through);
        let keeper = if window.suits_webex(now) { through } else { Keeper::Store };
        Ok(When::AtOpening(window, keeper))
    }

    /// The window that was asked for, where the site offers it, and the place that it takes.
    pub fn window(
        &self,
        site: &Site,
        posted: &Schedule,
        ignores_hours: bool,
    ) -> Result<(Window, Option<Place>), FieldError> {
        let Some(offer) = &site.schedule else {
            return Err(refused("schedule", Code::ScheduleNotOffered));
        };
        let window = Window::read(posted, offer, self.clock.now())
            .map_err(|(member, code)| refused(&format!("schedule/{member}"), code))?;
        if ignores_hours {
            return Ok((window, None));
        }
        if site.hours.as_ref().is_some_and(|hours| !hours.cover(window.starts_at(), window.ends_at())) {
            return Err(refused("schedule/start", Code::OutsideHours));
        }
        let place = slots::place(site, &window);
        Ok((window, place))
    }

    /// The slots of a site that have a place left.
    pub async fn free_slots(
        &self,
        site_id: &str,
        site: &Site,
        from: Option<Date>,
        days: Option<u16>,
    ) -> Result<Vec<Window>, StoreError> {
        let Some(offer) = &site.schedule else {
            return Ok(Vec::new());
        };
        let offered = slots::offered(offer, site.hours.as_ref(), Wanted { from, days }, self.clock.now());
        let (Some(first), Some(last)) = (offered.first(), offered.last()) else {
            return Ok(offered);
        };
        if offer.slot_capacity == 0 {
            return Ok(offered);
        }
        let booked = self.store.bookings(site_id, first.starts_at(), last.ends_at()).await?;
        Ok(slots::free(site, offered, &booked))
    }

    /// What keeps a second request from becoming a second call: to be called now and to be called in a window are two
    /// things, and so are two windows.
    pub(super) fn claim(&self, callback: &Callback, now: Timestamp) -> Claim {
        // What no person has asked for takes no person's place: decoys join each other alone. A site's id has no space.
        let whose = if callback.is_decoy() { "decoy " } else { "" };
        let text = format!("{whose}{} {}", callback.request.site, callback.request.phone.e164());
        match &callback.appointment {
            Some(kept) if !kept.at_opening => Claim {
                text: format!("{text} {}", kept.window.as_text()),
                // It keeps nobody from being called at another time, and may be weeks old.
                since: Timestamp::UNIX_EPOCH,
                cooled_since: None,
            },
            _ => Claim {
                text,
                since: self.claimed_since(&callback.request.site, now),
                cooled_since: (self.cooldown_s > 0).then(|| shifted_s(now, -i64::from(self.cooldown_s))),
            },
        }
    }

    /// From when on requests to be called now are one. What was asked for while the site was closed counts as asked for when it
    /// opens: who asks in the evening, and again at night and in the morning, is called once.
    fn claimed_since(&self, site: &str, now: Timestamp) -> Timestamp {
        let since = shifted_s(now, -i64::from(self.join_s));
        let hours = self.sites.get(site).and_then(|site| site.hours.as_ref());
        hours.map_or(since, |hours| hours.closed_since(since))
    }
}

impl Refusal {
    /// As many as may have begun in the slot.
    pub(crate) fn slot_full() -> Self {
        Self::Fields(vec![refused("schedule/start", Code::SlotFull)])
    }
}
