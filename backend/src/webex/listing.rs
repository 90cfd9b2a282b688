//! `GET /v1/tasks`: how does a task stand? Asked when no webhook told; needs no scope but `cjp:user`.

use jiff::Timestamp;
use serde::Deserialize;

use super::client::Client;
use super::error::WebexError;
use super::policy::Operation;

/// Tasks in one answer; the most that Webex gives.
const PAGE_SIZE: usize = 1000;

/// How a task stands (Webex OpenAPI, `Task.attributes.status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskStatus {
    /// It exists.
    Created,
    /// It waits in a queue.
    Queued,
    /// An agent is being offered it.
    Offered,
    /// An agent has it.
    Assigned,
    /// It ended before anybody talked.
    Abandoned,
    /// It has ended.
    Completed,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    id: String,
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    /// Anything, since a status that is new to us must not spoil the list.
    status: serde_json::Value,
}

impl Client {
    /// How the task of that id stands, which was made between the two moments. `None`: Webex does not list it, or its
    /// status is not one of ours.
    pub async fn task_status(
        &self,
        task_id: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Option<TaskStatus>, WebexError> {
        let mut query = vec![
            ("from", from.as_millisecond().to_string()),
            ("to", to.as_millisecond().to_string()),
            ("channelTypes", "telephony".to_owned()),
            ("pageSize", PAGE_SIZE.to_string()),
        ];
        query.extend(self.organization().await.map(|id| ("orgId", id)));
        let read: Answer = self.get(Operation::ListTasks, "/v1/tasks", &query).await?.read()?;
        let task = read.data.into_iter().find(|task| task.id == task_id);
        Ok(task.and_then(|task| serde_json::from_value(task.attributes.status).ok()))
    }
}
