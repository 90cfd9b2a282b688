//! What can be subscribed to. Source: Webex OpenAPI, group "Subscriptions".

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::organization::ORG_ID;
use crate::route::Version;

const TASK: [&str; 14] = [
    "task:new",
    "task:parked",
    "task:connect",
    "task:connected",
    "task:on-hold",
    "task:hold-done",
    "task:consulting",
    "task:consult-done",
    "task:conferencing",
    "task:conference-done",
    "task:conference-transferred",
    "task:origin-updated",
    "task:failed",
    "task:ended",
];
const BOTH: [&str; 5] = [
    "capture:available",
    "agent:login",
    "agent:logout",
    "task-message:appended",
    "task-message:append-failed",
];
const V1_ONLY: [&str; 1] = ["agent:state_change"];
const V2_ONLY: [&str; 2] = ["agent:channel_state_change", "agent:channelType_state_change"];

/// The versions of a resource that a v2 subscription may ask for.
pub(crate) const RESOURCE_VERSIONS: [&str; 5] =
    ["task:1.0.0", "agent:1.0.0", "agent:2.0.0", "capture:1.0.0", "task-message:1.0.0"];

fn types(version: Version) -> impl Iterator<Item = &'static str> {
    let own: &[&str] = match version {
        Version::V1 => &V1_ONLY,
        Version::V2 => &V2_ONLY,
    };
    TASK.iter().chain(&BOTH).chain(own).copied()
}

pub(crate) fn is_known(version: Version, event_type: &str) -> bool {
    types(version).any(|known| known == event_type)
}

/// `GET /v1/event-types` and `GET /v2/event-types`
pub(crate) fn list(version: Version) -> Answer {
    let data: Vec<Value> = types(version)
        .filter_map(|name| {
            let (resource, action) = name.split_once(':')?;
            let mut entry = json!({ "name": name, "resource": resource, "action": action });
            if version == Version::V2 {
                let versions: Vec<&str> = RESOURCE_VERSIONS
                    .iter()
                    .filter(|known| known.split_once(':').is_some_and(|(known, _)| known == resource))
                    .copied()
                    .collect();
                entry["resourceVersions"] = json!(versions);
            }
            Some(entry)
        })
        .collect();
    Answer::json(200, &json!({ "meta": { "orgId": ORG_ID }, "data": data }))
}
