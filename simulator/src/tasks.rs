//! `/v1/tasks`. Source: Webex OpenAPI, group "Tasks".

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::Answer;
use crate::call::Call;
use crate::clock;
use crate::envelope::Refusal;
use crate::members::Members;
use crate::organization::{AGENTS, Agent, ORG_ID, queue_name};
use crate::play::{self, Step};
use crate::settings::Outcome;
use crate::task::{OutboundType, Task, TaskState};
use crate::task_rules::{self, TaskRequest};
use crate::world::World;

const DAY_MS: i64 = 86_400_000;
/// Seen in the field, not promised.
const LONGEST_WINDOW_MS: i64 = 184 * DAY_MS;
/// Seen in the field, not promised.
const OLDEST_FROM_MS: i64 = 366 * DAY_MS;

/// Every task, oldest first, up to a number.
#[derive(Debug)]
pub(crate) struct Tasks {
    entries: HashMap<String, Task>,
    order: VecDeque<String>,
    keep: usize,
    dropped: u64,
}

impl Tasks {
    pub(crate) fn new(keep: usize) -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new(), keep: keep.max(1), dropped: 0 }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.keep);
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Task> {
        self.order.iter().filter_map(|id| self.entries.get(id))
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Task> {
        self.entries.get_mut(id)
    }

    pub(crate) fn next_step(&self, id: &str) -> Option<Step> {
        self.entries.get(id)?.steps.front().cloned()
    }

    fn insert(&mut self, task: Task) {
        if self.order.len() >= self.keep
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
            self.dropped += 1;
        }
        self.order.push_back(task.id.clone());
        self.entries.insert(task.id.clone(), task);
    }
}

/// How a coming call shall go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) outcome: Outcome,
    pub(crate) times: u32,
    /// Only for calls to this number.
    pub(crate) destination: Option<String>,
}

/// `POST /v1/tasks`
pub(crate) fn create(world: &Arc<World>, call: &Call) -> Result<Answer, Refusal> {
    let request = task_rules::read(&call.json_object()?)?;
    let id = admit(world, request, None);
    Ok(Answer::json(201, &json!({ "meta": { "orgId": ORG_ID }, "data": { "id": id } })))
}

/// Where a task comes from that no request for a task has made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scheduled {
    /// Whose personal callback it is.
    pub(crate) assignee: Option<&'static Agent>,
}

/// Makes the task and lets it play.
pub(crate) fn admit(world: &Arc<World>, request: TaskRequest, scheduled: Option<Scheduled>) -> String {
    let id = Uuid::new_v4().to_string();
    let now = world.now_ms();
    let outcome = world.outcome_for(&request.destination);
    let preferred = match request.outbound_type {
        OutboundType::ExecuteFlow => Task::agent_named_in(&request.attributes),
        _ => scheduled.and_then(|scheduled| scheduled.assignee),
    };
    let task = Task {
        id: id.clone(),
        outbound_type: request.outbound_type,
        entry_point_id: request.entry_point_id.to_owned(),
        destination: request.destination,
        origin: request.origin,
        attributes: request.attributes,
        custom_attributes: request.custom_attributes,
        scheduled: scheduled.is_some(),
        state: TaskState::Requested,
        outcome,
        queue_id: request.queue_id.map(str::to_owned),
        agent_id: None,
        preferred_agent_id: preferred.map(|agent| agent.id.to_owned()),
        created_time: now,
        updated_time: now,
        connected_time: None,
        ended_time: None,
        reason: None,
        terminating_party: None,
        rings: 0,
        events: Vec::new(),
        steps: play::steps_of(request.outbound_type, outcome).into(),
    };
    world.tasks.lock().insert(task);
    world.spawn(play::play(Arc::clone(world), id.clone()));
    id
}

/// `PATCH /v1/tasks/{id}`
pub(crate) fn update(world: &World, call: &Call, id: &str) -> Result<Answer, Refusal> {
    let body = call.json_object()?;
    let members = Members(&body);
    members.only(&["attributes"])?;
    let attributes = task_rules::attributes(members.object("attributes")?)?;
    let mut tasks = world.tasks.lock();
    let task = tasks.get_mut(id).ok_or_else(|| Refusal::not_found("No such task."))?;
    task.attributes.extend(attributes);
    task.updated_time = clock::now_ms();
    Ok(Answer::empty(202))
}

/// `GET /v1/tasks`
pub(crate) fn list(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let now = world.now_ms();
    let from = call.number("from")?.ok_or_else(|| Refusal::bad("from is mandatory."))?;
    let to = call.number("to")?.unwrap_or(now);
    if to < from {
        return Err(Refusal::bad("to must not be before from."));
    }
    if to - from > LONGEST_WINDOW_MS || now - from > OLDEST_FROM_MS {
        return Err(Refusal::new(422, "from and to: the window is too long, or too long ago."));
    }
    let page_size = call.number("pageSize")?.unwrap_or(100);
    if !(1..=1000).contains(&page_size) {
        return Err(Refusal::bad("pageSize must be 1 to 1000."));
    }
    let telephony =
        call.parameter("channelTypes").is_none_or(|types| types.split(',').any(|kind| kind == "telephony"));
    let newest = now - i64::try_from(world.settings.lock().search_lag_ms).unwrap_or(i64::MAX);
    let tasks = world.tasks.lock();
    let data: Vec<Value> = tasks
        .iter()
        .filter(|task| telephony && (from..=to).contains(&task.created_time) && task.created_time <= newest)
        .take(usize::try_from(page_size).unwrap_or(100))
        .map(listed)
        .collect();
    Ok(Answer::json(200, &json!({ "meta": { "orgId": ORG_ID }, "data": data })))
}

fn listed(task: &Task) -> Value {
    let agent = AGENTS.iter().find(|agent| Some(agent.id) == task.agent_id.as_deref());
    let status = match task.state {
        TaskState::Requested | TaskState::Created => "created",
        TaskState::Queued => "queued",
        TaskState::Offered => "offered",
        TaskState::Connected => "assigned",
        TaskState::Ended if task.connected_time.is_some() => "completed",
        TaskState::Ended | TaskState::Failed => "abandoned",
    };
    json!({
        "id": task.id,
        "attributes": {
            "owner": {
                "id": agent.map(|agent| agent.id),
                "name": agent.map(|agent| format!("{} {}", agent.first_name, agent.last_name)),
            },
            "queue": { "id": task.queue_id, "name": task.queue_id.as_deref().and_then(queue_name) },
            "channelType": "telephony",
            "status": status,
            "createdTime": task.created_time,
            "lastUpdatedTime": task.updated_time,
            "captureRequested": false,
            "origin": task.origin,
            "destination": task.destination,
            "direction": "outdial",
            "reasonCode": task.reason,
        },
    })
}
