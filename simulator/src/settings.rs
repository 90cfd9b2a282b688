//! What can be set while the simulator runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How fast calls go by themselves. In JSON and on the command line it is a text: `manual`, `instant`, `demo`, the
/// milliseconds of every step (`25`), or five numbers (`100,300,2000,2000,8000`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pace {
    /// Nothing moves until it is told to.
    Manual,
    /// Each step waits first; all in milliseconds.
    Timed {
        /// Before the contact is made (`task:new`, or `task:failed`).
        new_ms: u64,
        /// Before it waits in the queue (`task:parked`).
        parked_ms: u64,
        /// Before an agent is offered the call (`task:connect`).
        connect_ms: u64,
        /// Before the customer answers (`task:connected`).
        connected_ms: u64,
        /// Before the call ends (`task:ended`).
        ended_ms: u64,
    },
}

impl Pace {
    /// The same wait before every step, in milliseconds.
    pub const fn every(ms: u64) -> Self {
        Self::Timed { new_ms: ms, parked_ms: ms, connect_ms: ms, connected_ms: ms, ended_ms: ms }
    }

    /// No wait at all: events may overtake the answer to the request that made the task.
    pub const fn instant() -> Self {
        Self::every(0)
    }

    /// Slow enough to be watched, fast enough not to bore.
    pub const fn demo() -> Self {
        Self::Timed { new_ms: 300, parked_ms: 700, connect_ms: 4000, connected_ms: 4000, ended_ms: 12_000 }
    }
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "manual" => return Ok(Self::Manual),
            "instant" => return Ok(Self::instant()),
            "demo" => return Ok(Self::demo()),
            _ => {}
        }
        let numbers: Result<Vec<u64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
        match numbers.as_deref() {
            Ok([ms]) => Ok(Self::every(*ms)),
            Ok([new_ms, parked_ms, connect_ms, connected_ms, ended_ms]) => Ok(Self::Timed {
                new_ms: *new_ms,
                parked_ms: *parked_ms,
                connect_ms: *connect_ms,
                connected_ms: *connected_ms,
                ended_ms: *ended_ms,
            }),
            _ => Err(format!("'{text}' is no pace: manual, instant, demo, one number of ms, or five")),
        }
    }
}

impl TryFrom<String> for Pace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => formatter.write_str("manual"),
            Self::Timed { new_ms, parked_ms, connect_ms, connected_ms, ended_ms } => {
                write!(formatter, "{new_ms},{parked_ms},{connect_ms},{connected_ms},{ended_ms}")
            }
        }
    }
}

impl From<Pace> for String {
    fn from(pace: Pace) -> Self {
        pace.to_string()
    }
}

/// How a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// new, parked, connect, connected, ended by the customer.
    Connected,
    /// As `Connected`, but the agent hangs up.
    AgentLeft,
    /// The first agent lets it ring: connect, ended (RONA), parked, connect, connected, ended by the customer.
    Rona,
    /// An agent accepts, the customer does not answer.
    NoAnswer,
    /// An agent accepts, the customer's line is busy.
    Busy,
    /// `task:failed`, and nothing before it.
    Failed,
    /// No agent becomes free before the queue's limit.
    QueueTimeout,
    /// new, parked, and nothing after.
    StaysParked,
    /// 201 and then nothing: not one event.
    Silent,
}

/// What can be set while the simulator runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How fast calls go.
    pub pace: Pace,
    /// How a call goes that nothing else was planned for.
    pub outcome: Outcome,
    /// Calls a minute for each client; `None` is no limit. Webex allows 300.
    pub rate_limit_per_minute: Option<u32>,
    /// Failed deliveries in a row after which a subscription is set `inactive`; `None` is never.
    pub deactivate_after: Option<u32>,
    /// How long a receiver may take to answer, in milliseconds.
    pub webhook_timeout_ms: u64,
    /// How long a new task is not yet found by search and list, in milliseconds.
    pub search_lag_ms: u64,
    /// Life of a new access token, in seconds.
    pub access_token_lifetime_s: i64,
    /// Life of a new refresh token, in seconds.
    pub refresh_token_lifetime_s: i64,
    /// Whether a refresh gives a new refresh token and ends the old one. Webex promises neither.
    pub rotate_refresh_token: bool,
    /// Whether the administrator refuses consent.
    pub deny_authorization: bool,
    /// How far its clock is ahead in the header `Date`, in seconds.
    pub clock_ahead_s: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pace: Pace::demo(),
            outcome: Outcome::Connected,
            rate_limit_per_minute: None,
            deactivate_after: None,
            webhook_timeout_ms: 5_000,
            search_lag_ms: 0,
            access_token_lifetime_s: 43_199,
            refresh_token_lifetime_s: 5_184_000,
            rotate_refresh_token: false,
            deny_authorization: false,
            clock_ahead_s: 0,
        }
    }
}
