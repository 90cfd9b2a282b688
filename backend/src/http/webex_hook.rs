//! Webex tells of tasks.

use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::problem::Kind;

use super::problem::Failure;
use super::{Parts, extract};
use crate::metrics::{self, Event};
use crate::webex::webhook;

/// `POST /webhooks/webex`. The event is stored before the answer: what is answered `200` is not sent again.
pub(super) async fn receive(
    request: HttpRequest,
    parts: web::Data<Parts>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let signature = extract::header(&request, webhook::SIGNATURE).unwrap_or_default().to_owned();
    let body = extract::bytes(&request, body, parts.limits()).await?;
    if !webhook::is_signed(&body, &signature, parts.webhook_secrets()) {
        metrics::event(Event::Refused);
        tracing::warn!(
            "a webhook with a wrong signature was refused; hint: compare webex.webhook_secrets with the subscription"
        );
        return Err(Failure::new(
            Kind::SignatureInvalid,
            "The body was not signed with a secret known here.",
        ));
    }
    if !webhook::is_timely(&body, extract::header(&request, webhook::TIMESTAMP), parts.clock.now()) {
        metrics::event(Event::Refused);
        tracing::warn!("a signed webhook of another time was refused; hint: keep the clock in step by NTP");
        return Err(Failure::new(
            Kind::SignatureInvalid,
            "The time of sending is not the signed one, or is long past.",
        ));
    }
    match webhook::read(&body, parts.clock.now()) {
        Ok(Some(event)) => parts.progress.take_in(&event).await?,
        Ok(None) => metrics::event(Event::Irrelevant),
        // Signed by Webex and still not understood: sending it again would not help.
        Err(error) => {
            metrics::event(Event::Unreadable);
            tracing::warn!(%error, "a signed webhook was passed over");
        }
    }
    Ok(HttpResponse::Ok().finish())
}
