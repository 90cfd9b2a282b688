//! The other module, as the form knows it: fetched when a request is sent or a time is to be chosen, and gone without when it does
//! not come.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::HtmlElement;

use crate::task::result;

/// A live view of the other module, until this is dropped.
pub(crate) struct Live(Handle);

/// A picker of a time of the other module, until this is dropped.
pub(crate) struct Chosen(Handle);

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

/// Has times shown in an element, for the visitor to choose one; `refused` is the code of why the last one is not taken, or empty. `None`
/// when the module does not come.
pub(crate) async fn choose(
    service: &str,
    description: &JsValue,
    place: &HtmlElement,
    refused: &str,
) -> Option<Chosen> {
    result(choose_time(service, description, place, refused)).await.map(|handle| Chosen(handle.into()))
}

impl Chosen {
    /// As a request names it; `undefined` where none is chosen, which the picker says.
    pub(crate) fn schedule(&self) -> JsValue {
        self.0.schedule()
    }

    /// In the words of the language.
    pub(crate) fn told(&self) -> String {
        self.0.told()
    }

    /// The service does not take the time, for the reason of this code.
    pub(crate) fn refuse(&self, code: &str) {
        self.0.refuse(code);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.free();
    }
}

impl Drop for Chosen {
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
    #[wasm_bindgen(js_name = chooseTime)]
    fn choose_time(service: &str, description: &JsValue, place: &HtmlElement, refused: &str) -> Promise;

    type Handle;
    #[wasm_bindgen(method)]
    fn schedule(this: &Handle) -> JsValue;
    #[wasm_bindgen(method)]
    fn told(this: &Handle) -> String;
    #[wasm_bindgen(method)]
    fn refuse(this: &Handle, code: &str);
    #[wasm_bindgen(method)]
    fn free(this: &Handle);
}
