//! `POST /search`: was a task made by a request whose answer was lost?

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::client::{Client, Told};
use super::error::WebexError;
use super::policy::{Operation, Policy};
use crate::phone::PhoneNumber;

/// A task that the search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTask {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The value of the reference variable, where that is reportable and set.
    pub reference: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    #[serde(default)]
    errors: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    task_details: Option<TaskDetails>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskDetails {
    #[serde(default)]
    tasks: Vec<Task>,
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    #[serde(default)]
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    id: String,
    created_time: i64,
    reference: Option<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    value: Option<String>,
}

/// Pages that one look-up reads at most. A page holds 250 tasks to one number.
const PAGES_MAX: usize = 20;

impl Client {
    /// The tasks to that number that were made between the two moments; `reference_variable` names the attribute to
    /// read with each.
    pub async fn tasks_to(
        &self,
        destination: &PhoneNumber,
        from: Timestamp,
        to: Timestamp,
        reference_variable: &str,
    ) -> Result<Told<Vec<FoundTask>>, WebexError> {
        let query: Vec<_> = self.organization().await.map(|id| ("orgId", id)).into_iter().collect();
        let mut found = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let body = json!({
                "query": query_text(destination, from, to, reference_variable, cursor.as_deref()),
                "variables": {},
            });
            let answer = self.post(Operation::Search, "/search", &query, &body).await?;
            let read: Answer = answer.read()?;
            // An empty list beside errors is not an absence.
            let details = read.data.and_then(|data| data.task_details).filter(|_| read.errors.is_empty());
            let details = details.ok_or_else(|| {
                let first = read.errors.first().map(ToString::to_string).unwrap_or_default();
                // Webex's word on the query, and not a failure of its own.
                let error = answer.unreadable(&format!("the search failed: {first}"));
                WebexError { policy: Policy::GiveUp, ..error }
            })?;
            found.extend(details.tasks.into_iter().filter_map(|task| {
                Some(FoundTask {
                    id: task.id,
                    created_at: Timestamp::from_millisecond(task.created_time).ok()?,
                    reference: task
                        .reference
                        .and_then(|variable| variable.value)
                        .filter(|value| !value.is_empty()),
                })
            }));
            cursor = next_page(details.page_info).map_err(|why| answer.unreadable(why))?;
            if cursor.is_none() {
                return Ok(Told { answer: found, tracking_id: answer.tracking_id });
            }
        }
        let message = format!("the search does not end after {PAGES_MAX} pages");
        Err(WebexError { policy: Policy::GiveUp, ..WebexError::not_sent(Operation::Search, message) })
    }
}

/// Where the next page begins; `None`: there is none. A page that cannot be had may show what is looked for, so it is not taken for none.
fn next_page(info: Option<PageInfo>) -> Result<Option<String>, &'static str> {
    match info {
        Some(PageInfo { has_next_page: true, end_cursor }) => {
            end_cursor.map(Some).ok_or("there is more, and the answer does not say where")
        }
        _ => Ok(None),
    }
}

/// The query. Its values are ours: a number in E.164 form, times, a configured name, a cursor of Webex.
fn query_text(
    destination: &PhoneNumber,
    from: Timestamp,
    to: Timestamp,
    reference_variable: &str,
    cursor: Option<&str>,
) -> String {
    let reference = if reference_variable.is_empty() {
        String::new()
    } else {
        format!(" reference: stringGlobalVariables(name: {}) {{ name value }}", quoted(reference_variable))
    };
    let pagination =
        cursor.map_or(String::new(), |cursor| format!(" pagination: {{ cursor: {} }}", quoted(cursor)));
    format!(
        "{{ taskDetails(from: {} to: {} filter: {{ destination: {{ equals: {} }} }}{pagination}) \
         {{ tasks {{ id createdTime{reference} }} pageInfo {{ hasNextPage endCursor }} }} }}",
        from.as_millisecond(),
        to.as_millisecond(),
        quoted(destination.e164()),
    )
}

/// A GraphQL string, which has JSON's escapes (GraphQL specification, section 2.9.4).
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_its_place_is_not_taken_for_none() {
        let next = |info: serde_json::Value| next_page(serde_json::from_value(info).unwrap());
        assert_eq!(next(json!({"hasNextPage": true, "endCursor": "c1"})), Ok(Some("c1".to_owned())));
        assert_eq!(next(json!({"hasNextPage": false, "endCursor": "c1"})), Ok(None));
        assert_eq!(next(json!(null)), Ok(None));
        for lost in [json!({"hasNextPage": true}), json!({"hasNextPage": true, "endCursor": null})] {
            assert!(next(lost).is_err());
        }
    }

    #[test]
    fn the_query_asks_for_one_number_in_milliseconds() {
        let number = PhoneNumber::from_e164("+15555550142").unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(
            query_text(&number, at(1), at(2), "Ring\"back", Some("c1")),
            "{ taskDetails(from: 1000 to: 2000 filter: { destination: { equals: \"+15555550142\" } } \
             pagination: { cursor: \"c1\" }) \
             { tasks { id createdTime reference: stringGlobalVariables(name: \"Ring\\\"back\") { name value } } \
             pageInfo { hasNextPage endCursor } } }"
        );
    }
}
