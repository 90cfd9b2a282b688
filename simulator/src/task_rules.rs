//! What a body of `POST /v1/tasks` must be. Source: Webex OpenAPI, `CreateTaskRequest`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::envelope::Refusal;
use crate::members::Members;
use crate::organization::{ANIS, DEFAULT_ANI, EntryPoint, entry_point};
use crate::task::OutboundType;

const MEMBERS: [&str; 8] = [
    "destination",
    "entryPointId",
    "mediaType",
    "outboundType",
    "origin",
    "callback",
    "attributes",
    "customAttributes",
];

const MOST_ATTRIBUTES: usize = 30;
const LONGEST_KEY: usize = 200;
const LONGEST_VALUE: usize = 1024;
/// Surplus SIP headers are cut in the order of the alphabet, not refused.
const MOST_SIP_HEADERS: usize = 20;

/// A body that Webex would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskRequest {
    pub(crate) outbound_type: OutboundType,
    pub(crate) entry_point_id: &'static str,
    pub(crate) queue_id: Option<&'static str>,
    pub(crate) destination: String,
    pub(crate) origin: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) custom_attributes: BTreeMap<String, String>,
}

/// Reads a body, or says the first thing that is wrong with it.
pub(crate) fn read(body: &Map<String, Value>) -> Result<TaskRequest, Refusal> {
    let members = Members(body);
    members.only(&MEMBERS)?;

    let destination = destination(members.required("destination")?)?;
    let media_type = members.required("mediaType")?;
    if media_type != "telephony" {
        return Err(Refusal::bad(format!("mediaType '{media_type}' is not supported.")));
    }
    let outbound_type = outbound_type(members.required("outboundType")?)?;
    let entry_point = admitted_entry_point(outbound_type, members.required("entryPointId")?)?;
    let origin = origin(outbound_type, members.text("origin")?)?;
    check_callback(outbound_type, members.object("callback")?)?;
    let attributes = attributes(members.object("attributes")?)?;
    let custom_attributes = strings("customAttributes", members.object("customAttributes")?)?
        .into_iter()
        .take(MOST_SIP_HEADERS)
        .map(|(key, value)| (key.to_lowercase(), value))
        .collect();

    Ok(TaskRequest {
        outbound_type,
        entry_point_id: entry_point.id,
        queue_id: entry_point.outdial_queue_id,
        destination,
        origin,
        attributes,
        custom_attributes,
    })
}

/// E.164 and a short extension are both taken.
fn destination(text: &str) -> Result<String, Refusal> {
    if text.len() > 36 {
        return Err(Refusal::bad("destination must have at most 36 characters."));
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.len() < 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::bad("Invalid destination."));
    }
    Ok(text.to_owned())
}

fn outbound_type(text: &str) -> Result<OutboundType, Refusal> {
    match text {
        "CALLBACK" => Ok(OutboundType::Callback),
        "OUTDIAL" => Ok(OutboundType::Outdial),
        "EXECUTE_FLOW" => Ok(OutboundType::ExecuteFlow),
        other => Err(Refusal::bad(format!("outboundType '{other}' is not supported."))),
    }
}

fn admitted_entry_point(outbound_type: OutboundType, id: &str) -> Result<&'static EntryPoint, Refusal> {
    let kind = outbound_type.as_str();
    let entry_point = entry_point(id).ok_or_else(|| Refusal::bad("entryPointId: no such entry point."))?;
    let wants_inbound = outbound_type == OutboundType::ExecuteFlow;
    if entry_point.inbound != wants_inbound {
        let wanted = if wants_inbound { "an inbound" } else { "an outbound" };
        return Err(Refusal::bad(format!("entryPointId: {kind} needs {wanted} entry point.")));
    }
    if !entry_point.active {
        return Err(Refusal::bad("entryPointId: the entry point is not active."));
    }
    match outbound_type {
        OutboundType::Callback if !entry_point.callback_enabled => {
            Err(Refusal::bad("entryPointId: callback is not enabled for the entry point."))
        }
        OutboundType::Callback if entry_point.outdial_queue_id.is_none() => {
            Err(Refusal::bad("entryPointId: the entry point has no outdial queue."))
        }
        // Seen in the field: an outbound entry point without a queue gives a server error, not a refusal.
        OutboundType::Outdial if entry_point.outdial_queue_id.is_none() => {
            Err(Refusal::new(500, "Analyzer failed for the entry point."))
        }
        OutboundType::ExecuteFlow if entry_point.flow_id.is_none() => {
            Err(Refusal::bad("entryPointId: the entry point has no flow."))
        }
        _ => Ok(entry_point),
    }
}

fn origin(outbound_type: OutboundType, given: Option<&str>) -> Result<String, Refusal> {
    let Some(origin) = given else {
        return match outbound_type {
            OutboundType::Callback => Ok(DEFAULT_ANI.to_owned()),
            other => Err(Refusal::bad(format!("origin is mandatory for {}.", other.as_str()))),
        };
    };
    if origin.len() > 36 || !origin.starts_with('+') || !ANIS.iter().any(|(_, number)| *number == origin) {
        return Err(Refusal::bad("Invalid origin."));
    }
    Ok(origin.to_owned())
}

fn check_callback(outbound_type: OutboundType, given: Option<&Map<String, Value>>) -> Result<(), Refusal> {
    match (outbound_type, given) {
        (OutboundType::Callback, None) => Err(Refusal::bad("callback is mandatory for CALLBACK.")),
        (OutboundType::Callback, Some(callback)) => {
            let callback = Members(callback);
            callback.only(&["callbackOrigin", "callbackType"])?;
            if callback.required("callbackOrigin")? != "web" {
                return Err(Refusal::bad("callback.callbackOrigin must be 'web'."));
            }
            if callback.required("callbackType")? != "immediate" {
                return Err(Refusal::bad("callback.callbackType must be 'immediate'."));
            }
            Ok(())
        }
        (_, Some(_)) => Err(Refusal::bad(format!("callback is not allowed for {}.", outbound_type.as_str()))),
        (_, None) => Ok(()),
    }
}

/// The attributes of a new task, or of a patch.
pub(crate) fn attributes(given: Option<&Map<String, Value>>) -> Result<BTreeMap<String, String>, Refusal> {
    let attributes = strings("attributes", given)?;
    if attributes.len() > MOST_ATTRIBUTES {
        return Err(Refusal::bad(format!("attributes: at most {MOST_ATTRIBUTES} pairs.")));
    }
    for (key, value) in &attributes {
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(Refusal::bad(format!("attributes: a key has 1 to {LONGEST_KEY} bytes.")));
        }
        if value.len() > LONGEST_VALUE {
            return Err(Refusal::bad(format!("attributes: a value has at most {LONGEST_VALUE} bytes.")));
        }
    }
    Ok(attributes)
}

fn strings(name: &str, given: Option<&Map<String, Value>>) -> Result<BTreeMap<String, String>, Refusal> {
    given
        .into_iter()
        .flatten()
        .map(|(key, value)| match value {
            Value::String(text) => Ok((key.clone(), text.clone())),
            _ => Err(Refusal::bad(format!("{name}.{key} must be a string."))),
        })
        .collect()
}
