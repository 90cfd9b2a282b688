//! The doors of the module that comes when it is needed: what happens after a request was accepted.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;

use crate::description::Description;
use crate::following::Following;
use crate::json::Json;

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
