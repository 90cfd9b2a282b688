//! The doors of the module that opens: the form.

use std::rc::Rc;

use wasm_bindgen::prelude::*;
use web_sys::ShadowRoot;

use crate::app::App;
use crate::description::Description;
use crate::json::Json;

/// A form on a page. Freeing it takes away everything that it has put there.
#[wasm_bindgen]
pub struct Widget {
    app: Rc<App>,
}

/// Draws a form into a shadow root: as a dialog that waits to be opened, or `inline`.
///
/// `description` is the service's answer about the form, `service` the address of the service, `agent` the token of a
/// preferred-agent link or empty. Fails on a description that is not one.
#[wasm_bindgen]
pub fn mount(
    root: &ShadowRoot,
    description: JsValue,
    service: String,
    agent: String,
    inline: bool,
) -> Result<Widget, JsValue> {
    let description = Description::new(Json::new(description));
    if description.controls().is_empty() {
        return Err("not the description of a form".into());
    }
    let app = App::start(root, description, service, agent, inline);
    Ok(Widget { app })
}

#[wasm_bindgen]
impl Widget {
    /// Opens the dialog; an inline form is open already.
    pub fn open(&self) {
        self.app.open();
    }

    /// Closes the dialog. What was typed is kept.
    pub fn close(&self) {
        self.app.close();
    }

    /// Fills in fields by their names, those in which the visitor has typed nothing.
    pub fn prefill(&self, values: JsValue) {
        self.app.prefill(&Json::new(values));
    }
}
