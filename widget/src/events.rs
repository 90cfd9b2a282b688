//! What the page learns: events on the host element that bubble out of its shadow root. None holds what a visitor
//! typed.

use js_sys::Array;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{CustomEvent, Element};

use crate::json::ObjectWriter;

/// Something that the page may want to know.
pub(crate) enum Happening<'a> {
    /// The dialog was opened.
    Opened,
    /// The form is about to be sent; the page may keep it from that.
    Submitting {
        /// The names of the fields that are filled in.
        fields: Array,
        /// The reason that is chosen, an id of the site's.
        reason: String,
    },
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

/// Tells the page. Whether it lets the form go on.
#[inline(never)]
pub(crate) fn tell(host: &Element, happening: &Happening) -> bool {
    let (detail, init) = (ObjectWriter::new(), ObjectWriter::new());
    let name = match *happening {
        Happening::Opened => "ringback:open",
        Happening::Submitting { ref fields, ref reason } => {
            detail.add("fields", fields);
            detail.add_text("reason", reason);
            init.add("cancelable", &JsValue::TRUE);
            "ringback:before-submit"
        }
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
    init.add("bubbles", &JsValue::TRUE);
    init.add("composed", &JsValue::TRUE);
    init.add("detail", &detail.value());
    CustomEvent::new_with_event_init_dict(name, init.value().unchecked_ref())
        .and_then(|event| host.dispatch_event(&event))
        .unwrap_or(true)
}
