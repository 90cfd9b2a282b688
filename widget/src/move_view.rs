//! What can be done about a call at a chosen time: put it into a calendar, and move it.

use std::rc::Rc;

use web_sys::{Element, HtmlElement};

use crate::description::Description;
use crate::dom::{add, focus, set, show};
use crate::json::ObjectWriter;
use crate::read::Progress;
use crate::texts::Texts;
use crate::times::Times;

/// The view, and what changes in it.
pub(crate) struct MoveView {
    calendar: HtmlElement,
    open: HtmlElement,
    pub(crate) times: Rc<Times>,
    save: HtmlElement,
}

impl MoveView {
    /// Puts it before an element of the same section. `page` is the callback's address for people.
    pub(crate) fn new(
        before: &Element,
        page: &str,
        service: &str,
        description: &Description,
        texts: &Texts,
    ) -> Self {
        let section = add(before, "div", &[("class", "planned"), ("part", "planned")]);
        let calendar = add(&section, "a", &[("class", "quiet"), ("part", "secondary")]);
        texts.put(&calendar, "follow.calendar");
        set(&calendar, "href", &[page, "/calendar.ics"].concat());
        let open = [("type", "button"), ("data-action", "move"), ("class", "quiet"), ("part", "secondary")];
        let open = add(&section, "button", &open);
        texts.put(&open, "follow.move");
        let times = Times::new(service, description, &section, "move");
        let save = [("type", "button"), ("data-action", "save"), ("class", "primary"), ("part", "button")];
        let save = add(&section, "button", &save);
        show(&save, false);
        let _ = before.before_with_node_1(&section);
        Self { calendar, open, times, save }
    }

    /// Shows what can be done about a callback.
    pub(crate) fn set(&self, progress: &Progress) {
        show(&self.calendar, progress.window.is_some() && !progress.state.is_final());
        show(&self.open, progress.changeable);
        if !progress.changeable {
            self.close();
        }
    }

    /// Has times shown to choose from.
    pub(crate) fn open(&self) {
        let (weak, save) = (Rc::downgrade(&self.times), self.save.clone());
        self.times.load(move |answer| {
            let Some(times) = weak.upgrade() else { return };
            save.set_text_content(Some(&answer.get("texts").string("slots.save")));
            show(&save, times.picker.has_choice());
            focus(times.picker.first());
        });
    }

    /// Takes the picker away.
    pub(crate) fn close(&self) {
        self.times.picker.tell("");
        self.times.picker.show(false);
        show(&self.save, false);
    }

    /// It is moved. The button that opened the picker gets the focus back.
    pub(crate) fn done(&self) {
        self.close();
        focus(&self.open);
    }

    /// The change that is asked for.
    pub(crate) fn body(&self) -> String {
        let request = ObjectWriter::new();
        request.add("schedule", &self.times.picker.schedule());
        request.text()
    }
}
