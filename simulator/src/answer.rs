//! What the simulator answers, before it is turned into an actix response.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::Value;

/// An answer: status, headers, body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Vec<u8>,
    /// Whether the header `TrackingId` is sent along.
    pub(crate) names_the_call: bool,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: Some("application/json"),
            body: body.to_string().into_bytes(),
            names_the_call: true,
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content_type: None, body: Vec::new(), names_the_call: true }
    }

    pub(crate) fn text(status: u16, content_type: &'static str, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: Some(content_type),
            body: body.as_bytes().to_vec(),
            names_the_call: true,
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn without_tracking_id(mut self) -> Self {
        self.names_the_call = false;
        self
    }

    pub(crate) fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in self.headers {
            response.insert_header((name, value));
        }
        if let Some(content_type) = self.content_type {
            response.content_type(content_type);
        }
        response.body(self.body)
    }
}
