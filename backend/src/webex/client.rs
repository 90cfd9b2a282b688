//! One request to Webex: token, tracking id, time-outs, a bounded answer.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, DATE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use super::error::{ErrorKind, WebexError, message_of};
use super::pace::Pace;
use super::token::{self, Tokens};
use crate::clock::{SharedClock, after_s};
use crate::config;

/// Largest answer that is read, in bytes: a page of the search holds 250 tasks.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// A client of one organisation's APIs.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    tokens: Arc<dyn Tokens>,
    organization: Option<String>,
    clock: SharedClock,
    pace: Pace,
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

/// An answer that was read whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
    pub(super) tracking_id: String,
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
        Ok(Self { http: http(config)?, base: Url::parse(&base)?, tokens, organization, clock, pace })
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

    /// The organisation's id, from the configuration or the token.
    pub(super) async fn organization(&self) -> Option<String> {
        match &self.organization {
            Some(id) => Some(id.clone()),
            None => token::organization_of(&self.tokens.current().await.ok()?),
        }
    }

    /// Makes a POST with a JSON body and reads the answer of a wanted status.
    pub(super) async fn post(
        &self,
        path: &str,
        query: &[(&str, String)],
        body: &impl Serialize,
        wanted: &[StatusCode],
    ) -> Result<Answer, WebexError> {
        self.run(self.request(Method::POST, path)?.query(query).json(body), wanted, Turn::Awaited).await
    }

    /// Makes a POST that [`Pace::reserve`] has reserved, without waiting.
    pub(super) async fn post_reserved(
        &self,
        path: &str,
        body: &impl Serialize,
        wanted: &[StatusCode],
    ) -> Result<Answer, WebexError> {
        self.run(self.request(Method::POST, path)?.json(body), wanted, Turn::Reserved).await
    }

    /// Makes a GET and reads the answer of a wanted status.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, String)],
        wanted: &[StatusCode],
    ) -> Result<Answer, WebexError> {
        self.run(self.request(Method::GET, path)?.query(query), wanted, Turn::Awaited).await
    }

    /// Makes a PATCH with a JSON body and reads the answer of a wanted status.
    pub(super) async fn patch(
        &self,
        path: &str,
        body: &impl Serialize,
        wanted: &[StatusCode],
    ) -> Result<Answer, WebexError> {
        self.run(self.request(Method::PATCH, path)?.json(body), wanted, Turn::Awaited).await
    }

    /// Makes a DELETE and reads the answer of a wanted status.
    pub(super) async fn delete(&self, path: &str, wanted: &[StatusCode]) -> Result<Answer, WebexError> {
        self.run(self.request(Method::DELETE, path)?, wanted, Turn::Awaited).await
    }

    /// The `Date` of whatever answers at that path.
    pub(super) async fn date_of(&self, path: &str) -> Result<Option<Timestamp>, WebexError> {
        let error =
            |kind, message| WebexError { kind, status: None, tracking_id: "none".to_owned(), message };
        let request = self.request(Method::GET, path)?;
        let response = request.send().await.map_err(|failed| error(ErrorKind::NotSent, described(failed)))?;
        let date = response.headers().get(DATE).and_then(|value| value.to_str().ok());
        Ok(date.and_then(|text| Some(jiff::fmt::rfc2822::parse(text).ok()?.timestamp())))
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, WebexError> {
        let url = self.base.join(path).map_err(|error| not_sent(format!("{path} is not a path: {error}")))?;
        Ok(self.http.request(method, url))
    }

    /// Makes the request; once more with another token, where Webex refuses the first (401: it was not processed).
    async fn run(
        &self,
        request: RequestBuilder,
        wanted: &[StatusCode],
        turn: Turn,
    ) -> Result<Answer, WebexError> {
        if turn == Turn::Awaited {
            self.pace.turn().await;
        }
        let again = request.try_clone();
        let token = self.tokens.current().await.map_err(not_sent)?;
        match self.run_with(request, wanted, &token).await {
            Err(error) if error.kind == ErrorKind::TokenRejected => {
                match (again, self.tokens.instead_of(&token).await) {
                    (Some(again), Some(other)) => self.run_with(again, wanted, &other).await,
                    _ => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    async fn run_with(
        &self,
        request: RequestBuilder,
        wanted: &[StatusCode],
        token: &SecretString,
    ) -> Result<Answer, WebexError> {
        let tracking_id = format!("RINGBACK_{}", Uuid::new_v4());
        let error =
            |kind, status, message| WebexError { kind, status, tracking_id: tracking_id.clone(), message };
        let response = request
            .bearer_auth(token.expose_secret())
            .header(ACCEPT, "application/json")
            .header("TrackingId", &tracking_id)
            .send()
            .await
            .map_err(|failed| {
                let kind = if failed.is_connect() || failed.is_builder() {
                    ErrorKind::NotSent
                } else {
                    ErrorKind::Lost
                };
                error(kind, None, described(failed))
            })?;
        let status = response.status();
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        if let (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) = (status, retry_after) {
            self.pace.pause_until(after_s(self.clock.now(), seconds));
        }
        // The id under which Webex keeps the request, where it says another than ours.
        let tracking_id = response
            .headers()
            .get("TrackingId")
            .and_then(|value| value.to_str().ok())
            .map_or_else(|| tracking_id.clone(), crate::personal::masked_identifier);
        let body = read_bounded(response, LARGEST_ANSWER).await.map_err(|why| WebexError {
            // The status is known, but where it was good the id of what was made is in the lost body.
            kind: if status.is_success() {
                ErrorKind::Lost
            } else {
                ErrorKind::of_status(status.as_u16(), retry_after)
            },
            status: Some(status.as_u16()),
            tracking_id: tracking_id.clone(),
            message: why,
        })?;
        if wanted.contains(&status) {
            return Ok(Answer { status, body, tracking_id });
        }
        Err(WebexError {
            kind: ErrorKind::of_status(status.as_u16(), retry_after),
            status: Some(status.as_u16()),
            tracking_id,
            message: format!("Webex answered {}: {}", status.as_u16(), message_of(&body)),
        })
    }
}

/// What every request to Webex goes through.
pub(super) fn http(config: &config::Webex) -> Result<reqwest::Client, reqwest::Error> {
    // Another part of the process may have chosen a provider already; that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
        .timeout(Duration::from_millis(config.request_timeout_ms))
        .redirect(reqwest::redirect::Policy::none())
        // A request whose answer was lost is looked up before it is made again, and never repeated unseen.
        .retry(reqwest::retry::never())
        .user_agent(concat!("ringback/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn not_sent(message: String) -> WebexError {
    WebexError { kind: ErrorKind::NotSent, status: None, tracking_id: "none".to_owned(), message }
}

/// The error with its causes, without the address it was sent to.
pub(super) fn described(error: reqwest::Error) -> String {
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
