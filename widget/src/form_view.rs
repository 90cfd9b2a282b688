//! The form itself: its controls, what stands in them, and what is wrong with them.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Array;
use ringback_contract::field::{self, Code, Presence};
use ringback_contract::problem::leads_to;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, HtmlInputElement, Node};

use crate::captcha::SLOT;
use crate::description::{Agent, Description};
use crate::dom::{add, add_option, add_text, focus, set, set_if, show, write};
use crate::grouping::Grouping;
use crate::json::{Json, ObjectWriter};
use crate::rules::{Control, FIELDS, Kind, TRAP, Value};
use crate::texts::Texts;
use crate::when_view::WhenView;

/// The form and everything around it.
pub(crate) struct FormView {
    section: HtmlElement,
    title: HtmlElement,
    notice: HtmlElement,
    fieldset: HtmlElement,
    fields: Vec<FieldView>,
    pub(crate) when: Option<Rc<WhenView>>,
    alert: HtmlElement,
    send: HtmlElement,
    /// Takes back what waits to be sent.
    hold: HtmlElement,
    /// Nobody sees it: whoever fills it in is no person.
    trap: HtmlInputElement,
    phone: Option<HtmlElement>,
    grouping: Grouping,
}

/// One control with its label and its error.
pub(crate) struct FieldView {
    pub(crate) control: Control,
    /// An input, a select or a text area: each has a value.
    input: HtmlInputElement,
    error: HtmlElement,
    /// What stands in it without the visitor's doing.
    initial: RefCell<String>,
}

impl FormView {
    pub(crate) fn new(parent: &Node, description: &Description, texts: &Texts) -> Self {
        let section = add(parent, "div", &[("class", "ask")]);
        let title = add(&section, "h2", &[("id", "title"), ("part", "title"), ("tabindex", "-1")]);
        let intro = add(&section, "p", &[("class", "intro"), ("part", "intro")]);
        let agent = description.agent();
        if let Agent::Named(name) = &agent {
            texts.put_with(&title, "form.title.agent", name);
            texts.put_with(&intro, "form.intro.agent", name);
        } else {
            texts.put(&title, "form.title");
            texts.put_with(&intro, "form.intro", &description.get("name"));
        }
        let opens_at = description.get("opens_at");
        if !opens_at.is_empty() {
            let told = texts.with("form.closed", &texts.moment(&opens_at));
            add_text(&section, "p", &[("class", "notice"), ("part", "closed"), ("role", "note")], &told);
        } else if let (false, Some(seconds)) = (matches!(agent, Agent::Named(_)), description.wait_time()) {
            // A preferred agent's calls wait for that agent, and no queue's figure says how long.
            add_text(&section, "p", &[("class", "intro"), ("part", "wait")], &texts.wait(seconds));
        }
        let notice = add(&section, "p", &[("class", "notice"), ("part", "notice"), ("role", "note")]);
        let element = add(&section, "form", &[("novalidate", ""), ("part", "form")]);
        let fieldset = add(&element, "fieldset", &[]);
        let mut fields = Vec::new();
        let mut when = None;
        for (control, field) in description.controls() {
            if control.kind == Kind::Consent {
                // What is agreed to stands last.
                when = WhenView::new(&fieldset, description, texts);
            }
            fields.push(FieldView::new(&fieldset, control, &field, description, texts));
        }
        let when = when.or_else(|| WhenView::new(&fieldset, description, texts));
        // Out of sight, out of the order of focus, and out of what is read aloud or filled in by a browser.
        let hidden = add(&element, "div", &[("class", "trap"), ("aria-hidden", "true")]);
        let attributes = [("name", TRAP), ("tabindex", "-1"), ("autocomplete", "off")];
        let trap = add(&hidden, "input", &attributes).unchecked_into();
        add(&element, "slot", &[("name", SLOT)]);
        let alert = add(&element, "p", &[("class", "alert"), ("part", "alert"), ("role", "alert")]);
        let send =
            add(&element, "button", &[("class", "primary"), ("part", "button"), ("data-action", "send")]);
        let hold = [("type", "button"), ("data-action", "hold"), ("class", "quiet"), ("part", "secondary")];
        let hold = add(&element, "button", &hold);
        let phone = phone_link(&section, description, texts);
        let grouping = Grouping::default();
        let view =
            Self { section, title, notice, fieldset, fields, when, alert, send, hold, trap, phone, grouping };
        show(&view.notice, false);
        if let Agent::Unusable(notice) = agent {
            view.set_notice(notice, texts);
        }
        view.set_alert("");
        view
    }

    /// What a program has put where nobody sees it.
    pub(crate) fn trap(&self) -> String {
        self.trap.value()
    }

    pub(crate) fn show(&self, shown: bool) {
        show(&self.section, shown);
    }

    /// The first thing to fill in, or the title where a keyboard on the screen would hide the form.
    pub(crate) fn first(&self, touch: bool) -> &HtmlElement {
        let field = self.fields.iter().find(|field| field.control.kind != Kind::Country);
        field.filter(|_| !touch).map_or(&self.title, |field| field.input.unchecked_ref())
    }

    /// The field whose control is this element.
    pub(crate) fn field_of(&self, element: &Element) -> Option<&FieldView> {
        self.fields.iter().find(|field| field.input.is_same_node(Some(element)))
    }

    /// The field that a JSON Pointer into the request leads to.
    pub(crate) fn field_for(&self, pointer: &str) -> Option<&FieldView> {
        self.fields.iter().find(|field| leads_to(pointer, &field.control.place))
    }

    /// Judges every field, marks what is wrong, and focuses the first of it. Whether all are right.
    pub(crate) fn judge(&self, description: &Description, texts: &Texts) -> bool {
        let mut right = true;
        for field in &self.fields {
            right &= field.judge(description, texts);
        }
        if let Some(when) = &self.when {
            right &= when.judge();
        }
        if !right {
            self.focus_first_wrong();
        }
        right
    }

    pub(crate) fn focus_first_wrong(&self) {
        if let Some(field) = self.fields.iter().find(|field| field.is_wrong()) {
            focus(field.input.unchecked_ref());
        } else if let Some(when) = &self.when {
            when.focus();
        }
    }

    /// Whether any field is marked as wrong.
    pub(crate) fn is_any_wrong(&self) -> bool {
        self.fields.iter().any(FieldView::is_wrong)
    }

    /// Whether the visitor has put anything into the form.
    pub(crate) fn is_touched(&self) -> bool {
        let touched =
            |field: &FieldView| field.input.checked() || field.input.value() != *field.initial.borrow();
        self.fields.iter().any(touched) || self.when.as_ref().is_some_and(|when| when.is_later())
    }

    fn of_kind(&self, kind: Kind) -> Option<&FieldView> {
        self.fields.iter().find(|field| field.control.kind == kind)
    }

    /// Groups the telephone number after a change of it or of its country.
    #[inline(never)]
    pub(crate) fn regroup(&self, description: &Description, event: &Json) {
        if let Some(FieldView { input, .. }) = self.of_kind(Kind::Phone) {
            let list = self.of_kind(Kind::Country).map(|country| &country.input);
            self.grouping.regroup(input, list, description, event);
        }
    }

    /// Puts values into the fields in which the visitor has put nothing. Nobody consents by a value.
    pub(crate) fn prefill(&self, values: &Json, description: &Description) {
        for field in &self.fields {
            let place = &field.control.place;
            // Fields of the operator's own go by their id.
            if let Some(value) = values.text(field.control.custom().unwrap_or(place))
                && !field.control.is_box()
                && field.input.value() == *field.initial.borrow()
            {
                field.input.set_value(&value);
                if field.input.value().is_empty() {
                    // A list has emptied itself: it does not have this value.
                    field.input.set_value(&field.initial.borrow());
                }
                if field.control.kind == Kind::Phone {
                    self.regroup(description, &Json::default());
                }
                field.initial.replace(field.input.value());
            }
        }
    }

    /// Puts back what stood in the form when this request was made of it. `when` is how its time was told, if it has one.
    pub(crate) fn restore(&self, request: &Json, when: &str) {
        let own = request.get(FIELDS);
        for field in &self.fields {
            let Control { place, kind, .. } = &field.control;
            let consent = request.get(place);
            let (from, name) = match (field.control.custom(), kind) {
                (Some(id), _) => (&own, id),
                (None, Kind::Consent) => (&consent, "accepted"),
                (None, _) => (request, place.as_str()),
            };
            if field.control.is_box() {
                field.input.set_checked(from.flag(name));
            } else if let Some(value) = from.text(name) {
                field.input.set_value(&value);
            }
        }
        if let Some(view) = self.when.as_ref().filter(|_| request.flag("schedule")) {
            view.tell(when);
        }
    }

    /// The names of the fields that are filled in, and the reason that is chosen.
    pub(crate) fn filled(&self) -> (Array, String) {
        let (names, mut reason) = (Array::new(), String::new());
        for field in &self.fields {
            let (value, place) = (field.input.value(), &field.control.place);
            if field.input.checked() || !field.control.is_box() && !value.is_empty() {
                names.push(&place.as_str().into());
            }
            if place == "reason" {
                reason = value;
            }
        }
        (names, reason)
    }

    /// Adds what the visitor has put in to a request.
    pub(crate) fn write(&self, request: &ObjectWriter, description: &Description) {
        let own = ObjectWriter::new();
        for field in &self.fields {
            let Control { place, kind, .. } = &field.control;
            let checked = field.input.checked().into();
            match (field.control.custom(), kind) {
                (Some(id), Kind::Box) => own.add(id, &checked),
                (Some(id), _) => own.add_text(id, &field.input.value()),
                (None, Kind::Consent) => {
                    let consent = ObjectWriter::new();
                    consent.add("accepted", &checked);
                    consent.add_text("version", &description.consent().string("version"));
                    request.add(place, &consent.value());
                }
                (None, _) => request.add_text(place, &field.input.value()),
            }
        }
        request.add(FIELDS, &own.value());
        if let Some(when) = self.when.as_ref().filter(|when| when.is_later()) {
            request.add("schedule", &when.schedule());
        }
    }

    /// The button that sends.
    pub(crate) fn send(&self) -> &HtmlElement {
        &self.send
    }

    /// What the way back from what waits to be sent is called: the key of a text, empty where there is none.
    pub(crate) fn offer_way_back(&self, label: &str, texts: &Texts) {
        let offered = !label.is_empty();
        if offered {
            texts.put(&self.hold, label);
        } else if self.hold.matches(":focus").unwrap_or_default() {
            focus(&self.send);
        }
        show(&self.hold, offered);
    }

    /// Whether the fields can be changed. Who has sent by a key in one of them goes on at the button, or the focus would be nowhere.
    pub(crate) fn lock(&self, locked: bool) {
        if locked && self.fieldset.matches(":focus-within").unwrap_or_default() {
            focus(&self.send);
        }
        set_if(&self.fieldset, "disabled", locked.then_some(""));
    }

    /// Shows that a request is under way. The button stays focusable: a disabled one would lose the focus.
    pub(crate) fn set_busy(&self, busy: bool, label: &str, texts: &Texts) {
        set_if(&self.send, "aria-disabled", busy.then_some("true"));
        set_if(&self.send, "aria-busy", busy.then_some("true"));
        texts.put(&self.send, label);
    }

    /// Tells something about the whole form, or with an empty text takes it back.
    pub(crate) fn set_alert(&self, text: &str) {
        let is_news = self.alert.has_attribute("hidden");
        show(&self.alert, !text.is_empty());
        self.alert.set_text_content(Some(text));
        if let Some(phone) = &self.phone {
            show(phone, !text.is_empty());
        }
        if is_news && !text.is_empty() && !self.is_any_wrong() {
            // On a small screen it may stand below the edge, and below that what can be done about it, and the number to call. Wrong fields are
            // scrolled to by their focus.
            self.section.scroll_into_view_with_bool(false);
        }
    }

    /// Tells something about the preferred agent's link.
    pub(crate) fn set_notice(&self, key: &str, texts: &Texts) {
        show(&self.notice, true);
        texts.put(&self.notice, key);
    }
}

impl FieldView {
    fn new(parent: &Node, control: Control, field: &Json, description: &Description, texts: &Texts) -> Self {
        let name = control.place.as_str();
        let required = control.presence == Presence::Required;
        let row = add(parent, "div", &[("class", "field"), ("part", "field")]);
        set(&row, "data-field", name);
        let (label, input);
        if control.is_box() {
            // The box stands before what it is about.
            input = add(&row, "input", &[("type", "checkbox"), ("part", "checkbox")]);
            label = add(&row, "label", &[("part", "label")]);
            set(&row, "class", "field box");
        } else {
            label = add(&row, "label", &[("part", "label")]);
            input = add(&row, tag(control.kind), attributes(control.kind));
        }
        match control.kind {
            Kind::Consent => consent_text(&label, description, texts),
            Kind::Country => texts.put(&label, "field.country"),
            // The operator's words may be in another language than the form.
            _ => {
                add_text(&label, "span", &[("dir", "auto")], &field.string("label"));
            }
        }
        match control.kind {
            Kind::Choice => fill_choices(&input, field, texts),
            Kind::Country => fill_countries(&input, description),
            _ => {}
        }
        if !required {
            let optional = [" (", &texts.get("form.optional"), ")"].concat();
            add_text(&label, "span", &[("class", "optional")], &optional);
        }
        // The list of countries has one already, and is no field of the description.
        if let Some(token) = field.text("autocomplete") {
            set(&input, "autocomplete", &token);
        }
        set(&label, "for", name);
        let error =
            add(&row, "p", &[("class", "error"), ("part", "error"), ("aria-live", "polite"), ("hidden", "")]);
        let error_id = [name, "-error"].concat();
        set(&error, "id", &error_id);
        for attribute in ["id", "name"] {
            set(&input, attribute, name);
        }
        set(&input, "aria-describedby", &error_id);
        set_if(&input, "aria-required", required.then_some("true"));
        let input: HtmlInputElement = input.unchecked_into();
        Self { initial: RefCell::new(input.value()), control, input, error }
    }

    /// Judges what stands in the field and marks it. Whether it is right.
    #[inline(never)]
    pub(crate) fn judge(&self, description: &Description, texts: &Texts) -> bool {
        let value = Value { text: self.input.value(), checked: self.input.checked() };
        let code = self.control.judge(&value, description.version().as_deref()).err();
        self.mark(code.map_or("", Code::as_str), texts);
        code.is_none()
    }

    /// Judges a field that the visitor leaves. One that is still empty is let be: who has only passed by has done nothing
    /// wrong.
    pub(crate) fn judge_on_leaving(&self, description: &Description, texts: &Texts) {
        if !self.input.value().is_empty() && !self.control.is_box() {
            self.judge(description, texts);
        }
    }

    /// Marks the field with the code of what is wrong, or with an empty code as right.
    #[inline(never)]
    pub(crate) fn mark(&self, code: &str, texts: &Texts) {
        let wrong = !code.is_empty();
        set_if(&self.input, "aria-invalid", wrong.then_some("true"));
        // What describes the field does so even where it is hidden: nothing of it may be left.
        write(&self.error, &if wrong { texts.of("error", code) } else { String::new() });
        show(&self.error, wrong);
    }

    pub(crate) fn is_wrong(&self) -> bool {
        self.input.has_attribute("aria-invalid")
    }
}

const fn tag(kind: Kind) -> &'static str {
    match kind {
        Kind::Lines => "textarea",
        Kind::Choice | Kind::Country => "select",
        _ => "input",
    }
}

/// What tells the browser which keyboard to show. There is no `maxlength`: it cuts off what is pasted without a word, and
/// an order number without its end is worse than a sentence that says what is wrong.
const fn attributes(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Phone => &[("part", "input"), ("type", "tel"), ("enterkeyhint", "next"), ("dir", "ltr")],
        // Not of type `email`, which would hide the white space that the rule judges and change the domain's letters.
        Kind::Email => &[
            ("part", "input"),
            ("inputmode", "email"),
            ("enterkeyhint", "next"),
            ("autocapitalize", "off"),
            ("spellcheck", "false"),
            ("dir", "ltr"),
        ],
        // Of the number and not of an address, which may be in another country; browsers know the option by its `+49`.
        Kind::Country => &[("part", "input select"), ("autocomplete", "tel-country-code")],
        Kind::Choice => &[("part", "input select")],
        Kind::Lines => &[("part", "input"), ("rows", "2")],
        _ => &[("part", "input"), ("enterkeyhint", "next")],
    }
}

fn fill_choices(select: &Node, field: &Json, texts: &Texts) {
    add_option(select, "", &texts.get("field.reason.choose"));
    for choice in field.list("options") {
        add_option(select, &choice.string("id"), &choice.string("label"));
    }
}

/// Fills the list of the countries. Each is told with its calling code, by which browsers that fill forms in know the option.
#[inline(never)]
pub(crate) fn fill_countries(select: &Node, description: &Description) {
    for country in description.countries() {
        // Isolated, so that it reads from left to right in every language.
        let label =
            [&country.string("name"), " \u{2066}", &country.string("calling_code"), "\u{2069}"].concat();
        add_option(select, &country.string("code"), &label);
    }
}

fn consent_text(label: &Node, description: &Description, texts: &Texts) {
    let consent = description.consent();
    add_text(label, "span", &[("dir", "auto")], &consent.string("text"));
    let policy = consent.string("policy_url");
    if !policy.is_empty() {
        add_text(label, "span", &[], " ");
        let link = add(label, "a", &[("target", "_blank"), ("rel", "noopener"), ("part", "link")]);
        set(&link, "href", &policy);
        texts.put(&link, "consent.policy");
    }
}

/// The site's own number, for when its form is of no help.
#[inline(never)]
pub(crate) fn phone_link(parent: &Node, description: &Description, texts: &Texts) -> Option<HtmlElement> {
    let phone = description.get("phone");
    if phone.is_empty() {
        return None;
    }
    let paragraph = add(parent, "p", &[("class", "phone"), ("part", "phone"), ("hidden", "")]);
    texts.put(&add(&paragraph, "span", &[]), "form.phone");
    add_text(&paragraph, "span", &[], " ");
    let link = add_text(&paragraph, "a", &[("dir", "ltr"), ("part", "link")], &phone);
    set(&link, "href", &["tel:", &field::phone_digits(&phone)].concat());
    Some(paragraph)
}
