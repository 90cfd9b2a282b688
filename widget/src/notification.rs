//! Notifications of the browser, for whoever waits in another tab: only where the visitor has allowed them, and of what is worth one.

use js_sys::Promise;
use ringback_contract::callback::State;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::dom::page_window;
use crate::json::ObjectWriter;

/// Whether somebody who looks elsewhere wants to hear of it: the telephone is about to ring, or will not.
const fn is_worth(state: State) -> bool {
    matches!(state, State::Offered | State::Failed | State::Expired | State::Untraced)
}

/// What the visitor has said to them: `default` is nothing yet. Some browsers have none.
#[inline(never)]
pub(crate) fn permission() -> String {
    page_window().get("Notification").string("permission")
}

/// Asks the visitor, by way of the browser, which keeps the answer.
pub(crate) fn ask() {
    let _ = Notification::request_permission();
}

/// Tells in a text that a callback has come to a state, if that is worth it and allowed, and the page is not in sight. One callback has
/// one notification: the newest.
pub(crate) fn tell(state: State, text: &str, id: &str) {
    if is_worth(state) && page_window().get("document").flag("hidden") && permission() == "granted" {
        let options = ObjectWriter::new();
        options.add_text("tag", id);
        // Some mobile browsers show those of service workers alone, and say so by an error.
        let _ = Notification::new(text, &options.value());
    }
}

#[wasm_bindgen]
extern "C" {
    type Notification;
    #[wasm_bindgen(constructor, catch)]
    fn new(title: &str, options: &JsValue) -> Result<Notification, JsValue>;
    #[wasm_bindgen(static_method_of = Notification, catch, js_name = requestPermission)]
    fn request_permission() -> Result<Promise, JsValue>;
}
