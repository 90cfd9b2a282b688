//! The doors of the module that comes when it is needed: what happens after a request was accepted, and the choice of a time.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::description::Description;
use crate::following::Following;
use crate::json::Json;
use crate::styles::{LAZY, Styles};
use crate::times::Times;

/// A live view. Freeing it ends it; the section that it stands in is the form's.
#[wasm_bindgen]
pub struct View {
    _following: Rc<Following>,
}

/// Follows a callback in a section of the form, which says that it was accepted.
///
/// `description` is that of the form, with the texts of this module among its own; `accepted` is the service's answer to the request;
/// `agent` is the name of whoever will call, or empty. Fails in a section that is not one of the form's.
#[wasm_bindgen]
pub fn follow(
    service: &str,
    description: JsValue,
    section: &HtmlElement,
    accepted: JsValue,
    agent: String,
) -> Result<View, JsValue> {
    let (description, accepted) = (Description::new(Json::new(description)), Json::new(accepted));
    let following = Following::start(service, &description, section, &accepted, agent);
    let following = following.ok_or("not a section of the form")?;
    Ok(View { _following: following })
}

/// A picker of a time. Freeing it ends it; the element that it stands in is the form's.
#[wasm_bindgen]
pub struct Choice {
    times: Rc<Times>,
    _styles: Styles,
}

/// Shows the times of a site in an element of the form, for the visitor to choose one. `refused` is the code of why the service does not
/// take the time that was chosen before the page was loaded, or empty. Fails in an element of something else.
#[wasm_bindgen]
pub fn choose(
    service: &str,
    description: JsValue,
    place: &HtmlElement,
    refused: String,
) -> Result<Choice, JsValue> {
    let root = Styles::root_of(place).ok_or("not in a form")?;
    let description = Description::new(Json::new(description));
    let times = Times::new(service, &description, place, "when");
    times.begin(refused);
    Ok(Choice { times, _styles: Styles::put(&root, LAZY) })
}

#[wasm_bindgen]
impl Choice {
    /// The time as a request names it; `undefined` where none is chosen, which is said here.
    pub fn schedule(&self) -> JsValue {
        if self.times.judge() { self.times.picker.schedule() } else { JsValue::UNDEFINED }
    }

    /// The time in the words of the language; empty where none is chosen.
    pub fn told(&self) -> String {
        self.times.picker.told()
    }

    /// The service does not take the time, for the reason of this code: says so, and asks for others.
    pub fn refuse(&self, code: &str) {
        self.times.refuse(code);
    }
}
