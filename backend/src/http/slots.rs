//! `GET /v1/sites/{site}/slots`: the times that may be asked for.

use actix_web::{HttpRequest, web};
use jiff::civil::Date;
use ringback_contract::problem::Kind;
use ringback_contract::slots::{Slot, Slots};
use ringback_contract::texts::Part;
use serde::Deserialize;

use super::problem::Failure;
use super::{Parts, caller, extract, site};
use crate::guard::origin;
use crate::locale;
use crate::schedule::with_offset;

/// The query of `GET /v1/sites/{site}/slots`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlotQuery {
    /// The languages of the texts, the best first; empty: none are wanted.
    #[serde(default)]
    locale: String,
    /// The first day: `YYYY-MM-DD`.
    from: Option<Date>,
    /// How many days.
    days: Option<u16>,
}

/// The slots that have a place left. Whoever may see the form may see them, and so may a server, which sends no `Origin`.
pub(super) async fn list(
    request: HttpRequest,
    parts: web::Data<Parts>,
    site_id: web::Path<String>,
) -> Result<web::Json<Slots>, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    let site = site::find(&parts, &site_id)?;
    origin::check_read(site, &parts.public_url, extract::sender(&request))?;
    let SlotQuery { locale, from, days } = extract::query(&request)?;
    if days == Some(0) {
        return Err(Failure::new(Kind::BadRequest, "Give `days` as 1 or more."));
    }
    let Some(offer) = &site.schedule else {
        return Err(Failure::new(Kind::NotFound, "This site takes no callbacks at a chosen time."));
    };
    let texts =
        if locale.is_empty() { None } else { locale::best(locale.split(',').chain([site.locale.as_str()])) };
    let free = parts.intake.free_slots(&site_id, site, from, days).await?;
    let slot = |window: &crate::schedule::Window| Slot {
        starts_at: with_offset(window.starts_at(), &offer.timezone),
        ends_at: with_offset(window.ends_at(), &offer.timezone),
    };
    Ok(web::Json(Slots {
        timezone: offer.timezone.clone(),
        slots: free.iter().map(slot).collect(),
        texts: texts.map(|locale| site.texts.of(locale).texts_of(Part::Slots)).unwrap_or_default(),
    }))
}
