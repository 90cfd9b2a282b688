//! One callback: read it, call it off, move it to another time.

mod number;

use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::callback::{CallbackRecord, CallbackView, State, WebexRequest, Window};
use ringback_contract::field::Code;
use ringback_contract::problem::{FieldError, Kind};
use ringback_contract::request::{CallbackChange, Schedule};
use serde::Deserialize;

use super::caller::Access;
use super::problem::Failure;
use super::{Parts, caller, extract};
use crate::api_key::Scope;
use crate::callback::Callback;
use crate::intake::{self, Refusal};
use crate::metrics;
use crate::phone::PhoneNumber;
use crate::schedule;
use crate::site::Site;
use crate::store::Attempt;
use crate::store::scheduled::Rescheduled;
use crate::webex::wait_time::WaitTime;

/// `GET /v1/callbacks/{id}`.
pub(super) async fn read(
    request: HttpRequest,
    parts: web::Data<Parts>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    let ReadQuery { include } = extract::query(&request)?;
    let (callback, access, _) = caller::callback(&request, &parts, &id, Scope::CallbacksRead).await?;
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
    caller::count(&request, &parts, &parts.read_limit).await?;
    let (callback, access, crm) = caller::callback(&request, &parts, &id, Scope::CallbacksWrite).await?;
    caller::count_change(&request, &parts, &callback, access).await?;
    if access == Access::Joiner {
        let detail = "It was asked for by another request, which alone can call it off.";
        return Err(Failure::new(Kind::NotCancellable, detail));
    }
    let CalledOff { callback, just_now } = call_off(&parts, callback).await?;
    if let Some(crm) = crm.filter(|_| just_now) {
        crm.record(&parts, "callback.cancel", callback.id, &callback.request.site).await;
    }
    Ok(if callback.state == State::Cancelling {
        under_way(&callback, access, &parts)
    } else {
        answer(&callback, access, &parts)
    })
}

/// A callback that is called off, or is being called off at Webex.
pub(super) struct CalledOff {
    pub(super) callback: Callback,
    /// Whether this very request has done so.
    just_now: bool,
}

/// Calls a callback off, where it was not sent yet. Who may is judged before.
pub(super) async fn call_off(parts: &Parts, mut callback: Callback) -> Result<CalledOff, Failure> {
    loop {
        if matches!(callback.state, State::Cancelled | State::Cancelling) {
            return Ok(CalledOff { callback, just_now: false });
        }
        let Some(next) = callback.called_off(parts.clock.now()) else {
            let detail = format!(
                "Its state is {}; only one that is accepted, or scheduled for later, can be.",
                callback.state.as_str()
            );
            return Err(Failure::new(Kind::NotCancellable, detail));
        };
        if parts.store.update(&next, None).await? {
            metrics::moved(callback.state, next.state);
            tracing::info!(callback = %next.id, state = next.state.as_str(), "callback called off");
            return Ok(CalledOff { callback: next, just_now: true });
        }
        // Another change came first: the callback is looked at anew.
        let missing = || Failure::new(Kind::NotFound, "No callback has this id any more.");
        callback = parts.store.get(callback.id).await?.ok_or_else(missing)?;
    }
}

/// `PATCH /v1/callbacks/{id}`: moves a scheduled callback to another window, or has another number called. Twice is as good
/// as once.
pub(super) async fn change(
    request: HttpRequest,
    parts: web::Data<Parts>,
    id: web::Path<String>,
    body: web::Payload,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    // Who may not is told so before the body is read.
    let (callback, access, _) = caller::callback(&request, &parts, &id, Scope::CallbacksWrite).await?;
    caller::count_change(&request, &parts, &callback, access).await?;
    let change: CallbackChange = extract::json(&request, body, parts.limits()).await?;
    let schedule = match (change.schedule, change.phone.as_str()) {
        (Some(schedule), "") => schedule,
        (Some(_), _) => return Err(intake::refuse("phone", Code::OneAtATime).into()),
        (None, "") => {
            let message = "Give `schedule` or `phone`: what is to be changed.".to_owned();
            let nothing =
                FieldError { pointer: String::new(), code: Code::Required.as_str().to_owned(), message };
            return Err(Failure::of_fields(Kind::Validation, vec![nothing]));
        }
        (None, phone) => return number::change(&request, &parts, &id, phone, &change.country).await,
    };
    let (callback, access, crm) = caller::callback(&request, &parts, &id, Scope::CallbacksWrite).await?;
    let site = site_of_change(&callback, access, &parts)?;
    if change.ignore_hours && access != Access::Crm {
        let detail = "Only an API key may move a callback outside of the hours.";
        return Err(Failure::new(Kind::Forbidden, detail));
    }
    let Moved { callback, just_now, is_under_way } =
        move_to(&parts, site, callback, &schedule, change.ignore_hours).await?;
    if let Some(crm) = crm.filter(|_| just_now) {
        crm.record(&parts, "callback.change", callback.id, &callback.request.site).await;
    }
    Ok(if is_under_way { under_way(&callback, access, &parts) } else { answer(&callback, access, &parts) })
}

/// A callback that is moved to another window, or is being moved at Webex.
pub(super) struct Moved {
    callback: Callback,
    /// Whether this very request has done so.
    just_now: bool,
    is_under_way: bool,
}

/// Moves a callback to another window, by the rules of its site. Who may is judged before.
pub(super) async fn move_to(
    parts: &Parts,
    site: &Site,
    mut callback: Callback,
    schedule: &Schedule,
    ignore_hours: bool,
) -> Result<Moved, Failure> {
    loop {
        let window = parts.intake.window(site, schedule, ignore_hours);
        let (window, place) = window.map_err(|error| Refusal::Fields(vec![error]))?;
        let kept = callback.appointment.as_ref();
        if kept.is_some_and(|kept| kept.wanted.as_ref() == Some(&window)) {
            return Ok(Moved { callback, just_now: false, is_under_way: true });
        }
        if !callback.state.is_final()
            && kept.is_some_and(|kept| kept.wanted.is_none() && kept.window == window)
        {
            return Ok(Moved { callback, just_now: false, is_under_way: false });
        }
        let Some(next) = callback.moved_to_window(window, parts.clock.now()) else {
            let detail = match kept {
                Some(_) => format!("Its state is {}.", callback.state.as_str()),
                None => "It was asked for as soon as possible, and has no window to change.".to_owned(),
            };
            return Err(Failure::new(Kind::NotChangeable, detail));
        };
        match parts.store.reschedule(&next, place.as_ref()).await? {
            Rescheduled::SlotFull => return Err(Refusal::slot_full().into()),
            Rescheduled::Done => {
                metrics::moved(callback.state, next.state);
                tracing::info!(callback = %next.id, state = next.state.as_str(), "callback moved to another window");
                let is_under_way = next.state == State::Rescheduling;
                return Ok(Moved { callback: next, just_now: true, is_under_way });
            }
            // Another change came first: the callback is looked at anew.
            Rescheduled::Overtaken => {
                let missing = || Failure::new(Kind::NotFound, "No callback has this id any more.");
                callback = parts.store.get(callback.id).await?.ok_or_else(missing)?;
            }
        }
    }
}

/// The site by whose rules a callback is changed, where whoever asks may change it.
pub(super) fn site_of_change<'a>(
    callback: &Callback,
    access: Access,
    parts: &'a Parts,
) -> Result<&'a Site, Failure> {
    if access == Access::Joiner {
        let detail = "It was asked for by another request, which alone can change it.";
        return Err(Failure::new(Kind::NotChangeable, detail));
    }
    let site = parts.config.sites.get(&callback.request.site);
    site.ok_or_else(|| Failure::new(Kind::SiteUnknown, "Its site is not configured any more."))
}

/// `202`: the change is stored, and is being made at Webex.
fn under_way(callback: &Callback, access: Access, parts: &Parts) -> HttpResponse {
    match access {
        Access::Visitor | Access::Joiner => HttpResponse::Accepted().json(view(callback, access, parts)),
        Access::Crm => HttpResponse::Accepted().json(record(callback, parts)),
    }
}

pub(super) fn window(window: &schedule::Window) -> Window {
    Window {
        date: window.date(),
        start: window.start(),
        end: window.end(),
        timezone: window.timezone().to_owned(),
        starts_at: window.starts_at().to_string(),
        ends_at: window.ends_at().to_string(),
    }
}

pub(super) fn answer(callback: &Callback, access: Access, parts: &Parts) -> HttpResponse {
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
    let site = parts.config.sites.get(&callback.request.site);
    let offers_times = site.is_some_and(|site| site.schedule.is_some());
    let now = parts.clock.now();
    CallbackView {
        id: callback.id.to_string(),
        site: callback.request.site.clone(),
        state: callback.state,
        agent: agent.map(|agent| agent.name.clone()),
        fell_back: callback.fallback.is_some() && !joined,
        failure: callback.failure.as_ref().map(|(failure, _)| *failure),
        cancellable: callback.is_cancellable(now) && !joined,
        schedule: callback.appointment.as_ref().map(|kept| window(&kept.window)),
        wanted_schedule: callback.appointment.as_ref().and_then(|kept| kept.wanted.as_ref()).map(window),
        at_opening: callback.appointment.as_ref().is_some_and(|kept| kept.at_opening),
        changeable: callback.is_changeable(now) && offers_times && !joined,
        number_changeable: callback.is_number_changeable() && !joined,
        calls_from: calls_from(callback, joined, parts),
        wait_time_s: wait_time.map(|known| known.seconds()),
        wait_time_at: wait_time.map(|known| known.measured_at.to_string()),
        created_at: callback.created_at.to_string(),
        updated_at: callback.updated_at.to_string(),
        revision: callback.revision,
    }
}

/// The number that the call comes from, for whoever may know whether a certain agent calls.
fn calls_from(callback: &Callback, joined: bool, parts: &Parts) -> Option<String> {
    let by_agent = callback.request.agent.is_some();
    if by_agent && joined {
        return None;
    }
    let site = parts.config.sites.get(&callback.request.site)?;
    let ani = site.calls_from(by_agent && callback.fallback.is_none())?;
    Some(PhoneNumber::from_e164(ani)?.written())
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
        fields: callback.request.fields.iter().map(|(id, answer)| (id.clone(), answer.reveal())).collect(),
        task_id: callback.task_id.clone(),
        attempts: callback.attempts,
        deadline: callback.deadline.to_string(),
        failure_detail: callback.failure.as_ref().map(|(_, detail)| detail.clone()),
        requests: None,
        fallback: callback.fallback.as_ref().map(|(fallback, _)| *fallback),
        fallback_detail: callback.fallback.as_ref().map(|(_, detail)| detail.clone()),
        erased_at: callback.erased_at.map(|at| at.to_string()),
    }
}
