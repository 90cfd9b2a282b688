//! What the page learns: events on the host element that bubble out of its shadow root. None holds what a visitor
//! typed.
//!
//! A function for each: a module holds those that it calls.

use js_sys::Array;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{CustomEvent, Element};

use crate::json::ObjectWriter;

/// The dialog was opened.
pub(crate) fn opened(host: &Element) {
    tell(host, "ringback:open", ObjectWriter::new(), false);
}

/// The form is about to be sent, with these fields filled in and that reason chosen. Whether the page lets it.
pub(crate) fn submitting(host: &Element, fields: &Array, reason: &str) -> bool {
    let detail = ObjectWriter::new();
    detail.add("fields", fields);
    detail.add_text("reason", reason);
    tell(host, "ringback:before-submit", detail, true)
}

/// A callback was accepted.
pub(crate) fn submitted(host: &Element, id: &str) {
    let detail = ObjectWriter::new();
    detail.add_text("id", id);
    tell(host, "ringback:submitted", detail, false);
}

/// A callback has moved on.
pub(crate) fn moved(host: &Element, id: &str, state: &str) {
    let detail = ObjectWriter::new();
    detail.add_text("id", id);
    detail.add_text("state", state);
    tell(host, "ringback:state", detail, false);
}

/// A request failed: what, in one word, and the HTTP status; 0 where no answer came.
pub(crate) fn failed(host: &Element, kind: &str, status: u16) {
    let detail = ObjectWriter::new();
    detail.add_text("type", kind);
    detail.add("status", &status.into());
    tell(host, "ringback:error", detail, false);
}

/// Whether the page lets go on what it may keep from that.
#[inline(never)]
fn tell(host: &Element, name: &str, detail: ObjectWriter, cancelable: bool) -> bool {
    let init = ObjectWriter::new();
    init.add("bubbles", &JsValue::TRUE);
    init.add("composed", &JsValue::TRUE);
    init.add("cancelable", &cancelable.into());
    init.add("detail", &detail.value());
    CustomEvent::new_with_event_init_dict(name, init.value().unchecked_ref())
        .and_then(|event| host.dispatch_event(&event))
        .unwrap_or(true)
}
