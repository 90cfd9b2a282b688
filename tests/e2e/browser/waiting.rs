//! How long it takes, and when somebody will call, in the words of each language.

use ringback_tests::browser::Browser;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::window::window;
use serde_json::json;
use webex_simulator::{Pace, organization};

#[tokio::test]
async fn the_wait_is_told_in_minutes_in_each_language_before_and_after_asking() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        plan.set("sites.acme.wait_time.queue", organization::SUPPORT_QUEUE);
    })
    .await;
    eventually("there is a figure", async || {
        house.get("/v1/sites/acme/form").await.ok().get("wait_time_s").map(|_| ())
    })
    .await;
    let browser = Browser::open().await;
    for (locale, told) in [
        ("en", "The wait is about 2 minutes at the moment."),
        ("de", "Die Wartezeit beträgt zurzeit etwa 2 Minuten."),
        // The Arabic dual has no number.
        ("ar", "دقيقتان"),
    ] {
        browser.goto(&format!("{}/c/acme", house.url())).await;
        browser.page().until_inline().await;
        let replace = "const form = document.createElement('ringback-form');
            Object.assign(form.dataset, { site: 'acme', locale: arguments[0] });
            document.querySelector('ringback-form').replaceWith(form);
            return null;";
        browser.script(replace, vec![json!(locale)]).await;
        browser.page().until_text("[part=wait]", told).await;
    }
    browser.goto(house.website()).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.until_text(".follow [part=wait]", "about 2 minutes").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn who_is_booked_sees_when_they_will_be_called_and_can_call_it_off() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.set("sites.acme.schedule.through", "store");
        plan.set("sites.acme.schedule.timezone", "UTC");
    })
    .await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    // The picker has tests of its own; here, the page adds a time to what is sent.
    let add = "const send = window.fetch;
        window.fetch = (url, init) => send(url, init?.method === 'POST' && init.body
            ? { ...init, body: JSON.stringify({ ...JSON.parse(init.body), schedule: arguments[0] }) }
            : init);
        return null;";
    browser.script(add, vec![json!(window(3 * 86_400, 7200))]).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.until_state("scheduled").await;
    page.until_text(".follow .news", "Your call is booked").await;
    page.until_text(".follow [part=wait]", "We’ll call you").await;
    let when = page.text(".follow [part=wait]").await;
    assert!(when.contains(':') && when.contains("20") && !when.contains('{'), "{when}");
    page.click("[data-action=cancel]").await;
    page.until_state("cancelled").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
