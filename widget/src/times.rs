//! The times of a site to choose from: the picker, and where its times come from.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, Node};

use crate::deadline::Deadline;
use crate::description::Description;
use crate::dom::{add, focus};
use crate::http::Request;
use crate::json::Json;
use crate::listener::Listener;
use crate::picker::Picker;
use crate::task::spawn;
use crate::texts::Texts;

/// How long the times may take to come, in milliseconds.
const PATIENCE: i32 = 10_000;

/// A picker that is filled by the service.
pub(crate) struct Times {
    url: String,
    texts: Texts,
    place: HtmlElement,
    pub(crate) picker: Picker,
    listener: RefCell<Option<Listener>>,
}

impl Times {
    /// Puts a picker without times into an element; `name` is for its ids.
    pub(crate) fn new(service: &str, description: &Description, parent: &Node, name: &str) -> Rc<Self> {
        let (site, locale) = (description.get("site"), description.get("locale"));
        let place = add(parent, "div", &[]);
        let times = Rc::new(Self {
            url: [service, "/v1/sites/", &site, "/slots?locale=", &locale].concat(),
            texts: Texts::new(description),
            picker: Picker::new(&place, name),
            place: place.clone(),
            listener: RefCell::default(),
        });
        let weak = Rc::downgrade(&times);
        let listener = Listener::new(&place, &["change"], move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if let (Some(times), Some(target)) = (weak.upgrade(), target) {
                times.picker.changed(&target, &times.texts);
            }
        });
        times.listener.replace(Some(listener));
        times
    }

    /// Shows the free times for the first time. `refused` is the code of why one that was chosen before is not taken, or empty.
    pub(crate) fn begin(self: &Rc<Self>, refused: String) {
        let times = self.clone();
        self.load(move |_| {
            // Where no time is left, that is what there is to say.
            if refused.is_empty() || !times.picker.has_choice() {
                return;
            }
            times.picker.refuse(&refused);
            // The form has put the focus on the choice between now and later, unless a field is wrong, too.
            let choice = times.place.closest(".when:focus-within");
            if choice.is_ok_and(|choice| choice.is_some()) {
                focus(times.picker.first());
            }
        });
    }

    /// Asks which times are free, shows them, and then goes on.
    #[inline(never)]
    pub(crate) fn load(self: &Rc<Self>, then: impl FnOnce(&Json) + 'static) {
        let times = self.clone();
        spawn(async move {
            let deadline = Deadline::new(PATIENCE);
            let request = Request { method: "GET", url: &times.url, headers: &[], body: None };
            let answer = match request.send(&deadline).await {
                Some(answer) => answer.json().await,
                None => Json::default(),
            };
            times.picker.fill(&answer, &times.texts);
            then(&answer);
        });
    }

    /// The service does not take the time that was chosen: says why, and asks for others.
    pub(crate) fn refuse(self: &Rc<Self>, code: &str) {
        self.picker.refuse(code);
        self.load(|_| {});
    }

    /// Whether a time is chosen; says so where none is.
    pub(crate) fn judge(&self) -> bool {
        let right = self.picker.has_choice();
        if !right {
            self.picker.tell(&self.texts.get("error.required"));
        }
        right
    }
}

impl Drop for Times {
    fn drop(&mut self) {
        self.place.remove();
    }
}
