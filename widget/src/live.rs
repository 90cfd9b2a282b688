//! The other module, as the form knows it: fetched when a request is sent, and gone without when it does not come.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::HtmlElement;

use crate::task::result;

/// What the other module has made, until this is dropped.
pub(crate) struct Live(Handle);

/// Has the other module fetched, for the case that it is needed.
pub(crate) fn prepare(service: &str, description: &JsValue) {
    prepare_lazy(service, description);
}

/// Has a callback followed in a section that shows that it was accepted. `accepted` is the service's answer, `agent` the name of
/// whoever will call, or empty. `None` when the module does not come.
pub(crate) async fn follow(
    service: &str,
    description: &JsValue,
    section: &HtmlElement,
    accepted: &JsValue,
    agent: &str,
) -> Option<Live> {
    let promise = follow_live(service, description, section, accepted, agent);
    result(promise).await.map(|handle| Live(handle.into()))
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.free();
    }
}

// In the main script.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = prepareLazy)]
    fn prepare_lazy(service: &str, description: &JsValue);
    #[wasm_bindgen(js_name = followLive)]
    fn follow_live(
        service: &str,
        description: &JsValue,
        section: &HtmlElement,
        accepted: &JsValue,
        agent: &str,
    ) -> Promise;

    type Handle;
    #[wasm_bindgen(method)]
    fn free(this: &Handle);
}
