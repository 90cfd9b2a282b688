//! When to call: as soon as possible, or at a time that the visitor chooses. The picker of a time comes with the other module, when
//! somebody wants one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement, Node};

use crate::description::Description;
use crate::dom::{add, add_text, focus, set, show};
use crate::live::{self, Chosen};
use crate::task::spawn;
use crate::texts::Texts;

/// The choice, and the picker of a time.
pub(crate) struct WhenView {
    now: HtmlInputElement,
    later: HtmlInputElement,
    /// Where the picker goes.
    place: HtmlElement,
    error: HtmlElement,
    picker: RefCell<Option<Rc<Chosen>>>,
    /// Whether the picker is there, or on its way.
    is_asked: Cell<bool>,
    /// Whether a time is told that was chosen before the page was loaded.
    was_chosen: Cell<bool>,
    /// The code of why the service does not take that one. The picker says it, when it is there.
    refused: RefCell<String>,
}

impl WhenView {
    /// `None`: the site offers no times.
    pub(crate) fn new(parent: &Node, description: &Description, texts: &Texts) -> Option<Rc<Self>> {
        if !description.offers_times() {
            return None;
        }
        let group = add(parent, "fieldset", &[("class", "when"), ("part", "field")]);
        texts.put(&add(&group, "legend", &[("part", "label")]), "form.when");
        let choice = |key: &str| -> HtmlInputElement {
            let label = add(&group, "label", &[("class", "choice")]);
            let radio = add(&label, "input", &[("type", "radio"), ("name", "when"), ("part", "radio")]);
            set(&radio, "id", key);
            add_text(&label, "span", &[], &texts.get(key));
            radio.unchecked_into()
        };
        let (now, later) = (choice("form.now"), choice("form.later"));
        now.set_checked(true);
        let place = add(&group, "div", &[("class", "detail"), ("hidden", "")]);
        let error =
            add(&group, "p", &[("class", "error"), ("part", "error"), ("role", "alert"), ("hidden", "")]);
        Some(Rc::new(Self {
            now,
            later,
            place,
            error,
            picker: RefCell::default(),
            is_asked: Cell::default(),
            was_chosen: Cell::default(),
            refused: RefCell::default(),
        }))
    }

    pub(crate) fn is_later(&self) -> bool {
        self.later.checked()
    }

    /// Tells the time that was chosen before the page was loaded, which nothing needs to be fetched for.
    pub(crate) fn tell(&self, told: &str) {
        self.later.set_checked(true);
        self.was_chosen.set(true);
        self.place.set_text_content(Some(told));
        show(&self.place, true);
    }

    /// How the chosen time is told; empty where there is none.
    pub(crate) fn told(&self) -> String {
        if !self.is_later() {
            return String::new();
        }
        let told = self.picker().map(|picker| picker.told());
        told.or_else(|| self.place.text_content()).unwrap_or_default()
    }

    /// A time that was chosen before the page was loaded is to be chosen again, if the visitor can: it may be taken by now.
    pub(crate) fn choose_again(&self) {
        if self.was_chosen.take() {
            self.place.set_text_content(None);
            // As by the visitor's hand, which is heard only where it changes something.
            self.now.set_checked(true);
            self.later.click();
        }
    }

    fn picker(&self) -> Option<Rc<Chosen>> {
        self.picker.borrow().clone()
    }

    /// Something was chosen in the form. A picker that does not come leaves the call as soon as possible, and says so.
    pub(crate) fn changed(
        self: &Rc<Self>,
        element: &Element,
        service: &str,
        description: &Description,
        texts: &Texts,
    ) {
        if element.get_attribute("name").as_deref() != Some("when") {
            return;
        }
        show(&self.place, self.is_later());
        if !self.is_later() || self.is_asked.replace(true) {
            return;
        }
        show(&self.error, false);
        let (when, service, lost) = (self.clone(), service.to_owned(), texts.get("problem.network"));
        let (description, refused) = (description.value().clone(), self.refused.take());
        spawn(async move {
            let picker = live::choose(&service, &description, &when.place, &refused).await;
            when.is_asked.set(picker.is_some());
            if picker.is_none() {
                when.now.set_checked(true);
                when.error.set_text_content(Some(&lost));
                show(&when.error, true);
                focus(&when.now);
            }
            when.picker.replace(picker.map(Rc::new));
        });
    }

    /// The time that is chosen, as a request names it; `undefined` where none is, which the picker says.
    pub(crate) fn schedule(&self) -> JsValue {
        self.picker().map_or(JsValue::UNDEFINED, |picker| picker.schedule())
    }

    /// Whether all is right: who wants a time has chosen one.
    pub(crate) fn judge(&self) -> bool {
        !self.is_later() || !self.schedule().is_undefined()
    }

    /// The service does not take the time.
    pub(crate) fn refuse(&self, code: &str) {
        match self.picker() {
            Some(picker) => picker.refuse(code),
            None => code.clone_into(&mut self.refused.borrow_mut()),
        }
    }

    /// The choice itself can always have the focus.
    pub(crate) fn focus(&self) {
        focus(&self.later);
    }
}
