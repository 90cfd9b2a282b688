//! Preferred-agent links, as their receivers open them.

use ringback_tests::browser::Browser;
use ringback_tests::eventually::eventually;
use webex_simulator::{OutboundType, TaskState, organization};

use super::{house, play_to};

#[tokio::test]
async fn a_link_shows_the_form_addressed_to_its_agent() {
    let house = house().await;
    let browser = Browser::open().await;
    let token = house.agent_token("acme", "grace", "30d");
    browser.goto(&format!("{}/a/{token}", house.url())).await;
    let page = browser.page();
    page.until_inline().await;
    page.until_text("#title", "Grace Loh will call you back").await;
    page.fill_in().await;
    page.send().await;
    page.until_text(".follow .agent", "Grace Loh").await;
    page.until_state("requested").await;
    play_to(&house, TaskState::Connected).await;
    page.until_state("connected").await;
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.outbound_type, OutboundType::ExecuteFlow);
    assert_eq!(task.attributes["preferredAgent"], organization::GRACE_EMAIL);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    let html = browser.script("return document.documentElement.outerHTML", vec![]).await;
    assert!(!html.as_str().unwrap().contains(organization::GRACE_EMAIL));
}

#[tokio::test]
async fn the_same_token_works_on_the_customers_own_page() {
    let house = house().await;
    let browser = Browser::open().await;
    let token = house.agent_token("acme", "grace", "30d");
    browser.goto(&format!("{}/?ringback_agent={token}", house.website())).await;
    let page = browser.page();
    page.open().await;
    page.until_text("#title", "Grace Loh").await;
    page.fill_in().await;
    page.send().await;
    page.until_state("requested").await;
    assert_eq!(house.until_tasks(1).await[0].outbound_type, OutboundType::ExecuteFlow);
}

#[tokio::test]
async fn a_link_that_has_run_out_says_so_and_leads_to_the_normal_callback() {
    let house = house().await;
    let browser = Browser::open().await;
    let token = house.agent_token("acme", "grace", "1s");
    eventually("the link runs out", async || {
        let form = house.get(&format!("/v1/sites/acme/form?agent={token}")).await.ok();
        (form["agent"]["status"] == "expired").then_some(())
    })
    .await;
    browser.goto(&format!("{}/a/{token}", house.url())).await;
    let page = browser.page();
    page.until_inline().await;
    let text = browser.script("return document.body.innerText", vec![]).await;
    let notice = page.text(".notice").await;
    let told = format!("{text} {notice}");
    assert!(told.contains("no longer valid"), "{told}");
    page.fill_in().await;
    page.send().await;
    page.until_state("requested").await;
    assert_eq!(house.until_tasks(1).await[0].outbound_type, OutboundType::Callback);
}

#[tokio::test]
async fn a_link_that_runs_out_while_the_form_is_open_is_told_and_the_request_goes_to_everybody() {
    let house = house().await;
    let browser = Browser::open().await;
    // Long enough to open the form, short enough to wait for.
    let token = house.agent_token("acme", "grace", "4s");
    browser.goto(&format!("{}/a/{token}", house.url())).await;
    let page = browser.page();
    page.until_inline().await;
    page.until_text("#title", "Grace Loh").await;
    page.fill_in().await;
    eventually("the link runs out", async || {
        let form = house.get(&format!("/v1/sites/acme/form?agent={token}")).await.ok();
        (form["agent"]["status"] == "expired").then_some(())
    })
    .await;
    page.send().await;
    page.until_text(".ask .alert", "no longer valid").await;
    page.send().await;
    page.until_state("requested").await;
    assert_eq!(house.until_tasks(1).await[0].outbound_type, OutboundType::Callback);
}

#[tokio::test]
async fn the_page_of_a_site_has_the_form_without_an_agent() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/c/acme", house.url())).await;
    let page = browser.page();
    page.until_inline().await;
    page.until_text("#title", "We’ll call you back").await;
    page.fill_in().await;
    page.send().await;
    page.until_state("requested").await;
    assert_eq!(house.until_tasks(1).await[0].outbound_type, OutboundType::Callback);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
