//! The REST door: a CRM asks for a callback.

use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::problem::Kind;
use ringback_contract::request::NewCrmCallback;

use super::caller::Crm;
use super::problem::Failure;
use super::{Parts, caller, extract, site};

/// `POST /v1/callbacks`: with an API key.
pub(super) async fn create(
    request: HttpRequest,
    parts: web::Data<Parts>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let crm = match Crm::of(&request, &parts) {
        Ok(crm) => crm,
        Err(refused) => {
            // Who guesses at keys is counted; who has one is not.
            caller::count(&request, &parts, &parts.address_limit)?;
            return Err(refused);
        }
    };
    let key = extract::idempotency_key(&request)?;
    let posted: NewCrmCallback = extract::json(&request, body, parts.limits()).await?;
    if !crm.may_use(&posted.site) {
        return Err(Failure::new(Kind::Forbidden, "This key is not for that site."));
    }
    let unknown = || Failure::new(Kind::SiteUnknown, "Check the member `site`.");
    let chosen = parts.config.sites.get(&posted.site).ok_or_else(unknown)?;
    let taken = parts.intake.take_from_crm(crm.name(), chosen, &posted, key).await?;
    Ok(site::accepted(&taken))
}
