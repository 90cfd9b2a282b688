//! One span and one line a request: which route, by which kind of caller, with what status. Never the query, the body,
//! an address or a token: addresses in the path are logged as their pattern.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use tracing::Span;
use tracing::field::Empty;
use tracing_actix_web::{RequestId, RootSpanBuilder};
use uuid::Uuid;

/// Builds the span of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        use actix_web::HttpMessage as _;
        let id = request.extensions().get::<RequestId>().map_or(Uuid::nil(), |id| **id);
        tracing::info_span!(
            target: "ringback::http",
            "request",
            request_id = &*id.hyphenated().encode_lower(&mut Uuid::encode_buffer()),
            method = request.method().as_str(),
            // Known once the request is routed: see `request_metrics`.
            route = Empty
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        let _entered = span.enter();
        let status = status.as_u16();
        if status >= 500 {
            tracing::warn!(target: "ringback::http", status, "request failed");
        } else {
            tracing::debug!(target: "ringback::http", status, "request answered");
        }
    }
}
