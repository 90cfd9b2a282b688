//! The operators' door, on a port of its own.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use serde::Serialize;

use super::Parts;
use crate::callback::State;
use crate::metrics;
use crate::store::queue::Waiting;

/// The operators' addresses.
pub fn operators(service: &mut ServiceConfig) {
    service
        .route("/healthz", web::get().to(alive))
        .route("/readyz", web::get().to(ready))
        .route("/metrics", web::get().to(metrics));
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// `GET /healthz`: the process answers. Whoever restarts on this must not restart because a database is away.
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(Report { status: "alive", checks: Vec::new() })
}

/// `GET /readyz`: callbacks can be taken and sent.
async fn ready(parts: web::Data<Parts>) -> HttpResponse {
    let check =
        |name, outcome: Result<(), String>| Check { name, ok: outcome.is_ok(), detail: outcome.err() };
    let stopping = if parts.stop.is_cancelled() { Err("the service is stopping".to_owned()) } else { Ok(()) };
    let mut checks = vec![
        check("running", stopping),
        check("store", parts.store.check().await.map_err(|error| error.to_string())),
        check("webex_token", parts.webex.check_token().await),
    ];
    if let Some(trouble) = parts.webex.clock_trouble() {
        // A warning: callbacks are taken and sent. Only what was lost on the way waits.
        checks.push(Check { name: "clock", ok: true, detail: Some(trouble) });
    }
    if let Some(authorization) = &parts.authorization {
        // A warning: tokens are still to be had, and taking callbacks in must go on in any case.
        let detail = authorization.warning().await;
        checks.push(Check { name: "webex_authorization", ok: true, detail });
    }
    if let Some(shared) = &parts.shared_limits {
        // Limits go on without it.
        checks.push(Check { name: "shared_limits", ok: true, detail: shared.trouble() });
    }
    if checks.iter().all(|check| check.ok) {
        HttpResponse::Ok().json(Report { status: "ready", checks })
    } else {
        HttpResponse::ServiceUnavailable().json(Report { status: "not ready", checks })
    }
}

/// `GET /metrics`: what is counted and measured, for Prometheus.
async fn metrics(parts: web::Data<Parts>) -> HttpResponse {
    metrics::followers(parts.followers.taken());
    let warning = match &parts.authorization {
        Some(authorization) => authorization.warning().await,
        None => None,
    };
    metrics::authorization(warning.is_none() && parts.webex.check_token().await.is_ok());
    if let Some(shared) = &parts.shared_limits {
        metrics::shared_limits(shared.trouble().is_none());
    }
    match parts.store.waiting().await {
        Ok(waiting) => queue(&waiting, &parts),
        // The other figures are the more wanted now. `/readyz` tells of the store.
        Err(error) => tracing::warn!(%error, "the queue cannot be counted"),
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(parts.metrics.render())
}

fn queue(waiting: &[Waiting], parts: &Parts) {
    let counts: Vec<_> = waiting.iter().map(|waiting| (waiting.state, waiting.count)).collect();
    // What is being sent, or looked for again later, is due when that has not worked.
    let to_send = waiting.iter().find(|waiting| waiting.state == State::Accepted);
    let oldest = to_send.map(|waiting| parts.clock.now().duration_since(waiting.first_due));
    let oldest = oldest.and_then(|since| Duration::try_from(since).ok()).unwrap_or_default();
    metrics::queue(&counts, oldest);
}
