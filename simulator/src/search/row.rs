//! A task as a row of the search.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::organization::{AGENTS, VARIABLES, entry_point, queue_name};
use crate::settings::Outcome;
use crate::task::{OutboundType, Task, TaskState};

/// The values of a row, and the variables that may be reported.
pub(super) struct Row {
    pub(super) values: Value,
    pub(super) variables: BTreeMap<String, String>,
}

/// A row with every member, to check a filter against when there is no task.
pub(super) fn sample() -> Row {
    of(&Task {
        id: String::new(),
        outbound_type: OutboundType::Callback,
        entry_point_id: String::new(),
        destination: String::new(),
        origin: String::new(),
        attributes: BTreeMap::new(),
        custom_attributes: BTreeMap::new(),
        scheduled: false,
        state: TaskState::Requested,
        outcome: Outcome::Connected,
        queue_id: None,
        agent_id: None,
        preferred_agent_id: None,
        created_time: 0,
        updated_time: 0,
        connected_time: None,
        ended_time: None,
        reason: None,
        terminating_party: None,
        rings: 0,
        events: Vec::new(),
        steps: VecDeque::new(),
    })
}

/// The row of a task.
pub(super) fn of(task: &Task) -> Row {
    let status = match task.state {
        TaskState::Requested | TaskState::Created => "created",
        TaskState::Queued => "parked",
        TaskState::Offered => "connect",
        TaskState::Connected => "connected",
        TaskState::Ended | TaskState::Failed => "ended",
    };
    let connected = task.connected_time.is_some();
    let duration = |from: Option<i64>, to: Option<i64>| match (from, to) {
        (Some(from), Some(to)) => to - from,
        _ => 0,
    };
    let is_callback = task.outbound_type == OutboundType::Callback;
    let preferred = task.preferred_agent_id.as_deref();
    let values = json!({
        "id": task.id,
        "status": status,
        "isActive": !task.state.is_final(),
        "channelType": "telephony",
        "channelSubType": null,
        "direction": "outbound",
        "outdialType": task.outbound_type.as_str(),
        "isCallback": is_callback,
        "origin": task.origin,
        "destination": task.destination,
        "createdTime": task.created_time,
        "endedTime": task.ended_time,
        "callbackData": if is_callback { callback_data(task) } else { Value::Null },
        "lastQueue": {
            "id": task.queue_id,
            "name": task.queue_id.as_deref().and_then(queue_name),
        },
        "lastAgent": agent(task),
        "owner": agent(task),
        "lastEntryPoint": {
            "id": task.entry_point_id,
            "name": entry_point(&task.entry_point_id).map(|entry_point| entry_point.name),
        },
        "terminationType": task.ended_time.map(|_| if connected { "normal" } else { "abandoned" }),
        "terminationReason": task.reason,
        "terminatingEnd": task.terminating_party,
        "abandonedType": (task.ended_time.is_some() && !connected).then_some("queue"),
        "contactHandleType": if connected { "normal" } else { "unhandled" },
        "connectedCount": i32::from(connected),
        "connectedDuration": duration(task.connected_time, task.ended_time),
        "queueDuration": duration(Some(task.created_time), task.connected_time.or(task.ended_time)),
        "ringingDuration": 0,
        "totalDuration": duration(Some(task.created_time), task.ended_time),
        "lastWrapupCodeName": null,
        "captureRequested": false,
        "isHandledByPreferredAgent": connected && preferred.is_some() && task.agent_id.as_deref() == preferred,
        "preferredAgentSystemId": preferred,
        "preferredAgentName": preferred.and_then(full_name),
    });
    let reportable =
        |name: &str| VARIABLES.iter().any(|variable| variable.reportable && variable.name == name);
    let variables = task
        .attributes
        .iter()
        .filter(|(name, _)| reportable(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Row { values, variables }
}

fn callback_data(task: &Task) -> Value {
    json!({
        "callbackRequestTime": task.created_time,
        // -1 is "not yet".
        "callbackConnectTime": task.connected_time.unwrap_or(-1),
        "callbackNumber": task.destination,
        "callbackStatus": if task.connected_time.is_some() { "Success" } else { "Not Processed" },
        "callbackOrigin": "web",
        "callbackType": "Web UI",
        "callbackQueueName": task.queue_id.as_deref().and_then(queue_name),
        "callbackAgentName": task.agent_id.as_deref().and_then(full_name),
        "callbackTeamName": null,
        "callbackRetryCount": 0,
    })
}

fn agent(task: &Task) -> Value {
    let found = AGENTS.iter().find(|agent| Some(agent.id) == task.agent_id.as_deref());
    json!({
        "id": found.map(|agent| agent.id),
        "name": found.and_then(|agent| full_name(agent.id)),
        "signInId": found.map(|agent| agent.email),
    })
}

fn full_name(agent_id: &str) -> Option<String> {
    AGENTS
        .iter()
        .find(|agent| agent.id == agent_id)
        .map(|agent| format!("{} {}", agent.first_name, agent.last_name))
}
