//! What a browser needs to draw a site's form.

use jiff::Timestamp;
use ringback_contract::captcha::Captcha;
use ringback_contract::form::{Agent, ConsentText, Field, Form, Reason, ScheduleOffer};
use ringback_contract::proof::Challenge;

use crate::hours::Hours;
use crate::locale::Locale;
use crate::schedule::with_offset;
use crate::site::{self, Site};
use crate::webex::wait_time::WaitTimes;

/// What guards a form that is asked for now.
#[derive(Clone, Debug)]
pub struct Guarded {
    /// A token of this moment.
    pub opened: String,
    /// The captcha to show.
    pub captcha: Option<Captcha>,
    /// The work to prove.
    pub proof: Option<Challenge>,
}

/// Describes a site's form in a language; `agent` is what became of a preferred-agent token.
pub fn describe(
    site_id: &str,
    site: &Site,
    locale: &Locale,
    agent: Option<Agent>,
    wait_times: &WaitTimes,
    guarded: Guarded,
    now: Timestamp,
) -> Form {
    let wait_time = site.wait_time.as_ref().and_then(|source| wait_times.known(source));
    let of_reason = |reason: &site::Reason| {
        let source = site.wait_time_for(&reason.id).filter(|_| !reason.queue.is_empty())?;
        Some(wait_times.known(&source)?.seconds())
    };
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Form {
        site: site_id.to_owned(),
        name: site.name.clone(),
        locale: locale.name.to_owned(),
        direction: locale.direction,
        texts: locale.form_texts(),
        fields: site
            .fields
            .iter()
            .filter(|field| site.shows(**field))
            .map(|field| Field { name: *field, presence: site.presence(*field) })
            .collect(),
        reasons: site
            .reasons
            .iter()
            .map(|reason| Reason {
                id: reason.id.clone(),
                label: reason.label.clone(),
                wait_time_s: of_reason(reason),
            })
            .collect(),
        countries: site.countries.clone(),
        consent: site.consent.as_ref().map(|consent| ConsentText {
            version: consent.version.clone(),
            text: consent.text.clone(),
            policy_url: some(&consent.policy_url),
        }),
        agent,
        schedule: site.schedule.as_ref().map(|offer| ScheduleOffer {
            timezone: offer.timezone.clone(),
            horizon_days: offer.horizon_days,
            notice_minutes: offer.notice_minutes,
            shortest_minutes: offer.shortest_minutes,
            longest_minutes: offer.longest_minutes,
            slot_minutes: offer.slot_minutes(),
        }),
        opens_at: site.hours.as_ref().and_then(|hours| opening_after(hours, now)),
        phone: some(&site.phone),
        wait_time_s: wait_time.map(|known| known.seconds()),
        wait_time_at: wait_time.map(|known| known.measured_at.to_string()),
        opened: guarded.opened,
        captcha: guarded.captcha,
        proof: guarded.proof,
    }
}

/// When the site opens, where it is closed.
fn opening_after(hours: &Hours, now: Timestamp) -> Option<String> {
    let closed = hours.open_until(now, now).is_none();
    let opening = hours.next_opening(now).filter(|_| closed)?;
    Some(with_offset(opening.opens_at, &hours.timezone))
}
