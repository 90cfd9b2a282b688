//! The button that floats above the page: what the script tag says of it, and what it says itself.

use ringback_tests::browser::Browser;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use serde_json::json;
use webex_simulator::TaskState;

use super::{asked, house, play_to, visit};

/// What can be read on the button, and what is read aloud.
async fn label(browser: &Browser) -> String {
    let script = "
        const button = document.querySelector('ringback-launcher')?.shadowRoot.querySelector('button');
        return button ? `${button.innerText.trim()}|${button.ariaLabel}` : 'none';
    ";
    browser.script(script, vec![]).await.as_str().expect("a text").to_owned()
}

async fn until_label(browser: &Browser, wanted: &str) {
    let both = format!("{wanted}|{wanted}");
    eventually(wanted, async || (label(browser).await == both).then_some(())).await;
}

/// What is on the button of a page in English whose script tag has one attribute more.
async fn tagged(house: &House, browser: &Browser, attribute: &str, value: &str) -> String {
    browser.goto(house.website()).await;
    let script = "
        const [src, attribute, value] = arguments;
        return new Promise(onload => {
            const script = Object.assign(document.createElement('script'), { src, onload });
            script.dataset.site = 'acme';
            script.setAttribute(attribute, value);
            document.body.append(script);
        });
    ";
    let address = format!("{}/widget/v1.js", house.url());
    browser.script(script, vec![json!(address), json!(attribute), json!(value)]).await;
    label(browser).await
}

#[tokio::test]
async fn the_script_tag_says_what_stands_on_the_button() {
    let house = house().await;
    let browser = Browser::open().await;
    // The tag that the page has.
    browser.block(&[&format!("{}/widget.js", house.url())]).await;
    for (attribute, value, expected) in [
        ("data-reason", "orders", "Call me back|Call me back"),
        ("data-locale", "de", "Rückruf anfordern|Rückruf anfordern"),
        ("data-label", "Ring me", "Ring me|Ring me"),
        ("data-label", "", "|Call me back"),
        ("data-launcher", "none", "none"),
    ] {
        assert_eq!(tagged(&house, &browser, attribute, value).await, expected, "{attribute}={value}");
    }
}

#[tokio::test]
async fn the_button_says_where_a_call_stands_and_does_so_on_the_next_page_too() {
    let house = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.element("button.launch").await;
    assert_eq!(label(&browser).await, "Call me back|Call me back");
    page.ask_for_call().await;
    page.until_state("requested").await;
    page.click("[data-action=close]").await;
    until_label(&browser, "Your request has reached our team").await;
    browser.goto(&format!("{}/?next=page", house.website())).await;
    until_label(&browser, "Your request has reached our team").await;
    play_to(&house, TaskState::Queued).await;
    until_label(&browser, "You’re in the queue").await;
    play_to(&house, TaskState::Ended).await;
    until_label(&browser, "Call me back").await;
    // What is over costs the next page nothing.
    browser.goto(&format!("{}/?last=page", house.website())).await;
    page.element("button.launch").await;
    assert_eq!(label(&browser).await, "Call me back|Call me back");
    assert_eq!(browser.fetched_from(house.url()).await.len(), 1);
}

#[tokio::test]
async fn a_call_that_the_service_has_forgotten_is_told_no_longer() {
    let house = house().await;
    let browser = asked(&house).await;
    let page = browser.page();
    page.until_state("requested").await;
    page.click("[data-action=close]").await;
    until_label(&browser, "Your request has reached our team").await;
    // The stream is begun anew.
    let forgotten = "
        const send = window.fetch;
        window.fetch = (url, ...more) =>
            String(url).includes('/v1/callbacks/') ? Promise.resolve(new Response('{}', { status: 404 })) : send(url, ...more);
        dispatchEvent(new Event('online'));
    ";
    browser.script(forgotten, vec![]).await;
    until_label(&browser, "Call me back").await;
    page.click("button.launch").await;
    page.until_text(".follow .alert", "We can’t show any more").await;
    page.click("[data-action=again]").await;
    page.until_phase("editing").await;
}

#[tokio::test]
async fn the_button_takes_on_the_colours_of_its_site() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.set("sites.acme.theme.color", "#ffcc00");
    })
    .await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.element("button.launch").await;
    let script = "
        const button = document.querySelector('ringback-launcher').shadowRoot.querySelector('button');
        const { backgroundColor, color } = getComputedStyle(button);
        return `${color} on ${backgroundColor}`;
    ";
    browser.script("Ringback('load')", vec![]).await;
    eventually("black on yellow", async || {
        (browser.script(script, vec![]).await == "rgb(0, 0, 0) on rgb(255, 204, 0)").then_some(())
    })
    .await;
    // The page's own styles go before.
    browser.script("document.documentElement.style.setProperty('--ringback-color', '#004400')", vec![]).await;
    assert_eq!(browser.script(script, vec![]).await, "rgb(0, 0, 0) on rgb(0, 68, 0)");
}

#[tokio::test]
async fn who_comes_near_the_button_has_the_form_laid_out_unseen_once_and_before_the_click() {
    let watch = "
        window.looks = [];
        const measure = Element.prototype.getBoundingClientRect;
        Element.prototype.getBoundingClientRect = function () {
            const box = measure.call(this);
            if (this.localName == 'dialog') looks.push([box.height > 100, getComputedStyle(this).visibility]);
            return box;
        };
    ";
    let house = house().await;
    let browser = Browser::open().await;
    browser.before_each_page(watch).await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.element("button.launch").await;
    for _ in 0..2 {
        browser.script("return Ringback('load')", vec![]).await;
        assert_eq!(browser.script("return looks", vec![]).await, json!([[true, "hidden"]]));
        assert!(!page.shows("dialog").await);
    }
    page.open().await;
    let style =
        "return document.querySelector('ringback-launcher').shadowRoot.querySelector('dialog').style.cssText";
    assert_eq!(browser.script(style, vec![]).await, "");
    assert_eq!(browser.script("return watched.shifts", vec![]).await, json!([]));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
