//! JSON, read and written by the browser's own parser: a parser in the module would double its size.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};

/// A value of JSON. What is absent or of another type reads as empty, as in the contract.
#[derive(Clone, Default)]
pub(crate) struct Json(JsValue);

impl Json {
    pub(crate) fn new(value: JsValue) -> Self {
        Self(value)
    }

    /// The value as the browser has it.
    pub(crate) fn value(&self) -> &JsValue {
        &self.0
    }

    /// Reads a text; `None` if it is not JSON.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        js_sys::JSON::parse(text).ok().map(Self)
    }

    /// The member of that name. Only objects have members: `Reflect` refuses everything else.
    #[inline(never)]
    pub(crate) fn get(&self, name: &str) -> Self {
        Self(Reflect::get(&self.0, &name.into()).unwrap_or(JsValue::UNDEFINED))
    }

    /// The text of a member; empty where it is absent or no text.
    #[inline(never)]
    pub(crate) fn string(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    /// The text of a member, if it is a text.
    #[inline(never)]
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).0.as_string()
    }

    /// The number of a member, if it is a number.
    #[inline(never)]
    pub(crate) fn optional_number(&self, name: &str) -> Option<f64> {
        self.get(name).0.as_f64()
    }

    /// The number of a member; 0 where it is absent or no number.
    pub(crate) fn number(&self, name: &str) -> f64 {
        self.optional_number(name).unwrap_or_default()
    }

    /// The whole number of a member; 0 where it is absent or no number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates, and the service sends none that is negative"
    )]
    pub(crate) fn count(&self, name: &str) -> usize {
        self.number(name) as usize
    }

    /// Whether a member is `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).0.is_truthy()
    }

    /// The elements of a member that is an array.
    #[inline(never)]
    pub(crate) fn list(&self, name: &str) -> Vec<Self> {
        let list = self.get(name).0.dyn_into::<Array>().unwrap_or_default();
        list.iter().map(Self).collect()
    }
}

/// Sets a member of what the browser has, if it lets us.
pub(crate) fn put(object: &Json, name: &str, value: &str) {
    // Neither `undefined` nor frozen objects take one.
    let _ = Reflect::set(&object.0, &name.into(), &value.into());
}

/// Takes a member away from what the browser has, if it lets us.
pub(crate) fn remove(object: &Json, name: &str) {
    // What is no object throws.
    let _ = Reflect::delete_property(object.0.unchecked_ref::<Object>(), &name.into());
}

/// An object under construction.
pub(crate) struct ObjectWriter(Object);

impl ObjectWriter {
    pub(crate) fn new() -> Self {
        Self(Object::new())
    }

    /// Adds a member.
    #[inline(never)]
    pub(crate) fn add(&self, name: &str, value: &JsValue) {
        // Fails on frozen objects only.
        let _ = Reflect::set(&self.0, &name.into(), value);
    }

    /// Adds a member that is a text.
    #[inline(never)]
    pub(crate) fn add_text(&self, name: &str, value: &str) {
        self.add(name, &value.into());
    }

    /// The object as a value of the browser.
    pub(crate) fn value(self) -> JsValue {
        self.0.into()
    }

    /// The object as text.
    #[inline(never)]
    pub(crate) fn text(self) -> String {
        let text = js_sys::JSON::stringify(&self.0).ok();
        text.and_then(|text| text.as_string()).unwrap_or_default()
    }
}
