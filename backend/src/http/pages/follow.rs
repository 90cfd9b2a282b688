//! `/f/{token}`: where a callback stands, for whoever has its follow token; and buttons to call it off and to move it.
//!
//! The token stands in the address, so that it works without script: a capability, as a link with a secret in it is. Nothing
//! happens when the address is opened, since programs that look through mail open what they find.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_contract::request::Schedule;
use serde::Deserialize;

use super::super::caller::Access;
use super::super::follow::{call_off, move_to, site_of_change, view};
use super::super::problem::Failure;
use super::super::{Parts, caller, extract};
use super::follow_view::FollowView;
use super::slots::free_slots;
use super::{Asked, Page, Panel, chosen_locale, of_failure, posted};
use crate::callback::Callback;
use crate::guard::origin;
use crate::site::Site;

/// What else the query may say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mode {
    /// There: the page is not to be asked for anew by itself.
    still: Option<String>,
    /// There: the callback has just been asked for.
    sent: Option<String>,
}

/// `GET /f/{token}`.
pub(crate) async fn show(
    request: HttpRequest,
    parts: web::Data<Parts>,
    token: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let shown = async {
        caller::count(&request, &parts, &parts.read_limit).await?;
        let opened = open(&request, &parts, &token).await?;
        opened.page(&request, &parts, StatusCode::OK, None).await
    };
    shown.await.or_else(|failure| of_failure(&request, around(&request, &parts), &failure))
}

/// The site whose page is around, as the address says it: nothing of the callback is known yet, and without it no page shows the frame.
fn around<'a>(request: &HttpRequest, parts: &'a Parts) -> Option<&'a Site> {
    let asked = Asked::of(request);
    parts.config.sites.get(&asked.site).filter(|_| asked.is_framed())
}

/// `POST /f/{token}`.
pub(crate) async fn act(
    request: HttpRequest,
    parts: web::Data<Parts>,
    token: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let acted = async {
        // The page tells nobody its address, so its forms name no origin. None is needed: whoever knows the address may act. What a page
        // of others makes a browser send counts for nothing against its user.
        origin::check_known(&parts.public_url, extract::sender(&request))?;
        caller::count(&request, &parts, &parts.read_limit).await?;
        let opened = open(&request, &parts, &token).await?;
        caller::count_change(&request, &parts, &opened.callback, opened.access).await?;
        let mut members = posted::members(&request, body, parts.limits()).await?;
        let wish = members.remove("do").unwrap_or_default();
        let when = posted::schedule(&members.remove(posted::SCHEDULE).unwrap_or_default())?;
        match (wish.as_str(), when) {
            _ if !members.is_empty() => Err(no_button()),
            ("cancel", None) => opened.call_off(&request, &parts).await,
            ("move", Some(when)) => opened.move_to(&request, &parts, &when).await,
            _ => Err(no_button()),
        }
    };
    acted.await.or_else(|failure| of_failure(&request, around(&request, &parts), &failure))
}

fn no_button() -> Failure {
    Failure::new(Kind::UnknownField, "The page has no such button.")
}

/// A callback whose token was shown.
struct Opened<'a> {
    token: &'a str,
    callback: Callback,
    access: Access,
}

/// The callback that the token opens. That it exists is told to nobody whose token does not.
async fn open<'a>(request: &HttpRequest, parts: &Parts, token: &'a str) -> Result<Opened<'a>, Failure> {
    let missing = || Failure::new(Kind::NotFound, "No callback belongs to this address.");
    let Some((id, joined)) = parts.intake.followed(token) else {
        caller::count(request, parts, &parts.guess_limit).await?;
        return Err(missing());
    };
    let callback = parts.store.get(id).await?.ok_or_else(missing)?;
    Ok(Opened { token, callback, access: if joined { Access::Joiner } else { Access::Visitor } })
}

impl Opened<'_> {
    async fn call_off(self, request: &HttpRequest, parts: &Parts) -> Result<HttpResponse, Failure> {
        let done = if self.access == Access::Joiner {
            // Who joined sees no such button.
            Err(Failure::new(Kind::NotCancellable, "It was asked for by another request."))
        } else {
            call_off(parts, self.callback.clone()).await.map(|_| ())
        };
        self.after(request, parts, done, "follow.cancel.late").await
    }

    async fn move_to(
        self,
        request: &HttpRequest,
        parts: &Parts,
        when: &Schedule,
    ) -> Result<HttpResponse, Failure> {
        let done = match site_of_change(&self.callback, self.access, parts) {
            Ok(site) => move_to(parts, site, self.callback.clone(), when, false).await.map(|_| ()),
            Err(failure) => Err(failure),
        };
        self.after(request, parts, done, "page.late").await
    }

    /// The page again, from its own address where what was wished for is done; else with why not. `late` is the key of what to say
    /// where it could not be done any more.
    async fn after(
        self,
        request: &HttpRequest,
        parts: &Parts,
        done: Result<(), Failure>,
        late: &str,
    ) -> Result<HttpResponse, Failure> {
        let failure = match done {
            Ok(()) => {
                return Ok(HttpResponse::SeeOther().insert_header((LOCATION, self.path(request))).finish());
            }
            Err(failure) => failure,
        };
        let told = match failure.refused_field() {
            Some(code) => format!("error.{code}"),
            None if failure.status() == StatusCode::CONFLICT => late.to_owned(),
            None => return Err(failure),
        };
        // Where it stands now may be why.
        let callback = parts.store.get(self.callback.id).await?.unwrap_or(self.callback);
        let page = Opened { callback, ..self };
        page.page(request, parts, failure.status(), Some(&told)).await
    }

    /// The address of this page, for the next look at it.
    fn path(&self, request: &HttpRequest) -> String {
        format!("/f/{}{}", self.token, Asked::of(request).query(&self.callback.request.site))
    }

    async fn page(
        &self,
        request: &HttpRequest,
        parts: &Parts,
        status: StatusCode,
        alert: Option<&str>,
    ) -> Result<HttpResponse, Failure> {
        let asked = Asked::of(request);
        let mode = web::Query::<Mode>::from_query(request.query_string()).map(web::Query::into_inner);
        let mode = mode.unwrap_or_default();
        let site = parts.config.sites.get(&self.callback.request.site);
        let of_form = &self.callback.request.locale;
        let language = if asked.locale.is_empty() { of_form } else { &asked.locale };
        let locale = chosen_locale(request, language, site)?;
        let seen = view(&self.callback, self.access, parts);
        let refresh_s = (mode.still.is_none()).then(|| refresh_s(seen.state)).flatten();
        let slots = match site.filter(|_| seen.changeable) {
            Some(site) => free_slots(parts, &seen.site, site).await,
            None => Vec::new(),
        };
        let follow = FollowView {
            slots: &slots,
            locale,
            seen: &seen,
            window: self.callback.appointment.as_ref().map(|kept| &kept.window),
            site,
            path: &self.path(request),
            query: &asked.query(&seen.site),
            refresh_s,
            is_new: mode.sent.is_some(),
            alert,
        };
        let title = follow.title();
        let panel = Panel { body: follow.draw(), state: Some(seen.state.as_str()) };
        let mut page = Page::new(locale, site, &asked, title, &panel);
        page.status = status;
        page.refresh_s = refresh_s;
        page.referrer = "no-referrer";
        Ok(page.answer())
    }
}

/// How long it is worth to wait for news of a callback in that state, in seconds; `None`: there will be none.
const fn refresh_s(state: State) -> Option<u32> {
    match state {
        // Until it rings: an agent has a few seconds to take the call, and who waits is to read of it before.
        State::Accepted
        | State::Sending
        | State::Requested
        | State::Queued
        | State::Offered
        | State::Cancelling
        | State::Rescheduling => Some(5),
        State::Unconfirmed | State::Connected => Some(30),
        State::Scheduled => Some(120),
        State::Completed | State::Failed | State::Cancelled | State::Expired | State::Untraced => None,
    }
}
