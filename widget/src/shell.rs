//! What holds the form: the styles, the box that keeps the page's styles out, and the dialog or section in it.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlDialogElement, HtmlElement, ShadowRoot};

use crate::description::Description;
use crate::dom::{add, focus, set, window};
use crate::styles::Styles;
use crate::texts::Texts;

/// The styles, without comments and needless space: the build script has seen to that.
const STYLES: &str = include_str!(concat!(env!("OUT_DIR"), "/form.css"));

/// The outermost elements.
pub(crate) struct Shell {
    /// The element that the page sees.
    host: Element,
    /// Inside it, the styles of the page end.
    frame: HtmlElement,
    dialog: Option<HtmlDialogElement>,
    /// Where the views go.
    pub(crate) body: HtmlElement,
    _styles: Styles,
}

impl Shell {
    pub(crate) fn new(root: &ShadowRoot, description: &Description, texts: &Texts, inline: bool) -> Self {
        let frame = add(root, "div", &[("class", "frame")]);
        set(&frame, "lang", &description.get("locale"));
        set(&frame, "dir", &description.get("direction"));
        let theme = description.theme();
        // What the page says goes before what the site's operator says.
        let preset = root.host().get_attribute("data-preset").unwrap_or_else(|| theme.string("preset"));
        set(&frame, "data-preset", &preset);
        let tag = if inline { "section" } else { "dialog" };
        let panel = add(&frame, tag, &[("part", "panel"), ("aria-labelledby", "title")]);
        let body = add(&panel, "div", &[("class", "body")]);
        let dialog = (!inline).then(|| panel.clone().unchecked_into::<HtmlDialogElement>());
        if !inline {
            // After the content, so that the focus meets the fields first; the styles put it above.
            let bar = add(&panel, "div", &[("class", "bar")]);
            let close = [("type", "button"), ("class", "close"), ("part", "close"), ("data-action", "close")];
            set(&add(&bar, "button", &close), "aria-label", &texts.get("form.close"));
        }
        let styles = [STYLES, ".frame{", &theme.string("style"), "}"].concat();
        Self { host: root.host(), frame, dialog, body, _styles: Styles::put(root, &styles) }
    }

    pub(crate) fn host(&self) -> &Element {
        &self.host
    }

    /// The element on which every event of the form can be heard.
    pub(crate) fn frame(&self) -> &HtmlElement {
        &self.frame
    }

    /// Names the phase for the styles, and for whoever looks from outside.
    pub(crate) fn set_phase(&self, phase: &str) {
        set(&self.frame, "data-phase", phase);
        set(&self.host, "data-phase", phase);
    }

    /// Whether the focus is in the form. Of what lies around a modal dialog, `:focus-within` is not true.
    pub(crate) fn has_focus(&self) -> bool {
        let focused = Styles::root_of(&self.frame).and_then(|root| root.active_element());
        focused.is_some_and(|focused| self.frame.contains(Some(&focused)))
    }

    /// Whether this is the dialog itself, and not something in it: then its backdrop was hit.
    pub(crate) fn is_backdrop(&self, target: &Element) -> bool {
        self.dialog.as_ref().is_some_and(|dialog| target.is_same_node(Some(dialog)))
    }

    /// Opens the dialog, with the focus on `first`. False if it is open already, or there is none.
    pub(crate) fn open(&self, first: &HtmlElement) -> bool {
        let is_open = |dialog: &HtmlDialogElement| dialog.matches(":modal").unwrap_or_default();
        let Some(dialog) = self.dialog.as_ref().filter(|dialog| !is_open(dialog)) else { return false };
        // One that the page has moved while it was open says that it is, and is no longer above the page.
        dialog.set_open(false);
        if dialog.show_modal().is_err() {
            return false;
        }
        focus(first);
        true
    }

    /// Closes the dialog; the browser gives the focus back to where it was.
    pub(crate) fn close(&self) {
        if let Some(dialog) = &self.dialog {
            dialog.close();
        }
    }

    /// Whether the visitor points with a finger: then a focused field would bring up a keyboard over the form.
    pub(crate) fn is_touch() -> bool {
        let query = window().match_media("(pointer: coarse)").ok().flatten();
        query.is_some_and(|query| query.matches())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.close();
        self.frame.remove();
    }
}
