//! What goes wrong is told where it went wrong, and nothing that was typed is lost.

use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::{Pace, TaskState};

use super::{PATIENT, filled, filled_after, house, opened, play_to, visit};

#[tokio::test]
async fn a_wrong_number_is_told_at_its_field_before_anything_is_sent() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    page.fill("#phone", "12").await;
    page.send().await;
    page.until_text("#phone-error", "too short").await;
    page.until_focused("phone").await;
    assert!(browser.fetched_from(house.url()).await.iter().all(|name| !name.ends_with("/callbacks")));
    // It is taken back as soon as the number is right.
    page.fill("#phone", visitor::PHONE).await;
    assert_eq!(page.text("#phone-error").await, "");
    page.send().await;
    page.until_state("requested").await;
}

#[tokio::test]
async fn an_error_is_told_once_and_describes_its_field_no_longer_than_it_is_there() {
    let house = house().await;
    let browser = opened(&house).await;
    let page = browser.page();
    let watch = "
        window.told = 0;
        const error = document.querySelector('ringback-launcher').shadowRoot.getElementById('phone-error');
        new MutationObserver(changes => told += changes.length).observe(error, { childList: true });
    ";
    browser.script(watch, vec![]).await;
    let number = async || {
        let told = browser.read_aloud().await;
        told.into_iter().find(|line| line.starts_with("textbox \"Phone number\"")).expect("the field")
    };
    page.fill("#phone", "1").await;
    page.click("#email").await;
    let wrong = "textbox \"Phone number\" required invalid (This number is too short. Please check it.)";
    assert_eq!(number().await, wrong);
    page.click("#phone").await;
    page.type_text("23").await;
    assert_eq!((page.value("#phone").await, page.shows("#phone-error").await), ("123".into(), true));
    assert_eq!(browser.script("return told", vec![]).await, 1);
    page.fill("#phone", visitor::PHONE).await;
    assert_eq!(number().await, "textbox \"Phone number\" required focused");
}

#[tokio::test]
async fn everything_that_is_missing_is_told_at_its_field() {
    let house = house().await;
    let browser = opened(&house).await;
    let page = browser.page();
    page.send().await;
    for field in ["#name-error", "#phone-error", "#consent-error"] {
        assert!(!page.text(field).await.is_empty(), "{field}");
    }
    for field in ["#email-error", "#message-error"] {
        assert_eq!(page.text(field).await, "", "{field}");
    }
    page.until_focused("name").await;
    page.until_text(".alert", "check the marked fields").await;
}

#[tokio::test]
async fn what_the_service_refuses_is_told_at_the_same_field() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    // A number that has the right shape, of a country that the site does not call.
    page.fill("#phone", "+44 20 7946 0142").await;
    page.send().await;
    page.until_text("#phone-error", "can’t call this number").await;
    page.until_focused("phone").await;
    assert_eq!(page.value("#name").await, visitor::NAME);
    page.fill("#phone", visitor::PHONE).await;
    page.send().await;
    page.until_state("requested").await;
    house.until_tasks(1).await;
}

/// Loses the answers of so many posts.
const LOSE: &str = "
    const send = window.fetch;
    let left = arguments[0];
    window.fetch = async (...request) => {
        const answer = await send(...request);
        const url = String(request[0]?.url ?? request[0]);
        if (!url.endsWith('/callbacks') || left-- <= 0) return answer;
        throw new TypeError('Failed to fetch');
    };
";

#[tokio::test]
async fn one_answer_that_was_lost_is_asked_for_again_and_nobody_notices() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    browser.script(LOSE, vec![json!(1)]).await;
    page.send().await;
    page.until_state("requested").await;
    let events = browser.events().await;
    assert!(events.iter().all(|event| event["type"] != "error"), "{events:?}");
    assert_eq!(house.until_tasks(1).await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_on_its_way_leads_to_the_same_callback() {
    let house = house().await;
    let browser = filled_after(&house, PATIENT).await;
    let page = browser.page();
    // The post arrives, and its answer does not, nor that of the second that follows by itself: as when a train enters a tunnel.
    browser.script(LOSE, vec![json!(2)]).await;
    page.send().await;
    page.until_text(".ask .alert", "won’t call you twice").await;
    house.until_tasks(1).await;
    page.send().await;
    page.until_state("requested").await;
    play_to(&house, TaskState::Ended).await;
    page.until_state("completed").await;
    assert_eq!(house.tasks().await.len(), 1);
}

#[tokio::test]
async fn who_watches_sees_the_interruption_and_then_the_rest() {
    let mut house = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.until_state("requested").await;
    house.kill().await;
    page.until_text(".follow .alert", "reconnecting").await;
    house.start().await;
    play_to(&house, TaskState::Connected).await;
    page.until_state("connected").await;
    assert_eq!(page.text(".follow .alert").await, "");
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        plan.limit("number", 1, 600);
        plan.set("sites.acme.phone", "+1 202 555 0180");
    })
    .await;
    house.send(house.crm_post(&visitor::crm_request())).await.accepted();
    let browser = visit(&house).await;
    let page = browser.page();
    page.ask_for_call().await;
    let alert = page.until_text(".ask .alert", "too many requests").await;
    assert!(alert.contains("minutes"), "{alert}");
    // And by which number the shop can be reached instead.
    page.until_text(".ask .phone", "+1 202 555 0180").await;
}

#[tokio::test]
async fn a_service_that_does_not_answer_leaves_a_way_out() {
    let mut house = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.element("button.launch").await;
    house.kill().await;
    page.click("button.launch").await;
    page.element("a.launch[href]").await;
    let events = browser.events().await;
    assert!(events.iter().any(|event| event["type"] == "load" || event["type"] == "error"), "{events:?}");
    // And it works once the service is back.
    house.start().await;
    page.click("button.launch").await;
    page.element("dialog[open] form").await;
}
