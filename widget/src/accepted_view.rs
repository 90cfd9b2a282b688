//! What the visitor reads as soon as a request is accepted, whatever comes of the live view, which grows out of it.

use web_sys::{HtmlElement, Node};

use crate::dom::{add, add_text, set};
use crate::texts::Texts;

/// The class of the way to the hosted page. The live view takes it away.
pub(crate) const LATE: &str = "late";

/// The view, until it is dropped.
pub(crate) struct AcceptedView {
    pub(crate) section: HtmlElement,
    pub(crate) title: HtmlElement,
}

impl AcceptedView {
    /// `page` is the address at which the callback can be followed without this form.
    pub(crate) fn new(parent: &Node, page: &str, texts: &Texts) -> Self {
        let section = add(parent, "div", &[("class", "follow"), ("part", "follow")]);
        let news = add(&section, "div", &[("aria-live", "polite"), ("role", "status")]);
        let title = add(&news, "h2", &[("part", "title"), ("class", "news"), ("tabindex", "-1")]);
        texts.put(&title, "state.accepted");
        texts.put(&add(&news, "p", &[("class", "detail"), ("part", "detail")]), "state.accepted.detail");
        let late = add(&section, "p", &[("class", "phone late")]);
        let link =
            add_text(&late, "a", &[("target", "_blank"), ("rel", "noopener")], &texts.get("follow.page"));
        set(&link, "href", page);
        Self { section, title }
    }
}

impl Drop for AcceptedView {
    fn drop(&mut self) {
        self.section.remove();
    }
}
