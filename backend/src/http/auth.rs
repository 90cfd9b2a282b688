//! Where an administrator connects the organisation from a browser: `/auth/webex/start` with a start token of
//! `ringback auth login --hosted`, and `/auth/webex/callback`, where Webex answers.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY};
use actix_web::{HttpRequest, HttpResponse, web};
use maud::{DOCTYPE, html};
use ringback_contract::problem::Kind;
use serde::Deserialize;

use super::problem::Failure;
use super::{Parts, caller};
use crate::authorization::{Authorization, ConsentError, Status};
use crate::store::ledger::Deed;
use crate::token::{Purpose, Signer};

/// Where Webex answers.
pub const CALLBACK_PATH: &str = "/auth/webex/callback";
/// Where an administrator begins.
pub const START_PATH: &str = "/auth/webex/start";

/// How long a start address is good for, in seconds.
pub const START_S: u64 = 600;

/// The query of [`START_PATH`].
#[derive(Deserialize)]
pub(super) struct Start {
    #[serde(default)]
    token: String,
}

/// The query of [`CALLBACK_PATH`] (RFC 6749, sections 4.1.2 and 4.1.2.1).
#[derive(Deserialize)]
pub struct Consented {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    error: String,
}

impl Consented {
    /// Ends the login; gives what came of it, and a page that says so.
    pub async fn finish(
        &self,
        authorization: &Authorization,
    ) -> (Result<Status, ConsentError>, HttpResponse) {
        let code = if self.code.is_empty() { Err(self.error.as_str()) } else { Ok(self.code.as_str()) };
        let outcome = authorization.finish_consent(&self.state, code).await;
        let page = match &outcome {
            Ok(status) => page(StatusCode::OK, "Connected", &connected(status)),
            Err(error) => page(StatusCode::BAD_REQUEST, "Not connected", &error.to_string()),
        };
        (outcome, page)
    }
}

/// `GET /auth/webex/start`: on to Webex, for whoever has an operator's start address.
pub(super) async fn start(
    request: HttpRequest,
    parts: web::Data<Parts>,
    query: web::Query<Start>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.address_limit).await?;
    let authorization = used(&parts)?;
    if !is_start_token(&parts, &query.token) {
        let detail = "Make a start address with `ringback auth login --hosted`; it is good for ten minutes.";
        return Err(Failure::new(Kind::Unauthorized, detail));
    }
    let address = authorization.begin_consent(&format!("{}{CALLBACK_PATH}", parts.public_url));
    let address = address.map_err(|error| Failure::new(Kind::Internal, error.to_string()))?;
    Ok(HttpResponse::Found()
        .insert_header((LOCATION, address.as_str()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .finish())
}

/// `GET /auth/webex/callback`: Webex answers, through the administrator's browser.
pub(super) async fn callback(
    request: HttpRequest,
    parts: web::Data<Parts>,
    query: web::Query<Consented>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.address_limit).await?;
    let (outcome, page) = query.finish(used(&parts)?).await;
    match outcome {
        Ok(status) => {
            tracing::info!("an administrator has connected the organisation");
            record(&parts, &status).await;
        }
        Err(error) => tracing::warn!(%error, "the organisation was not connected"),
    }
    Ok(page)
}

/// Writes down who is connected now. It was done, so a record that cannot be written is for the log alone.
async fn record(parts: &Parts, status: &Status) {
    let subject = status.organization.clone().unwrap_or_default();
    // Whose address it was that began it stands above, as `auth.start`.
    let actor = "browser:administrator".to_owned();
    let deed = Deed { at: parts.clock.now(), actor, action: "auth.login", subject, detail: String::new() };
    if let Err(error) = parts.store.record(&deed).await {
        tracing::error!(%error, action = deed.action, "missing in the audit record");
    }
}

fn used(parts: &Parts) -> Result<&Arc<Authorization>, Failure> {
    let missing = || Failure::new(Kind::NotFound, "This service does not use webex.oauth.");
    parts.authorization.as_ref().ok_or_else(missing)
}

/// A token that begins one login, up to a moment.
pub fn start_token(signer: &Signer, until_s: i64) -> String {
    signer.sign(Purpose::AuthStart, &until_s.to_be_bytes())
}

fn is_start_token(parts: &Parts, token: &str) -> bool {
    let payload = parts.signer.open(Purpose::AuthStart, token);
    let until = payload.and_then(|payload| payload.try_into().ok()).map(i64::from_be_bytes);
    until.is_some_and(|until| until > parts.clock.now().as_second())
}

fn connected(status: &Status) -> String {
    let organization = status.organization.as_deref().unwrap_or("the organisation");
    format!(
        "Ringback is connected to {organization} and renews its tokens by itself. You can close this page."
    )
}

/// A page with a sentence, and nothing that could run.
fn page(status: StatusCode, title: &str, sentence: &str) -> HttpResponse {
    let body = html! {
        (DOCTYPE)
        html lang="en" {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width";
            title { (title) }
            style {
                ":root{color-scheme:light dark}body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}"
            }
            h1 { (title) }
            p { (sentence) }
        }
    };
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ))
        .body(body.into_string())
}
