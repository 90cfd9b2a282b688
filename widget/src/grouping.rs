//! Groups a telephone number while it is typed, and keeps out of the way of whoever types it.

use std::cell::Cell;

use ringback_contract::field;
use ringback_contract::grouping::Typed;
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlDocument, HtmlInputElement};

use crate::description::Description;
use crate::json::Json;

/// What [`Grouping`] knows where it did not take part in the last change.
const UNKNOWN: usize = usize::MAX;

/// What it has made of the number in a field.
#[derive(Default)]
pub(crate) struct Grouping {
    /// How many digits it has last put in groups, or [`UNKNOWN`]; 0 where there was none, or they came with separators: those are the
    /// visitor's own, and stay.
    digits: Cell<usize>,
}

impl Grouping {
    /// Groups the number in its field, and chooses its country where it tells that. `event` is what the browser says of the change;
    /// empty where nobody typed.
    #[inline(never)]
    pub(crate) fn regroup(
        &self,
        input: &HtmlInputElement,
        list: Option<&HtmlInputElement>,
        description: &Description,
        event: &Json,
    ) {
        let known = self.digits.get();
        self.digits.set(if known == 0 { 0 } else { UNKNOWN });
        let how = event.string("inputType");
        let text = input.value();
        let number = field::without_scheme(&text);
        // What is being composed is the keyboard's, and what was taken back was right before.
        if event.flag("isComposing") || how.starts_with("history") {
            return;
        }
        let caret = Json::new(input.into()).count("selectionStart");
        let Some(mut typed) = Typed::read(number, caret) else { return };
        let is_international = typed.is_international();
        let chosen = list.map(HtmlInputElement::value).unwrap_or_default();
        let mut found = None;
        for country in description.countries() {
            // Several countries may share a calling code: the chosen one, or else the first.
            if !is_international || typed.is_of(&country.string("calling_code")) {
                let is_chosen = country.string("code") == chosen;
                if found.is_none() || is_chosen {
                    found = Some(country);
                }
            }
        }
        if let (Some(list), Some(country), true) = (list, &found, is_international) {
            list.set_value(&country.string("code"));
        }
        if known == 0 && (typed.is_separated() || number.len() != text.len()) {
            return;
        }
        if typed.count() == known && how.starts_with("delete") {
            // A separator was deleted, which would come back: its digit is meant.
            typed.delete(how.ends_with("Forward"));
        }
        self.digits.set(typed.count().min(1) * UNKNOWN);
        let Some(country) = found else { return };
        let rules = country.string(if is_international { "international" } else { "national" });
        if let Some((shown, caret)) = typed.grouped(&country.string("calling_code"), &rules) {
            self.digits.set(typed.count());
            if shown != text {
                put(input, &shown, caret);
            }
        }
    }
}

/// Puts a text into a field.
fn put(input: &HtmlInputElement, text: &str, caret: usize) {
    // As an editing command, it can be undone, and so can what was typed before. It goes to where the focus is.
    let is_focused = input.matches(":focus").unwrap_or_default();
    if is_focused {
        select(input, 0, u32::MAX);
        if let Some(document) = input.owner_document() {
            let document: HtmlDocument = document.unchecked_into();
            let _ = document.exec_command_with_show_ui_and_value("insertText", false, text);
        }
    }
    if input.value() != text {
        input.set_value(text);
    }
    if is_focused {
        #[expect(clippy::cast_possible_truncation, reason = "a number is short")]
        select(input, caret as u32, caret as u32);
    }
}

fn select(input: &HtmlInputElement, start: u32, end: u32) {
    // Fails on controls that hold no text only.
    let _ = input.set_selection_range(start, end);
}
