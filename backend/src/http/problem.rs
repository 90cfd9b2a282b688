//! Every error leaves here, as RFC 9457 `application/problem+json`.

use std::fmt;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, STRICT_TRANSPORT_SECURITY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpResponse, ResponseError, web};
use ringback_contract::problem::{FieldError, Kind, MEDIA_TYPE, Problem};
use tracing_actix_web::RequestId;
use uuid::Uuid;

use super::Parts;
use crate::entropy::NoEntropy;
use crate::guard::origin::OriginRefused;
use crate::guard::rate::Verdict;
use crate::intake::Refusal;
use crate::store::StoreError;

/// The headers of a limit: how many, how many left, seconds until there are more (IETF draft `httpapi-ratelimit-headers`,
/// the form that clients know).
pub(super) const RATE_LIMIT_HEADERS: [&str; 3] =
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];

/// The header that carries the request's id.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request that ends in a problem.
#[derive(Debug)]
pub(super) struct Failure {
    problem: Box<Problem>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Failure {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let mut headers = Vec::new();
        if kind == Kind::Unauthorized {
            // RFC 9110 section 11.6.1 asks for it.
            headers.push((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        Self { problem: Box::new(kind.problem(detail)), headers }
    }

    pub(super) fn of_fields(kind: Kind, errors: Vec<FieldError>) -> Self {
        // An empty pointer is the whole body (RFC 6901 section 5).
        let name = |error: &'_ FieldError| match error.pointer.as_str() {
            "" => "the body".to_owned(),
            pointer => pointer.to_owned(),
        };
        let names: Vec<_> = errors.iter().map(name).collect();
        let detail =
            format!("Mend {} and send again; `errors` says what is wrong with each.", names.join(", "));
        let mut failure = Self::new(kind, detail);
        failure.problem.errors = errors;
        failure
    }

    pub(super) fn limited(name: &str, verdict: Verdict) -> Self {
        // Whole seconds, rounded up: who comes back then is not turned away again.
        let seconds = verdict.reset.as_millis().div_ceil(1000).max(1);
        let detail =
            format!("The limit of {} requests ({name}) is reached; come back in {seconds} s.", verdict.limit);
        let mut failure = Self::new(Kind::RateLimited, detail);
        failure.headers.push((RETRY_AFTER, number(seconds)));
        let values = [u128::from(verdict.limit), u128::from(verdict.remaining), seconds];
        let names = RATE_LIMIT_HEADERS.map(HeaderName::from_static);
        failure.headers.extend(names.into_iter().zip(values.map(number)));
        failure
    }

    /// The same, for every page to read. A browser keeps from a page what is not meant for its origin, also the reason.
    pub(super) fn for_every_page(mut self) -> Self {
        self.headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")));
        self
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.status_code()
    }

    /// What the answer has beside its body.
    pub(super) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// What is wrong with the first field that was refused, where one was.
    pub(super) fn refused_field(&self) -> Option<&str> {
        self.problem.errors.first().map(|error| error.code.as_str())
    }

    /// The header of that name.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Whether the caller showed nothing that it may come in with.
    pub(super) fn is_unauthorized(&self) -> bool {
        self.problem.status == Kind::Unauthorized.status()
    }

    /// An error of the service itself. Its cause goes to the log, here and only here.
    pub(super) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = cause, "a request has failed");
        Self::new(Kind::Internal, "The error is in the log, with the id of this request.")
    }

    fn response(&self, request_id: Option<String>) -> HttpResponse {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for header in &self.headers {
            response.insert_header(header.clone());
        }
        let problem = Problem { instance: request_id, ..(*self.problem).clone() };
        response.insert_header((CONTENT_TYPE, MEDIA_TYPE)).json(problem)
    }
}

fn number(value: u128) -> HeaderValue {
    HeaderValue::from(u64::try_from(value).unwrap_or(u64::MAX))
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem.title)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.response(None)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Fields(errors) => Self::of_fields(Kind::Validation, errors),
            Refusal::Limited { name, verdict } => Self::limited(name, verdict),
            Refusal::KeyReused => Self::new(
                Kind::IdempotencyKeyReused,
                "The key was used before with another body. Use a new key for a new request.",
            ),
            Refusal::Unproven(challenge) => {
                let detail = "Solve the challenge in `proof`, and send the same request again with the header Ringback-Proof.";
                let mut failure = Self::new(Kind::ProofRequired, detail);
                failure.problem.proof = Some(challenge);
                failure
            }
            Refusal::Wait(wait) => {
                let detail = format!("Wait {} seconds, and send the same request again.", wait.seconds);
                let mut failure = Self::new(Kind::ProofRequired, detail);
                failure.headers.push((RETRY_AFTER, number(wait.seconds.into())));
                failure
            }
            Refusal::Captcha => Self::new(
                Kind::CaptchaRequired,
                "Pass the captcha, and send its token in the header Ringback-Captcha.",
            ),
            Refusal::Claimed => Self::new(
                Kind::NumberClaimed,
                "Somebody is about to be called at this number. Give another one, or call this callback off.",
            ),
            Refusal::Store(error) => error.into(),
            Refusal::Entropy(error) => error.into(),
            Refusal::Link(error) => Self::internal(&error),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Row(_) | StoreError::Entropy(_) => Self::internal(&error),
            _ => {
                tracing::error!(%error, "the store cannot be used");
                let mut failure = Self::new(
                    Kind::StoreUnavailable,
                    "Nothing was accepted. Send the same request again in a moment.",
                );
                failure.headers.push((RETRY_AFTER, HeaderValue::from_static("5")));
                failure
            }
        }
    }
}

impl From<NoEntropy> for Failure {
    fn from(error: NoEntropy) -> Self {
        Self::internal(&error)
    }
}

impl From<OriginRefused> for Failure {
    fn from(refused: OriginRefused) -> Self {
        Self::new(Kind::OriginNotAllowed, format!("Refused: {refused}."))
    }
}

/// What every response has: the request's id, no guessing at types, no telling of addresses, no keeping unless a handler says so. Errors that are
/// not problems yet (no such address, no such method) become problems here.
pub async fn every_response(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = request.extensions().get::<RequestId>().map(|id| id.hyphenated());
    let is_https =
        request.app_data::<web::Data<Parts>>().is_some_and(|parts| parts.public_url.starts_with("https://"));
    let response = next.call(request).await?.map_into_boxed_body();
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let response_error = response.response().error();
    let problem = match response_error.and_then(|error| error.as_error::<Failure>()) {
        Some(failure) => Some(failure.response(id.map(|id| id.to_string()))),
        // Not an answer of ours: those name their type.
        None if is_error && (response_error.is_some() || !response.headers().contains_key(CONTENT_TYPE)) => {
            Some(of_status(status).response(id.map(|id| id.to_string())))
        }
        None => None,
    };
    let mut response = match problem {
        Some(mut problem) => {
            // CORS has done its work on the response that is replaced. Twice, browsers take the header for none.
            problem.headers_mut().remove(ACCESS_CONTROL_ALLOW_ORIGIN);
            for (name, value) in response.headers() {
                if name.as_str().starts_with("access-control-") || name == "vary" || name == "allow" {
                    problem.headers_mut().append(name.clone(), value.clone());
                }
            }
            response.into_response(problem)
        }
        None => response,
    };
    let headers = response.headers_mut();
    let id = id.and_then(|id| HeaderValue::from_str(id.encode_lower(&mut Uuid::encode_buffer())).ok());
    if let Some(id) = id {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_https {
        // RFC 6797. Not for names below ours, which we know nothing of.
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    // What a handler has not said otherwise. Pages of listed origins read with CORS, which this does not concern.
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}

/// The problem for a status that a library of ours has answered with.
fn of_status(status: StatusCode) -> Failure {
    match status {
        StatusCode::NOT_FOUND => {
            Failure::new(Kind::NotFound, "Check the address; /docs on this service lists them.")
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            Failure::new(Kind::MethodNotAllowed, "Use another method at this address.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(Kind::TooLarge, "Send less."),
        StatusCode::REQUEST_TIMEOUT => Failure::new(Kind::TooSlow, "Send faster."),
        _ if status.is_client_error() => Failure::new(Kind::BadRequest, "Check its query and its headers."),
        _ => Failure::new(Kind::Internal, "The error is in the log, with the id of this request."),
    }
}

/// `GET /problems/{slug}`: what a kind of problem means.
pub(super) async fn explain(slug: web::Path<String>) -> Result<HttpResponse, Failure> {
    let kind = Kind::ALL.iter().find(|kind| kind.slug() == slug.as_str());
    let kind = kind.ok_or_else(|| Failure::new(Kind::NotFound, "No kind of problem has this name."))?;
    let text = format!("{}\n\nHTTP status {}.\n{}\n", kind.title(), kind.status(), kind.explanation().trim());
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text))
}
