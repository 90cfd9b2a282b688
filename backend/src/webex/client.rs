//! One request to Webex: token, tracking id, time-outs, a bounded answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, DATE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use super::error::{WebexError, envelope};
use super::pace::{LONGEST_PAUSE_S, Pace};
use super::policy::{Operation, Policy};
use super::token::{self, Tokens};
use crate::clock::{SharedClock, after_s};
use crate::config;
use crate::network;

/// Largest answer that is read, in bytes: a page of the search holds 250 tasks.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// How long a connection is kept for the next call. Less than the five seconds that the most impatient servers keep
/// one: a task that is sent down a connection which the other end is just closing has to be looked up before it is
/// sent again.
const CONNECTION_IDLE: Duration = Duration::from_secs(3);

/// How far the clocks may be apart, in seconds, before nothing is concluded from what Webex does not show. Two machines that keep to it are
/// apart by less than a search is given.
const CLOCKS_APART_S: u64 = 20;

/// The header that names a call, for Webex's support.
pub(super) const TRACKING_ID: &str = "TrackingId";

/// A client of one organisation's APIs.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    tokens: Arc<dyn Tokens>,
    organization: Option<String>,
    clock: SharedClock,
    pace: Pace,
    /// How far Webex's clock and this machine's were apart at the last answer, in seconds.
    apart_s: AtomicU64,
}

/// Whether a call has its place in the pace already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// It was reserved.
    Reserved,
    /// It waits for it.
    Awaited,
}

/// A client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The base address is not one. [`config::Config::load`] refuses such a configuration.
    #[error("the base address of Webex is not an address: {0}")]
    Base(#[from] url::ParseError),
    /// TLS cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Http(#[from] reqwest::Error),
}

/// What a call has told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T> {
    /// The answer.
    pub answer: T,
    /// What Webex's support finds the call by; of several, the last one.
    pub tracking_id: String,
}

/// An answer that says that the call was done, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    operation: Operation,
    status: StatusCode,
    body: String,
    pub(super) tracking_id: String,
}

impl Answer {
    /// Whether it says nothing more.
    pub(super) fn is_empty(&self) -> bool {
        self.body.trim().is_empty()
    }

    /// What its JSON holds.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, WebexError> {
        serde_json::from_str(&self.body)
            .map_err(|error| self.unreadable(&format!("its answer cannot be read: {error}")))
    }

    /// It was done, and the answer does not say what of it is needed.
    pub(super) fn unreadable(&self, why: &str) -> WebexError {
        WebexError {
            operation: self.operation,
            policy: self.operation.lost(),
            status: Some(self.status.as_u16()),
            retry_after: None,
            tracking_id: self.tracking_id.clone(),
            message: crate::personal::masked(why),
        }
    }
}

/// Whatever was answered.
struct Raw {
    status: StatusCode,
    retry_after: Option<Duration>,
    date: Option<Timestamp>,
    body: Result<String, String>,
    tracking_id: String,
}

impl Client {
    /// A client of the configured organisation.
    pub fn new(
        config: &config::Webex,
        clock: SharedClock,
        tokens: Arc<dyn Tokens>,
    ) -> Result<Self, ClientError> {
        let base = match config.base_url.as_str() {
            "" => config::region::base_url(&config.region).unwrap_or_default(),
            base => base.to_owned(),
        };
        let organization = Some(config.organization_id.clone()).filter(|id| !id.is_empty());
        let pace = Pace::new(config.requests_per_minute, Arc::clone(&clock));
        let apart_s = AtomicU64::new(0);
        Ok(Self { http: http(config)?, base: Url::parse(&base)?, tokens, organization, clock, pace, apart_s })
    }

    /// What is wrong with this machine's clock, as far as Webex's tells. What was looked for by time and not found is then not absent.
    pub fn clock_trouble(&self) -> Option<String> {
        let apart_s = self.apart_s.load(Ordering::Relaxed);
        (apart_s > CLOCKS_APART_S).then(|| {
            format!(
                "this machine's clock is {apart_s} s apart from Webex's; hint: set it, and keep it in step by NTP"
            )
        })
    }

    /// How fast Webex is asked.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Whether an access token can be had.
    ///
    /// # Errors
    ///
    /// What is wrong with the token or its file.
    pub async fn check_token(&self) -> Result<(), String> {
        self.tokens.current().await.map(|_| ())
    }

    /// The organisation that the token is of, where it says so.
    pub async fn organization_of_token(&self) -> Option<String> {
        token::organization_of(&self.tokens.current().await.ok()?)
    }

    /// The organisation's id, from the configuration or the token.
    pub(super) async fn organization(&self) -> Option<String> {
        match &self.organization {
            Some(id) => Some(id.clone()),
            None => self.organization_of_token().await,
        }
    }

    /// Makes a POST with a JSON body.
    pub(super) async fn post(
        &self,
        operation: Operation,
        path: &str,
        query: &[(&str, String)],
        body: &impl Serialize,
    ) -> Result<Answer, WebexError> {
        let request = self.request(operation, Method::POST, path)?.query(query).json(body);
        self.run(operation, request, Turn::Awaited).await
    }

    /// Makes a POST that [`Pace::reserve`] has reserved, without waiting.
    pub(super) async fn post_reserved(
        &self,
        operation: Operation,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, WebexError> {
        let request = self.request(operation, Method::POST, path)?.json(body);
        self.run(operation, request, Turn::Reserved).await
    }

    /// Makes a GET.
    pub(super) async fn get(
        &self,
        operation: Operation,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Answer, WebexError> {
        self.run(operation, self.request(operation, Method::GET, path)?.query(query), Turn::Awaited).await
    }

    /// Makes a PATCH with a JSON body.
    pub(super) async fn patch(
        &self,
        operation: Operation,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, WebexError> {
        self.run(operation, self.request(operation, Method::PATCH, path)?.json(body), Turn::Awaited).await
    }

    /// Makes a PUT with a JSON body.
    pub(super) async fn put(
        &self,
        operation: Operation,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, WebexError> {
        self.run(operation, self.request(operation, Method::PUT, path)?.json(body), Turn::Awaited).await
    }

    /// Makes a DELETE.
    pub(super) async fn delete(&self, operation: Operation, path: &str) -> Result<Answer, WebexError> {
        self.run(operation, self.request(operation, Method::DELETE, path)?, Turn::Awaited).await
    }

    /// The `Date` of whatever answers at that path.
    pub(super) async fn date_of(
        &self,
        operation: Operation,
        path: &str,
    ) -> Result<Option<Timestamp>, WebexError> {
        let request = self.request(operation, Method::GET, path)?;
        self.pace.turn().await;
        let token = self.tokens.current().await.map_err(|why| WebexError::not_sent(operation, why))?;
        self.exchange(operation, request, &token).await.map(|raw| raw.date)
    }

    fn request(
        &self,
        operation: Operation,
        method: Method,
        path: &str,
    ) -> Result<RequestBuilder, WebexError> {
        let url = self
            .base
            .join(path)
            .map_err(|error| WebexError::not_sent(operation, format!("{path} is not a path: {error}")))?;
        Ok(self.http.request(method, url))
    }

    /// Makes the call; once more with another token, where Webex refuses the first (401: it was not processed).
    async fn run(
        &self,
        operation: Operation,
        request: RequestBuilder,
        turn: Turn,
    ) -> Result<Answer, WebexError> {
        if turn == Turn::Awaited {
            self.pace.turn().await;
        }
        let again = request.try_clone();
        let not_sent = |why| WebexError::not_sent(operation, why);
        let token = self.tokens.current().await.map_err(not_sent)?;
        let raw = self.exchange(operation, request, &token).await?;
        match judged(operation, raw) {
            Err(error) if error.policy == Policy::Refresh => {
                match (again, self.tokens.instead_of(&token).await) {
                    (Some(again), Some(other)) => {
                        judged(operation, self.exchange(operation, again, &other).await?)
                    }
                    _ => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    async fn exchange(
        &self,
        operation: Operation,
        request: RequestBuilder,
        token: &SecretString,
    ) -> Result<Raw, WebexError> {
        let ours = format!("RINGBACK_{}", Uuid::new_v4());
        let begun_at = self.clock.now();
        let response = request
            .bearer_auth(token.expose_secret())
            .header(ACCEPT, "application/json")
            .header(TRACKING_ID, &ours)
            .send()
            .await
            .map_err(|failed| {
                let policy = if failed.is_connect() || failed.is_builder() {
                    Policy::Repeat
                } else {
                    operation.lost()
                };
                let message = described(failed);
                WebexError { policy, ..WebexError::unanswered(operation, ours.clone(), message) }
            })?;
        let status = response.status();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER.as_str()).and_then(asked_to_wait_s);
        if let (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) = (status, retry_after) {
            self.pace.pause_until(after_s(self.clock.now(), seconds));
        }
        let date =
            header(DATE.as_str()).and_then(|text| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp()));
        if let Some(date) = date {
            self.apart_s.store(apart_s(date, begun_at, self.clock.now()), Ordering::Relaxed);
        }
        // The id under which Webex keeps the call, where it says another than ours.
        let theirs = header(TRACKING_ID).map(crate::personal::masked_identifier).filter(|id| !id.is_empty());
        Ok(Raw {
            status,
            retry_after: retry_after.map(Duration::from_secs),
            date,
            body: read_bounded(response, LARGEST_ANSWER).await,
            tracking_id: theirs.unwrap_or(ours),
        })
    }
}

/// How long a call is asked to wait, in seconds. What asks for more than is obeyed at once is taken for a mistake by every wait that comes of it.
fn asked_to_wait_s(header: &str) -> Option<u64> {
    header.trim().parse().ok().map(|seconds: u64| seconds.min(LONGEST_PAUSE_S))
}

/// How far a moment is outside of the time in which it was written, in seconds.
fn apart_s(date: Timestamp, begun_at: Timestamp, ended_at: Timestamp) -> u64 {
    let (before, after) = (begun_at.duration_since(date).as_secs(), date.duration_since(ended_at).as_secs());
    before.max(after).max(0).unsigned_abs()
}

/// The answer, where it says that the call was done; else the error with its policy.
fn judged(operation: Operation, raw: Raw) -> Result<Answer, WebexError> {
    let Raw { status, retry_after, body, tracking_id, .. } = raw;
    let done = operation.is_done(status.as_u16());
    let failed = |policy, tracking_id, message| WebexError {
        operation,
        policy,
        status: Some(status.as_u16()),
        retry_after,
        tracking_id,
        message,
    };
    match body {
        Ok(body) if done => Ok(Answer { operation, status, body, tracking_id }),
        // It was done, but the id of what was made is in the lost body.
        Err(why) if done => Err(failed(operation.lost(), tracking_id, why)),
        body => {
            let said = envelope(body.as_deref().unwrap_or_default());
            let policy = operation.policy(status.as_u16(), said.spoken || retry_after.is_some());
            let message = match body {
                Ok(_) => format!("Webex answered {}: {}", status.as_u16(), said.message),
                Err(why) => format!("Webex answered {}: {why}", status.as_u16()),
            };
            Err(failed(policy, said.tracking_id.unwrap_or(tracking_id), message))
        }
    }
}

/// What every request to Webex goes through.
pub(super) fn http(config: &config::Webex) -> Result<reqwest::Client, reqwest::Error> {
    // A request whose answer was lost is looked up before it is made again.
    network::http_client()
        .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
        .timeout(Duration::from_millis(config.request_timeout_ms))
        .pool_idle_timeout(CONNECTION_IDLE)
        .build()
}

/// The error with its causes, without the address it was sent to.
pub(crate) fn described(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    crate::personal::masked(&text)
}

/// Reads a body of at most so many bytes.
pub(super) async fn read_bounded(mut response: Response, most: usize) -> Result<String, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(described)? {
        if body.len() + chunk.len() > most {
            return Err(format!("the answer is larger than {most} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| "the answer is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_apart_by_what_a_call_cannot_have_taken() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (date, apart) in [(100, 0), (110, 0), (105, 0), (99, 1), (111, 1), (-200, 300), (410, 300)] {
            assert_eq!(apart_s(at(date), at(100), at(110)), apart, "{date}");
        }
    }

    #[test]
    fn a_wait_that_is_asked_for_is_obeyed_and_has_an_end() {
        for (header, seconds) in
            [("30", Some(30)), (" 900 ", Some(900)), ("86400", Some(900)), ("soon", None)]
        {
            assert_eq!(asked_to_wait_s(header), seconds, "{header}");
        }
    }
}
