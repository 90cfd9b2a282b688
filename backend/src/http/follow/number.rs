//! One callback: have another number called.

use actix_web::{HttpRequest, HttpResponse};
use ringback_contract::problem::Kind;

use super::super::Parts;
use super::super::caller::{self, Access};
use super::super::problem::Failure;
use super::{answer, site_of_change};
use crate::api_key::Scope;
use crate::intake::Refusal;

/// Has another number called, where nothing was sent yet. Twice is as good as once, and counts once for the limits.
pub(super) async fn change(
    request: &HttpRequest,
    parts: &Parts,
    id: &str,
    typed: &str,
    country: &str,
) -> Result<HttpResponse, Failure> {
    let mut is_counted = false;
    loop {
        let (callback, access, crm) = caller::callback(request, parts, id, Scope::CallbacksWrite).await?;
        let site = site_of_change(&callback, access, parts)?;
        let phone = parts.intake.number(site, typed, country).map_err(Refusal::Fields)?;
        if !callback.state.is_final() && callback.request.phone == phone {
            return Ok(answer(&callback, access, parts));
        }
        let Some(next) = callback.with_number(phone, parts.clock.now()) else {
            let detail = format!(
                "Its state is {}, and Webex has its number; only what was not sent yet is called at another one.",
                callback.state.as_str()
            );
            return Err(Failure::new(Kind::NotChangeable, detail));
        };
        if !is_counted {
            parts.intake.count_number(&next.request.phone).await?;
            is_counted = true;
        }
        // Where another change came first, the callback is looked at anew.
        if parts.intake.change_number(&next, access == Access::Visitor).await? {
            if let Some(crm) = &crm {
                crm.record(parts, "callback.change_number", next.id, &next.request.site).await;
            }
            return Ok(answer(&next, access, parts));
        }
    }
}
