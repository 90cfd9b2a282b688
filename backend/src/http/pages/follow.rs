//! `/f/{token}`: where a callback stands, for whoever has its follow token; and a button to call it off.
//!
//! The token stands in the address, so that it works without script: a capability, as a link with a secret in it is. Nothing
//! happens when the address is opened, since programs that look through mail open what they find.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use serde::Deserialize;

use super::super::caller::Access;
use super::super::follow::{call_off, view};
use super::super::problem::Failure;
use super::super::{Parts, caller, extract};
use super::follow_view::FollowView;
use super::{Asked, Page, chosen_locale, of_failure, panel, posted};
use crate::callback::Callback;
use crate::guard::origin;

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
        opened.page(&request, &parts, StatusCode::OK, None)
    };
    shown.await.or_else(|failure| of_failure(&request, None, &failure))
}

/// `POST /f/{token}`.
pub(crate) async fn act(
    request: HttpRequest,
    parts: web::Data<Parts>,
    token: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let acted = async {
        caller::count(&request, &parts, &parts.read_limit).await?;
        // The page tells nobody its address, so its forms name no origin. None is needed: whoever knows the address may act.
        origin::check_known(&parts.public_url, extract::sender(&request))?;
        let opened = open(&request, &parts, &token).await?;
        let mut members = posted::members(&request, body, parts.limits()).await?;
        let wish = members.remove("do").unwrap_or_default();
        if wish != "cancel" || !members.is_empty() {
            return Err(Failure::new(Kind::UnknownField, "The page has no such button."));
        }
        opened.call_off(&request, &parts).await
    };
    acted.await.or_else(|failure| of_failure(&request, None, &failure))
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
        if self.access == Access::Joiner {
            // Who joined sees no such button.
            return self.page(request, parts, StatusCode::CONFLICT, Some("follow.cancel.late"));
        }
        let path = self.path(request);
        match call_off(parts, self.callback.clone()).await {
            Ok(_) => Ok(HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()),
            Err(failure) if failure.status() == StatusCode::CONFLICT => {
                // The page shows where it stands now, which is why.
                let callback = parts.store.get(self.callback.id).await?.unwrap_or(self.callback);
                let late = Opened { callback, ..self };
                late.page(request, parts, StatusCode::CONFLICT, Some("follow.cancel.late"))
            }
            Err(failure) => Err(failure),
        }
    }

    /// The address of this page, for the next look at it.
    fn path(&self, request: &HttpRequest) -> String {
        format!("/f/{}{}", self.token, Asked::of(request).query())
    }

    fn page(
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
        let follow = FollowView {
            locale,
            seen: &seen,
            window: self.callback.appointment.as_ref().map(|kept| &kept.window),
            site,
            path: &self.path(request),
            framed: asked.is_framed(),
            refresh_s,
            is_new: mode.sent.is_some(),
            alert,
        };
        let title = follow.title();
        let mut page =
            Page::new(locale, site, title, panel(locale, Some(seen.state.as_str()), &follow.draw()));
        page.status = status;
        page.framed = asked.is_framed();
        page.refresh_s = refresh_s;
        page.referrer = "no-referrer";
        Ok(page.answer())
    }
}

/// How long it is worth to wait for news of a callback in that state, in seconds; `None`: there will be none.
const fn refresh_s(state: State) -> Option<u32> {
    match state {
        State::Accepted | State::Sending | State::Cancelling | State::Rescheduling => Some(5),
        State::Requested | State::Queued | State::Offered => Some(10),
        State::Unconfirmed | State::Connected => Some(30),
        State::Scheduled => Some(120),
        State::Completed | State::Failed | State::Cancelled | State::Expired | State::Untraced => None,
    }
}
