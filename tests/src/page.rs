//! The form on a page, as a visitor meets it: through real clicks and real keys, inside its shadow root.

use fantoccini::actions::{
    InputSource as _, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use fantoccini::elements::{Element, ElementRef};
use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::eventually::{PATIENCE, eventually};
use crate::scriptless::Scriptless;
use crate::visitor;

/// Finds an element in the form's shadow root.
const FIND: &str = "
    const host = document.querySelector(arguments[1]) ?? document.querySelector('ringback-form');
    const found = host?.shadowRoot?.querySelector(arguments[0]);
";

/// The form on the page that a browser shows.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    browser: &'a Browser,
    /// Which of the page's elements holds it.
    host: &'a str,
}

impl Browser {
    /// The form on the page.
    pub fn page(&self) -> Page<'_> {
        self.form_in("ringback-launcher")
    }

    /// One of several forms on the page, by the element that holds it.
    pub fn form_in<'a>(&'a self, host: &'a str) -> Page<'a> {
        Page { browser: self, host }
    }
}

impl<'a> Page<'a> {
    /// Waits for the plain form in its frame, and goes into that.
    pub async fn enter_frame(&self) -> Scriptless<'a> {
        let frame = self.element(".plain iframe").await;
        frame.enter_frame().await.expect("a frame");
        self.browser.plain()
    }
}

impl Page<'_> {
    async fn ask(&self, selector: &str, answer: &str) -> Value {
        let arguments = vec![json!(selector), json!(self.host)];
        self.browser.script(&format!("{FIND} return {answer}"), arguments).await
    }

    /// The element, once it is there and shown.
    pub async fn element(&self, selector: &str) -> Element {
        let shown = "found?.checkVisibility() ? found : null";
        let what = format!("{selector} is shown");
        let found =
            eventually(&what, async || Some(self.ask(selector, shown).await).filter(Value::is_object));
        let found = found.await;
        let id = found.as_object().and_then(|reference| reference.values().next()).and_then(Value::as_str);
        Element::from_element_id(self.browser.client.clone(), ElementRef::from(id.expect("an id").to_owned()))
    }

    /// Whether the element is there and shown.
    pub async fn shows(&self, selector: &str) -> bool {
        self.ask(selector, "!!found?.checkVisibility()").await == true
    }

    /// The text of an element; empty where it is not there or not shown.
    pub async fn text(&self, selector: &str) -> String {
        let text = self.ask(selector, "found?.checkVisibility() ? found.innerText : ''").await;
        text.as_str().unwrap_or_default().trim().to_owned()
    }

    /// The value of a control.
    pub async fn value(&self, selector: &str) -> String {
        self.ask(selector, "found?.value").await.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks with the mouse.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        element.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Presses the mouse at one place of the page, and lets it go at another.
    pub async fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        let at = |(x, y)| PointerAction::MoveTo { duration: None, x, y };
        let strokes = MouseActions::new("mouse".to_owned())
            .then(at(from))
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(at(to))
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        self.browser.client.perform_actions(strokes).await.expect("a mouse");
    }

    /// Types into a control, in the place of what stands there.
    pub async fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        element.clear().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
        element.send_keys(text).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Chooses from a list.
    pub async fn choose(&self, selector: &str, value: &str) {
        let element = self.element(selector).await;
        element.select_by_value(value).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Presses keys one after the other, wherever the focus is.
    pub async fn press(&self, keys: &[Key]) {
        for key in keys {
            let value = char::from(*key);
            let strokes = KeyActions::new("keyboard".to_owned())
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
            self.browser.client.perform_actions(strokes).await.expect("keys");
        }
    }

    /// Types text, wherever the focus is.
    pub async fn type_text(&self, text: &str) {
        let strokes = text.chars().fold(KeyActions::new("keyboard".to_owned()), |strokes, value| {
            strokes.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.browser.client.perform_actions(strokes).await.expect("keys");
    }

    /// Where the focus is: the id of the element in the form, its action, its field, its class or its tag.
    pub async fn focused(&self) -> String {
        let script = "
            let element = document.activeElement;
            while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
            if (!element) return '';
            const { action, field } = element.dataset;
            return element.id || action || field || element.className || element.localName;
        ";
        self.browser.script(script, vec![]).await.as_str().unwrap_or_default().to_owned()
    }

    /// Whether what has the focus is seen to have it.
    pub async fn has_ring(&self) -> bool {
        let script = "
            let element = document.activeElement;
            while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
            const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
            return element !== document.body && element.matches(':focus-visible') && outlineStyle !== 'none'
                && parseFloat(outlineWidth) >= 2 && outlineColor !== 'rgba(0, 0, 0, 0)';
        ";
        self.browser.script(script, vec![]).await == true
    }

    /// What can be focused in the form, in the order in which it stands there: named as by [`Page::focused`]. Of a group of radio buttons,
    /// the one that is chosen stands for all.
    pub async fn controls(&self) -> Vec<String> {
        let all = "
            [...found.querySelectorAll('a[href], button, input, select, textarea')]
                .filter(element => element.checkVisibility() && element.tabIndex >= 0)
                .filter(element => element.type != 'radio' || element.checked)
                .map(element => element.id || element.dataset.action || element.dataset.field || element.className || element.localName)
        ";
        serde_json::from_value(self.ask(".frame", all.trim()).await).expect("names")
    }

    /// Selects all that stands in the control with the focus, by keys.
    pub async fn select_all(&self) {
        self.press_with_control('a').await;
    }

    /// Puts a text in where the focus is, by way of the clipboard.
    pub async fn paste(&self, text: &str) {
        let script = "return navigator.clipboard.writeText(arguments[0]).then(() => true)";
        assert_eq!(self.browser.script(script, vec![json!(text)]).await, true);
        self.press_with_control('v').await;
    }

    /// Takes back what was done last.
    pub async fn undo(&self) {
        self.press_with_control('z').await;
    }

    async fn press_with_control(&self, value: char) {
        let control = char::from(Key::Control);
        let strokes = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: control })
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value })
            .then(KeyAction::Up { value: control });
        self.browser.client.perform_actions(strokes).await.expect("keys");
    }

    /// Presses a key some times while Shift is held.
    pub async fn select_with_shift(&self, key: Key, times: usize) {
        let (shift, value) = (char::from(Key::Shift), char::from(key));
        let mut strokes = KeyActions::new("keyboard".to_owned()).then(KeyAction::Down { value: shift });
        for _ in 0..times {
            strokes = strokes.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        let strokes = strokes.then(KeyAction::Up { value: shift });
        self.browser.client.perform_actions(strokes).await.expect("keys");
    }

    /// Where the caret stands in the control, or what is selected there.
    pub async fn selection(&self, selector: &str) -> (u64, u64) {
        let selection = self.ask(selector, "[found?.selectionStart, found?.selectionEnd]").await;
        serde_json::from_value(selection).expect("a control that takes text")
    }

    /// Puts a value in as browsers fill forms in: at once, without a key, and without saying how.
    pub async fn autofill(&self, selector: &str, value: &str) {
        let script = format!(
            "{FIND}
            found.value = arguments[2];
            for (const type of ['input', 'change']) found.dispatchEvent(new Event(type, {{ bubbles: true, composed: true }}))"
        );
        self.browser.script(&script, vec![json!(selector), json!(self.host), json!(value)]).await;
    }

    /// Waits until the focus is there.
    pub async fn until_focused(&self, id: &str) {
        let mut last = String::new();
        let waiting = tokio::time::timeout(PATIENCE, async {
            loop {
                last = self.focused().await;
                if last == id {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        });
        let is_there = waiting.await.is_ok();
        assert!(is_there, "the focus does not come to {id}; it is on {last:?}");
    }

    /// Presses Tab until the focus is there.
    pub async fn tab_to(&self, id: &str) {
        let mut seen = Vec::new();
        for _ in 0..60 {
            self.press(&[Key::Tab]).await;
            let focused = self.focused().await;
            if focused == id {
                return;
            }
            seen.push(focused);
        }
        panic!("Tab does not lead to {id}: {seen:?}");
    }

    /// Waits for the launcher and opens the form with the mouse.
    pub async fn open(&self) {
        self.click("button.launch").await;
        self.element("dialog[open] form").await;
    }

    /// Waits until the form is shown on a page of its own.
    pub async fn until_inline(&self) {
        self.element("section form").await;
    }

    /// Fills everything in, as the visitor of the tests.
    pub async fn fill_in(&self) {
        self.fill("#name", visitor::NAME).await;
        self.fill("#phone", visitor::PHONE).await;
        self.fill("#email", visitor::EMAIL).await;
        self.choose("#reason", "orders").await;
        self.fill("#message", visitor::MESSAGE).await;
        self.click("#consent").await;
    }

    /// Fills the form in by keys alone, from its first field on, with that for the number. The second reason is chosen.
    pub async fn fill_in_by_keys(&self, phone: &str) {
        self.type_text(visitor::NAME).await;
        self.tab_to("phone").await;
        self.type_text(phone).await;
        self.tab_to("email").await;
        self.type_text(visitor::EMAIL).await;
        self.tab_to("reason").await;
        self.press(&[Key::Down, Key::Down]).await;
        self.tab_to("consent").await;
        self.press(&[Key::Space]).await;
    }

    /// Sends the form.
    pub async fn send(&self) {
        self.click("[data-action=send]").await;
    }

    /// Asks for a callback, as the visitor of the tests.
    pub async fn ask_for_call(&self) {
        self.open().await;
        self.fill_in().await;
        self.send().await;
    }

    /// Waits until the callback is shown in that state.
    pub async fn until_state(&self, state: &str) {
        self.until_shows(".frame", "data-state", state).await;
    }

    /// Waits until the form is in that phase.
    pub async fn until_phase(&self, phase: &str) {
        self.until_shows(".frame", "data-phase", phase).await;
    }

    async fn until_shows(&self, selector: &str, attribute: &str, value: &str) {
        let answer = format!("found?.getAttribute('{attribute}')");
        let mut last = Value::Null;
        let waiting = tokio::time::timeout(PATIENCE, async {
            loop {
                last = self.ask(selector, &answer).await;
                if last == value {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        });
        if waiting.await.is_err() {
            let console = self.browser.console().await;
            panic!(
                "{attribute} does not become {value:?}; it is {last}\n{}\n{console}",
                self.text(".frame").await
            );
        }
    }

    /// Waits for a text in an element.
    pub async fn until_text(&self, selector: &str, part: &str) -> String {
        eventually(&format!("{part:?} in {selector}"), async || {
            let text = self.text(selector).await;
            text.contains(part).then_some(text)
        })
        .await
    }
}
