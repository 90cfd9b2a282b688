//! The whole job in a browser that runs no script, and where scripts run but no WebAssembly.

use ringback_contract::callback::State;
use ringback_tests::browser::Browser;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::visitor;
use webex_simulator::{Pace, TaskState};

use super::{house, play_to};

/// The path of the page that follows a callback, which nobody may log.
fn follow_path(house: &House, address: &str) -> String {
    let path = address.strip_prefix(house.url()).unwrap().split('?').next().unwrap().to_owned();
    house
        .private
        .add(path.strip_prefix("/f/").unwrap_or_else(|| panic!("not the page that follows: {address}")));
    path
}

#[tokio::test]
async fn without_scripts_a_visitor_asks_mends_follows_and_is_called() {
    let house = house().await;
    let browser = Browser::open().await;
    let page = browser.scriptless().await;
    browser.goto(&format!("{}/c/acme", house.url())).await;
    page.fill_in().await;
    page.fill("#phone", "555").await;
    page.click("button.primary").await;
    // The focus is on the summary, which says what is wrong and leads there.
    page.until_text("#problem", "Phone number: This number is too short").await;
    assert_eq!(page.focused().await.as_deref(), Some("problem"));
    assert!(page.title().await.starts_with("Error: "));
    page.click("#problem a").await;
    assert_eq!(page.focused().await.as_deref(), Some("phone"));
    assert_eq!(page.value("#name").await, visitor::NAME);
    assert_eq!(page.value("#message").await, visitor::MESSAGE);
    page.fill("#phone", visitor::PHONE).await;
    page.click("button.primary").await;
    page.until_text("#title", "Your request has reached our team").await;
    let path = follow_path(&house, &page.address().await);
    // The page looks for news by itself.
    play_to(&house, TaskState::Connected).await;
    page.until_text("#title", "You’re talking to us").await;
    play_to(&house, TaskState::Ended).await;
    // While people talk the page looks rarely: this one is opened anew, once there is something to see.
    eventually("the end is known", async || {
        let listed = house.request(reqwest::Method::GET, "/v1/callbacks");
        let listed = house.send(listed.bearer_auth(ringback_tests::plan::API_KEY)).await.ok();
        (listed["callbacks"][0]["state"] == State::Completed.as_str()).then_some(())
    })
    .await;
    browser.goto(&format!("{}{path}", house.url())).await;
    page.until_text("#title", "The call has ended").await;
    page.click("#again").await;
    page.element("#phone").await;
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.destination, visitor::PHONE_E164);
}

#[tokio::test]
async fn without_scripts_going_back_and_sending_again_is_no_second_call() {
    let house = house().await;
    let browser = Browser::open().await;
    let page = browser.scriptless().await;
    browser.goto(&format!("{}/c/acme", house.url())).await;
    page.fill_in().await;
    page.click("button.primary").await;
    page.element("#update").await;
    let path = follow_path(&house, &page.address().await);
    page.back().await;
    assert_eq!(page.value("#name").await, visitor::NAME);
    page.click("button.primary").await;
    page.element("#update").await;
    assert_eq!(follow_path(&house, &page.address().await), path);
    assert_eq!(house.until_tasks(1).await.len(), 1);
}

#[tokio::test]
async fn without_scripts_a_callback_is_called_off() {
    let house = House::with(|plan| {
        // Nothing leaves the house, so that it can be called off.
        plan.set("webex.base_url", "http://127.0.0.1:10");
    })
    .await;
    let browser = Browser::open().await;
    let page = browser.scriptless().await;
    browser.goto(&format!("{}/c/acme", house.url())).await;
    page.fill_in().await;
    page.click("button.primary").await;
    page.click("#cancel").await;
    page.until_text("#title", "Your call was called off").await;
    follow_path(&house, &page.address().await);
    let listed =
        house.request(reqwest::Method::GET, "/v1/callbacks").bearer_auth(ringback_tests::plan::API_KEY);
    let listed = house.send(listed).await.ok();
    assert_eq!(listed["callbacks"][0]["state"], State::Cancelled.as_str());
}

#[tokio::test]
async fn where_scripts_run_the_page_shows_news_without_coming_anew() {
    let house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Requested).await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/f/{}?sent", house.url(), accepted.follow)).await;
    // To load it again is not to send again.
    let search = browser.script("window.first = true; return location.search", vec![]).await;
    assert_eq!(search, "");
    let step = "return document.querySelector('.steps [aria-current]').textContent";
    let before = browser.script(step, vec![]).await;
    browser.script("document.querySelector('#update').stands = true", vec![]).await;
    let title = "return document.querySelector('#title').textContent + ' ' + (window.first ?? 'came anew')";
    play_to(&house, TaskState::Connected).await;
    eventually("the news", async || {
        (browser.script(title, vec![]).await == "You’re talking to us true").then_some(())
    })
    .await;
    assert_eq!(browser.script("return document.title", vec![]).await, "You’re talking to us · Acme Outdoor");
    // The steps move along, and what has no news stays as it is.
    assert_ne!(browser.script(step, vec![]).await, before);
    assert_eq!(
        browser.script("return document.querySelectorAll('.steps [data-step=done]').length", vec![]).await,
        3
    );
    assert_eq!(browser.script("return document.querySelector('#update').stands", vec![]).await, true);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_form_takes_the_place_of_the_plain_one_where_it_can_be_drawn() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/c/acme", house.url())).await;
    browser.page().until_inline().await;
    let seen = "return document.querySelector('ringback-form .frame').checkVisibility()";
    eventually("the plain form is gone", async || {
        (browser.script(seen, vec![]).await == false).then_some(())
    })
    .await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
