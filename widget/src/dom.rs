//! Making elements.
//!
//! These functions are called from everywhere: inlined, each call would cost every visitor bytes.

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, UnwrapThrowExt as _};
use web_sys::{Element, Event, HtmlElement, Node, Window};

use crate::json::Json;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = window)]
    static WINDOW: Window;
}

/// The page's window: the loader runs nowhere else.
#[inline(never)]
pub(crate) fn window() -> Window {
    WINDOW.with(Clone::clone)
}

/// The window, to read what is not there everywhere, or may not be.
pub(crate) fn page_window() -> Json {
    Json::new(window().into())
}

/// Appends a new element of these attributes. Attributes that are known here stand in the module's data and cost no
/// code; the others are better given to [`set`].
#[inline(never)]
pub(crate) fn add(parent: &Node, tag: &str, attributes: &[(&str, &str)]) -> HtmlElement {
    let document = parent.owner_document();
    // Tags and attribute names are constants of this crate, and each is a name: the browser cannot refuse them.
    let element = document.and_then(|document| document.create_element(tag).ok()).unwrap_throw();
    let element: HtmlElement = element.unchecked_into();
    for (name, value) in attributes {
        set(&element, name, value);
    }
    let _ = parent.append_child(&element);
    element
}

/// Appends a new element that holds a text.
#[inline(never)]
pub(crate) fn add_text(parent: &Node, tag: &str, attributes: &[(&str, &str)], text: &str) -> HtmlElement {
    let element = add(parent, tag, attributes);
    element.set_text_content(Some(text));
    element
}

/// Appends an option to a select.
#[inline(never)]
pub(crate) fn add_option(select: &Node, value: &str, label: &str) {
    let option = add_text(select, "option", &[], label);
    set(&option, "value", value);
}

/// Puts a text into an element, unless it stands there already: a screen reader would say it again.
#[inline(never)]
pub(crate) fn write(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

/// Sets an attribute. The browser refuses only what is not a name, and the names are constants of this crate.
#[inline(never)]
pub(crate) fn set(element: &Element, name: &str, value: &str) {
    let _ = element.set_attribute(name, value);
}

/// Sets an attribute, or takes it away.
#[inline(never)]
pub(crate) fn set_if(element: &Element, name: &str, value: Option<&str>) {
    match value {
        Some(value) => set(element, name, value),
        None => {
            let _ = element.remove_attribute(name);
        }
    }
}

/// Whether the browser believes that there is a network.
pub(crate) fn is_online() -> bool {
    window().navigator().on_line()
}

/// Whether this is the second click of a double one, or one after that: it was meant for what stood there before.
#[inline(never)]
pub(crate) fn is_repeated(click: &Event) -> bool {
    Json::new(click.into()).number("detail") > 1.0
}

/// Shows or hides an element.
#[inline(never)]
pub(crate) fn show(element: &Element, shown: bool) {
    set_if(element, "hidden", (!shown).then_some(""));
}

/// Puts the keyboard's focus on an element.
#[inline(never)]
pub(crate) fn focus(element: &HtmlElement) {
    let _ = element.focus();
}
