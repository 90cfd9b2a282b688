//! What the service answers about a callback.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::request::FieldValue;

/// Where a callback stands in its life. `docs/architecture.md` draws the transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Stored, and not yet sent to Webex.
    Accepted,
    /// A request to Webex is under way.
    Sending,
    /// A request to Webex was sent and its answer was lost: the service finds out whether it took effect.
    Unconfirmed,
    /// Kept until the window in which the person wants to be called.
    Scheduled,
    /// It is being moved to another window at Webex.
    Rescheduling,
    /// It is being called off at Webex.
    Cancelling,
    /// Webex has made a task of it.
    Requested,
    /// The task waits in a queue for a free agent.
    Queued,
    /// An agent is being offered the call.
    Offered,
    /// The agent and the person are talking.
    Connected,
    /// The call has ended.
    Completed,
    /// No call will come of it; [`CallbackView::failure`] says why.
    Failed,
    /// Called off by the visitor or the CRM before it was sent.
    Cancelled,
    /// It could not be sent before its deadline.
    Expired,
    /// Webex had it for a chosen time, and what became of it could not be found out.
    Untraced,
}

impl State {
    /// Every state, in the order of a callback's life.
    pub const ALL: [Self; 15] = [
        Self::Accepted,
        Self::Sending,
        Self::Unconfirmed,
        Self::Scheduled,
        Self::Rescheduling,
        Self::Cancelling,
        Self::Requested,
        Self::Queued,
        Self::Offered,
        Self::Connected,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
        Self::Untraced,
    ];

    /// The text of the state, as it stands in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sending => "sending",
            Self::Unconfirmed => "unconfirmed",
            Self::Scheduled => "scheduled",
            Self::Rescheduling => "rescheduling",
            Self::Cancelling => "cancelling",
            Self::Requested => "requested",
            Self::Queued => "queued",
            Self::Offered => "offered",
            Self::Connected => "connected",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Untraced => "untraced",
        }
    }

    /// The state of that text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether it is known what came of the request to Webex: it has made a task, or no call will come of it. This ends
    /// the wait of `Prefer: wait`.
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Accepted | Self::Sending | Self::Unconfirmed)
    }

    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::Expired | Self::Untraced)
    }
}

/// The answer `202` to a post: the callback is stored, and will be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accepted {
    /// The id of the callback.
    pub id: String,
    /// Its state when it was accepted: `scheduled` where it is kept until its window begins, else `accepted`.
    pub state: State,
    /// A bearer token that opens this callback alone.
    pub follow: String,
    /// Whether this is a callback that somebody had asked for before and that is not over yet: one call will come of
    /// both requests. The token then follows it and cannot call it off, since a number alone proves nothing.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub joined: bool,
    /// When it will be called; absent where that is as soon as possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Window>,
    /// Whether it was asked for as soon as possible, and the site is closed: `schedule` is then at its next opening.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub at_opening: bool,
}

/// The answer to a post with `Prefer: wait`: `200` where it is known what came of the request to Webex, `202` where the
/// wait ended before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Waited {
    /// What the answer would have been without waiting, with the state as it is now.
    #[serde(flatten)]
    pub accepted: Accepted,
    /// The callback as it is now.
    pub callback: CallbackRecord,
}

/// A callback as its visitor may see it. No personal data: whoever reads it has it already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a caller may do now")]
pub struct CallbackView {
    /// The id of the callback.
    pub id: String,
    /// The site that it was asked for on.
    pub site: String,
    /// Where it stands.
    pub state: State,
    /// The display name of the preferred agent; absent where the next free one calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Whether an agent was asked for, and the next free one calls instead.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub fell_back: bool,
    /// Why it failed; only in state `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Whether it can still be called off.
    pub cancellable: bool,
    /// When the person wants to be called; absent where that is as soon as possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Window>,
    /// Whether nobody chose that window: it was asked for as soon as possible while the site was closed.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub at_opening: bool,
    /// The window that it is being moved to; only in state `rescheduling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted_schedule: Option<Window>,
    /// Whether it can still be moved to another window.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub changeable: bool,
    /// Whether it can still be called at another number.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub number_changeable: bool,
    /// The number that the call comes from, as people write it; absent where the operator names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_from: Option<String>,
    /// How long people wait for an agent at present, in seconds: while this one waits, and where Webex has a figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_time_s: Option<u32>,
    /// When that was measured: RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_time_at: Option<String>,
    /// When it was accepted: RFC 3339, UTC.
    pub created_at: String,
    /// When its state last changed: RFC 3339, UTC.
    pub updated_at: String,
    /// The number of changes so far; rises with each.
    pub revision: u64,
}

/// A window in which somebody wants to be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Window {
    /// The day: `YYYY-MM-DD`.
    pub date: String,
    /// The time at which it begins: `HH:MM:SS`.
    pub start: String,
    /// The time at which it ends: `HH:MM:SS`.
    pub end: String,
    /// The zone whose clocks are meant.
    pub timezone: String,
    /// When it begins: RFC 3339, UTC.
    pub starts_at: String,
    /// When it ends: RFC 3339, UTC.
    pub ends_at: String,
}

/// A callback as the CRM that has a key to it may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallbackRecord {
    /// What a visitor may see.
    #[serde(flatten)]
    pub view: CallbackView,
    /// The CRM's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What stood in the operator's own fields, by their ids; absent once it is erased.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FieldValue>,
    /// The id of the Webex task, which is also the interaction id in the contact centre's reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// How many requests to Webex were made.
    pub attempts: u32,
    /// When it will be given up if Webex has not taken it: RFC 3339, UTC.
    pub deadline: String,
    /// What was wrong when it failed, for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_detail: Option<String>,
    /// Why the next free agent calls instead of the one who was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// What was in the way of that agent, for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_detail: Option<String>,
    /// When everything that tells who the person is was erased: RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<String>,
    /// The requests to Webex about it, oldest first; only with `include=requests`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Vec<WebexRequest>>,
}

/// One request to Webex about a callback: what its support asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebexRequest {
    /// What was asked for: `create_task`, `search_task`, `list_tasks`, `find_agent`, `create_schedule`,
    /// `find_schedule`, `read_schedule`, `change_schedule` or `delete_schedule`.
    pub operation: String,
    /// When: RFC 3339, UTC.
    pub begun_at: String,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// The HTTP status, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The tracking id of the request.
    pub tracking_id: String,
    /// What came of it.
    pub outcome: String,
}

/// A page of callbacks, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallbackPage {
    /// The callbacks.
    pub callbacks: Vec<CallbackRecord>,
    /// The cursor of the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A preferred-agent link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MintedLink {
    /// The address of the hosted page with the form for that agent.
    pub url: String,
    /// The link's token, for `data-agent` on the site's own pages.
    pub token: String,
    /// The name of the agent that visitors see.
    pub agent: String,
    /// When the link runs out: RFC 3339, UTC.
    pub expires_at: String,
}

/// Why the next free agent calls instead of the one who was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// The agent is not configured, or not for this site, any more.
    AgentNotConfigured,
    /// Webex knows no such agent.
    AgentUnknown,
    /// The agent is not active in the contact centre.
    AgentInactive,
    /// Webex refused the request that names the agent.
    AgentRefused,
}

impl Fallback {
    /// Every reason.
    pub const ALL: [Self; 4] =
        [Self::AgentNotConfigured, Self::AgentUnknown, Self::AgentInactive, Self::AgentRefused];

    /// The text of the reason, as it stands in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentNotConfigured => "agent_not_configured",
            Self::AgentUnknown => "agent_unknown",
            Self::AgentInactive => "agent_inactive",
            Self::AgentRefused => "agent_refused",
        }
    }

    /// The reason of that text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Why no call will come of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// Webex refused the request, and would refuse it again.
    Refused,
    /// Webex took the task and could not play it.
    TaskFailed,
    /// The call ended before the person was connected.
    NotConnected,
    /// The agent who was asked for takes no calls, and the site lets no other call instead.
    AgentUnavailable,
    /// The answer of Webex was lost, and the operator gave it up: whether there was a call is not known.
    GivenUp,
}

impl Failure {
    /// Every failure.
    pub const ALL: [Self; 5] =
        [Self::Refused, Self::TaskFailed, Self::NotConnected, Self::AgentUnavailable, Self::GivenUp];

    /// The text of the failure, as it stands in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::TaskFailed => "task_failed",
            Self::NotConnected => "not_connected",
            Self::AgentUnavailable => "agent_unavailable",
            Self::GivenUp => "given_up",
        }
    }

    /// The failure of that text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_state_is_its_json() {
        for state in State::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("Accepted"), None);
    }

    #[test]
    fn the_text_of_a_failure_or_a_fallback_is_its_json() {
        for failure in Failure::ALL {
            assert_eq!(serde_json::to_value(failure).unwrap(), failure.as_str());
            assert_eq!(Failure::parse(failure.as_str()), Some(failure));
        }
        for fallback in Fallback::ALL {
            assert_eq!(serde_json::to_value(fallback).unwrap(), fallback.as_str());
            assert_eq!(Fallback::parse(fallback.as_str()), Some(fallback));
        }
    }
}
