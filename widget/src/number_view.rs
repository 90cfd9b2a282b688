//! Another number for a callback, while it is not on its way. It stays open for whoever types until it is clear what came of it.

use ringback_contract::field;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, HtmlInputElement};

use crate::description::Description;
use crate::dom::{add, add_text, focus, set, set_if, show};
use crate::form_view::fill_countries;
use crate::grouping::Grouping;
use crate::json::{Json, ObjectWriter};
use crate::texts::Texts;

/// The view, and what changes in it.
pub(crate) struct NumberView {
    form: HtmlElement,
    country: Option<HtmlInputElement>,
    phone: HtmlInputElement,
    error: HtmlElement,
    save: HtmlElement,
    grouping: Grouping,
    description: Description,
}

impl NumberView {
    /// Puts it behind an element of the same section, hidden.
    pub(crate) fn new(behind: &Element, description: &Description, texts: &Texts) -> Option<Self> {
        let parent = behind.parent_node()?;
        let form = add(&parent, "form", &[("novalidate", ""), ("part", "form"), ("hidden", "")]);
        behind.after_with_node_1(&form).ok()?;
        let country = (description.countries().len() > 1).then(|| {
            let row = add(&form, "div", &[("class", "field"), ("part", "field")]);
            texts.put(&add(&row, "label", &[("part", "label"), ("for", "other-country")]), "field.country");
            let select = add(&row, "select", &[("part", "input select"), ("id", "other-country")]);
            fill_countries(&select, description);
            select.unchecked_into()
        });
        let row = add(&form, "div", &[("class", "field"), ("part", "field")]);
        let label = add(&row, "label", &[("part", "label"), ("for", "other-phone")]);
        add_text(&label, "span", &[("dir", "auto")], &description.phone_label());
        let phone =
            add(&row, "input", &[("part", "input"), ("type", "tel"), ("id", "other-phone"), ("dir", "ltr")]);
        set(&phone, "autocomplete", "tel");
        set(&phone, "aria-describedby", "other-error");
        let error =
            add(&row, "p", &[("class", "error"), ("part", "error"), ("aria-live", "polite"), ("hidden", "")]);
        set(&error, "id", "other-error");
        let save =
            add(&form, "button", &[("class", "primary"), ("part", "button"), ("data-action", "renumber")]);
        texts.put(&save, "follow.number.save");
        let keep = [("type", "button"), ("class", "quiet"), ("part", "secondary"), ("data-action", "keep")];
        texts.put(&add(&form, "button", &keep), "follow.number.keep");
        let (grouping, description) = (Grouping::default(), description.clone());
        Some(Self { form, country, phone: phone.unchecked_into(), error, save, grouping, description })
    }

    /// Something was typed or chosen here or elsewhere in the section: groups the number, as in the form.
    pub(crate) fn changed(&self, element: &Element, event: &Json) {
        if self.form.contains(Some(element)) {
            self.grouping.regroup(&self.phone, self.country.as_ref(), &self.description, event);
        }
    }

    pub(crate) fn open(&self) {
        show(&self.form, true);
        focus(&self.phone);
    }

    pub(crate) fn close(&self) {
        show(&self.form, false);
        self.tell("");
    }

    /// What to ask for; `None` while something is wrong with the number, which is said.
    pub(crate) fn body(&self, texts: &Texts) -> Option<String> {
        let number = self.phone.value();
        if let Err(code) = field::phone(&number) {
            self.refuse(&texts.of("error", code.as_str()));
            return None;
        }
        let request = ObjectWriter::new();
        request.add_text("phone", &number);
        if let Some(country) = &self.country {
            request.add_text("country", &country.value());
        }
        self.tell("");
        Some(request.text())
    }

    /// Shows that it is being asked for.
    pub(crate) fn set_busy(&self, busy: bool) {
        set_if(&self.save, "aria-disabled", busy.then_some("true"));
        set_if(&self.save, "aria-busy", busy.then_some("true"));
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.save.has_attribute("aria-busy")
    }

    /// Says why not this number.
    pub(crate) fn refuse(&self, text: &str) {
        self.tell(text);
        focus(&self.phone);
    }

    fn tell(&self, text: &str) {
        let wrong = !text.is_empty();
        set_if(&self.phone, "aria-invalid", wrong.then_some("true"));
        self.error.set_text_content(Some(text));
        show(&self.error, wrong);
    }
}
