//! One request as it came in, read whole before anything is decided about it.

use std::net::SocketAddr;

use actix_web::HttpRequest;
use actix_web::web::Bytes;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::envelope::Refusal;

/// The request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query_string: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) tracking_id: String,
}

impl Call {
    pub(crate) fn read(request: &HttpRequest, body: Bytes) -> Self {
        let headers: Vec<(String, String)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let tracking_id = headers
            .iter()
            .find(|(name, _)| name == "trackingid")
            .map_or_else(|| format!("SIMULATOR_{}", Uuid::new_v4()), |(_, value)| value.clone());
        Self {
            method: request.method().to_string(),
            path: request.path().to_owned(),
            query_string: request.query_string().to_owned(),
            query: url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect(),
            headers,
            body,
            peer: request.peer_addr(),
            tracking_id,
        }
    }

    /// The first header of this name, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first query parameter of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A query parameter that must be a whole number when it is there.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        self.parameter(name)
            .map(|text| text.parse().map_err(|_| Refusal::bad(format!("{name} must be a number."))))
            .transpose()
    }

    /// Whether a query parameter or the body holds that text.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.query.iter().any(|(_, value)| value.contains(text))
            || String::from_utf8_lossy(&self.body).contains(text)
    }

    /// The media type of the body, lower case, without parameters.
    pub(crate) fn media_type(&self) -> String {
        let content_type = self.header("content-type").unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as a JSON object.
    pub(crate) fn json_object(&self) -> Result<Map<String, Value>, Refusal> {
        let media_type = self.media_type();
        if media_type != "application/json" {
            return Err(Refusal::bad(format!("Content-Type must be application/json, not '{media_type}'.")));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(Refusal::bad("Body must be a JSON object.")),
            Err(_) => Err(Refusal::bad("Body is invalid JSON.")),
        }
    }
}
