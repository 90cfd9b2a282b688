//! The pages of the service in a browser that runs no script: what a person finds, clicks and types, and nothing else.

use fantoccini::Locator;
use fantoccini::elements::Element;
use serde_json::Value;

use crate::browser::Browser;
use crate::eventually::eventually;
use crate::visitor;

/// The page that a browser without scripts shows.
#[derive(Clone, Copy, Debug)]
pub struct Scriptless<'a> {
    browser: &'a Browser,
}

/// Puts a page into a frame, and remembers what it tells.
const FRAME: &str = "
    window.told = [];
    addEventListener('message', ({ origin, data }) => told.push({ origin, ...data }));
    document.querySelector('iframe')?.remove();
    const frame = document.createElement('iframe');
    frame.src = arguments[0];
    frame.title = 'form';
    Object.assign(frame.style, { inlineSize: '100%', blockSize: '400px' });
    document.body.prepend(frame);
";

impl Browser {
    /// The page, from now on without any script.
    pub async fn scriptless(&self) -> Scriptless<'_> {
        self.forbid_scripts().await;
        Scriptless { browser: self }
    }

    /// The plain page that is shown, or that is in the frame which was entered.
    pub fn plain(&self) -> Scriptless<'_> {
        Scriptless { browser: self }
    }

    /// A page in a frame on the one that is shown.
    pub async fn framed(&self, address: &str) -> Scriptless<'_> {
        self.script(FRAME, vec![address.into()]).await;
        self.client.enter_frame(0).await.expect("a frame");
        Scriptless { browser: self }
    }

    /// What the frame has told the page around it. Leaves the frame.
    pub async fn told(&self) -> Vec<Value> {
        self.leave_frame().await;
        serde_json::from_value(self.script("return told", vec![]).await).expect("a list")
    }

    /// Goes back to the page around the frame.
    pub async fn leave_frame(&self) {
        self.client.enter_parent_frame().await.expect("the page");
    }

    /// Goes into the frame.
    pub async fn enter_frame(&self) {
        self.client.enter_frame(0).await.expect("a frame");
    }
}

impl Scriptless<'_> {
    /// The element, once the page has it. A page that is loaded anew loses those of the one before.
    pub async fn element(&self, selector: &str) -> Element {
        let client = &self.browser.client;
        eventually(selector, async || client.find(Locator::Css(selector)).await.ok()).await
    }

    /// Whether the page has the element.
    pub async fn has(&self, selector: &str) -> bool {
        self.browser.client.find(Locator::Css(selector)).await.is_ok()
    }

    /// Waits for a text in an element.
    pub async fn until_text(&self, selector: &str, part: &str) -> String {
        let client = &self.browser.client;
        eventually(&format!("{part:?} in {selector}"), async || {
            let text = client.find(Locator::Css(selector)).await.ok()?.text().await.ok()?;
            text.contains(part).then_some(text)
        })
        .await
    }

    /// The value of a control.
    pub async fn value(&self, selector: &str) -> String {
        let value = self.element(selector).await.prop("value").await;
        value.expect("a property").unwrap_or_default()
    }

    /// Clicks with the mouse. What was found may go with its page before it is clicked: then it is looked for on the next.
    pub async fn click(&self, selector: &str) {
        let client = &self.browser.client;
        let what = format!("{selector} is clicked");
        eventually(&what, async || client.find(Locator::Css(selector)).await.ok()?.click().await.ok()).await;
    }

    /// Types into a control, in the place of what stands there.
    pub async fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        element.clear().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
        element.send_keys(text).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Fills everything in, as the visitor of the tests.
    pub async fn fill_in(&self) {
        self.fill("#name", visitor::NAME).await;
        self.fill("#phone", visitor::PHONE).await;
        self.fill("#email", visitor::EMAIL).await;
        let reason = self.element("#reason").await;
        reason.select_by_value("orders").await.expect("a reason");
        self.fill("#message", visitor::MESSAGE).await;
        self.click("#consent").await;
    }

    /// The element that has the focus.
    pub async fn focused(&self) -> Option<String> {
        let element = self.browser.client.active_element().await.ok()?;
        element.attr("id").await.ok()?
    }

    /// Where the browser is.
    pub async fn address(&self) -> String {
        self.browser.client.current_url().await.expect("an address").to_string()
    }

    /// Goes back, as the button of the browser does.
    pub async fn back(&self) {
        self.browser.client.back().await.expect("a page before");
    }

    /// The title of the page.
    pub async fn title(&self) -> String {
        self.browser.client.title().await.expect("a title")
    }

    /// The element's text.
    pub async fn text(&self, selector: &str) -> String {
        self.element(selector).await.text().await.expect("a text")
    }
}
