//! The live view of a callback after it was sent.

use ringback_contract::callback::State;
use ringback_contract::steps::{self, STEPS};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

use crate::accepted_view::LATE;
use crate::description::Description;
use crate::dom::{add, focus, set, set_if, show, write};
use crate::form_view::phone_link;
use crate::notification;
use crate::read::Progress;
use crate::texts::Texts;

/// The view, and what changes in it.
pub(crate) struct FollowView {
    section: HtmlElement,
    steps: HtmlElement,
    list: Vec<HtmlElement>,
    title: HtmlElement,
    agent: HtmlElement,
    detail: HtmlElement,
    wait: HtmlElement,
    /// Which number will call.
    from: HtmlElement,
    alert: HtmlElement,
    cancel: HtmlElement,
    again: HtmlElement,
    number: HtmlElement,
    notify: HtmlElement,
    phone: Option<HtmlElement>,
}

impl FollowView {
    /// Draws it around what the form says already, which keeps the focus and is not said again. `None` in another section.
    pub(crate) fn new(section: &HtmlElement, description: &Description, texts: &Texts) -> Option<Self> {
        let find = |selector: &str| -> Option<HtmlElement> {
            Some(section.query_selector(selector).ok()??.unchecked_into())
        };
        let (title, detail, late) = (find("h2")?, find(".detail")?, find(&[".", LATE].concat())?);
        late.remove();
        let news = title.parent_node()?;
        let mark = add(section, "div", &[("class", "mark"), ("part", "mark"), ("aria-hidden", "true")]);
        add(&mark, "span", &[]);
        let agent = add(&news, "p", &[("class", "agent"), ("part", "agent")]);
        let wait = add(&news, "p", &[("class", "detail"), ("part", "wait")]);
        let from = add(&news, "p", &[("class", "detail"), ("part", "from")]);
        let _ = section.insert_before(&mark, Some(&news));
        let _ = news.insert_before(&agent, Some(&detail));
        let steps = add(section, "ol", &[("class", "steps"), ("part", "steps")]);
        let mut list = Vec::new();
        for name in STEPS {
            let step = add(&steps, "li", &[("part", "step")]);
            texts.put_of(&step, "step", name);
            list.push(step);
        }
        let alert = add(section, "p", &[("class", "alert"), ("part", "alert"), ("role", "alert")]);
        let again = [("type", "button"), ("data-action", "again"), ("class", "primary"), ("part", "button")];
        let again = add(section, "button", &again);
        texts.put(&again, "follow.again");
        let quiet = |action: &str| {
            let button =
                add(section, "button", &[("type", "button"), ("class", "quiet"), ("part", "secondary")]);
            set(&button, "data-action", action);
            texts.put_of(&button, "follow", action);
            button
        };
        let (number, notify, cancel) = (quiet("number"), quiet("notify"), quiet("cancel"));
        let phone = phone_link(section, description, texts);
        let section = section.clone();
        let view = Self {
            section,
            steps,
            list,
            title,
            agent,
            detail,
            wait,
            from,
            alert,
            cancel,
            again,
            number,
            notify,
            phone,
        };
        view.set_alert("");
        Some(view)
    }

    /// Where the focus goes when a part of it is closed.
    pub(crate) fn title(&self) -> &HtmlElement {
        &self.title
    }

    /// Shows where the callback stands. Only what has changed is written, or a screen reader would say it again.
    pub(crate) fn set(&self, progress: &Progress, texts: &Texts) {
        let state = progress.state;
        write(&self.title, &texts.of("state", state.as_str()));
        let detail = match progress.failure {
            Some(failure) => texts.of("failure", failure.as_str()),
            None => texts.of("state", &[state.as_str(), ".detail"].concat()),
        };
        write(&self.detail, &detail);

        let waits = steps::step(state).is_some_and(|step| step < 3);
        let agent = match &progress.agent {
            Some(name) if waits => texts.with("follow.agent", name),
            None if waits && progress.fell_back => texts.get("follow.fell_back"),
            _ => String::new(),
        };
        write(&self.agent, &agent);
        show(&self.agent, !agent.is_empty());
        let wait = match (&progress.window, progress.wait_time) {
            (Some((start, end)), _) if waits => {
                let key = if progress.at_opening { "form.closed" } else { "follow.when" };
                texts.with(key, &texts.between(start, end))
            }
            (_, Some(seconds)) => texts.wait(seconds),
            _ => String::new(),
        };
        write(&self.wait, &wait);
        show(&self.wait, !wait.is_empty());

        // Isolated, as a number runs from left to right in every language (Unicode Standard Annex 9, LRI and PDI).
        let from = progress.calls_from.as_deref().filter(|_| waits);
        let from = from.map(|from| texts.with("follow.from", &["\u{2066}", from, "\u{2069}"].concat()));
        write(&self.from, from.as_deref().unwrap_or_default());
        show(&self.from, from.is_some());

        show(&self.steps, steps::step(state).is_some());
        if let Some(current) = steps::step(state) {
            for (step, element) in self.list.iter().enumerate() {
                let look = steps::look(step, current);
                set(element, "data-step", look);
                set_if(element, "aria-current", (look == "now").then_some("step"));
            }
        }
        show(&self.cancel, progress.cancellable);
        show(&self.number, progress.number_changeable);
        // Whoever has a time knows when it is their turn, until it has come.
        let has_time = progress.window.is_some() && steps::step(state) == Some(0);
        show(&self.notify, waits && !has_time && notification::permission() == "default");
        show(&self.again, state.is_final());
        let failed = matches!(state, State::Failed | State::Expired | State::Untraced);
        let class = match (failed, state.is_final()) {
            (true, _) => "follow ended failed",
            (false, true) => "follow ended",
            (false, false) => "follow",
        };
        set(&self.section, "class", class);
        if let Some(phone) = &self.phone {
            show(phone, failed);
        }
    }

    /// The button that calls it off: what is milder stands before it.
    pub(crate) fn cancel(&self) -> &HtmlElement {
        &self.cancel
    }

    /// The visitor has been asked about notifications.
    pub(crate) fn take_offer_back(&self) {
        show(&self.notify, false);
        focus(&self.title);
    }

    /// What is told now, in one line.
    pub(crate) fn told(&self) -> String {
        self.title.text_content().unwrap_or_default()
    }

    /// The button that asks for another number.
    pub(crate) fn number(&self) -> &HtmlElement {
        &self.number
    }

    /// The service knows nothing of the callback any more.
    pub(crate) fn lose(&self, texts: &Texts) {
        self.set_alert(&texts.get("follow.unknown"));
        // What the title says may be true no longer: the page's button does not repeat it.
        set(&self.section, "class", "follow lost");
        for action in [&self.cancel, &self.number, &self.notify] {
            show(action, false);
        }
        show(&self.again, true);
    }

    /// Has the form ask again, as by its button.
    pub(crate) fn ask_again(&self) {
        self.again.click();
    }

    /// Tells what the visitor has changed, until there is other news.
    pub(crate) fn set_note(&self, text: &str) {
        write(&self.agent, text);
        show(&self.agent, true);
    }

    /// Takes back what was told, if it was that.
    pub(crate) fn take_back(&self, text: &str) {
        if self.alert.text_content().as_deref() == Some(text) {
            self.set_alert("");
        }
    }

    /// A button that is gone leaves the focus nowhere: whoever had it there goes on at the top.
    pub(crate) fn keep_focus(&self, focused: Option<&Element>) {
        if focused.is_some_and(|element| element.closest("[hidden]").is_ok_and(|hidden| hidden.is_some())) {
            focus(&self.title);
        }
    }

    /// Shows that the callback is being called off.
    pub(crate) fn set_cancelling(&self, cancelling: bool, texts: &Texts) {
        set_if(&self.cancel, "aria-disabled", cancelling.then_some("true"));
        texts.put(&self.cancel, if cancelling { "follow.cancelling" } else { "follow.cancel" });
    }

    /// Tells something beside the callback's state, or with an empty text takes it back.
    pub(crate) fn set_alert(&self, text: &str) {
        write(&self.alert, text);
        show(&self.alert, !text.is_empty());
    }
}
