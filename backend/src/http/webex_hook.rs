//! Webex tells of tasks.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::problem::Kind;

use super::problem::Failure;
use super::{Parts, caller, extract};
use crate::config::Limits;
use crate::delivery::progress::NotKept;
use crate::metrics::{self, Event};
use crate::webex::webhook;

/// How long the store may take, in seconds. Webex takes an answer after 5 s for none.
const LONGEST: Duration = Duration::from_secs(4);

/// Largest event, in bytes. Webex does not say how large they are; those of tasks have about one thousand.
const LARGEST: usize = 256 * 1024;

/// `POST /webhooks/webex`. The event is stored before the answer: what is answered `200` is not sent again. Where the store
/// is slow or away the answer is `503`, for it may be sent again then; where it is not, Webex is asked about the task.
pub(super) async fn receive(
    request: HttpRequest,
    parts: web::Data<Parts>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    let signature = extract::header(&request, webhook::SIGNATURE).unwrap_or_default().to_owned();
    let limits = Limits { body_bytes: LARGEST, ..parts.limits().clone() };
    let body = extract::bytes(&request, body, &limits).await?;
    if !webhook::is_signed(&body, &signature, parts.webhook_secrets()) {
        metrics::event(Event::Refused);
        // Whoever goes on guessing fills no log.
        caller::count(&request, &parts, &parts.guess_limit).await?;
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
        Ok(Some(event)) => parts.progress.take_in_within(event, LONGEST).await?,
        Ok(None) => metrics::event(Event::Irrelevant),
        // Signed by Webex and still not understood: sending it again would not help.
        Err(error) => {
            metrics::event(Event::Unreadable);
            tracing::warn!(%error, "a signed webhook was passed over");
        }
    }
    Ok(HttpResponse::Ok().finish())
}

impl From<NotKept> for Failure {
    fn from(error: NotKept) -> Self {
        match error {
            NotKept::Store(error) => error.into(),
            NotKept::Slow | NotKept::TooMany => {
                tracing::error!(%error, "an event of Webex may not be kept");
                Self::new(Kind::StoreUnavailable, "The event may not be kept. Send it again.")
            }
        }
    }
}
