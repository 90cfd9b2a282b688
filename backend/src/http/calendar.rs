//! `GET /f/{token}/calendar.ics`: a callback at a chosen time as a file for calendars, for whoever has its follow token.
//!
//! It says nothing of the person or the number: calendars are shared. Its link leads to the page of the callback, which acts only after
//! a button was pressed, since programs that look through mail and calendars open what they find.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;

use super::problem::Failure;
use super::{Parts, caller};
use crate::calendar::Entry;
use crate::callback::Callback;
use crate::locale::{self, Locale};
use crate::schedule::Appointment;

/// Gives the file.
pub(super) async fn file(
    request: HttpRequest,
    parts: web::Data<Parts>,
    token: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    let missing = || Failure::new(Kind::NotFound, "No callback at a chosen time belongs to this address.");
    let Some((id, _)) = parts.intake.followed(&token) else {
        caller::count(&request, &parts, &parts.guess_limit).await?;
        return Err(missing());
    };
    let callback = parts.store.get(id).await?.ok_or_else(missing)?;
    let appointment = callback.appointment.as_ref().ok_or_else(missing)?;
    let site = parts.config.sites.get(&callback.request.site);
    let of_site = site.map_or("", |site| site.locale.as_str());
    let locale = locale::best([callback.request.locale.as_str(), of_site])
        .ok_or_else(|| Failure::new(Kind::Internal, "This build has no texts."))?;
    let locale = site.map_or(locale, |site| site.texts.of(locale));
    let name = site.map_or(callback.request.site.as_str(), |site| site.name.as_str());
    let page = format!("{}/f/{token}", parts.public_url);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/calendar; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"callback.ics\""))
        .body(entry(&callback, appointment, locale, name, &page)))
}

fn entry(callback: &Callback, appointment: &Appointment, locale: &Locale, name: &str, page: &str) -> String {
    use State::{Cancelled, Cancelling, Expired, Failed};
    Entry {
        uid: &callback.id.to_string(),
        sequence: callback.revision,
        starts_at: appointment.window.starts_at(),
        ends_at: appointment.window.ends_at(),
        changed_at: callback.updated_at,
        cancelled: matches!(callback.state, Cancelled | Cancelling | Expired | Failed),
        summary: &locale.with("calendar.title", name),
        description: &[locale.text("calendar.note"), "\n", page].concat(),
        url: page,
    }
    .file()
}
