//! The control door, typed: the same calls for a simulator in this process and for one in another.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::control::{Listing, Summary};
use crate::faults::Fault;
use crate::http;
use crate::records::RecordedRequest;
use crate::route::Operation;
use crate::settings::{Outcome, Pace, Settings};
use crate::task::{Task, TaskState};
use crate::webhook_faults::WebhookFault;
use crate::webhooks::Delivery;

/// Why a call to the control door failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The simulator was not reached, or its answer could not be read.
    #[error("the simulator's control door was not reached")]
    Unreachable(#[from] reqwest::Error),
    /// The simulator refused the call.
    #[error("the simulator's control door answered {status}: {body}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said.
        body: String,
    },
    /// What was waited for did not happen in time.
    #[error("waited {waited:?} in vain for {what}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
    },
}

/// A client of the control door.
#[derive(Debug, Clone)]
pub struct Control {
    base_url: String,
    http: reqwest::Client,
}

impl Control {
    /// For the simulator at this address, such as `http://127.0.0.1:8080`.
    pub fn new(base_url: &str) -> Result<Self, ControlError> {
        Ok(Self { base_url: base_url.trim_end_matches('/').to_owned(), http: http::client()? })
    }

    /// Forgets everything and goes back to the settings of the start.
    pub async fn reset(&self) -> Result<(), ControlError> {
        self.done(self.request(Method::POST, "reset")).await
    }

    /// The settings.
    pub async fn settings(&self) -> Result<Settings, ControlError> {
        self.read(self.request(Method::GET, "settings")).await
    }

    /// Replaces every setting.
    pub async fn set(&self, settings: &Settings) -> Result<(), ControlError> {
        self.done(self.request(Method::PATCH, "settings").json(settings)).await
    }

    /// How fast calls go, those under way included.
    pub async fn set_pace(&self, pace: Pace) -> Result<(), ControlError> {
        self.patch(json!({ "pace": pace })).await
    }

    /// How calls go for which nothing else is planned.
    pub async fn set_outcome(&self, outcome: Outcome) -> Result<(), ControlError> {
        self.patch(json!({ "outcome": outcome })).await
    }

    /// Changes the settings that are named, by their names in [`Settings`].
    pub async fn patch(&self, changes: Value) -> Result<(), ControlError> {
        self.done(self.request(Method::PATCH, "settings").json(&changes)).await
    }

    /// How the next calls go; with a destination, only those to that number.
    pub async fn plan(
        &self,
        outcome: Outcome,
        times: u32,
        destination: Option<&str>,
    ) -> Result<(), ControlError> {
        let plan = json!({ "outcome": outcome, "times": times, "destination": destination });
        self.done(self.request(Method::POST, "outcomes").json(&plan)).await
    }

    /// Adds a fault; faults are met in the order in which they were added.
    pub async fn fault(&self, fault: &Fault) -> Result<(), ControlError> {
        self.done(self.request(Method::POST, "faults").json(fault)).await
    }

    /// The faults that are still to be met.
    pub async fn faults(&self) -> Result<Vec<Fault>, ControlError> {
        self.read(self.request(Method::GET, "faults")).await
    }

    /// Takes every fault back.
    pub async fn clear_faults(&self) -> Result<(), ControlError> {
        self.done(self.request(Method::DELETE, "faults")).await
    }

    /// Adds a fault of the webhooks.
    pub async fn webhook_fault(&self, fault: &WebhookFault) -> Result<(), ControlError> {
        self.done(self.request(Method::POST, "webhook-faults").json(fault)).await
    }

    /// Takes every fault of the webhooks back, and sends what was kept back.
    pub async fn clear_webhook_faults(&self) -> Result<(), ControlError> {
        self.done(self.request(Method::DELETE, "webhook-faults")).await
    }

    /// Sets the estimated wait of a queue in milliseconds; `None` is "too few calls".
    pub async fn set_wait(&self, queue_id: &str, wait_ms: Option<f64>) -> Result<(), ControlError> {
        let wait = json!({ "queue_id": queue_id, "wait_ms": wait_ms });
        self.done(self.request(Method::POST, "waits").json(&wait)).await
    }

    /// Ends every access token, the fixed ones included.
    pub async fn end_access_tokens(&self) -> Result<(), ControlError> {
        self.done(self.request(Method::DELETE, "tokens/access")).await
    }

    /// Ends every refresh token, the fixed one included.
    pub async fn end_refresh_tokens(&self) -> Result<(), ControlError> {
        self.done(self.request(Method::DELETE, "tokens/refresh")).await
    }

    /// Every task, oldest first.
    pub async fn tasks(&self) -> Result<Listing<Task>, ControlError> {
        self.read(self.request(Method::GET, "tasks")).await
    }

    /// The tasks to one number.
    pub async fn tasks_to(&self, destination: &str) -> Result<Vec<Task>, ControlError> {
        let request = self.request(Method::GET, "tasks").query(&[("destination", destination)]);
        Ok(self.read::<Listing<Task>>(request).await?.entries)
    }

    /// One task.
    pub async fn task(&self, id: &str) -> Result<Task, ControlError> {
        self.read(self.request(Method::GET, &format!("tasks/{id}"))).await
    }

    /// How often the phone of this number rang, over all its tasks.
    pub async fn rings(&self, destination: &str) -> Result<u32, ControlError> {
        Ok(self.tasks_to(destination).await?.iter().map(|task| task.rings).sum())
    }

    /// Takes the next step of a task.
    pub async fn advance(&self, task_id: &str) -> Result<Task, ControlError> {
        self.read(self.request(Method::POST, &format!("tasks/{task_id}/advance"))).await
    }

    /// Takes steps of a task until it stands there.
    pub async fn advance_to(&self, task_id: &str, state: TaskState) -> Result<Task, ControlError> {
        let mut task = self.task(task_id).await?;
        while task.state != state {
            task = self.advance(task_id).await?;
        }
        Ok(task)
    }

    /// Triggers a scheduled callback now; gives the id of its task.
    pub async fn trigger(&self, scheduled_id: &str) -> Result<String, ControlError> {
        let request = self.request(Method::POST, &format!("scheduled/{scheduled_id}/trigger"));
        let answer: Value = self.read(request).await?;
        Ok(answer.get("task_id").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Every request that arrived, the control door's own excepted.
    pub async fn requests(&self) -> Result<Listing<RecordedRequest>, ControlError> {
        self.read(self.request(Method::GET, "requests")).await
    }

    /// The requests for one operation.
    pub async fn requests_for(&self, operation: Operation) -> Result<Vec<RecordedRequest>, ControlError> {
        let request = self.request(Method::GET, "requests").query(&[("operation", operation)]);
        Ok(self.read::<Listing<RecordedRequest>>(request).await?.entries)
    }

    /// Every webhook delivery that is over.
    pub async fn deliveries(&self) -> Result<Listing<Delivery>, ControlError> {
        self.read(self.request(Method::GET, "deliveries")).await
    }

    /// The webhook deliveries of one task.
    pub async fn deliveries_of(&self, task_id: &str) -> Result<Vec<Delivery>, ControlError> {
        let request = self.request(Method::GET, "deliveries").query(&[("task", task_id)]);
        Ok(self.read::<Listing<Delivery>>(request).await?.entries)
    }

    /// What happened, in numbers.
    pub async fn summary(&self) -> Result<Summary, ControlError> {
        self.read(self.request(Method::GET, "summary")).await
    }

    /// Waits until a task to this number is there and fits.
    pub async fn wait_for_task(
        &self,
        destination: &str,
        within: Duration,
        fits: impl Fn(&Task) -> bool,
    ) -> Result<Task, ControlError> {
        let began = Instant::now();
        loop {
            if let Some(task) = self.tasks_to(destination).await?.into_iter().find(&fits) {
                return Ok(task);
            }
            if began.elapsed() >= within {
                let what = format!("a fitting task to {destination}");
                return Err(ControlError::TimedOut { what, waited: within });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/_control/{path}", self.base_url))
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ControlError> {
        Ok(Self::accepted(request.send().await?).await?.json().await?)
    }

    async fn done(&self, request: RequestBuilder) -> Result<(), ControlError> {
        Self::accepted(request.send().await?).await.map(drop)
    }

    async fn accepted(response: reqwest::Response) -> Result<reqwest::Response, ControlError> {
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        Err(ControlError::Refused { status, body: response.text().await.unwrap_or_default() })
    }
}
