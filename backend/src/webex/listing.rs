//! `GET /v1/tasks`: how does a task stand? Asked when no webhook told; needs no scope but `cjp:user`.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::client::{Client, Told};
use super::error::WebexError;
use super::policy::{Operation, Policy};
use super::search::FoundTask;
use crate::clock::shifted_s;
use crate::phone::PhoneNumber;

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
    destination: Option<String>,
}

impl Task {
    fn created_at(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.attributes.created_time?).ok()
    }
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
        let mut from = from;
        let mut missing = ids.clone();
        let mut found = HashMap::new();
        for _ in 0..PAGES_MAX {
            let tasks = self.tasks_between(from, to).await?.answer;
            let is_last = tasks.len() < PAGE_SIZE;
            let newest = tasks.iter().filter_map(Task::created_at).max();
            for task in tasks {
                if missing.remove(task.id.as_str())
                    && let Ok(status) = serde_json::from_value(task.attributes.status)
                {
                    found.insert(task.id, status);
                }
            }
            // The list goes by the time of creation, and has no cursor: the next page begins with the last second of this
            // one, of which it may not have shown every task. `from` itself is outside of what is asked for.
            let next = newest.map(|newest| shifted_s(newest, -1));
            match next.filter(|next| !is_last && !missing.is_empty() && *next > from) {
                Some(next) => from = next,
                None => break,
            }
        }
        Ok(found)
    }

    /// The tasks to a number that were made between the two moments. For who may not search.
    pub async fn listed_tasks_to(
        &self,
        destination: &PhoneNumber,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Told<Vec<FoundTask>>, WebexError> {
        let Told { answer: tasks, tracking_id } = self.tasks_between(from, to).await?;
        if tasks.len() >= PAGE_SIZE {
            // What the list leaves out could be what is looked for.
            let message = format!("the list holds {PAGE_SIZE} tasks and more");
            let error = WebexError::not_sent(Operation::ListTasks, message);
            return Err(WebexError { policy: Policy::GiveUp, ..error });
        }
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let wanted = digits(destination.e164());
        let found = tasks.into_iter().filter_map(|task| {
            let is_wanted = digits(task.attributes.destination.as_deref()?) == wanted;
            let created_at = task.created_at()?;
            is_wanted.then_some(FoundTask { id: task.id, created_at, reference: None })
        });
        Ok(Told { answer: found.collect(), tracking_id })
    }

    /// One page of the tasks that were made between the two moments.
    async fn tasks_between(&self, from: Timestamp, to: Timestamp) -> Result<Told<Vec<Task>>, WebexError> {
        let mut query = vec![
            ("from", from.as_millisecond().to_string()),
            ("to", to.as_millisecond().to_string()),
            ("channelTypes", "telephony".to_owned()),
            ("pageSize", PAGE_SIZE.to_string()),
        ];
        query.extend(self.organization().await.map(|id| ("orgId", id)));
        let answer = self.get(Operation::ListTasks, "/v1/tasks", &query).await?;
        let read: Answer = answer.read()?;
        Ok(Told { answer: read.data, tracking_id: answer.tracking_id })
    }
}
