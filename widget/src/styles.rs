//! How styles come into a shadow root, and out of it again.

use js_sys::Array;
use wasm_bindgen::JsCast as _;
use web_sys::{CssStyleSheet, HtmlElement, Node, ShadowRoot};

use crate::dom::add_text;

/// The styles of what comes when it is needed, without comments and needless space: the build script has seen to that.
pub(crate) const LAZY: &str = include_str!(concat!(env!("OUT_DIR"), "/lazy.css"));

/// Styles in a shadow root, until this is dropped.
pub(crate) struct Styles {
    root: ShadowRoot,
    put: Put,
}

enum Put {
    /// As a constructed sheet, which is no inline style: pages whose policy forbids those still show the form as it is.
    Sheet(CssStyleSheet),
    /// As an element, for browsers that cannot construct sheets.
    Element(HtmlElement),
}

impl Styles {
    /// The shadow root that an element stands in.
    pub(crate) fn root_of(element: &Node) -> Option<ShadowRoot> {
        element.get_root_node().dyn_into().ok()
    }

    #[inline(never)]
    pub(crate) fn put(root: &ShadowRoot, styles: &str) -> Self {
        let put = match CssStyleSheet::new() {
            Ok(sheet) if sheet.replace_sync(styles).is_ok() => {
                root.set_adopted_style_sheets(&root.adopted_style_sheets().concat(&Array::of1(&sheet)));
                Put::Sheet(sheet)
            }
            _ => Put::Element(add_text(root, "style", &[], styles)),
        };
        Self { root: root.clone(), put }
    }
}

impl Drop for Styles {
    fn drop(&mut self) {
        match &self.put {
            Put::Sheet(sheet) => {
                let sheets = self.root.adopted_style_sheets();
                let at = sheets.index_of(sheet, 0);
                if let Ok(at) = u32::try_from(at) {
                    let others = sheets.slice(0, at).concat(&sheets.slice(at + 1, sheets.length()));
                    self.root.set_adopted_style_sheets(&others);
                }
            }
            Put::Element(element) => element.remove(),
        }
    }
}
