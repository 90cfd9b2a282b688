//! Which operation a method and a path ask for.

use serde::{Deserialize, Serialize};

use crate::envelope::{Envelope, Refusal};

/// An operation of Webex; faults are set by these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `GET /v1/authorize`
    Authorize,
    /// `POST /v1/access_token`
    IssueToken,
    /// `POST /v1/tasks`
    CreateTask,
    /// `GET /v1/tasks`
    ListTasks,
    /// `PATCH /v1/tasks/{id}`
    UpdateTask,
    /// `POST /v1/subscriptions`, `POST /v2/subscriptions`
    CreateSubscription,
    /// `GET /v1/subscriptions`, `GET /v2/subscriptions`
    ListSubscriptions,
    /// `GET /v1/subscriptions/{id}`
    ReadSubscription,
    /// `PATCH /v1/subscriptions/{id}`
    UpdateSubscription,
    /// `DELETE /v1/subscriptions/{id}`
    DeleteSubscription,
    /// `GET /v1/event-types`, `GET /v2/event-types`
    ListEventTypes,
    /// `POST /search`
    Search,
    /// `GET /v1/ewt`
    EstimateWait,
    /// `POST /v1/callbacks/organization/{orgId}/scheduled-callback`
    CreateScheduledCallback,
    /// `GET /v1/callbacks/organization/{orgId}/scheduled-callback`
    ListScheduledCallbacks,
    /// `GET …/scheduled-callback/{id}`
    ReadScheduledCallback,
    /// `PUT …/scheduled-callback/{id}`
    UpdateScheduledCallback,
    /// `DELETE …/scheduled-callback/{id}`
    DeleteScheduledCallback,
    /// `GET /organization/{orgId}/…`
    ReadConfiguration,
}

impl Operation {
    /// How this operation writes its errors.
    pub(crate) fn envelope(self) -> Envelope {
        match self {
            Self::Authorize | Self::IssueToken => Envelope::Identity,
            Self::CreateSubscription
            | Self::ListSubscriptions
            | Self::ReadSubscription
            | Self::UpdateSubscription
            | Self::DeleteSubscription
            | Self::ListEventTypes => Envelope::Subscription,
            Self::ReadConfiguration => Envelope::Configuration,
            _ => Envelope::Runtime,
        }
    }

    /// The scopes of which a token needs one; none means that no token is asked for.
    ///
    /// Source: Webex OpenAPI, the security of each operation. Which scope the wait time wants is not stated there, nor
    /// for the list of tasks; both take any that a service would have.
    pub(crate) fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Authorize | Self::IssueToken => &[],
            Self::CreateTask
            | Self::UpdateTask
            | Self::CreateScheduledCallback
            | Self::ListScheduledCallbacks
            | Self::ReadScheduledCallback
            | Self::UpdateScheduledCallback
            | Self::DeleteScheduledCallback => &["cjp:user"],
            Self::ListTasks | Self::EstimateWait => &["cjp:user", "cjp:config_read", "cjp:config"],
            Self::CreateSubscription | Self::UpdateSubscription | Self::DeleteSubscription => {
                &["cjp:config_write"]
            }
            Self::ListSubscriptions
            | Self::ReadSubscription
            | Self::ListEventTypes
            | Self::Search
            | Self::ReadConfiguration => &["cjp:config_read", "cjp:config"],
        }
    }
}

/// Subscriptions and event types exist in two versions that do not see each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// An operation, and what the path says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) version: Version,
    /// The organisation in the path.
    pub(crate) organization: Option<String>,
    /// The id in the path; for the configuration the rest of the path.
    pub(crate) id: String,
}

/// Finds the operation, or says 404 or 405.
pub(crate) fn route(method: &str, path: &str) -> Result<Route, Refusal> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let found = |operation, version, organization: Option<&str>, id: &str| {
        Ok(Route { operation, version, organization: organization.map(str::to_owned), id: id.to_owned() })
    };
    let wrong_method = || Err(Refusal::new(405, format!("{method} is not supported here.")));
    let plain = |operation| found(operation, Version::V1, None, "");

    match segments.as_slice() {
        ["v1", "authorize"] => match method {
            "GET" => plain(Operation::Authorize),
            _ => wrong_method(),
        },
        ["v1", "access_token"] => match method {
            "POST" => plain(Operation::IssueToken),
            _ => wrong_method(),
        },
        ["v1", "tasks"] => match method {
            "POST" => plain(Operation::CreateTask),
            "GET" => plain(Operation::ListTasks),
            _ => wrong_method(),
        },
        // There is no GET for one task; it answers 404 in the field.
        ["v1", "tasks", id] if method == "PATCH" => found(Operation::UpdateTask, Version::V1, None, id),
        [version @ ("v1" | "v2"), resource @ ("subscriptions" | "event-types"), rest @ ..] => {
            let version = if *version == "v1" { Version::V1 } else { Version::V2 };
            let operation = match (*resource, rest, method) {
                ("event-types", [], "GET") => Operation::ListEventTypes,
                ("subscriptions", [], "POST") => Operation::CreateSubscription,
                ("subscriptions", [], "GET") => Operation::ListSubscriptions,
                ("subscriptions", [_], "GET") => Operation::ReadSubscription,
                ("subscriptions", [_], "PATCH") => Operation::UpdateSubscription,
                ("subscriptions", [_], "DELETE") => Operation::DeleteSubscription,
                ("event-types", [], _) | ("subscriptions", [] | [_], _) => return wrong_method(),
                _ => return Err(Refusal::not_found("No such resource.")),
            };
            found(operation, version, None, rest.first().copied().unwrap_or_default())
        }
        ["search"] => match method {
            "POST" => plain(Operation::Search),
            _ => wrong_method(),
        },
        ["v1", "ewt"] => match method {
            "GET" => plain(Operation::EstimateWait),
            _ => wrong_method(),
        },
        ["v1", "callbacks", "organization", organization, "scheduled-callback"] => match method {
            "POST" => found(Operation::CreateScheduledCallback, Version::V1, Some(organization), ""),
            "GET" => found(Operation::ListScheduledCallbacks, Version::V1, Some(organization), ""),
            _ => wrong_method(),
        },
        ["v1", "callbacks", "organization", organization, "scheduled-callback", id] => match method {
            "GET" => found(Operation::ReadScheduledCallback, Version::V1, Some(organization), id),
            "PUT" => found(Operation::UpdateScheduledCallback, Version::V1, Some(organization), id),
            "DELETE" => found(Operation::DeleteScheduledCallback, Version::V1, Some(organization), id),
            _ => wrong_method(),
        },
        ["organization", organization, rest @ ..] if !rest.is_empty() => match method {
            "GET" => found(Operation::ReadConfiguration, Version::V1, Some(organization), &rest.join("/")),
            _ => wrong_method(),
        },
        _ => Err(Refusal::not_found("No such resource.")),
    }
}
