//! The browser's door: the form of a site, and what it posts.

use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::callback::{Accepted, State};
use ringback_contract::captcha::CAPTCHA;
use ringback_contract::color::Color;
use ringback_contract::field::Code;
use ringback_contract::form::{Agent, Form};
use ringback_contract::problem::Kind;
use ringback_contract::proof::PROOF;
use ringback_contract::request::NewCallback;
use ringback_contract::texts::{Part, Texts};
use serde::Deserialize;

use super::problem::Failure;
use super::{Parts, caller, extract, follow};
use crate::form::Guarded;
use crate::guard::origin;
use crate::intake::{Shown, Taken};
use crate::locale::Locale;
use crate::site::Site;
use crate::{form, level, locale, metrics};

/// Lets pages of other origins have an answer that they fetch without CORS (Fetch, section 3.7).
const FOR_OTHER_ORIGINS: (&str, &str) = ("cross-origin-resource-policy", "cross-origin");

/// The query of `GET /v1/sites/{site}/form`.
#[derive(Debug, Deserialize)]
pub(super) struct FormQuery {
    /// The languages that the page asks for, the best first, with commas in between.
    #[serde(default)]
    locale: String,
    /// The colour that the page asks for, such as `#1a56c4`.
    #[serde(default)]
    color: String,
    /// The token of a preferred-agent link.
    #[serde(default)]
    agent: String,
}

/// `GET /v1/sites/{site}/form`: what to draw.
pub(super) async fn form(
    request: HttpRequest,
    parts: web::Data<Parts>,
    site_id: web::Path<String>,
    query: web::Query<FormQuery>,
) -> Result<web::Json<Form>, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    let site = for_page(&request, &parts, &site_id).map_err(Failure::for_every_page)?;
    let locale = language(site, &query.locale)?;
    let agent = agent(&parts, &site_id, site, &query.agent);
    let guarded = Guarded {
        opened: parts.intake.opened_now(),
        typing_ms: parts.limits().typing_ms,
        captcha: parts.intake.captcha(&site_id, site),
        proof: parts.intake.proofs().challenge(&site_id)?,
    };
    let now = parts.clock.now();
    let described = form::describe(&site_id, site, locale, agent, &parts.wait_times, guarded, now);
    Ok(web::Json(Form { theme: site.theme.shown(Color::parse(&query.color)), ..described }))
}

/// The site, for a page that may have its form. Why it may not have it, anybody can find out who asks without a browser; the page
/// is to tell whoever put the form there.
fn for_page<'a>(request: &HttpRequest, parts: &'a Parts, site_id: &str) -> Result<&'a Site, Failure> {
    let site = find(parts, site_id)?;
    origin::check_read(site, &parts.public_url, extract::sender(request))?;
    Ok(site)
}

/// The query of `GET /v1/sites/{site}/texts`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextsQuery {
    /// The languages, as for the form.
    #[serde(default)]
    locale: String,
}

/// `GET /v1/sites/{site}/texts`: what the live view says, which nobody needs to whom a form is but shown.
pub(super) async fn texts(
    request: HttpRequest,
    parts: web::Data<Parts>,
    site_id: web::Path<String>,
) -> Result<web::Json<Texts>, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    let site = for_page(&request, &parts, &site_id)?;
    let query: TextsQuery = extract::query(&request)?;
    let locale = language(site, &query.locale)?;
    Ok(web::Json(Texts { locale: locale.name.to_owned(), texts: locale.texts_of(Part::Live) }))
}

/// The best of the wanted languages, in the site's own words.
fn language<'a>(site: &'a Site, wanted: &str) -> Result<&'a Locale, Failure> {
    let locale = locale::best(wanted.split(',').chain([site.locale.as_str()]))
        .ok_or_else(|| Failure::new(Kind::Internal, "This build has no texts."))?;
    Ok(site.texts.of(locale))
}

/// `POST /v1/sites/{site}/shown`: a page has shown the form. Counted, and nothing else.
pub(super) async fn shown(
    request: HttpRequest,
    parts: web::Data<Parts>,
    site_id: web::Path<String>,
    shown: web::Query<level::Shown>,
) -> Result<HttpResponse, Failure> {
    check_sender(&request, &parts, &site_id)?;
    caller::count(&request, &parts, &parts.read_limit).await?;
    find(&parts, &site_id)?;
    metrics::shown(&site_id, *shown);
    // The page posts it without CORS, as it reads nothing, and a browser writes an answer that is kept from it in its console.
    Ok(HttpResponse::NoContent().insert_header(FOR_OTHER_ORIGINS).finish())
}

/// What became of a preferred-agent token; `None` where there is none.
fn agent(parts: &Parts, site_id: &str, site: &Site, token: &str) -> Option<Agent> {
    if token.is_empty() {
        return None;
    }
    Some(match parts.intake.agent_of_link(site_id, token) {
        Ok(linked) => match linked.agent.filter(|agent| !parts.has_left(site, agent)) {
            Some(agent) => Agent::Named { name: agent.name.clone() },
            None => Agent::Unavailable,
        },
        Err(Code::LinkExpired) => Agent::Expired,
        Err(_) => Agent::Invalid,
    })
}

/// `POST /v1/sites/{site}/callbacks`: a visitor asks to be called.
pub(super) async fn create(
    request: HttpRequest,
    parts: web::Data<Parts>,
    site_id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    check_sender(&request, &parts, &site_id)?;
    caller::count(&request, &parts, &parts.address_limit).await?;
    let site = find(&parts, &site_id)?;
    let key = extract::idempotency_key(&request)?;
    let shown = Shown::Headers {
        proof: extract::header(&request, PROOF),
        captcha: extract::header(&request, CAPTCHA),
    };
    let posted: NewCallback = extract::json(&request, body, parts.limits()).await?;
    let taken = parts.intake.take_from_visitor(&site_id, site, &posted, key, shown).await?;
    Ok(accepted(&taken))
}

/// Refuses what a page of others makes a browser send, before it counts against its user. A site that there is not is refused later.
fn check_sender(request: &HttpRequest, parts: &Parts, site_id: &str) -> Result<(), Failure> {
    let Some(site) = parts.config.sites.get(site_id) else { return Ok(()) };
    Ok(origin::check_post(site, &parts.public_url, extract::sender(request))?)
}

pub(super) fn find<'a>(parts: &'a Parts, site_id: &str) -> Result<&'a Site, Failure> {
    let unknown = || Failure::new(Kind::SiteUnknown, "Check `data-site`, or the site in the address.");
    parts.config.sites.get(site_id).ok_or_else(unknown)
}

/// `202`: the callback is stored.
pub(super) fn accepted(taken: &Taken) -> HttpResponse {
    let location = ("Location", format!("/v1/callbacks/{}", taken.id));
    HttpResponse::Accepted().insert_header(location).json(told(taken, taken.state()))
}

/// What whoever asked is told.
pub(super) fn told(taken: &Taken, state: State) -> Accepted {
    let appointment = taken.appointment.as_ref();
    Accepted {
        id: taken.id.to_string(),
        state,
        follow: taken.follow.clone(),
        joined: taken.joined,
        schedule: appointment.map(|kept| follow::window(&kept.window)),
        at_opening: appointment.is_some_and(|kept| kept.at_opening),
    }
}
