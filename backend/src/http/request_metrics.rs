//! Counts and times every request by its route. The pattern, never the address: it may hold a token, and anybody can ask
//! for as many addresses as they like.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;

use crate::clock::Stopwatch;
use crate::metrics;

/// What stands for the route where no pattern matches.
const NO_ROUTE: &str = "none";

/// Counts the request, and measures how long it takes until the answer begins.
pub async fn measured<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let watch = Stopwatch::start();
    let method = known(request.method());
    let outcome = next.call(request).await;
    match &outcome {
        Ok(response) => {
            let route = response.request().match_pattern();
            let route = route.as_deref().unwrap_or(NO_ROUTE);
            // Found once, and for the log too.
            tracing::Span::current().record("route", route);
            metrics::answered(method, route, response.status().as_u16(), watch.elapsed());
        }
        Err(error) => {
            let status = error.as_response_error().status_code().as_u16();
            metrics::answered(method, NO_ROUTE, status, watch.elapsed());
        }
    }
    outcome
}

/// A method as a label: a client may write what it likes there.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_that_a_door_takes_is_told_by_its_name() {
        for method in
            [Method::GET, Method::HEAD, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS]
        {
            assert_eq!(known(&method), method.as_str());
        }
        assert_eq!(known(&Method::from_bytes(b"WHATEVER").unwrap()), "other");
    }
}
