//! Reads of the configuration, `/organization/{orgId}/…`. Source: Webex OpenAPI, group "Configuration".

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::call::Call;
use crate::envelope::Refusal;
use crate::organization::{
    AGENTS, ANI_LIST, ANIS, Agent, DEFAULT_ANI, ENTRY_POINTS, EntryPoint, ORG_ID, QUEUES, TEAM, VARIABLES,
    Variable,
};
use crate::rsql;

/// Lists are new style (`v2`: a page with `meta`) or old style (a bare array); single items have no `v2`.
pub(crate) fn read(call: &Call, path: &str) -> Result<Answer, Refusal> {
    let segments: Vec<&str> = path.split('/').collect();
    match segments.as_slice() {
        ["v2", resource] => page(call, path, collection(resource)?),
        ["v2", "outdial-ani", list, "entry"] => page(call, path, entries_of(list)?),
        [resource] => Ok(Answer::json(200, &Value::Array(select(call, collection(resource)?)?))),
        ["outdial-ani", list, "entry"] => {
            Ok(Answer::json(200, &Value::Array(select(call, entries_of(list)?)?)))
        }
        ["user", "by-ci-user-id", id] => one(collection("user")?, "ciUserId", id),
        [resource, id] => one(collection(resource)?, "id", id),
        _ => Err(Refusal::not_found("No such resource.")),
    }
}

fn collection(resource: &str) -> Result<Vec<Value>, Refusal> {
    match resource {
        "entry-point" => Ok(ENTRY_POINTS.iter().map(entry_point).collect()),
        "outdial-ani" => Ok(vec![json!({
            "organizationId": ORG_ID,
            "id": ANI_LIST,
            "version": 1,
            "name": "Outdial numbers",
            "description": "Numbers that a call may come from",
        })]),
        "contact-service-queue" => Ok(QUEUES.iter().map(queue).collect()),
        "user" => Ok(AGENTS.iter().map(user).collect()),
        "cad-variable" => Ok(VARIABLES.iter().map(variable).collect()),
        other => Err(Refusal::not_found(format!("The simulator has no resource '{other}'."))),
    }
}

fn entries_of(list: &str) -> Result<Vec<Value>, Refusal> {
    if list != ANI_LIST {
        return Err(Refusal::not_found("No such outdial ANI."));
    }
    let entry = |(position, (name, number)): (usize, &(&str, &str))| {
        json!({
            "organizationId": ORG_ID,
            "id": format!("44444444-0000-4000-8000-0000000001{position:02}"),
            "version": 1,
            "name": name,
            "number": number,
            "defaultANIEntry": *number == DEFAULT_ANI,
        })
    };
    Ok(ANIS.iter().enumerate().map(entry).collect())
}

fn one(entries: Vec<Value>, member: &str, id: &str) -> Result<Answer, Refusal> {
    entries
        .into_iter()
        .find(|entry| entry.get(member).and_then(Value::as_str) == Some(id))
        .map(|entry| Answer::json(200, &entry))
        .ok_or_else(|| Refusal::not_found("No such entity."))
}

/// Applies `filter`, `search` and `attributes`.
fn select(call: &Call, entries: Vec<Value>) -> Result<Vec<Value>, Refusal> {
    let filter = call.parameter("filter").map(rsql::parse).transpose()?;
    let search = call.parameter("search").map(str::to_lowercase);
    let attributes: Option<Vec<&str>> = call.parameter("attributes").map(|names| names.split(',').collect());
    let mut selected = Vec::new();
    for entry in entries {
        if let Some(filter) = &filter
            && !filter.matches(&entry)?
        {
            continue;
        }
        if let Some(search) = &search
            && !searchable(&entry).to_lowercase().contains(search)
        {
            continue;
        }
        selected.push(match &attributes {
            Some(names) => only(entry, names),
            None => entry,
        });
    }
    Ok(selected)
}

fn searchable(entry: &Value) -> String {
    ["name", "firstName", "lastName", "email"]
        .iter()
        .filter_map(|member| entry.get(member).and_then(Value::as_str))
        .collect::<Vec<_>>()
        .join(" ")
}

fn only(entry: Value, names: &[&str]) -> Value {
    let Value::Object(members) = entry else { return entry };
    Value::Object(
        members.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect::<Map<_, _>>(),
    )
}

fn page(call: &Call, path: &str, entries: Vec<Value>) -> Result<Answer, Refusal> {
    let entries = select(call, entries)?;
    let number = call.number("page")?.unwrap_or(0);
    let size = call.number("pageSize")?.unwrap_or(100);
    if number < 0 || !(1..=100).contains(&size) {
        return Err(Refusal::bad("page must not be negative, and pageSize must be 1 to 100."));
    }
    let (position, length) = (usize::try_from(number).unwrap_or(0), usize::try_from(size).unwrap_or(100));
    let total_pages = entries.len().div_ceil(length);
    let link = |page: usize| format!("/organization/{ORG_ID}/{path}?page={page}&pageSize={length}");
    let mut links = json!({
        "self": link(position),
        "first": link(0),
        "last": link(total_pages.saturating_sub(1)),
    });
    if position + 1 < total_pages {
        links["next"] = json!(link(position + 1));
    }
    if position > 0 {
        links["prev"] = json!(link(position - 1));
    }
    let meta = json!({
        "orgid": ORG_ID,
        "page": position,
        "pageSize": length,
        "totalPages": total_pages,
        "totalRecords": entries.len(),
        "links": links,
    });
    let data: Vec<Value> = entries.into_iter().skip(position.saturating_mul(length)).take(length).collect();
    Ok(Answer::json(200, &json!({ "meta": meta, "data": data })))
}

fn entry_point(entry_point: &EntryPoint) -> Value {
    let mut entity = json!({
        "organizationId": ORG_ID,
        "id": entry_point.id,
        "version": 1,
        "name": entry_point.name,
        "entryPointType": if entry_point.inbound { "INBOUND" } else { "OUTBOUND" },
        "channelType": "TELEPHONY",
        "active": entry_point.active,
        "serviceLevelThreshold": 30,
        "maximumActiveContacts": 100,
        "callbackEnabled": entry_point.callback_enabled,
        "outdialTransferToQueueEnabled": false,
        "timezone": "UTC",
    });
    if let Some(flow_id) = entry_point.flow_id {
        entity["flowId"] = json!(flow_id);
    }
    if let Some(queue_id) = entry_point.outdial_queue_id {
        entity["outdialQueueId"] = json!(queue_id);
    }
    entity
}

fn queue((id, name): &(&str, &str)) -> Value {
    json!({
        "organizationId": ORG_ID,
        "id": id,
        "version": 1,
        "name": name,
        "queueType": "OUTBOUND",
        "channelType": "TELEPHONY",
        "active": true,
        "serviceLevelThreshold": 30,
        "maxActiveContacts": 100,
        "maxTimeInQueue": 7200,
    })
}

fn user(agent: &Agent) -> Value {
    json!({
        "organizationId": ORG_ID,
        "id": agent.id,
        "version": 1,
        "ciUserId": agent.ci_user_id,
        "email": agent.email,
        "firstName": agent.first_name,
        "lastName": agent.last_name,
        "active": agent.active,
        "contactCenterEnabled": agent.active,
        "teamIds": [TEAM],
        // The spelling is Webex's.
        "deafultDialledNumber": "",
    })
}

fn variable(variable: &Variable) -> Value {
    json!({
        "organizationId": ORG_ID,
        "id": variable.id,
        "version": 1,
        "name": variable.name,
        "variableType": "String",
        "defaultValue": "",
        "active": true,
        "agentEditable": false,
        "agentViewable": true,
        "desktopLabel": variable.label,
        "reportable": variable.reportable,
        "sensitive": false,
    })
}
