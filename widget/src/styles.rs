//! How styles come into a shadow root, and out of it again.

use js_sys::Array;
use web_sys::{CssStyleSheet, HtmlElement, ShadowRoot};

use crate::dom::add_text;

/// Styles in a shadow root, until this is dropped. What came last is dropped first.
pub(crate) struct Styles {
    root: ShadowRoot,
    put: Put,
}

enum Put {
    /// As a constructed sheet, which is no inline style: pages whose policy forbids those still show the form as it is.
    /// Holds the sheets that were there before.
    Sheet(Array),
    /// As an element, for browsers that cannot construct sheets.
    Element(HtmlElement),
}

impl Styles {
    #[inline(never)]
    pub(crate) fn put(root: &ShadowRoot, styles: &str) -> Self {
        let put = match CssStyleSheet::new() {
            Ok(sheet) if sheet.replace_sync(styles).is_ok() => {
                // A copy: what the property gives changes with it.
                let before = root.adopted_style_sheets().concat(&Array::new());
                root.set_adopted_style_sheets(&before.concat(&Array::of1(&sheet)));
                Put::Sheet(before)
            }
            _ => Put::Element(add_text(root, "style", &[], styles)),
        };
        Self { root: root.clone(), put }
    }
}

impl Drop for Styles {
    fn drop(&mut self) {
        match &self.put {
            Put::Sheet(before) => self.root.set_adopted_style_sheets(before),
            Put::Element(element) => element.remove(),
        }
    }
}
