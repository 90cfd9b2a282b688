//! What the browser may fill in for a visitor, and what becomes of a number however it is written.

use ringback_tests::browser::Browser;
use serde_json::{Value, json};

use super::house;

#[tokio::test]
async fn each_field_tells_the_browser_what_it_can_fill_in() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    browser.page().open().await;
    let token = |id: &str| {
        let form = "document.querySelector('ringback-launcher').shadowRoot";
        format!("return {form}.getElementById('{id}').getAttribute('autocomplete')")
    };
    for (id, expected) in [
        ("name", json!("name")),
        ("phone", json!("tel")),
        ("country", json!("tel-country-code")),
        ("email", json!("email")),
        // What a visitor wants to say today, no browser knows.
        ("message", Value::Null),
    ] {
        assert_eq!(browser.script(&token(id), vec![]).await, expected, "{id}");
    }
}

#[tokio::test]
async fn a_number_stays_as_it_was_separated_and_is_dialled_as_it_is_meant() {
    let house = house().await;
    let browser = Browser::open().await;
    let numbers = [
        ("(202) 555-0143", "(202) 555-0143", "+12025550143"),
        ("tel:+1-202-555-0144", "tel:+1-202-555-0144", "+12025550144"),
        // Begun with digits alone: the groups are the form's.
        ("+1.202.555.0145", "+1 202-555-0145", "+12025550145"),
        (" 202 555 0146", " 202 555 0146", "+12025550146"),
    ];
    for (before, (written, shown, dialled)) in numbers.into_iter().enumerate() {
        browser.goto(house.website()).await;
        let page = browser.page();
        page.open().await;
        page.fill_in().await;
        page.fill("#phone", written).await;
        assert_eq!(page.value("#phone").await, shown);
        page.send().await;
        page.until_state("requested").await;
        let tasks = house.until_tasks(before + 1).await;
        assert!(tasks.iter().any(|task| task.destination == dialled), "{written}: {tasks:?}");
        // The next visitor of the same tab begins anew.
        browser.script("sessionStorage.clear()", vec![]).await;
    }
}
