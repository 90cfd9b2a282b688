//! The form that visitors see.
//!
//! The main script (`loader/main.js`) fetches the description of the form beside this module, and calls [`mount`].
//! Everything here works on the given shadow root: no global is read but the page's address and language services,
//! none is written.
//!
//! A callback into this module can come while a call out of it is running: focusing a field blurs another, and a page
//! may answer an event by closing the form. Therefore no borrow of a `RefCell` is held across a call into the browser.

use wasm_bindgen::prelude::*;
use web_sys::ShadowRoot;

mod app;
mod attempt;
mod backoff;
mod captcha;
mod deadline;
mod description;
mod dom;
mod events;
mod follow;
mod follow_view;
mod form_view;
mod http;
mod json;
mod listener;
mod outcome;
mod prover;
mod read;
mod rules;
mod shell;
mod sse;
mod submit;
mod task;
mod texts;

use app::App;
use description::Description;

/// One thread, and a module that lives as long as its page: an allocator of 1 kB is enough.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: lol_alloc::LockedAllocator<lol_alloc::FreeListAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::FreeListAllocator::new());

/// A form on a page. Freeing it takes away everything that it has put there.
#[wasm_bindgen]
pub struct Widget {
    app: std::rc::Rc<App>,
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
    let description = Description::new(json::Json::new(description));
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
        self.app.prefill(&json::Json::new(values));
    }
}
