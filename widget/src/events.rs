//! What the page learns: events on the host element that bubble out of its shadow root. None holds what a visitor
//! typed.

use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{CustomEvent, Element};

use crate::json::ObjectWriter;

/// Something that the page may want to know.
pub(crate) enum Happening<'a> {
    /// The dialog was opened.
    Opened,
    /// A callback was accepted.
    Submitted {
        /// Its id.
        id: &'a str,
    },
    /// A callback has moved on.
    Moved {
        /// Its id.
        id: &'a str,
        /// Where it stands.
        state: &'a str,
    },
    /// A request failed.
    Failed {
        /// What failed, in one word.
        kind: &'a str,
        /// The HTTP status; 0 where no answer came.
        status: u16,
    },
}

/// Tells the page.
#[inline(never)]
pub(crate) fn tell(host: &Element, happening: &Happening) {
    let detail = ObjectWriter::new();
    let name = match *happening {
        Happening::Opened => "ringback:open",
        Happening::Submitted { id } => {
            detail.add_text("id", id);
            "ringback:submitted"
        }
        Happening::Moved { id, state } => {
            detail.add_text("id", id);
            detail.add_text("state", state);
            "ringback:state"
        }
        Happening::Failed { kind, status } => {
            detail.add_text("type", kind);
            detail.add("status", &status.into());
            "ringback:error"
        }
    };
    let init = ObjectWriter::new();
    init.add("bubbles", &JsValue::TRUE);
    init.add("composed", &JsValue::TRUE);
    init.add("detail", &detail.value());
    if let Ok(event) = CustomEvent::new_with_event_init_dict(name, init.value().unchecked_ref()) {
        let _ = host.dispatch_event(&event);
    }
}
