//! The way of every request: read it, remember it, let it meet its fault, admit it, do it, answer.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use tokio::time::sleep;

use crate::answer::Answer;
use crate::call::Call;
use crate::envelope::{Envelope, Refusal};
use crate::faults::{self, Effect};
use crate::oauth::Grant;
use crate::records::RecordedRequest;
use crate::route::{Operation, Route, route};
use crate::world::World;
use crate::{
    clock, configuration, connection, control, ewt, oauth, organization, scheduled, search, subscriptions,
    tasks,
};

const RECORDED_BODY: usize = 64 * 1024;

/// Answers any request.
pub(crate) async fn enter(request: HttpRequest, body: Bytes, world: Data<World>) -> HttpResponse {
    let world = world.into_inner();
    let call = Call::read(&request, body);
    if let Some(path) = call.path.strip_prefix("/_control/") {
        return control::enter(&world, &call, path).into_response();
    }

    let route = route(&call.method, &call.path);
    let number = record(&world, &call, route.as_ref().ok());
    let route = match route {
        Ok(route) => route,
        Err(refusal) => {
            return send(&world, number, &call, refusal.answer(Envelope::Runtime, &call.tracking_id));
        }
    };
    let own = route.operation.envelope();
    let fault = faults::take(&mut world.faults.lock(), route.operation, &call);
    let Some(fault) = fault else {
        let answer = carry_out(&world, &call, &route);
        return send(&world, number, &call, answer);
    };

    note_fault(&world, number, fault.effect.name());
    sleep(Duration::from_millis(fault.delay_ms)).await;
    let answer = match &fault.effect {
        Effect::Status(failure) => failure.answer(own, &call.tracking_id),
        Effect::CutBefore => {
            connection::cut(&request);
            return Answer::empty(500).into_response();
        }
        Effect::Delay => carry_out(&world, &call, &route),
        Effect::StatusAfter(failure) => {
            carry_out(&world, &call, &route);
            failure.answer(own, &call.tracking_id)
        }
        Effect::CutAfter => {
            carry_out(&world, &call, &route);
            sleep(Duration::from_millis(fault.delay_after_ms)).await;
            connection::cut(&request);
            return Answer::empty(500).into_response();
        }
        Effect::MalformedBody => {
            let mut answer = carry_out(&world, &call, &route);
            answer.body.truncate(answer.body.len() / 2);
            answer
        }
    };
    sleep(Duration::from_millis(fault.delay_after_ms)).await;
    send(&world, number, &call, answer)
}

fn carry_out(world: &Arc<World>, call: &Call, route: &Route) -> Answer {
    dispatch(world, call, route)
        .unwrap_or_else(|refusal| refusal.answer(route.operation.envelope(), &call.tracking_id))
}

fn dispatch(world: &Arc<World>, call: &Call, route: &Route) -> Result<Answer, Refusal> {
    let grant = admit(world, call, route)?;
    let (id, version) = (route.id.as_str(), route.version);
    match route.operation {
        Operation::Authorize => oauth::authorize(world, call),
        Operation::IssueToken => oauth::issue(world, call),
        Operation::CreateTask => tasks::create(world, call),
        Operation::ListTasks => tasks::list(world, call),
        Operation::UpdateTask => tasks::update(world, call, id),
        Operation::CreateSubscription => subscriptions::create(world, call, version, &grant.user),
        Operation::ListSubscriptions => Ok(subscriptions::list(world, version)),
        Operation::ReadSubscription => subscriptions::read(world, version, id),
        Operation::UpdateSubscription => subscriptions::update(world, call, version, id, &grant.user),
        Operation::DeleteSubscription => subscriptions::delete(world, version, id),
        Operation::ListEventTypes => Ok(crate::event_types::list(version)),
        Operation::Search => search::answer(world, call),
        Operation::EstimateWait => ewt::estimate(world, call),
        Operation::CreateScheduledCallback => scheduled::create(world, call),
        Operation::ListScheduledCallbacks => scheduled::list(world, call),
        Operation::ReadScheduledCallback => scheduled::read(world, id),
        Operation::UpdateScheduledCallback => scheduled::update(world, call, id),
        Operation::DeleteScheduledCallback => scheduled::delete(world, id),
        Operation::ReadConfiguration => configuration::read(call, id),
    }
}

/// Token, rate, scope, organisation: in this order.
fn admit(world: &World, call: &Call, route: &Route) -> Result<Grant, Refusal> {
    let scopes = route.operation.scopes();
    if scopes.is_empty() {
        return Ok(Grant::nobody());
    }
    let grant = oauth::grant_of(world, call)?;
    if let Some(seconds) = world.over_limit(&grant.client) {
        let description = "Too many requests.".to_owned();
        return Err(Refusal { status: 429, description, retry_after: Some(seconds) });
    }
    if !grant.scopes.iter().any(|scope| scopes.contains(&scope.as_str())) {
        return Err(Refusal::new(403, format!("The token lacks the scope {}.", scopes.join(" or "))));
    }
    let organization = route.organization.as_deref().or_else(|| call.parameter("orgId"));
    if organization.is_some_and(|organization| organization != organization::ORG_ID) {
        return Err(Refusal::new(403, "The token is of another organization."));
    }
    Ok(grant)
}

fn record(world: &World, call: &Call, route: Option<&Route>) -> u64 {
    let body = call.body.get(..RECORDED_BODY).unwrap_or(&call.body);
    let mut requests = world.requests.lock();
    let number = requests.total();
    requests.push(RecordedRequest {
        number,
        at: clock::now_ms(),
        method: call.method.clone(),
        path: call.path.clone(),
        query: call.query_string.clone(),
        headers: call.headers.clone(),
        body: String::from_utf8_lossy(body).into_owned(),
        operation: route.map(|route| route.operation),
        status: None,
        fault: None,
    });
    number
}

fn note_fault(world: &World, number: u64, name: &str) {
    if let Some(request) = world.requests.lock().at(number) {
        request.fault = Some(name.to_owned());
    }
}

fn send(world: &World, number: u64, call: &Call, answer: Answer) -> HttpResponse {
    if let Some(request) = world.requests.lock().at(number) {
        request.status = Some(answer.status);
    }
    let mut answer = answer;
    if answer.names_the_call {
        answer = answer.with_header("TrackingId", call.tracking_id.clone());
    }
    let ahead_s = world.settings.lock().clock_ahead_s;
    if ahead_s != 0 {
        answer = answer.with_header("Date", clock::http_date(ahead_s));
    }
    answer.into_response()
}
