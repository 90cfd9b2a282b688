//! A task, from the request that made it to its end.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::play::Step;
use crate::settings::Outcome;

/// What a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OutboundType {
    /// The next free agent calls the customer back.
    Callback,
    /// An agent who is logged in dials out.
    Outdial,
    /// The flow of an inbound entry point runs.
    ExecuteFlow,
}

impl OutboundType {
    /// As Webex spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "CALLBACK",
            Self::Outdial => "OUTDIAL",
            Self::ExecuteFlow => "EXECUTE_FLOW",
        }
    }
}

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// Answered with 201; nothing has happened yet.
    Requested,
    /// `task:new`
    Created,
    /// `task:parked`
    Queued,
    /// `task:connect`
    Offered,
    /// `task:connected`
    Connected,
    /// `task:ended`, for good.
    Ended,
    /// `task:failed`
    Failed,
}

impl TaskState {
    /// Whether nothing more can come.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Ended | Self::Failed)
    }
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id, as `data.id` of the answer and `taskId` of every event.
    pub id: String,
    /// What it asks for.
    pub outbound_type: OutboundType,
    /// The entry point it came in at.
    pub entry_point_id: String,
    /// The customer's number, as it was sent.
    pub destination: String,
    /// The contact centre's number; the default ANI when the request named none.
    pub origin: String,
    /// The attributes, as they were sent and patched.
    pub attributes: BTreeMap<String, String>,
    /// The SIP headers, keys in lower case.
    pub custom_attributes: BTreeMap<String, String>,
    /// Whether a scheduled callback made it.
    pub scheduled: bool,
    /// How far it has come.
    pub state: TaskState,
    /// How it goes.
    pub outcome: Outcome,
    /// The queue it waits in.
    pub queue_id: Option<String>,
    /// The agent it is offered to, or talks with.
    pub agent_id: Option<String>,
    /// The agent that the flow was asked for, when that agent exists.
    pub preferred_agent_id: Option<String>,
    /// When it was asked for, in milliseconds since the epoch, as every time here.
    pub created_time: i64,
    /// When it last changed.
    pub updated_time: i64,
    /// When the customer answered.
    pub connected_time: Option<i64>,
    /// When it ended.
    pub ended_time: Option<i64>,
    /// Why it ended.
    pub reason: Option<String>,
    /// Who ended it.
    pub terminating_party: Option<String>,
    /// How often the customer's phone rang for it.
    pub rings: u32,
    /// The types of the events so far.
    pub events: Vec<String>,
    /// The steps to come.
    pub steps: VecDeque<Step>,
}

impl Task {
    /// The agent that a flow variable names, when Webex knows that agent.
    pub(crate) fn agent_named_in(
        attributes: &BTreeMap<String, String>,
    ) -> Option<&'static crate::organization::Agent> {
        crate::organization::AGENT_VARIABLES
            .iter()
            .filter_map(|variable| attributes.get(*variable))
            .find_map(|value| crate::organization::agent(value))
    }
}
