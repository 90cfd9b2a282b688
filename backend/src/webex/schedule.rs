//! Scheduled callbacks: Webex keeps them until their time, then makes a task by itself (Webex OpenAPI, group "Callback
//! Schedule"). Answers have no wrapper, and may have members that the description lacks.

use serde::{Deserialize, Serialize};

use super::client::{Answer, Client, Told};
use super::error::WebexError;
use super::policy::{Operation, Policy};
use crate::callback::Callback;
use crate::personal::Personal;
use crate::phone::PhoneNumber;
use crate::schedule::{Offer, Window};

/// Longest name, in characters.
const NAME_MAX: usize = 250;
/// Longest number, in characters.
const NUMBER_MAX: usize = 15;
/// Scheduled callbacks in one page; the most that Webex gives.
const PAGE_SIZE: usize = 100;
/// Pages that are read at most of the scheduled callbacks to one number.
const PAGES_MAX: u32 = 20;

/// The body of a request to keep a callback, or to change one that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleRequest {
    customer_name: String,
    callback_number: String,
    timezone: String,
    schedule_date: String,
    start_time: String,
    end_time: String,
    queue_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_interaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee_agent: Option<String>,
}

/// A change names what it changes in its body too.
#[derive(Serialize)]
struct Change<'a> {
    id: &'a str,
    #[serde(flatten)]
    request: &'a ScheduleRequest,
}

/// A scheduled callback as Webex tells it. Nothing but the id can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FoundSchedule {
    /// Its id.
    pub id: String,
    customer_name: Option<String>,
    callback_number: Option<String>,
    timezone: Option<String>,
    schedule_date: Option<String>,
    start_time: Option<String>,
    end_time: Option<String>,
    queue_id: Option<String>,
    callback_reason: Option<String>,
    source_interaction: Option<String>,
    assignee_agent: Option<String>,
}

/// A scheduled callback that Webex keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSchedule {
    /// Its id.
    pub id: String,
    /// What Webex's support finds the request by.
    pub tracking_id: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    meta: Meta,
    data: Vec<FoundSchedule>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    total_pages: Option<u32>,
}

impl ScheduleRequest {
    /// The request for a callback in that window; `reason` is what agents see, and `assignee` the identity of the agent
    /// whose personal callback it is.
    pub fn new(
        callback: &Callback,
        window: &Window,
        offer: &Offer,
        queue: &str,
        reason: String,
        assignee: Option<String>,
    ) -> Self {
        let request = &callback.request;
        let number = request.phone.e164();
        // The longest numbers there are leave no room for the plus; Webex finds them with and without it.
        let number = if number.len() > NUMBER_MAX { number.trim_start_matches('+') } else { number };
        // Webex must have a name, and a CRM need not have one.
        let name = if request.name.is_empty() { number } else { request.name.reveal() };
        Self {
            customer_name: name.chars().take(NAME_MAX).collect(),
            callback_number: number.to_owned(),
            timezone: window.timezone().to_owned(),
            schedule_date: window.date(),
            start_time: window.start(),
            end_time: window.end(),
            queue_id: if queue.is_empty() { offer.queue.clone() } else { queue.to_owned() },
            callback_reason: Some(reason).filter(|reason| !reason.is_empty()),
            source_interaction: None,
            assignee_agent: assignee,
        }
    }

    /// The request that moves a scheduled callback to another window and leaves the rest as it is.
    pub fn moved(found: FoundSchedule, window: &Window) -> Self {
        Self {
            customer_name: found.customer_name.unwrap_or_default(),
            callback_number: found.callback_number.unwrap_or_default(),
            timezone: window.timezone().to_owned(),
            schedule_date: window.date(),
            start_time: window.start(),
            end_time: window.end(),
            queue_id: found.queue_id.unwrap_or_default(),
            callback_reason: found.callback_reason,
            source_interaction: found.source_interaction,
            assignee_agent: found.assignee_agent,
        }
    }

    /// Whether that is what this request asked for. The number was searched for; name and agent are left out, since who
    /// handles callbacks in the contact centre may change them.
    pub fn is_met_by(&self, found: &FoundSchedule) -> bool {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        found.timezone.as_deref() == Some(&self.timezone)
            && found.schedule_date.as_deref() == Some(&self.schedule_date)
            && time_of(found.start_time.as_deref()) == self.start_time
            && time_of(found.end_time.as_deref()) == self.end_time
            && found.queue_id.as_deref() == Some(&self.queue_id)
            && some(&found.callback_reason) == self.callback_reason
    }
}

/// A time with its seconds.
fn time_of(text: Option<&str>) -> String {
    match text.unwrap_or_default() {
        short if short.len() == 5 => format!("{short}:00"),
        text => text.to_owned(),
    }
}

impl FoundSchedule {
    /// The window that it is for, where that can be read.
    pub fn window(&self) -> Option<Window> {
        Window::parse(&format!(
            "{}T{}/{}[{}]",
            self.schedule_date.as_deref()?,
            time_of(self.start_time.as_deref()),
            time_of(self.end_time.as_deref()),
            self.timezone.as_deref()?
        ))
    }
}

impl Client {
    /// Asks Webex to keep a callback. A pace has been reserved for it.
    pub async fn create_schedule(&self, request: &ScheduleRequest) -> Result<KeptSchedule, WebexError> {
        let path = self.schedules_path().await?;
        let answer = self.post_reserved(Operation::CreateScheduledCallback, &path, request).await?;
        let kept: FoundSchedule = answer.read()?;
        if kept.id.is_empty() {
            return Err(answer.unreadable("its answer holds no id"));
        }
        Ok(KeptSchedule { id: kept.id, tracking_id: answer.tracking_id })
    }

    /// The scheduled callback of that id; `None`: it was called off, or its time has come, which looks the same.
    pub async fn schedule(&self, id: &str) -> Result<Option<FoundSchedule>, WebexError> {
        let path = format!("{}/{id}", self.schedules_path().await?);
        match self.get(Operation::ReadScheduledCallback, &path, &[]).await {
            Err(error) if is_gone(&error) => Ok(None),
            answer => answer?.read().map(Some),
        }
    }

    /// The scheduled callbacks to a number whose time has not come.
    pub async fn schedules_of(&self, number: &PhoneNumber) -> Result<Told<Vec<FoundSchedule>>, WebexError> {
        let path = self.schedules_path().await?;
        let number = Personal::new(number.e164());
        let mut found = Vec::new();
        for page in 0..PAGES_MAX {
            let query = [
                ("callbackNumber", number.reveal().to_owned()),
                ("page", page.to_string()),
                ("pageSize", PAGE_SIZE.to_string()),
            ];
            let answer = self.get(Operation::ListScheduledCallbacks, &path, &query).await?;
            let read: Page = answer.read()?;
            let is_full = read.data.len() >= PAGE_SIZE;
            found.extend(read.data);
            // Where Webex does not say how many there are, a full page may have one behind it.
            if read.meta.total_pages.map_or(!is_full, |total| page + 1 >= total) {
                return Ok(Told { answer: found, tracking_id: answer.tracking_id });
            }
        }
        let message = format!("the list of scheduled callbacks does not end after {PAGES_MAX} pages");
        let error = WebexError::not_sent(Operation::ListScheduledCallbacks, message);
        Err(WebexError { policy: Policy::GiveUp, ..error })
    }

    /// Replaces a scheduled callback. `false`: there is none any more. Twice has the effect of once.
    pub async fn change_schedule(
        &self,
        id: &str,
        request: &ScheduleRequest,
    ) -> Result<Told<bool>, WebexError> {
        let path = format!("{}/{id}", self.schedules_path().await?);
        let change = Change { id, request };
        found(self.put(Operation::UpdateScheduledCallback, &path, &change).await)
    }

    /// Calls a scheduled callback off. `false`: there is none any more. Twice has the effect of once.
    pub async fn delete_schedule(&self, id: &str) -> Result<Told<bool>, WebexError> {
        let path = format!("{}/{id}", self.schedules_path().await?);
        found(self.delete(Operation::DeleteScheduledCallback, &path).await)
    }

    async fn schedules_path(&self) -> Result<String, WebexError> {
        Ok(format!("/v1/callbacks{}/scheduled-callback", self.organization_path().await?))
    }
}

fn found(answer: Result<Answer, WebexError>) -> Result<Told<bool>, WebexError> {
    match answer {
        Ok(answer) => Ok(Told { answer: true, tracking_id: answer.tracking_id }),
        Err(error) if is_gone(&error) => Ok(Told { answer: false, tracking_id: error.tracking_id }),
        Err(error) => Err(error),
    }
}

/// Webex says that there is no such scheduled callback. A 404 that something in between wrote says nothing.
fn is_gone(error: &WebexError) -> bool {
    error.status == Some(404) && error.policy == Policy::GiveUp
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::callback::sample;
    use crate::schedule::sample::{offer, window};

    const TEXT: &str = "2026-12-01T10:00:00/12:00:00[Europe/Berlin]";

    fn request() -> ScheduleRequest {
        let callback = sample::callback("2026-11-24T08:00:00Z".parse().unwrap());
        ScheduleRequest::new(&callback, &window(TEXT), &offer(), "", "A bill".to_owned(), None)
    }

    #[test]
    fn a_request_has_the_members_that_webex_describes() {
        assert_eq!(
            serde_json::to_value(request()).unwrap(),
            json!({
                "customerName": "Ann Example",
                "callbackNumber": "+15555550142",
                "timezone": "Europe/Berlin",
                "scheduleDate": "2026-12-01",
                "startTime": "10:00:00",
                "endTime": "12:00:00",
                "queueId": "q",
                "callbackReason": "A bill",
            })
        );
        let change = serde_json::to_value(Change { id: "s-1", request: &request() }).unwrap();
        assert_eq!((change["id"].as_str(), change["queueId"].as_str()), (Some("s-1"), Some("q")));
    }

    #[test]
    fn a_request_keeps_to_the_lengths_that_webex_takes() {
        let mut callback = sample::callback("2026-11-24T08:00:00Z".parse().unwrap());
        callback.request.phone = PhoneNumber::from_e164("+999012345678901").unwrap();
        callback.request.name = Personal::new("");
        let request = ScheduleRequest::new(
            &callback,
            &window(TEXT),
            &offer(),
            "own",
            String::new(),
            Some("c".to_owned()),
        );
        let json = serde_json::to_value(&request).unwrap();
        assert_eq!(json["callbackNumber"], "999012345678901");
        assert_eq!(json["customerName"], "999012345678901");
        assert_eq!((json["queueId"].as_str(), json["assigneeAgent"].as_str()), (Some("own"), Some("c")));
        assert!(json.get("callbackReason").is_none());
    }

    #[test]
    fn what_was_asked_for_is_known_again_and_what_differs_is_not() {
        let found = json!({
            "id": "s-1",
            "customerName": "Another",
            "callbackNumber": "15555550142",
            "timezone": "Europe/Berlin",
            "scheduleDate": "2026-12-01",
            "startTime": "10:00",
            "endTime": "12:00:00",
            "queueId": "q",
            "callbackReason": "A bill",
            "assigneeAgent": null,
            "campaignId": null,
            "callbackOrigin": "IVR",
        });
        let read = |json: &serde_json::Value| serde_json::from_value::<FoundSchedule>(json.clone()).unwrap();
        assert!(request().is_met_by(&read(&found)));
        assert_eq!(read(&found).window(), Some(window(TEXT)));
        let moved = ScheduleRequest::moved(read(&found), &window("2026-12-02T09:00:00/10:00:00[UTC]"));
        let moved = serde_json::to_value(moved).unwrap();
        assert_eq!(
            (moved["scheduleDate"].as_str(), moved["timezone"].as_str()),
            (Some("2026-12-02"), Some("UTC"))
        );
        assert_eq!((moved["customerName"].as_str(), moved["queueId"].as_str()), (Some("Another"), Some("q")));
        for (member, other) in [
            ("timezone", "Europe/Paris"),
            ("scheduleDate", "2026-12-02"),
            ("startTime", "10:30:00"),
            ("endTime", "12:30:00"),
            ("queueId", "r"),
            ("callbackReason", "An order"),
        ] {
            let mut changed = found.clone();
            changed[member] = other.into();
            assert!(!request().is_met_by(&read(&changed)), "{member}");
        }
    }
}
