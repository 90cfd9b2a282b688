//! The plain form in a frame on a page of the site.

use ringback_tests::browser::Browser;
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
