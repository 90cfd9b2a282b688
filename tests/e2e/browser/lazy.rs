//! What a form fetches only once it is sent; and what a visitor has without it.

use ringback_contract::callback::State;
use ringback_tests::browser::Browser;
use ringback_tests::eventually::eventually;
use ringback_tests::figures::Figures;
use serde_json::json;
use webex_simulator::TaskState;

use super::{filled, house, play_to, visit};

#[tokio::test]
async fn what_follows_a_callback_is_fetched_when_the_form_is_sent_and_not_before() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    let is_late = |name: &String| name.contains("lazy") || name.contains("/texts");
    let fetched = browser.fetched_from(house.url()).await;
    assert!(!fetched.iter().any(is_late), "{fetched:?}");
    page.send().await;
    page.until_state("requested").await;
    let count = async |part: &str| {
        let fetched = browser.fetched_from(house.url()).await;
        fetched.iter().filter(|name| name.contains(part)).count()
    };
    for part in ["/lazy.js", "/lazy.wasm", "/texts?locale=en"] {
        assert_eq!(count(part).await, 1, "{part}");
    }
    // There are no two ways to look at it.
    assert!(!page.shows(".late").await);
    // Whoever asks again has it already.
    play_to(&house, TaskState::Ended).await;
    page.until_state("completed").await;
    page.click("[data-action=again]").await;
    page.until_phase("editing").await;
    assert!(!page.shows(".follow").await);
    page.send().await;
    page.until_state("requested").await;
    for part in ["/lazy.js", "/lazy.wasm", "/texts?locale=en"] {
        assert_eq!(count(part).await, 1, "{part}");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn who_gets_no_live_view_still_reads_that_the_request_was_accepted_and_where_to_follow_it() {
    for missing in ["*lazy*", "*/lazy.wasm*", "*/texts*"] {
        let house = house().await;
        let browser = Browser::open().await;
        browser.block(&[missing]).await;
        browser.goto(house.website()).await;
        let page = browser.page();
        page.ask_for_call().await;
        page.until_phase("following").await;
        page.until_text(".follow .news", "We’ve received your request").await;
        page.until_text(".follow .detail", "keep your phone nearby").await;
        // The focus is on the news; the way on is next.
        page.until_focused("news").await;
        let events = browser.events().await;
        let submitted = events.iter().find(|event| event["type"] == "submitted").expect("an event");
        let id = submitted["id"].as_str().unwrap().to_owned();
        house.until(&id, State::Requested).await;
        play_to(&house, TaskState::Offered).await;
        // It leads to the page that needs nothing of this.
        let link = page.element(".late a").await;
        assert_eq!(link.attr("target").await.unwrap(), Some("_blank".to_owned()), "{missing}");
        let address = link.attr("href").await.unwrap().unwrap();
        assert!(address.starts_with(&format!("{}/f/rbf_", house.url())), "{missing}: {address}");
        browser.goto(&address).await;
        browser.plain().until_text("#title", "Someone is about to call you").await;
        assert_eq!(house.tasks().await.len(), 1, "{missing}");
    }
}

#[tokio::test]
async fn a_form_that_goes_away_takes_its_live_view_along() {
    let house = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.until_state("requested").await;
    // The page's own script keeps the element, and with it the shadow root.
    let gone = "const host = document.querySelector('ringback-launcher'); const root = host.shadowRoot; host.remove();
                window.left = () => [!!root.querySelector('.frame'), root.adoptedStyleSheets.length, host.dataset.state ?? null]";
    browser.script(gone, vec![]).await;
    // The launcher's own styles stay.
    eventually("nothing of the form is left", async || {
        (browser.script("return left()", vec![]).await == json!([false, 1, null])).then_some(())
    })
    .await;
    // The service learns that nobody listens when it has something to say.
    for state in [TaskState::Queued, TaskState::Offered, TaskState::Connected] {
        play_to(&house, state).await;
    }
    eventually("nobody follows the callback any more", async || {
        (Figures::of(&house).await.sum("ringback_followers", &[]) == Some(0.0)).then_some(())
    })
    .await;
}
