//! The REST door: a CRM asks for a callback, lists them, and makes links.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;
use ringback_contract::callback::{CallbackPage, MintedLink, State, Waited};
use ringback_contract::problem::Kind;
use ringback_contract::request::{NewAgentLink, NewCrmCallback};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::caller::Crm;
use super::problem::Failure;
use super::{Parts, caller, extract, follow, prefer, site};
use crate::api_key::Scope;
use crate::store::listing::Wanted;

/// Callbacks on a page, where the query names no number.
const PAGE: usize = 50;
/// Callbacks on a page at most.
const PAGE_MAX: usize = 200;

/// `POST /v1/callbacks`: with an API key.
pub(super) async fn create(
    request: HttpRequest,
    parts: web::Data<Parts>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let crm = caller::crm(&request, &parts, Scope::CallbacksWrite).await?;
    let key = extract::idempotency_key(&request)?;
    let posted: NewCrmCallback = extract::json(&request, body, parts.limits()).await?;
    let chosen = of_key(&crm, &parts, &posted.site)?;
    let taken = parts.intake.take_from_crm(crm.caller().to_owned(), chosen, &posted, key).await?;
    crm.record(&parts, "callback.create", taken.id, &posted.site).await;
    let Some(wait) = prefer::wait(&request) else {
        return Ok(site::accepted(&taken));
    };
    let Some(callback) = prefer::settled(&parts, taken.id, wait).await? else {
        return Ok(site::accepted(&taken));
    };
    let status = if callback.state.is_settled() { StatusCode::OK } else { StatusCode::ACCEPTED };
    let accepted = site::told(&taken, callback.state);
    Ok(HttpResponse::build(status)
        .insert_header(("Location", format!("/v1/callbacks/{}", taken.id)))
        .insert_header(("Preference-Applied", format!("wait={}", wait.as_secs())))
        .json(Waited { accepted, callback: follow::record(&callback, &parts) }))
}

/// The site, where the key is for it.
fn of_key<'a>(crm: &Crm, parts: &'a Parts, site: &str) -> Result<&'a crate::site::Site, Failure> {
    if !crm.may_use(site) {
        return Err(Failure::new(Kind::Forbidden, "This key is not for that site."));
    }
    let unknown = || Failure::new(Kind::SiteUnknown, "Check the member `site`.");
    parts.config.sites.get(site).ok_or_else(unknown)
}

/// The query of `GET /v1/callbacks`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Only those in this state.
    state: Option<State>,
    /// Only those of this site.
    site: Option<String>,
    /// Only those accepted at this moment or later: RFC 3339.
    since: Option<Timestamp>,
    /// How many on a page: 1 to 200; 50 where it is left out.
    limit: Option<usize>,
    /// The member `next` of the page before.
    cursor: Option<String>,
}

/// `GET /v1/callbacks`: the callbacks of the key's sites, newest first.
pub(super) async fn list(
    request: HttpRequest,
    parts: web::Data<Parts>,
) -> Result<web::Json<CallbackPage>, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    let crm = caller::crm(&request, &parts, Scope::CallbacksRead).await?;
    let query: ListQuery = extract::query(&request)?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Failure::new(Kind::BadRequest, format!("Give `limit` as 1 to {PAGE_MAX}.")));
    }
    let sites = match &query.site {
        Some(site) => {
            of_key(&crm, &parts, site)?;
            Some(vec![site.clone()])
        }
        None => crm.sites().map(<[String]>::to_vec),
    };
    let question = question(&crm, &query);
    let before = match query.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(parts.intake.open_cursor(cursor, &question).ok_or_else(|| {
            Failure::new(Kind::CursorInvalid, "Send the cursor with the key and the query that it came from.")
        })?),
    };
    // One more than is shown tells whether there is another page.
    let wanted = Wanted { sites, state: query.state, since: query.since, before, limit: limit + 1 };
    let mut found = parts.store.list(&wanted).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    Ok(web::Json(CallbackPage {
        next: last.map(|last| parts.intake.cursor(last.id, &question)),
        callbacks: found.iter().map(|callback| follow::record(callback, &parts)).collect(),
    }))
}

/// What a cursor is bound to: who asked, and for what. The size of a page may change from one to the next.
fn question(crm: &Crm, query: &ListQuery) -> [u8; 32] {
    let state = query.state.map_or("", State::as_str);
    let since = query.since.map(|since| since.to_string()).unwrap_or_default();
    let mut digest = Sha256::new();
    for part in [crm.caller(), state, query.site.as_deref().unwrap_or_default(), &since] {
        // The length goes first, so that no two lists of parts read the same.
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// `POST /v1/agent-links`: makes a preferred-agent link.
pub(super) async fn link(
    request: HttpRequest,
    parts: web::Data<Parts>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let crm = caller::crm(&request, &parts, Scope::LinksWrite).await?;
    let posted: NewAgentLink = extract::json(&request, body, parts.limits()).await?;
    of_key(&crm, &parts, &posted.site)?;
    let minted = parts.intake.mint_link(&posted)?;
    crm.record(&parts, "link.create", &minted.agent.name, &posted.site).await;
    Ok(HttpResponse::Created().json(MintedLink {
        url: format!("{}/a/{}", parts.public_url, minted.token),
        agent: minted.agent.name.clone(),
        expires_at: minted.expires_at.to_string(),
        token: minted.token,
    }))
}
