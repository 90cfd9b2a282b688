//! The plain form in a frame on a page of the site.

use ringback_tests::browser::{Browser, Look};
use ringback_tests::eventually::eventually;
use serde_json::Value;
use webex_simulator::TaskState;

use super::{house, play_to};

fn last<'a>(told: &'a [Value], kind: &str) -> Option<&'a Value> {
    told.iter().rev().find(|message| message["type"] == format!("ringback:{kind}"))
}

#[tokio::test]
async fn a_form_in_a_frame_does_the_whole_job_and_tells_the_page_around_it() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    let form = browser.framed(&format!("{}/c/acme?level=plain&locale=de,en", house.url())).await;
    form.until_text("#title", "Wir rufen Sie zurück").await;
    // The page around it has a name of its own, and the widget was tried already.
    assert!(!form.has("header").await && !form.has("ringback-form").await);
    let ready =
        eventually("the frame says how tall it is", async || last(&browser.told().await, "ready").cloned())
            .await;
    assert_eq!(ready["origin"], house.url());
    assert!(ready["height"].as_u64().unwrap() > 400, "{ready}");

    browser.enter_frame().await;
    form.fill_in().await;
    form.fill("#phone", "555").await;
    form.click("button.primary").await;
    form.until_text("#phone-error", "zu kurz").await;
    form.fill("#phone", ringback_tests::visitor::PHONE).await;
    form.click("button.primary").await;
    form.element("#update").await;
    assert!(!form.has("header").await);
    let id = house.until_tasks(1).await.remove(0).attributes["RingbackRef"].clone();
    let told = eventually("the frame says that it was sent", async || {
        let told = browser.told().await;
        last(&told, "state").filter(|message| message["state"] == "requested")?;
        Some(told)
    })
    .await;
    assert_eq!(last(&told, "submitted").unwrap()["id"], id.as_str());
    play_to(&house, TaskState::Ended).await;
    eventually("the frame says that it is over", async || {
        let told = browser.told().await;
        let over = last(&told, "state")
            .filter(|message| message["state"] == "completed" && message["id"] == id.as_str());
        // Sent once, told once.
        assert_eq!(told.iter().filter(|message| message["type"] == "ringback:submitted").count(), 1);
        over.map(|_| ())
    })
    .await;
    // The page that held the form.
    let page = &house.tasks().await[0].attributes["Page"];
    assert!(page.starts_with(house.website()), "{page}");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_have_the_form_in_a_frame() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    browser.framed(&format!("{}/c/other?level=plain", house.url())).await;
    browser.told().await;
    eventually("the browser refuses", async || {
        browser.console().await.contains("frame-ancestors https://www.other.example").then_some(())
    })
    .await;
    assert!(browser.told().await.is_empty());
}

#[tokio::test]
async fn a_frame_that_is_shut_off_can_show_the_form_and_not_send_it() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    let form = browser.framed(&format!("{}/c/acme?level=plain", house.url())).await;
    browser.told().await;
    let shut_off = "const frame = document.querySelector('iframe'); frame.sandbox = 'allow-forms'; frame.src += '&again'";
    browser.script(shut_off, vec![]).await;
    browser.enter_frame().await;
    form.fill_in().await;
    form.click("button.primary").await;
    form.until_text(".alert", "can’t take call requests").await;
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn the_button_that_closes_a_plain_form_is_seen_and_keeps_off_its_title() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.forbid_wasm().await;
    let page = browser.page();
    let token = house.agent_token("acme", "grace", "30d");
    for locale in ["en", "ar"] {
        browser.look(Look::NARROW.in_dark()).await;
        browser.goto(&format!("{}/?ringback_agent={token}", house.website())).await;
        page.element("button.launch").await;
        // A page that knows one look, and runs from left to right, whatever the form does.
        let page_of_old = "
            document.documentElement.style.colorScheme = 'light';
            document.querySelector('ringback-launcher').dataset.locale = arguments[0];
        ";
        browser.script(page_of_old, vec![locale.into()]).await;
        page.click("button.launch").await;
        let form = page.enter_frame().await;
        form.element("#title").await;
        let title = "
            const words = document.createRange();
            words.selectNodeContents(document.querySelector('#title'));
            return [...words.getClientRects()].map(({ left, right, top, bottom }) => [left, right, top, bottom]);
        ";
        let lines = browser.script(title, vec![]).await;
        browser.leave_frame().await;
        let seen = "
            const panel = document.querySelector('ringback-launcher').shadowRoot.querySelector('.plain');
            const { x, y } = panel.querySelector('iframe').getBoundingClientRect();
            const cross = panel.querySelector('button').getBoundingClientRect();
            const covers = ([left, right, top, bottom]) =>
                left + x < cross.right && right + x > cross.left && top + y < cross.bottom && bottom + y > cross.top;
            if (panel.dir != arguments[1]) return null;
            return [arguments[0].filter(covers).length, getComputedStyle(panel.querySelector('button')).color];
        ";
        let direction = if locale == "ar" { "rtl" } else { "ltr" };
        let seen = eventually("the frame has told where its lines run", async || {
            let seen = browser.script(seen, vec![lines.clone(), direction.into()]).await;
            Some(seen).filter(|seen| !seen.is_null())
        });
        // Light on what is dark in the frame.
        assert_eq!(seen.await, serde_json::json!([0, "rgb(255, 255, 255)"]), "{locale}");
    }
}
