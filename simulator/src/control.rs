//! The control door, `/_control/`: set what goes wrong and how calls go, and read what happened.
//!
//! It is open to this machine alone and asks for no token; it is never recorded and never meets a fault.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::Call;
use crate::envelope::{Envelope, Refusal};
use crate::faults::Fault;
use crate::play;
use crate::records::RecordedRequest;
use crate::route::Operation;
use crate::scheduled;
use crate::settings::{Outcome, Settings};
use crate::task::{Task, TaskState};
use crate::tasks::Plan;
use crate::webhook_faults::WebhookFault;
use crate::webhooks::{self, Delivery};
use crate::world::World;

/// Entries of a list, and how many older ones were forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing<T> {
    /// How many older entries were forgotten.
    pub dropped: u64,
    /// The entries, oldest first.
    pub entries: Vec<T>,
}

/// What happened, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Requests since the start or the last reset.
    pub requests: u64,
    /// Of those that are remembered, how many asked for what.
    pub operations: BTreeMap<Operation, u64>,
    /// How many tasks stand where.
    pub tasks: BTreeMap<TaskState, u64>,
    /// The destinations for which more than one task was made, and how many.
    pub repeated_destinations: BTreeMap<String, u64>,
    /// Webhook deliveries, lost ones included.
    pub deliveries: u64,
    /// Requests that were forgotten.
    pub dropped_requests: u64,
    /// Tasks that were forgotten.
    pub dropped_tasks: u64,
    /// Deliveries that were forgotten.
    pub dropped_deliveries: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutcomePlan {
    outcome: Outcome,
    #[serde(default = "once")]
    times: u32,
    destination: Option<String>,
}

const fn once() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    queue_id: String,
    wait_ms: Option<f64>,
}

pub(crate) fn enter(world: &Arc<World>, call: &Call, path: &str) -> Answer {
    if !call.peer.is_some_and(|peer| peer.ip().is_loopback()) {
        return Refusal::new(403, "The control door is open to this machine alone.")
            .answer(Envelope::Runtime, &call.tracking_id);
    }
    answer(world, call, path).unwrap_or_else(|refusal| refusal.answer(Envelope::Runtime, &call.tracking_id))
}

fn answer(world: &Arc<World>, call: &Call, path: &str) -> Result<Answer, Refusal> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("POST", ["reset"]) => {
            world.reset();
            Ok(Answer::empty(204))
        }
        ("GET", ["settings"]) => Ok(Answer::json(200, &json!(*world.settings.lock()))),
        ("PATCH", ["settings"]) => change_settings(world, call),
        ("POST", ["faults"]) => {
            world.faults.lock().push(body::<Fault>(call)?);
            Ok(Answer::empty(204))
        }
        ("GET", ["faults"]) => Ok(Answer::json(200, &json!(*world.faults.lock()))),
        ("DELETE", ["faults"]) => {
            world.faults.lock().clear();
            Ok(Answer::empty(204))
        }
        ("POST", ["webhook-faults"]) => {
            let fault = body::<WebhookFault>(call)?;
            world.webhooks.lock().faults.push(fault);
            Ok(Answer::empty(204))
        }
        ("DELETE", ["webhook-faults"]) => {
            world.webhooks.lock().faults.clear();
            webhooks::release(world);
            Ok(Answer::empty(204))
        }
        ("POST", ["outcomes"]) => {
            let OutcomePlan { outcome, times, destination } = body(call)?;
            world.plan(Plan { outcome, times, destination });
            Ok(Answer::empty(204))
        }
        ("POST", ["waits"]) => {
            let wait: Wait = body(call)?;
            world.waits.lock().set(&wait.queue_id, wait.wait_ms);
            Ok(Answer::empty(204))
        }
        ("DELETE", ["tokens", kind @ ("access" | "refresh")]) => {
            let mut tokens = world.tokens.lock();
            if *kind == "access" {
                tokens.end_access();
            } else {
                tokens.end_refresh();
            }
            Ok(Answer::empty(204))
        }
        ("GET", ["tasks"]) => Ok(Answer::json(200, &json!(listed_tasks(world, call)))),
        ("GET", ["tasks", id]) => match world.tasks.lock().get_mut(id) {
            Some(task) => Ok(Answer::json(200, &json!(task))),
            None => Err(Refusal::not_found("No such task.")),
        },
        ("POST", ["tasks", id, "advance"]) => match play::advance(world, id) {
            Some(task) => Ok(Answer::json(200, &json!(task))),
            None => Err(Refusal::not_found("No such task, or no step is left.")),
        },
        ("POST", ["scheduled", id, "trigger"]) => {
            let task_id = scheduled::trigger(world, id)?;
            Ok(Answer::json(200, &json!({ "task_id": task_id })))
        }
        ("GET", ["requests"]) => Ok(Answer::json(200, &json!(requests(world, call)?))),
        ("GET", ["deliveries"]) => Ok(Answer::json(200, &json!(deliveries(world, call)))),
        ("GET", ["summary"]) => Ok(Answer::json(200, &json!(summary(world)))),
        _ => Err(Refusal::not_found("The control door has no such call.")),
    }
}

fn body<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    serde_json::from_slice(&call.body).map_err(|error| Refusal::bad(error.to_string()))
}

/// Members that are not named keep their value.
fn change_settings(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let changes: serde_json::Map<String, Value> = body(call)?;
    let mut settings = json!(*world.settings.lock());
    for (name, value) in changes {
        settings[name] = value;
    }
    let settings: Settings =
        serde_json::from_value(settings).map_err(|error| Refusal::bad(error.to_string()))?;
    world.apply(settings.clone());
    Ok(Answer::json(200, &json!(settings)))
}

fn listed_tasks(world: &World, call: &Call) -> Listing<Task> {
    let destination = call.parameter("destination");
    let tasks = world.tasks.lock();
    let fits = |task: &&Task| destination.is_none_or(|wanted| wanted == task.destination);
    Listing { dropped: tasks.dropped(), entries: tasks.iter().filter(fits).cloned().collect() }
}

fn requests(world: &World, call: &Call) -> Result<Listing<RecordedRequest>, Refusal> {
    let operation: Option<Operation> = call
        .parameter("operation")
        .map(|name| serde_json::from_value(json!(name)))
        .transpose()
        .map_err(|error| Refusal::bad(error.to_string()))?;
    let requests = world.requests.lock();
    let fits = |request: &&RecordedRequest| operation.is_none() || request.operation == operation;
    Ok(Listing { dropped: requests.dropped(), entries: requests.iter().filter(fits).cloned().collect() })
}

fn deliveries(world: &World, call: &Call) -> Listing<Delivery> {
    let task = call.parameter("task");
    let webhooks = world.webhooks.lock();
    let fits = |delivery: &&Delivery| task.is_none_or(|wanted| wanted == delivery.task_id);
    Listing {
        dropped: webhooks.deliveries.dropped(),
        entries: webhooks.deliveries.iter().filter(fits).cloned().collect(),
    }
}

fn summary(world: &World) -> Summary {
    let (requests, dropped_requests, operations) = {
        let requests = world.requests.lock();
        let mut operations = BTreeMap::new();
        for operation in requests.iter().filter_map(|request| request.operation) {
            *operations.entry(operation).or_default() += 1;
        }
        (requests.total(), requests.dropped(), operations)
    };
    let (states, mut destinations, dropped_tasks) = {
        let tasks = world.tasks.lock();
        let mut states: BTreeMap<TaskState, u64> = BTreeMap::new();
        let mut destinations: BTreeMap<String, u64> = BTreeMap::new();
        for task in tasks.iter() {
            *states.entry(task.state).or_default() += 1;
            *destinations.entry(task.destination.clone()).or_default() += 1;
        }
        (states, destinations, tasks.dropped())
    };
    destinations.retain(|_, count| *count > 1);
    let webhooks = world.webhooks.lock();
    Summary {
        requests,
        operations,
        tasks: states,
        repeated_destinations: destinations,
        deliveries: webhooks.deliveries.total(),
        dropped_requests,
        dropped_tasks,
        dropped_deliveries: webhooks.deliveries.dropped(),
    }
}
