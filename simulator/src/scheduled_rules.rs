//! What a body of a scheduled callback must be. Source: Webex OpenAPI, group "Callback Schedule".

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock;
use crate::envelope::Refusal;
use crate::members::Members;
use crate::organization::{AGENTS, queue_name};

const MINUTE_MS: i64 = 60_000;
const LEAST_LEAD_MS: i64 = 30 * MINUTE_MS;
const LEAST_WINDOW_MS: i64 = 30 * MINUTE_MS;
const LONGEST_WINDOW_MS: i64 = 8 * 60 * MINUTE_MS;
const FURTHEST_DAYS: i32 = 31;

/// A body that Webex would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScheduleRequest {
    pub(crate) customer_name: String,
    pub(crate) callback_number: String,
    pub(crate) timezone: String,
    pub(crate) schedule_date: String,
    pub(crate) start_time: String,
    pub(crate) end_time: String,
    pub(crate) queue_id: String,
    pub(crate) callback_reason: Option<String>,
    pub(crate) source_interaction: Option<String>,
    pub(crate) assignee_agent: Option<String>,
    /// Milliseconds since the epoch.
    pub(crate) starts_at: i64,
}

/// Reads a body, or says the first thing that is wrong with it; an update must repeat its `id`.
pub(crate) fn read(body: &Map<String, Value>, id: Option<&str>) -> Result<ScheduleRequest, Refusal> {
    let members = Members(body);
    let mut known = vec![
        "customerName",
        "callbackNumber",
        "timezone",
        "scheduleDate",
        "startTime",
        "endTime",
        "queueId",
        "callbackReason",
        "sourceInteraction",
        "assigneeAgent",
    ];
    if let Some(id) = id {
        known.push("id");
        members.only(&known)?;
        if members.required("id")? != id {
            return Err(Refusal::bad("id is not the one of the path."));
        }
    }
    members.only(&known)?;

    members.required("customerName")?;
    let customer_name = members.sized("customerName", 1, 250)?.unwrap_or_default().to_owned();
    let callback_number = members.required("callbackNumber")?;
    check_number(callback_number)?;
    let queue_id = members.required("queueId")?;
    if queue_name(queue_id).is_none() {
        return Err(Refusal::bad("queueId: no such queue."));
    }
    let assignee_agent = members.text("assigneeAgent")?;
    if let Some(agent) = assignee_agent
        && !AGENTS.iter().any(|known| known.active && known.ci_user_id == agent)
    {
        return Err(Refusal::bad("assigneeAgent: no such user."));
    }
    let source_interaction = members.text("sourceInteraction")?;
    if source_interaction.is_some_and(|text| text.parse::<Uuid>().is_err()) {
        return Err(Refusal::bad("sourceInteraction must be a UUID."));
    }
    let (timezone, date) = (members.required("timezone")?, members.required("scheduleDate")?);
    let (start, end) = (members.required("startTime")?, members.required("endTime")?);
    let starts_at = check_window(timezone, date, start, end)?;

    Ok(ScheduleRequest {
        customer_name,
        callback_number: callback_number.to_owned(),
        timezone: timezone.to_owned(),
        schedule_date: date.to_owned(),
        start_time: start.to_owned(),
        end_time: end.to_owned(),
        queue_id: queue_id.to_owned(),
        callback_reason: members.text("callbackReason")?.map(str::to_owned),
        source_interaction: source_interaction.map(str::to_owned),
        assignee_agent: assignee_agent.map(str::to_owned),
        starts_at,
    })
}

/// A country code if any, digits, space, `-`, `(`, `)`, `.`; 7 to 15 characters in all.
fn check_number(text: &str) -> Result<(), Refusal> {
    let local = text.strip_prefix('+').unwrap_or(text);
    let allowed = |character: char| character.is_ascii_digit() || " -().".contains(character);
    if (7..=15).contains(&text.len()) && local.chars().all(allowed) {
        Ok(())
    } else {
        Err(Refusal::bad("callbackNumber is malformed."))
    }
}

/// Gives the start of the window. A window that crosses midnight is not described, and is refused.
fn check_window(timezone: &str, date: &str, start: &str, end: &str) -> Result<i64, Refusal> {
    let zone = TimeZone::get(timezone)
        .map_err(|_| Refusal::bad(format!("timezone '{timezone}' is not an IANA time zone.")))?;
    let date = Date::strptime("%Y-%m-%d", date)
        .ok()
        .filter(|_| date.len() == 10)
        .ok_or_else(|| Refusal::bad("scheduleDate must be YYYY-MM-DD."))?;
    let moment = |name: &str, text: &str| {
        let time = Time::strptime("%H:%M:%S", text)
            .ok()
            .filter(|_| text.len() == 8)
            .ok_or_else(|| Refusal::bad(format!("{name} must be HH:mm:ss.")))?;
        date.to_datetime(time)
            .to_zoned(zone.clone())
            .map(|moment| moment.timestamp().as_millisecond())
            .map_err(|_| Refusal::bad(format!("{name} is out of range.")))
    };
    let starts_at = moment("startTime", start)?;
    let ends_at = moment("endTime", end)?;

    let now = clock::now();
    let today = now.to_zoned(zone).date();
    let days = today.until(date).map_or(i32::MAX, |span| span.get_days());
    if days > FURTHEST_DAYS {
        return Err(Refusal::bad(format!("scheduleDate must be within {FURTHEST_DAYS} days.")));
    }
    if starts_at - now.as_millisecond() < LEAST_LEAD_MS {
        return Err(Refusal::bad("startTime must be at least 30 minutes from now."));
    }
    let window = ends_at - starts_at;
    if window < LEAST_WINDOW_MS {
        return Err(Refusal::bad("endTime must be at least 30 minutes after startTime."));
    }
    if window > LONGEST_WINDOW_MS {
        return Err(Refusal::bad("endTime must be at most 8 hours after startTime."));
    }
    Ok(starts_at)
}
