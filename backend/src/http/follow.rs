//! One callback: read it, call it off.

use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::callback::{CallbackRecord, CallbackView, State, WebexRequest};
use ringback_contract::problem::Kind;
use serde::Deserialize;

use super::caller::Access;
use super::problem::Failure;
use super::{Parts, caller, extract};
use crate::api_key::Scope;
use crate::callback::Callback;
use crate::metrics;
use crate::store::Attempt;
use crate::webex::wait_time::WaitTime;

/// `GET /v1/callbacks/{id}`.
pub(super) async fn read(
    request: HttpRequest,
    parts: web::Data<Parts>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit)?;
    let ReadQuery { include } = extract::query(&request)?;
    let (callback, access) = caller::callback(&request, &parts, &id, Scope::CallbacksRead).await?;
    if access != Access::Crm || include.is_none() {
        return Ok(answer(&callback, access, &parts));
    }
    let requests = parts.store.attempts(callback.id).await?.into_iter().map(webex_request).collect();
    Ok(HttpResponse::Ok().json(CallbackRecord { requests: Some(requests), ..record(&callback, &parts) }))
}

/// The query of `GET /v1/callbacks/{id}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadQuery {
    /// What a CRM wants beside the record.
    include: Option<Include>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Include {
    /// The requests to Webex.
    Requests,
}

fn webex_request(attempt: Attempt) -> WebexRequest {
    WebexRequest {
        operation: attempt.operation.to_owned(),
        begun_at: attempt.begun_at.to_string(),
        took_ms: attempt.took_ms,
        status: attempt.status,
        tracking_id: attempt.tracking_id,
        outcome: attempt.outcome,
    }
}

/// `DELETE /v1/callbacks/{id}`: calls it off, where it was not sent yet. Twice is as good as once.
pub(super) async fn cancel(
    request: HttpRequest,
    parts: web::Data<Parts>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit)?;
    loop {
        let (callback, access) = caller::callback(&request, &parts, &id, Scope::CallbacksWrite).await?;
        if access == Access::Joiner {
            let detail = "It was asked for by another request, which alone can call it off.";
            return Err(Failure::new(Kind::NotCancellable, detail));
        }
        if callback.state == State::Cancelled {
            return Ok(answer(&callback, access, &parts));
        }
        let Ok(next) = callback.moved_to(State::Cancelled, parts.clock.now()) else {
            let detail =
                format!("Its state is {}; only one that is accepted can be.", callback.state.as_str());
            return Err(Failure::new(Kind::NotCancellable, detail));
        };
        // Where another change came first, the callback is looked at anew.
        if parts.store.update(&next, None).await? {
            metrics::moved(callback.state, next.state);
            tracing::info!(callback = %next.id, "callback cancelled");
            return Ok(answer(&next, access, &parts));
        }
    }
}

fn answer(callback: &Callback, access: Access, parts: &Parts) -> HttpResponse {
    match access {
        Access::Visitor | Access::Joiner => HttpResponse::Ok().json(view(callback, access, parts)),
        Access::Crm => HttpResponse::Ok().json(record(callback, parts)),
    }
}

/// What a visitor may see.
pub(super) fn view(callback: &Callback, access: Access, parts: &Parts) -> CallbackView {
    let joined = access == Access::Joiner;
    // Whom another asked for is not a joiner's business.
    let agent = callback.request.agent.as_ref().filter(|_| !joined && callback.fallback.is_none());
    let agent = agent.and_then(|name| parts.config.agents.get(name.handle()?));
    let wait_time = wait_time(callback, parts);
    CallbackView {
        id: callback.id.to_string(),
        site: callback.request.site.clone(),
        state: callback.state,
        agent: agent.map(|agent| agent.name.clone()),
        fell_back: callback.fallback.is_some() && !joined,
        failure: callback.failure.as_ref().map(|(failure, _)| *failure),
        cancellable: callback.is_cancellable() && !joined,
        wait_time_s: wait_time.map(|known| known.seconds()),
        wait_time_at: wait_time.map(|known| known.measured_at.to_string()),
        created_at: callback.created_at.to_string(),
        updated_at: callback.updated_at.to_string(),
        revision: callback.revision,
    }
}

/// How long people wait who ask for what this one does; `None` where it waits no more.
fn wait_time(callback: &Callback, parts: &Parts) -> Option<WaitTime> {
    let waits = matches!(callback.state, State::Accepted | State::Sending | State::Requested | State::Queued);
    // A preferred agent's calls wait for that agent, and no queue's figure says how long.
    if !waits || (callback.request.agent.is_some() && callback.fallback.is_none()) {
        return None;
    }
    let site = parts.config.sites.get(&callback.request.site)?;
    parts.wait_times.known(&site.wait_time_for(&callback.request.reason)?)
}

/// What a CRM may see.
pub(super) fn record(callback: &Callback, parts: &Parts) -> CallbackRecord {
    CallbackRecord {
        view: view(callback, Access::Crm, parts),
        reference: callback.request.reference.clone(),
        task_id: callback.task_id.clone(),
        attempts: callback.attempts,
        deadline: callback.deadline.to_string(),
        failure_detail: callback.failure.as_ref().map(|(_, detail)| detail.clone()),
        requests: None,
        fallback: callback.fallback.as_ref().map(|(fallback, _)| *fallback),
        fallback_detail: callback.fallback.as_ref().map(|(_, detail)| detail.clone()),
    }
}
