//! `GET /v1/tasks`: how does a task stand? Asked when no webhook told; needs no scope but `cjp:user`.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::client::Client;
use super::error::WebexError;
use super::policy::Operation;

/// Tasks in one answer; Webex gives 1000 at most.
const PAGE_SIZE: usize = 1000;
/// Pages that one question reads at most.
const PAGES_MAX: usize = 20;

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
#[serde(rename_all = "camelCase")]
struct Attributes {
    /// Anything, since a status that is new to us must not spoil the list.
    status: serde_json::Value,
    created_time: Option<i64>,
}

impl Client {
    /// How the tasks stand that were made between the two moments, by their ids; without those whose status is not one
    /// of ours. `ids` are those that are wanted: nothing more is asked for once they are found.
    pub async fn task_statuses(
        &self,
        ids: &HashSet<&str>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<HashMap<String, TaskStatus>, WebexError> {
        let organization = self.organization().await;
        let mut from = from.as_millisecond();
        let mut missing = ids.clone();
        let mut found = HashMap::new();
        for _ in 0..PAGES_MAX {
            let mut query = vec![
                ("from", from.to_string()),
                ("to", to.as_millisecond().to_string()),
                ("channelTypes", "telephony".to_owned()),
                ("pageSize", PAGE_SIZE.to_string()),
            ];
            query.extend(organization.clone().map(|id| ("orgId", id)));
            let page: Answer = self.get(Operation::ListTasks, "/v1/tasks", &query).await?.read()?;
            let is_last = page.data.len() < PAGE_SIZE;
            let newest = page.data.iter().filter_map(|task| task.attributes.created_time).max();
            for task in page.data {
                if missing.remove(task.id.as_str())
                    && let Ok(status) = serde_json::from_value(task.attributes.status)
                {
                    found.insert(task.id, status);
                }
            }
            // The list goes by the time of creation, and has no cursor: the next page begins where this one ends.
            match newest.filter(|newest| !is_last && !missing.is_empty() && *newest > from) {
                Some(newest) => from = newest,
                None => break,
            }
        }
        Ok(found)
    }
}
