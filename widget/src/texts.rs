//! The texts of the form's language.

use ringback_contract::wait;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use web_sys::Element;

use crate::description::Description;
use crate::json::{Json, ObjectWriter};

/// The texts by key, in the browser's own object: copying them into the module would cost time and bytes for nothing.
pub(crate) struct Texts {
    by_key: Json,
    locale: String,
}

impl Texts {
    pub(crate) fn new(description: &Description) -> Self {
        Self { by_key: description.texts(), locale: description.get("locale") }
    }

    /// The text of a key. A missing one reads as its key: ugly, and better than nothing to press on.
    #[inline(never)]
    pub(crate) fn get(&self, key: &str) -> String {
        self.by_key.text(key).unwrap_or_else(|| key.to_owned())
    }

    /// The text of a key in a group: `of("error", "required")` is that of `error.required`.
    #[inline(never)]
    pub(crate) fn of(&self, group: &str, member: &str) -> String {
        self.get(&[group, ".", member].concat())
    }

    /// The text of a key, with a value in the place of its mark.
    #[inline(never)]
    pub(crate) fn with(&self, key: &str, value: &str) -> String {
        filled(&self.get(key), value)
    }

    /// Puts the text of a key into an element.
    #[inline(never)]
    pub(crate) fn put(&self, element: &Element, key: &str) {
        element.set_text_content(Some(&self.get(key)));
    }

    /// Puts the text of a key into an element, with a value in the place of its mark.
    #[inline(never)]
    pub(crate) fn put_with(&self, element: &Element, key: &str, value: &str) {
        element.set_text_content(Some(&self.with(key, value)));
    }

    /// Puts the text of a key in a group into an element.
    #[inline(never)]
    pub(crate) fn put_of(&self, element: &Element, group: &str, member: &str) {
        element.set_text_content(Some(&self.of(group, member)));
    }

    /// A time from now in the words of the language: "in 3 minutes".
    pub(crate) fn time_from_now(&self, seconds: u32) -> String {
        let (amount, unit) = wait::rounded(seconds);
        let format = RelativeTimeFormat::new(&self.locale).or_else(|_| RelativeTimeFormat::new("en"));
        format.map_or(String::new(), |format| format.format(amount, unit.as_str()))
    }

    /// How long people wait, in a sentence of the language. The browser knows its plurals.
    pub(crate) fn wait(&self, seconds: f64) -> String {
        let options = ObjectWriter::new();
        options.add_text("style", "unit");
        options.add_text("unit", "minute");
        options.add_text("unitDisplay", "long");
        let format = NumberFormat::new(&self.locale, &options.value());
        format.map_or(String::new(), |format| self.with("form.wait", &format.format(wait::minutes(seconds))))
    }

    /// A moment in the words of the language, by the clock of whoever reads it.
    pub(crate) fn moment(&self, moment: &str) -> String {
        Clock::new(self, FULL, "").tell(moment)
    }

    /// A window in the words of the language, by the clock of whoever reads it.
    pub(crate) fn between(&self, start: &str, end: &str) -> String {
        let format = Clock::new(self, FULL, "").0;
        let told = format.and_then(|format| format.format_range(&date(start), &date(end)).ok());
        told.unwrap_or_else(|| start.to_owned())
    }
}

/// How much of a moment is told: pairs of an option of `Intl.DateTimeFormat` and its value.
type Detail = &'static [(&'static str, &'static str)];
/// Day and time.
const FULL: Detail = &[("dateStyle", "full"), ("timeStyle", "short")];
/// The day alone.
pub(crate) const DAY: Detail = &[("weekday", "long"), ("day", "numeric"), ("month", "long")];
/// The time alone, with the name of the zone.
pub(crate) const TIME: Detail = &[("hour", "numeric"), ("minute", "2-digit"), ("timeZoneName", "short")];

/// Tells moments in the words of a language.
pub(crate) struct Clock(Option<DateTimeFormat>);

impl Clock {
    /// By the clocks of that zone; empty: those of whoever reads it.
    #[inline(never)]
    pub(crate) fn new(texts: &Texts, detail: Detail, timezone: &str) -> Self {
        let options = ObjectWriter::new();
        for (name, value) in detail {
            options.add_text(name, value);
        }
        if !timezone.is_empty() {
            options.add_text("timeZone", timezone);
        }
        Self(DateTimeFormat::new(&texts.locale, &options.value()).ok())
    }

    #[inline(never)]
    pub(crate) fn tell(&self, moment: &str) -> String {
        self.0.as_ref().map_or_else(|| moment.to_owned(), |format| format.format(&date(moment)))
    }
}

fn date(moment: &str) -> js_sys::Date {
    js_sys::Date::new(&moment.into())
}

/// A text with a value in the place of its mark, such as `{agent}`. A text has one mark at most: a search for names would
/// be larger than all that uses it.
fn filled(text: &str, value: &str) -> String {
    match text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))) {
        Some((before, after)) => [before, value, after].concat(),
        None => text.to_owned(),
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type NumberFormat;
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new(locale: &str, options: &JsValue) -> Result<NumberFormat, JsValue>;
    #[wasm_bindgen(method)]
    fn format(this: &NumberFormat, amount: u32) -> String;

    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new(locale: &str, options: &JsValue) -> Result<DateTimeFormat, JsValue>;
    #[wasm_bindgen(method)]
    fn format(this: &DateTimeFormat, moment: &js_sys::Date) -> String;
    #[wasm_bindgen(method, catch, js_name = formatRange)]
    fn format_range(
        this: &DateTimeFormat,
        start: &js_sys::Date,
        end: &js_sys::Date,
    ) -> Result<String, JsValue>;

    #[wasm_bindgen(js_namespace = Intl)]
    type RelativeTimeFormat;
    #[wasm_bindgen(constructor, catch, js_namespace = Intl)]
    fn new(locale: &str) -> Result<RelativeTimeFormat, JsValue>;
    #[wasm_bindgen(method)]
    fn format(this: &RelativeTimeFormat, amount: u32, unit: &str) -> String;
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn a_value_takes_the_place_of_the_mark() {
        assert_eq!(filled("{agent} will call you.", "Grace Loh"), "Grace Loh will call you.");
        assert_eq!(filled("Come back {when}", "in {3}"), "Come back in {3}");
        assert_eq!(filled("No mark", "x"), "No mark");
    }
}
