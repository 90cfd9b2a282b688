//! What the service tells a CRM by webhook.

use serde::{Deserialize, Serialize};

use crate::callback::{Failure, State};

/// A callback's state has changed. Sent with the headers of the Standard Webhooks specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallbackEvent {
    /// `callback.` and the state, such as `callback.completed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it changed: RFC 3339, UTC.
    pub timestamp: String,
    /// The callback as it was then.
    pub data: ChangedCallback,
}

/// A callback as a webhook tells of it: nothing about the person but what the CRM has given itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangedCallback {
    /// The id of the callback.
    pub id: String,
    /// The site that it was asked for on.
    pub site: String,
    /// Where it stands.
    pub state: State,
    /// The number of changes so far. Webhooks may overtake each other: of two, the one with the higher number is newer.
    pub revision: u64,
    /// The CRM's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Why it failed; only in state `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The id of the Webex task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// When it was accepted: RFC 3339, UTC.
    pub created_at: String,
}
