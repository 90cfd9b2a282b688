//! An answer of the service, read whole.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use ringback_contract::callback::Accepted;
use ringback_contract::problem::{Kind, MEDIA_TYPE, Problem};
use serde_json::Value;

/// The answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads an answer to its end.
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.expect("the answer ends too early").to_vec();
        Self { status, headers, body }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header in ASCII"))
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of a `200`.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()
    }

    /// The body of a `202`.
    #[track_caller]
    pub fn accepted(&self) -> Accepted {
        assert_eq!(self.status, StatusCode::ACCEPTED, "{}", self.text());
        serde_json::from_slice(&self.body).expect("the members of a 202")
    }

    /// The problem, which is of that kind and looks as RFC 9457 and the contract say.
    #[track_caller]
    pub fn problem(&self, kind: Kind) -> Problem {
        let text = self.text();
        let problem: Problem = serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no problem ({}): {text}", self.status));
        assert_eq!(problem.kind, kind.uri(), "{text}");
        assert_eq!(self.status.as_u16(), kind.status(), "{text}");
        assert_eq!(self.header("content-type"), MEDIA_TYPE);
        assert_eq!((problem.status, problem.title.as_str()), (kind.status(), kind.title()));
        assert!(!problem.detail.is_empty());
        assert_eq!(problem.instance.as_deref(), Some(self.header("x-request-id")), "{text}");
        problem
    }

    /// Pointer and code of each refused field.
    #[track_caller]
    pub fn refused_fields(&self, kind: Kind) -> Vec<(String, String)> {
        let errors = self.problem(kind).errors;
        assert!(errors.iter().all(|error| !error.message.is_empty()));
        errors.into_iter().map(|error| (error.pointer, error.code)).collect()
    }
}
