//! Scheduled and personal callbacks. Source: Webex OpenAPI, group "Callback Schedule".

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::Answer;
use crate::call::Call;
use crate::clock;
use crate::envelope::Refusal;
use crate::organization::{CALLBACK_ENTRY_POINT, DEFAULT_ANI, ORG_ID, QUEUES, agent_by_ci_user_id};
use crate::scheduled_rules::{self, ScheduleRequest};
use crate::task::OutboundType;
use crate::task_rules::TaskRequest;
use crate::tasks::{self, Scheduled};
use crate::world::World;

/// More than this is refused, so that a test that runs wild does not fill the memory.
const MOST_SCHEDULED: usize = 100_000;

/// A scheduled callback.
#[derive(Debug, Clone)]
struct ScheduledCallback {
    id: String,
    request: ScheduleRequest,
    created: i64,
    updated: i64,
    assigned: Option<i64>,
    triggered: bool,
}

impl ScheduledCallback {
    /// Reads do not show, and writes do not touch, what was triggered.
    fn is_open(&self) -> bool {
        !self.triggered && self.request.starts_at > clock::now_ms()
    }

    fn told(&self) -> Value {
        let request = &self.request;
        json!({
            "id": self.id,
            "customerName": request.customer_name,
            "callbackNumber": request.callback_number,
            "timezone": request.timezone,
            "scheduleDate": request.schedule_date,
            "startTime": request.start_time,
            "endTime": request.end_time,
            "queueId": request.queue_id,
            "callbackReason": request.callback_reason,
            "sourceInteraction": request.source_interaction,
            "callbackOrigin": "api",
            "createdTimestamp": self.created,
            "lastUpdatedTimestamp": self.updated,
            "assigneeAgent": request.assignee_agent,
            "assignedTime": self.assigned,
            "orgId": ORG_ID,
        })
    }
}

/// Every scheduled callback, in the order of creation.
#[derive(Debug, Default)]
pub(crate) struct ScheduledCallbacks(Vec<ScheduledCallback>);

impl ScheduledCallbacks {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn open(&mut self, id: &str) -> Result<&mut ScheduledCallback, Refusal> {
        self.0
            .iter_mut()
            .find(|callback| callback.id == id && callback.is_open())
            .ok_or_else(|| Refusal::not_found("No such scheduled callback."))
    }
}

/// `POST`
pub(crate) fn create(world: &Arc<World>, call: &Call) -> Result<Answer, Refusal> {
    let request = scheduled_rules::read(&call.json_object()?, None)?;
    let now = clock::now_ms();
    let callback = ScheduledCallback {
        id: Uuid::new_v4().to_string(),
        assigned: request.assignee_agent.is_some().then_some(now),
        request,
        created: now,
        updated: now,
        triggered: false,
    };
    let mut scheduled = world.scheduled.lock();
    if scheduled.0.len() >= MOST_SCHEDULED {
        return Err(Refusal::new(503, "The simulator holds no more scheduled callbacks."));
    }
    let answer = Answer::json(201, &callback.told());
    world.spawn(trigger_at_start(Arc::clone(world), callback.id.clone()));
    scheduled.0.push(callback);
    Ok(answer)
}

/// `GET` of those for a number or an agent
pub(crate) fn list(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let number = call.parameter("callbackNumber");
    let agent = call.parameter("assigneeAgent");
    if number.is_none() && agent.is_none() {
        return Err(Refusal::bad("callbackNumber or assigneeAgent is mandatory."));
    }
    let page = usize::try_from(call.number("page")?.unwrap_or(0))
        .map_err(|_| Refusal::bad("page must not be negative."))?;
    let page_size = call.number("pageSize")?.unwrap_or(50);
    if !(1..=100).contains(&page_size) {
        return Err(Refusal::bad("pageSize must be 1 to 100."));
    }
    let page_size = usize::try_from(page_size).unwrap_or(50);
    let sort_by = call.parameter("sortBy").unwrap_or("scheduledTime");
    if sort_by == "assignedTime" && agent.is_none() {
        return Err(Refusal::bad("sortBy=assignedTime needs assigneeAgent."));
    }
    let key: fn(&ScheduledCallback) -> (String, i64) = match sort_by {
        "customerName" => |callback| (callback.request.customer_name.clone(), 0),
        "scheduledTime" => |callback| (String::new(), callback.request.starts_at),
        "assignedTime" => |callback| (String::new(), callback.assigned.unwrap_or_default()),
        other => return Err(Refusal::bad(format!("sortBy '{other}' is not supported."))),
    };
    let descending = match call.parameter("sortOrder").unwrap_or("asc") {
        "asc" => false,
        "desc" => true,
        other => return Err(Refusal::bad(format!("sortOrder '{other}' is not asc or desc."))),
    };

    let scheduled = world.scheduled.lock();
    let fits = |callback: &&ScheduledCallback| {
        callback.is_open()
            && number.is_none_or(|wanted| is_number(&callback.request.callback_number, wanted))
            && agent.is_none_or(|wanted| callback.request.assignee_agent.as_deref() == Some(wanted))
    };
    let mut found: Vec<&ScheduledCallback> = scheduled.0.iter().filter(fits).collect();
    found.sort_by_key(|callback| key(callback));
    if descending {
        found.reverse();
    }
    let start = page.saturating_mul(page_size);
    let data: Vec<Value> = found.iter().skip(start).take(page_size).map(|callback| callback.told()).collect();
    let meta = meta(call, page, page_size, found.len());
    Ok(Answer::json(200, &json!({ "meta": meta, "data": data })))
}

fn meta(call: &Call, page: usize, page_size: usize, total: usize) -> Value {
    let pages = total.div_ceil(page_size);
    let link = |page: usize| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in call.query.iter().filter(|(name, _)| name != "page") {
            query.append_pair(name, value);
        }
        query.append_pair("page", &page.to_string());
        format!("{}?{}", call.path, query.finish())
    };
    json!({
        "orgId": ORG_ID,
        "page": page,
        "pageSize": page_size,
        "totalPages": pages,
        "totalRecords": total,
        "links": {
            "self": link(page),
            "first": link(0),
            "last": link(pages.saturating_sub(1)),
            "next": (page + 1 < pages).then(|| link(page + 1)),
            "prev": page.checked_sub(1).map(link),
        },
    })
}

/// A number that was stored without `+` is found when it is asked for with one (seen in Cisco's lab guide).
fn is_number(stored: &str, wanted: &str) -> bool {
    stored == wanted || wanted.strip_prefix('+') == Some(stored)
}

/// `GET` of one
pub(crate) fn read(world: &World, id: &str) -> Result<Answer, Refusal> {
    Ok(Answer::json(200, &world.scheduled.lock().open(id)?.told()))
}

/// `PUT`
pub(crate) fn update(world: &World, call: &Call, id: &str) -> Result<Answer, Refusal> {
    let request = scheduled_rules::read(&call.json_object()?, Some(id))?;
    let mut scheduled = world.scheduled.lock();
    let callback = scheduled.open(id)?;
    let now = clock::now_ms();
    if callback.request.assignee_agent != request.assignee_agent {
        callback.assigned = request.assignee_agent.is_some().then_some(now);
    }
    callback.request = request;
    callback.updated = now;
    Ok(Answer::json(200, &callback.told()))
}

/// `DELETE`
pub(crate) fn delete(world: &World, id: &str) -> Result<Answer, Refusal> {
    let mut scheduled = world.scheduled.lock();
    scheduled.open(id)?;
    scheduled.0.retain(|callback| callback.id != id);
    Ok(Answer::empty(204))
}

/// Waits for the start of the window, which an update may move.
async fn trigger_at_start(world: Arc<World>, id: String) {
    loop {
        let starts_at = {
            let scheduled = world.scheduled.lock();
            match scheduled.0.iter().find(|callback| callback.id == id && !callback.triggered) {
                Some(callback) => callback.request.starts_at,
                None => return,
            }
        };
        match u64::try_from(starts_at - clock::now_ms()) {
            Ok(wait) if wait > 0 => tokio::time::sleep(Duration::from_millis(wait)).await,
            _ => {
                // It is gone when it was deleted in this moment.
                let _ = trigger(&world, &id);
                return;
            }
        }
    }
}

/// Lets the time of a callback come: it is seen no more, and a task is made.
pub(crate) fn trigger(world: &Arc<World>, id: &str) -> Result<String, Refusal> {
    let request = {
        let mut scheduled = world.scheduled.lock();
        let callback = scheduled
            .0
            .iter_mut()
            .find(|callback| callback.id == id && !callback.triggered)
            .ok_or_else(|| Refusal::not_found("No such scheduled callback."))?;
        callback.triggered = true;
        callback.request.clone()
    };
    let task = TaskRequest {
        outbound_type: OutboundType::Callback,
        entry_point_id: CALLBACK_ENTRY_POINT,
        queue_id: QUEUES.iter().map(|(queue, _)| *queue).find(|queue| *queue == request.queue_id),
        // What stands between the digits is not dialled.
        destination: request.callback_number.replace([' ', '-', '(', ')', '.'], ""),
        origin: DEFAULT_ANI.to_owned(),
        attributes: request
            .callback_reason
            .map(|reason| ("CallReason".to_owned(), reason))
            .into_iter()
            .collect(),
        custom_attributes: BTreeMap::new(),
    };
    let assignee = request.assignee_agent.as_deref().and_then(agent_by_ci_user_id);
    Ok(tasks::admit(world, task, Some(Scheduled { assignee })))
}
