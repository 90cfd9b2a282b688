//! Chooses one of the free times of a site: a day, and a time of it. Times and texts come when somebody wants one.

use std::cell::RefCell;

use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, HtmlElement, HtmlInputElement, Node};

use crate::dom::{add, add_option, add_text, set, set_if, show};
use crate::json::{Json, ObjectWriter};
use crate::texts::{Clock, DAY, TIME, Texts};

/// The controls, and what is chosen from.
pub(crate) struct Picker {
    row: HtmlElement,
    day_label: HtmlElement,
    day: HtmlInputElement,
    time_label: HtmlElement,
    time: HtmlInputElement,
    /// The chosen time once more, where the list may be too narrow for it.
    told: HtmlElement,
    error: HtmlElement,
    /// The contract's `Slots`.
    answer: RefCell<Json>,
}

impl Picker {
    /// The controls, hidden until there are times; `name` tells those of the form from those that move a callback.
    pub(crate) fn new(parent: &Node, name: &str) -> Self {
        let row = add(parent, "div", &[("class", "slots"), ("hidden", "")]);
        let error =
            add(parent, "p", &[("class", "error"), ("part", "error"), ("role", "alert"), ("hidden", "")]);
        let error_id = [name, "-error"].concat();
        set(&error, "id", &error_id);
        let (day_label, day) = select(&row, "day", &error_id);
        let (time_label, time) = select(&row, "time", &error_id);
        // The list itself is read aloud in full.
        let told = add(&row, "p", &[("class", "detail told"), ("aria-hidden", "true")]);
        Self { row, day_label, day, time_label, time, told, error, answer: RefCell::default() }
    }

    /// Shows which times are free. The day that was chosen stays chosen where it has a time still.
    #[inline(never)]
    pub(crate) fn fill(&self, answer: &Json, texts: &Texts) {
        let said = answer.get("texts");
        for (label, key) in [(&self.day_label, "slots.day"), (&self.time_label, "slots.time")] {
            label.set_text_content(Some(&said.string(key)));
        }
        let days = Clock::new(texts, DAY, "");
        let (chosen, mut last) = (self.day.value(), String::new());
        self.day.set_text_content(None);
        for slot in answer.list("slots") {
            let day = days.tell(&slot.string("starts_at"));
            if day != last {
                let option = add_text(&self.day, "option", &[], &day);
                if day == chosen {
                    set(&option, "selected", "");
                }
                last = day;
            }
        }
        let none = last.is_empty();
        if none {
            self.tell(&said.text("slots.none").unwrap_or_else(|| texts.get("problem.network")));
        }
        show(&self.row, !none);
        self.answer.replace(answer.clone());
        self.show_times(texts);
    }

    /// Shows the times of the chosen day: by the visitor's clock, with the zone, and by the site's where that differs.
    #[inline(never)]
    fn show_times(&self, texts: &Texts) {
        // Taken out, since the browser is called meanwhile.
        let answer = self.answer.take();
        let (days, own) = (Clock::new(texts, DAY, ""), Clock::new(texts, TIME, ""));
        let at_site = Clock::new(texts, TIME, &answer.string("timezone"));
        let day = self.day.value();
        self.time.set_text_content(None);
        for slot in answer.list("slots") {
            let start = slot.string("starts_at");
            if days.tell(&start) == day {
                let (mut label, at_site) = (own.tell(&start), at_site.tell(&start));
                if label != at_site {
                    label = [&label, " (", &at_site, ")"].concat();
                }
                add_option(&self.time, &[&start, "/", &slot.string("ends_at")].concat(), &label);
            }
        }
        self.answer.replace(answer);
        self.tell_time();
    }

    /// The service does not take the time.
    pub(crate) fn refuse(&self, code: &str) {
        self.tell(&self.answer.borrow().get("texts").string(&["error.", code].concat()));
    }

    /// Something was chosen here.
    pub(crate) fn changed(&self, element: &Element, texts: &Texts) {
        if self.day.is_same_node(Some(element)) {
            self.show_times(texts);
        }
        self.tell_time();
        self.tell("");
    }

    pub(crate) fn has_choice(&self) -> bool {
        !self.time.value().is_empty()
    }

    pub(crate) fn show(&self, shown: bool) {
        show(&self.row, shown);
    }

    /// The member `schedule` of a request: day and times by the site's clocks stand first in moments with its offset.
    #[inline(never)]
    pub(crate) fn schedule(&self) -> JsValue {
        let schedule = ObjectWriter::new();
        let chosen = self.time.value();
        // "2026-12-01T09:00:00+01:00/2026-12-01T09:30:00+01:00"
        for (member, from, to) in [("date", 0, 10), ("start", 11, 16), ("end", 37, 42)] {
            schedule.add_text(member, chosen.get(from..to).unwrap_or_default());
        }
        schedule.value()
    }

    /// The chosen time, as the list shows it; empty where none is chosen.
    #[inline(never)]
    fn chosen_time(&self) -> String {
        let chosen = self.time.query_selector("option:checked").ok().flatten();
        chosen.and_then(|chosen| chosen.text_content()).unwrap_or_default()
    }

    /// What is chosen, as the lists show it.
    pub(crate) fn told(&self) -> String {
        let time = self.chosen_time();
        if time.is_empty() { time } else { [&self.day.value(), ", ", &time].concat() }
    }

    /// Tells the chosen time below its list, where it is one by the clocks of both.
    fn tell_time(&self) {
        let time = self.chosen_time();
        show(&self.told, time.contains('('));
        self.told.set_text_content(Some(&time));
    }

    /// Says what is wrong with the time, or with an empty text that nothing is.
    #[inline(never)]
    pub(crate) fn tell(&self, text: &str) {
        let wrong = !text.is_empty();
        set_if(&self.time, "aria-invalid", wrong.then_some("true"));
        self.error.set_text_content(Some(text));
        show(&self.error, wrong);
    }

    /// The control to begin with.
    pub(crate) fn first(&self) -> &HtmlElement {
        self.day.unchecked_ref()
    }
}

/// A select in its label; gives the place of the label's text, too.
#[inline(never)]
fn select(row: &Node, name: &str, error_id: &str) -> (HtmlElement, HtmlInputElement) {
    let label = add(row, "label", &[("part", "label")]);
    let text = add(&label, "span", &[]);
    let select = add(&label, "select", &[("part", "input select")]);
    set(&select, "data-field", name);
    set(&select, "aria-describedby", error_id);
    (text, select.unchecked_into())
}
