//! Requests to the service: across origins, without cookies, each with a time limit.
//!
//! Straight on the browser's `fetch`: a library for it would make the module a sixth larger.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{ReadableStreamDefaultReader, Response};

use crate::deadline::Deadline;
use crate::dom::window;
use crate::json::{Json, ObjectWriter};
use crate::task::result;

/// A request. Its headers are pairs of a name and a value.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<&'a str>,
}

/// An answer whose body has not been read.
pub(crate) struct Answer(Response);

impl Request<'_> {
    /// Sends it. `None` when no answer comes, whatever the reason.
    pub(crate) async fn send(&self, deadline: &Deadline) -> Option<Answer> {
        let headers = ObjectWriter::new();
        for (name, value) in self.headers {
            headers.add_text(name, value);
        }
        let init = ObjectWriter::new();
        init.add_text("method", self.method);
        init.add_text("credentials", "omit");
        init.add_text("cache", "no-store");
        init.add("headers", &headers.value());
        init.add("signal", &deadline.signal());
        if let Some(body) = self.body {
            init.add_text("body", body);
        }
        let promise = window().fetch_with_str_and_init(self.url, init.value().unchecked_ref());
        result(promise).await.map(|response| Answer(response.unchecked_into()))
    }
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.0.status()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.0.headers().get(name).ok().flatten()
    }

    /// The body as JSON; empty if it is not, or does not arrive.
    pub(crate) async fn json(&self) -> Json {
        match self.0.json() {
            Ok(body) => Json::new(result(body).await.unwrap_or_default()),
            Err(_) => Json::default(),
        }
    }

    /// The body as text, piece by piece as it arrives.
    pub(crate) fn stream(&self) -> Option<ReadableStreamDefaultReader> {
        let text = self.0.body()?.pipe_through(TextDecoderStream::new().unchecked_ref());
        Some(text.get_reader().unchecked_into())
    }
}

#[wasm_bindgen]
extern "C" {
    type TextDecoderStream;
    #[wasm_bindgen(constructor)]
    fn new() -> TextDecoderStream;
}
