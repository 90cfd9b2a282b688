//! The life of a call after its task was made: which steps it takes, and when.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock;
use crate::organization::{AGENTS, Agent, SUPPORT_QUEUE};
use crate::settings::{Outcome, Pace};
use crate::task::{OutboundType, Task, TaskState};
use crate::webhooks;
use crate::world::World;

/// One step in the life of a call; each sends one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// The contact is made: `task:new`.
    New,
    /// It waits in the queue: `task:parked`.
    Parked,
    /// An agent is offered the call: `task:connect`.
    Connect,
    /// The agent did not take it: `task:ended`, which is no end.
    Rona,
    /// The customer's phone rang and was answered: `task:connected`.
    Connected,
    /// The customer's phone rang in vain: `task:ended`.
    Unanswered {
        /// Why.
        reason: String,
    },
    /// It is over: `task:ended`.
    Ended {
        /// Why.
        reason: String,
        /// `Customer`, `Agent` or `System`.
        terminating_party: String,
    },
    /// It never began: `task:failed`.
    Failed,
}

impl Step {
    fn ended(reason: &str, terminating_party: &str) -> Self {
        Self::Ended { reason: reason.to_owned(), terminating_party: terminating_party.to_owned() }
    }

    fn unanswered(reason: &str) -> Self {
        Self::Unanswered { reason: reason.to_owned() }
    }

    fn event_type(&self) -> &'static str {
        match self {
            Self::New => "task:new",
            Self::Parked => "task:parked",
            Self::Connect => "task:connect",
            Self::Connected => "task:connected",
            Self::Rona | Self::Unanswered { .. } | Self::Ended { .. } => "task:ended",
            Self::Failed => "task:failed",
        }
    }

    fn wait(&self, pace: Pace) -> Option<Duration> {
        let Pace::Timed { new_ms, parked_ms, connect_ms, connected_ms, ended_ms } = pace else { return None };
        Some(Duration::from_millis(match self {
            Self::New | Self::Failed => new_ms,
            Self::Parked => parked_ms,
            Self::Connect => connect_ms,
            Self::Connected | Self::Rona | Self::Unanswered { .. } => connected_ms,
            Self::Ended { .. } => ended_ms,
        }))
    }
}

/// The steps of a call with this outcome.
pub(crate) fn script(outcome: Outcome) -> Vec<Step> {
    use Step::{Connect, Connected, Failed, New, Parked, Rona};
    let customer_left = Step::ended("Customer Left", "Customer");
    match outcome {
        Outcome::Connected => vec![New, Parked, Connect, Connected, customer_left],
        Outcome::AgentLeft => vec![New, Parked, Connect, Connected, Step::ended("Agent Left", "Agent")],
        Outcome::Rona => vec![New, Parked, Connect, Rona, Parked, Connect, Connected, customer_left],
        Outcome::NoAnswer => vec![New, Parked, Connect, Step::unanswered("NO_ANSWER_FROM_CUSTOMER")],
        Outcome::Busy => vec![New, Parked, Connect, Step::unanswered("CUSTOMER_BUSY")],
        Outcome::Failed => vec![Failed],
        Outcome::QueueTimeout => vec![New, Parked, Step::ended("Queue Timeout", "System")],
        Outcome::StaysParked => vec![New, Parked],
        Outcome::Silent => Vec::new(),
    }
}

/// An event that Webex tells its subscribers.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: &'static str,
    pub(crate) task_id: String,
    pub(crate) created_time: i64,
    pub(crate) data: Value,
}

/// Plays a task to its end, at the pace that is set.
pub(crate) async fn play(world: Arc<World>, task_id: String) {
    let mut pace = world.pace.subscribe();
    loop {
        let Some(step) = world.tasks.lock().next_step(&task_id) else { return };
        let current = *pace.borrow_and_update();
        let due = async {
            match step.wait(current) {
                Some(wait) if wait.is_zero() => {}
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => { advance(&world, &task_id); }
            changed = pace.changed() => if changed.is_err() { return },
        }
    }
}

/// Takes the next step of a task and tells its event; `None` when there is no such task or no step left.
pub(crate) fn advance(world: &Arc<World>, task_id: &str) -> Option<Task> {
    // Announced under the lock: two steps of one task must not change places on their way to the receivers.
    let mut tasks = world.tasks.lock();
    let task = tasks.get_mut(task_id)?;
    let step = task.steps.pop_front()?;
    let event = take(task, &step);
    let task = task.clone();
    webhooks::announce(world, &event);
    Some(task)
}

fn take(task: &mut Task, step: &Step) -> Event {
    let now = clock::now_ms();
    task.updated_time = now;
    match step {
        Step::New => task.state = TaskState::Created,
        Step::Parked => {
            task.state = TaskState::Queued;
            task.agent_id = None;
            task.queue_id.get_or_insert_with(|| SUPPORT_QUEUE.to_owned());
        }
        Step::Connect => {
            task.state = TaskState::Offered;
            task.agent_id = next_agent(task).map(|agent| agent.id.to_owned());
        }
        // The agent is reserved and offered the call first; the customer is dialled after that.
        Step::Connected => {
            task.state = TaskState::Connected;
            task.connected_time = Some(now);
            task.rings += 1;
        }
        Step::Rona => {}
        Step::Unanswered { reason } => {
            task.rings += 1;
            end(task, now, reason, "System");
        }
        Step::Ended { reason, terminating_party } => end(task, now, reason, terminating_party),
        Step::Failed => {
            end(task, now, "System AdmitFailed", "System");
            task.state = TaskState::Failed;
        }
    }
    let event_type = step.event_type();
    task.events.push(event_type.to_owned());
    Event { kind: event_type, task_id: task.id.clone(), created_time: now, data: data(task, step, now) }
}

fn end(task: &mut Task, now: i64, reason: &str, terminating_party: &str) {
    task.state = TaskState::Ended;
    task.ended_time = Some(now);
    task.reason = Some(reason.to_owned());
    task.terminating_party = Some(terminating_party.to_owned());
    task.steps.clear();
}

/// The preferred agent while logged in and not yet tried, else the first other one: a call that an agent let ring is
/// offered to somebody else.
fn next_agent(task: &Task) -> Option<&'static Agent> {
    let offered = task.events.iter().filter(|event| *event == "task:connect").count();
    let mut agents: Vec<&Agent> = AGENTS.iter().filter(|agent| agent.logged_in).collect();
    agents.sort_by_key(|agent| task.preferred_agent_id.as_deref() != Some(agent.id));
    agents.get(offered.checked_rem(agents.len())?).copied()
}

/// The `data` of an event. Source: the types of Cisco's own desktop widgets and Java model of the webhooks.
fn data(task: &Task, step: &Step, now: i64) -> Value {
    if *step == Step::Failed {
        return json!({
            "taskId": task.id,
            "reason": "System AdmitFailed",
            "errorMessage": "The contact could not be admitted.",
            "failureType": "ADMIT_FAILED",
            "channel": "telephony",
            "mediaMgr": "vmm",
        });
    }
    let mut data = json!({
        "taskId": task.id,
        "channelType": "telephony",
        "createdTime": now,
        "origin": task.origin,
        "destination": task.destination,
        "direction": "OUTBOUND",
        "outboundType": task.outbound_type.as_str(),
    });
    if *step == Step::New {
        data["workflowManager"] = Value::Null;
        return data;
    }
    if let Some(queue_id) = &task.queue_id {
        data["queueId"] = json!(queue_id);
    }
    if let Some(agent_id) = &task.agent_id {
        data["agentId"] = json!(agent_id);
    }
    match step {
        Step::Rona => {
            data["reason"] = json!("RONA Timer Expired");
            data["terminatingParty"] = json!("System");
        }
        Step::Unanswered { .. } | Step::Ended { .. } => {
            data["reason"] = json!(task.reason);
            data["terminatingParty"] = json!(task.terminating_party);
        }
        _ => {}
    }
    data
}

/// The steps of a new task: an outdial begins at the agent, who asked for it, and never waits in a queue.
pub(crate) fn steps_of(outbound_type: OutboundType, outcome: Outcome) -> Vec<Step> {
    let mut steps = script(outcome);
    if outbound_type == OutboundType::Outdial {
        steps.retain(|step| *step != Step::Parked);
    }
    steps
}
