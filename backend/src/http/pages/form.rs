//! The form of a site, for an agent by link (`/a/{token}`) or without one (`/c/{site}`): shown, and taken when it is sent.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, REFERER};
use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::field::{self, Code};
use ringback_contract::form::Agent;
use ringback_contract::problem::{FieldError, Kind};
use ringback_contract::request::NewCallback;

use super::super::extract::client_address;
use super::super::problem::Failure;
use super::super::{Parts, caller, extract};
use super::form_view::{FormView, Told};
use super::posted::{self, Posted};
use super::slots::free_slots;
use super::{Asked, Page, Panel, chosen_locale, of_failure, phone};
use crate::agent::AgentLink;
use crate::form::{self, Guarded};
use crate::guard::origin;
use crate::guard::rate::network_of;
use crate::intake::{LinkedAgent, Refusal, Shown};
use crate::locale::Locale;
use crate::schedule::named_zone;
use crate::site::Site;
use crate::words::Words;
use crate::{entropy, level, metrics};

/// Whose form it is.
#[derive(Clone, Copy)]
struct Owner<'a> {
    site_id: &'a str,
    site: &'a Site,
    /// The token of the preferred agent's link, as long as it is good.
    token: Option<&'a str>,
}

impl Owner<'_> {
    /// Where the form is sent.
    fn path(&self) -> String {
        match self.token {
            Some(token) => format!("/a/{token}"),
            None => format!("/c/{}", self.site_id),
        }
    }
}

/// `GET /c/{site}`.
pub(crate) async fn for_site(
    request: HttpRequest,
    parts: web::Data<Parts>,
    site_id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let site = parts.config.sites.get(site_id.as_str());
    let shown = async {
        caller::count(&request, &parts, &parts.read_limit).await?;
        let site = site.ok_or_else(unknown_site)?;
        show(&request, &parts, Owner { site_id: &site_id, site, token: None }, StatusCode::OK, None).await
    };
    shown.await.or_else(|failure| of_failure(&request, site, &failure))
}

/// `GET /a/{token}`. A link that is not valid says so, and offers the callback without an agent.
pub(crate) async fn for_agent(
    request: HttpRequest,
    parts: web::Data<Parts>,
    token: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let offered = offered_site(&parts, &token);
    let shown = async {
        caller::count(&request, &parts, &parts.read_limit).await?;
        let Some((site_id, site)) = offered else {
            return dead(&request);
        };
        let owner = Owner { site_id, site, token: None };
        match parts.intake.agent_of_link(site_id, &token) {
            Ok(LinkedAgent { agent: Some(agent), .. }) if !parts.has_left(site, agent) => {
                let named = Agent::Named { name: agent.name.clone() };
                show(&request, &parts, Owner { token: Some(&token), ..owner }, StatusCode::OK, Some(named))
                    .await
            }
            Ok(_) => show(&request, &parts, owner, StatusCode::GONE, Some(Agent::Unavailable)).await,
            Err(Code::LinkExpired) => {
                show(&request, &parts, owner, StatusCode::GONE, Some(Agent::Expired)).await
            }
            Err(_) => show(&request, &parts, owner, StatusCode::NOT_FOUND, Some(Agent::Invalid)).await,
        }
    };
    shown.await.or_else(|failure| of_failure(&request, offered.map(|(_, site)| site), &failure))
}

/// `POST /c/{site}`.
pub(crate) async fn sent_to_site(
    request: HttpRequest,
    parts: web::Data<Parts>,
    site_id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let site = parts.config.sites.get(site_id.as_str());
    let sent = async {
        count(&request, &parts).await?;
        let site = site.ok_or_else(unknown_site)?;
        take(&request, &parts, Owner { site_id: &site_id, site, token: None }, body).await
    };
    sent.await.or_else(|failure| of_failure(&request, site, &failure))
}

/// `POST /a/{token}`.
pub(crate) async fn sent_to_agent(
    request: HttpRequest,
    parts: web::Data<Parts>,
    token: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let offered = offered_site(&parts, &token);
    let sent = async {
        count(&request, &parts).await?;
        let (site_id, site) = offered.ok_or_else(unknown_site)?;
        take(&request, &parts, Owner { site_id, site, token: Some(&token) }, body).await
    };
    sent.await.or_else(|failure| of_failure(&request, offered.map(|(_, site)| site), &failure))
}

/// Counts a form that a page of ours has posted. What a page of others makes a browser send counts for nothing against its user.
async fn count(request: &HttpRequest, parts: &Parts) -> Result<(), Failure> {
    origin::check_own(&parts.public_url, extract::sender(request))?;
    caller::count(request, parts, &parts.address_limit).await
}

fn unknown_site() -> Failure {
    Failure::new(Kind::SiteUnknown, "Check the site in the address.")
}

/// The site whose form is shown: the one that the link names, believed or not, since that form is public; else the
/// only one.
fn offered_site<'a>(parts: &'a Parts, token: &str) -> Option<(&'a str, &'a Site)> {
    let sites = &parts.config.sites;
    let named = AgentLink::site_hint(token).and_then(|id| sites.get_key_value(&id));
    let only = || sites.first_key_value().filter(|_| sites.len() == 1);
    named.or_else(only).map(|(id, site)| (id.as_str(), site))
}

/// The page of a link that leads to no site.
fn dead(request: &HttpRequest) -> Result<HttpResponse, Failure> {
    of_failure(request, None, &Failure::new(Kind::NotFound, "This link leads nowhere."))
}

/// Shows an empty form.
async fn show(
    request: &HttpRequest,
    parts: &Parts,
    owner: Owner<'_>,
    status: StatusCode,
    agent: Option<Agent>,
) -> Result<HttpResponse, Failure> {
    // Who comes here from a page that could not show the form itself.
    if let Ok(shown) = web::Query::<level::Shown>::from_query(request.query_string()) {
        metrics::shown(owner.site_id, *shown);
    }
    let asked = Asked::of(request);
    let locale = chosen_locale(request, &asked.locale, Some(owner.site))?;
    // Where no page is around, or one that hides its address, this is the page that holds the form. Not the one of a link,
    // whose address is worth something.
    let around = extract::header(request, REFERER.as_str()).filter(|_| asked.is_framed());
    let around = [asked.page.as_str(), around.unwrap_or_default()];
    let page = around.into_iter().find(|page| !page.is_empty() && field::page(page).is_ok());
    let page = page.map_or_else(|| format!("{}/c/{}", parts.public_url, owner.site_id), str::to_owned);
    let callback = NewCallback {
        page,
        locale: locale.name.to_owned(),
        opened: parts.intake.opened_now(),
        ..NewCallback::default()
    };
    let posted = Posted { callback, key: new_key(parts)?, waited: String::new() };
    let told = Told::default();
    Ok(draw(parts, owner, locale, &asked, Drawn { status, agent, posted: &posted, told }).await)
}

/// Takes what was sent: a callback, or the same form again with what is wrong with it.
async fn take(
    request: &HttpRequest,
    parts: &Parts,
    owner: Owner<'_>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let members = posted::members(request, body, parts.limits()).await?;
    let mut posted = Posted::read(members, owner.token.unwrap_or_default())?;
    // Nothing holds a form without script that is filled in by the browser and sent at once: it is held here.
    tokio::time::sleep(parts.intake.too_early(&posted.callback)).await;
    let network = network_of(client_address(request, parts.trusted_proxies())).to_string();
    let shown = Shown::Patience { token: &posted.waited, network: &network };
    let key = Some(posted.key.clone());
    let asked = Asked::of(request);
    let (site_id, site) = (owner.site_id, owner.site);
    match parts.intake.take_from_visitor(site_id, site, &posted.callback, key, shown).await {
        Ok(taken) => {
            let query = asked.query(site_id);
            let sent = if query.is_empty() { "?sent".to_owned() } else { query + "&sent" };
            // RFC 9110 section 15.4.4: what comes of it is at another address, so that to load it again sends nothing.
            Ok(HttpResponse::SeeOther()
                .insert_header((LOCATION, format!("/f/{}{sent}", taken.follow)))
                .finish())
        }
        Err(refusal) => {
            let locale = chosen_locale(request, &posted.callback.locale, Some(site))?;
            let refused = Refused::of(parts, locale, refusal, &mut posted)?;
            Ok(refused.answer(parts, owner, locale, &asked, &posted).await)
        }
    }
}

/// A form that was not taken.
struct Refused {
    failure: Failure,
    status: StatusCode,
    told: Told,
    /// What is wrong with the link of the preferred agent.
    link: Option<Agent>,
}

impl Refused {
    /// What to say about it; changes of what was posted the parts that are ours.
    fn of(parts: &Parts, locale: &Locale, refusal: Refusal, posted: &mut Posted) -> Result<Self, Failure> {
        let mut told = Told::default();
        let mut link = None;
        match &refusal {
            Refusal::Fields(errors) => {
                let (of_link, errors): (Vec<_>, Vec<_>) =
                    errors.iter().cloned().partition(|error: &FieldError| error.pointer == "/agent");
                link = of_link.first().map(|error| match error.code.as_str() {
                    "link_expired" => Agent::Expired,
                    "agent_unavailable" => Agent::Unavailable,
                    _ => Agent::Invalid,
                });
                told.alert = (!errors.is_empty()).then(|| locale.text("problem.fields").to_owned());
                told.errors = errors;
            }
            Refusal::Wait(wait) => {
                posted.waited.clone_from(&wait.token);
                told.alert = Some(locale.with("page.wait", &Words::of(locale.name).seconds(wait.seconds)));
            }
            Refusal::KeyReused => {
                // The visitor has gone back to a form that was taken, and has changed it.
                posted.key = new_key(parts)?;
                told.alert = Some(locale.text("page.again").to_owned());
            }
            _ => {}
        }
        let is_wait = matches!(refusal, Refusal::Wait(_));
        let failure = Failure::from(refusal);
        // "Come back in so many seconds" is what this status says (RFC 6585 section 4).
        let status = if is_wait { StatusCode::TOO_MANY_REQUESTS } else { failure.status() };
        if told.alert.is_none() && link.is_none() {
            told.alert = Some(super::told(locale, &failure));
        }
        Ok(Self { failure, status, told, link })
    }

    async fn answer(
        self,
        parts: &Parts,
        owner: Owner<'_>,
        locale: &Locale,
        asked: &Asked,
        posted: &Posted,
    ) -> HttpResponse {
        // Without its link, the form is for whoever is free.
        let owner = if self.link.is_some() { Owner { token: None, ..owner } } else { owner };
        let linked =
            owner.token.and_then(|token| parts.intake.agent_of_link(owner.site_id, token).ok()?.agent);
        let agent = self.link.or_else(|| linked.map(|agent| Agent::Named { name: agent.name.clone() }));
        let drawn = Drawn { status: self.status, agent, posted, told: self.told };
        let mut answer = draw(parts, owner, locale, asked, drawn).await;
        for (name, value) in self.failure.headers() {
            answer.headers_mut().insert(name.clone(), value.clone());
        }
        answer
    }
}

/// What a form is drawn with.
struct Drawn<'a> {
    status: StatusCode,
    agent: Option<Agent>,
    posted: &'a Posted,
    told: Told,
}

async fn draw(
    parts: &Parts,
    owner: Owner<'_>,
    locale: &Locale,
    asked: &Asked,
    drawn: Drawn<'_>,
) -> HttpResponse {
    let Owner { site_id, site, token } = owner;
    let Drawn { status, agent, posted, told } = drawn;
    let guarded = Guarded {
        opened: posted.callback.opened.clone(),
        typing_ms: parts.limits().typing_ms,
        captcha: None,
        proof: None,
    };
    let form = form::describe(site_id, site, locale, agent, &parts.wait_times, guarded, parts.clock.now());
    let action = owner.path() + &asked.query(site_id);
    let is_wrong = told.alert.is_some();
    let mut view = FormView::new(&form, locale, posted, &told);
    view.slots = free_slots(parts, site_id, site).await;
    view.opening = opening(parts, site, locale);
    let title = view.title();
    let phone = if is_wrong {
        phone(locale, Some(site))
    } else {
        maud::html! {}
    };
    // What was sent and refused stays as it is: the other form would begin anew.
    let has_widget = !asked.is_framed() && !is_wrong;
    let title = if is_wrong { locale.with("page.error", &title) } else { title };
    let mut page = Page::new(locale, Some(site), asked, title, &Panel::of(view.draw(&action, &phone)));
    if has_widget {
        page.main = maud::html! {
            ringback-form data-site=(site_id) data-agent=[token] data-locale=(locale.name) { (page.main) }
        };
    }
    page.main = maud::html! { (view.notice()) (page.main) };
    page.status = status;
    page.has_widget = has_widget;
    page.answer()
}

/// When the site opens, where it is closed: whoever asks to be called as soon as possible is called then.
fn opening(parts: &Parts, site: &Site, locale: &Locale) -> Option<String> {
    let hours = site.hours.as_ref()?;
    let opening = hours.opening_after(parts.clock.now())?;
    let opens_at = opening.opens_at.to_zoned(named_zone(&hours.timezone)?).datetime();
    Some(Words::of(locale.name).moment(opens_at, &hours.timezone))
}

/// A key for a form, so that sending it twice has the effect of once.
fn new_key(parts: &Parts) -> Result<String, Failure> {
    Ok(entropy::identifier_at(parts.clock.now())?.to_string())
}
