//! Pictures of every state at both widths, in light and in dark: `target/screenshots`.

use ringback_tests::browser::{Browser, Look};
use ringback_tests::eventually::eventually;
use ringback_tests::screenshot::take;
use webex_simulator::{Fault, Operation, Outcome, TaskState};

use super::{house, play_to};

/// From the page to the end of the call.
async fn take_all(look: Look) {
    let house = house().await;
    let browser = Browser::open().await;
    browser.look(look).await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.element("button.launch").await;
    take(&browser, "01-page", look).await;
    page.open().await;
    take(&browser, "02-form", look).await;
    page.fill("#name", "Ann Example").await;
    page.fill("#phone", "12").await;
    page.fill("#email", "ann@").await;
    page.send().await;
    page.until_text("#phone-error", "short").await;
    take(&browser, "03-errors", look).await;
    page.fill_in().await;
    take(&browser, "04-filled", look).await;
    browser.set_offline(true).await;
    page.send().await;
    page.until_text(".ask .alert", "offline").await;
    take(&browser, "05-offline", look).await;
    browser.set_latency(2500).await;
    page.send().await;
    page.until_phase("sending").await;
    take(&browser, "06-sending", look).await;
    browser.set_latency(0).await;
    page.until_state("requested").await;
    take(&browser, "07-requested", look).await;
    for (step, state, name) in [
        (TaskState::Queued, "queued", "08-queued"),
        (TaskState::Offered, "offered", "09-offered"),
        (TaskState::Connected, "connected", "10-connected"),
        (TaskState::Ended, "completed", "11-completed"),
    ] {
        play_to(&house, step).await;
        page.until_state(state).await;
        take(&browser, name, look).await;
    }
}

/// What does not happen to every visitor.
async fn take_the_others(look: Look) {
    let mut house = house().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let browser = Browser::open().await;
    browser.look(look).await;
    let token = house.agent_token("acme", "grace", "30d");
    browser.goto(&format!("{}/a/{token}", house.url())).await;
    let page = browser.page();
    page.until_inline().await;
    take(&browser, "20-link", look).await;
    page.fill_in().await;
    page.send().await;
    page.element("[data-action=cancel]").await;
    take(&browser, "21-link-accepted", look).await;
    page.click("[data-action=cancel]").await;
    page.until_state("cancelled").await;
    house.control().clear_faults().await.unwrap();
    take(&browser, "22-link-cancelled", look).await;

    let token = house.agent_token("acme", "grace", "1s");
    eventually("the link runs out", async || {
        let form = house.get(&format!("/v1/sites/acme/form?agent={token}")).await.ok();
        (form["agent"]["status"] == "expired").then_some(())
    })
    .await;
    browser.goto(&format!("{}/a/{token}", house.url())).await;
    page.until_inline().await;
    take(&browser, "23-link-expired", look).await;
    browser.goto(&format!("{}/a/nonsense", house.url())).await;
    take(&browser, "24-link-dead", look).await;

    house.control().plan(Outcome::NoAnswer, 1, None).await.unwrap();
    browser.goto(house.website()).await;
    page.open().await;
    page.fill_in().await;
    house.kill().await;
    page.send().await;
    page.until_text(".ask .alert", "won’t call you twice").await;
    take(&browser, "25-unclear", look).await;
    house.start().await;
    page.send().await;
    page.until_state("requested").await;
    play_to(&house, TaskState::Ended).await;
    page.until_state("failed").await;
    take(&browser, "26-failed", look).await;

    browser.goto(&format!("{}/rtl", house.website())).await;
    page.element("button.launch").await;
    take(&browser, "30-rtl-page", look).await;
    page.open().await;
    take(&browser, "31-rtl-form", look).await;
    page.send().await;
    take(&browser, "32-rtl-errors", look).await;
    page.fill_in().await;
    page.send().await;
    page.until_state("requested").await;
    take(&browser, "33-rtl-requested", look).await;

    // Another visitor, as far as the browser knows.
    browser.script("sessionStorage.clear()", vec![]).await;
    browser.block(&["*lazy*"]).await;
    browser.goto(&format!("{}/rtl", house.website())).await;
    page.ask_for_call().await;
    page.element(".late a").await;
    take(&browser, "34-rtl-accepted-alone", look).await;
}

#[tokio::test]
async fn on_a_telephone_in_light_colours() {
    take_all(Look::NARROW).await;
}

#[tokio::test]
async fn on_a_telephone_in_dark_colours() {
    take_all(Look::NARROW.in_dark()).await;
}

#[tokio::test]
async fn on_a_desktop_in_light_colours() {
    take_all(Look::WIDE).await;
}

#[tokio::test]
async fn on_a_desktop_in_dark_colours() {
    take_all(Look::WIDE.in_dark()).await;
}

#[tokio::test]
async fn links_troubles_and_arabic_on_a_telephone_in_light_colours() {
    take_the_others(Look::NARROW).await;
}

#[tokio::test]
async fn links_troubles_and_arabic_on_a_telephone_in_dark_colours() {
    take_the_others(Look::NARROW.in_dark()).await;
}

#[tokio::test]
async fn links_troubles_and_arabic_on_a_desktop_in_light_colours() {
    take_the_others(Look::WIDE).await;
}

#[tokio::test]
async fn links_troubles_and_arabic_on_a_desktop_in_dark_colours() {
    take_the_others(Look::WIDE.in_dark()).await;
}
