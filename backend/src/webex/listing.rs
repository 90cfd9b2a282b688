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
/// How far the clocks of Webex and of this machine are apart as a rule, in seconds.
const CLOSE_S: i64 = 2;
/// How far they may be apart, in seconds.
const CLOCK_SKEW_S: i64 = 60;
/// How long after it was asked for a task is made at most, in seconds: a request that seems lost may wait at a gateway.
const MADE_WITHIN_S: i64 = 60;

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

/// What was read of how tasks stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses {
    /// By their ids.
    pub found: HashMap<String, TaskStatus>,
    /// Those that the list was not read as far as: they are to be asked about again, soon.
    pub unread: HashSet<String>,
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

/// From when on the next page is read. The list goes by the time of creation, and has no cursor: it begins with the last second of the page
/// before, of which that may not have shown every task; and where all of that was one second, with its last moment. `None`: that page
/// was one moment.
fn next_page(from: Timestamp, newest: Timestamp) -> Option<Timestamp> {
    [shifted_s(newest, -1), newest].into_iter().find(|next| *next > from)
}

impl Client {
    /// How those tasks stand; each is wanted with the moment at which it was asked for. Without those whose status is not one of
    /// ours. Nothing more is read once they are found, nor what lies between them.
    pub async fn task_statuses(
        &self,
        wanted: HashMap<&str, Timestamp>,
        now: Timestamp,
    ) -> Result<Statuses, WebexError> {
        let mut statuses = Statuses::default();
        let mut pages = PAGES_MAX;
        let mut missing = wanted;
        // Clocks agree as a rule. Only for what is not found then, more of the list is read.
        for skew_s in [CLOSE_S, CLOCK_SKEW_S] {
            let mut ahead = missing.clone();
            let mut read_to = Timestamp::MIN;
            while let (Some(first), Some(last)) = (ahead.values().min(), ahead.values().max()) {
                if pages == 0 {
                    statuses.unread.extend(ahead.keys().map(|id| (*id).to_owned()));
                    return Ok(statuses);
                }
                pages -= 1;
                // Webex may refuse a time in the future.
                let (from, to) =
                    (shifted_s(*first, -skew_s).max(read_to), shifted_s(*last, MADE_WITHIN_S + skew_s));
                let tasks = self.tasks_between(from, to.min(now)).await?.answer;
                let is_last = tasks.len() < PAGE_SIZE;
                let newest = tasks.iter().filter_map(Task::created_at).max();
                for task in tasks {
                    if missing.remove(task.id.as_str()).is_some() {
                        ahead.remove(task.id.as_str());
                        if let Ok(status) = serde_json::from_value(task.attributes.status) {
                            statuses.found.insert(task.id, status);
                        }
                    }
                }
                match newest.and_then(|newest| next_page(from, newest)) {
                    Some(next) if !is_last => read_to = next,
                    _ => break,
                }
                ahead.retain(|_, at| shifted_s(*at, MADE_WITHIN_S + skew_s) > read_to);
            }
        }
        Ok(statuses)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_followed_by_one_that_begins_later_however_many_tasks_a_second_has() {
        let from = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |milliseconds: i64| Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap();
        for (newest, next) in [(7000, 6000), (1001, 1), (1000, 1000), (400, 400), (1, 1)] {
            assert_eq!(next_page(from, at(newest)), Some(at(next)), "{newest}");
        }
        assert_eq!(next_page(from, from), None);
    }
}
