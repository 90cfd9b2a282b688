//! The description of the API as a page.

use ringback_tests::browser::Browser;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;

#[tokio::test]
async fn the_page_shows_every_operation_from_our_own_files_under_a_strict_policy() {
    let house = House::open().await;
    let page = house.get("/docs").await;
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let browser = Browser::open().await;
    browser.goto(&format!("{}/docs", house.url())).await;
    let shown = "return [...document.querySelectorAll('.opblock-summary-path')].map(path => path.innerText)";
    eventually("every operation is shown", async || {
        let shown = browser.script(shown, vec![]).await;
        (shown.as_array().is_some_and(|paths| paths.len() >= 9)).then_some(())
    })
    .await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    let console = browser.console().await;
    assert!(!console.contains("Content Security Policy"), "{console}");
    // The licence goes with what it is about.
    assert!(house.get("/docs/LICENSE").await.text().contains("Apache License"));
    house.get("/docs/other.js").await.problem(ringback_contract::problem::Kind::NotFound);
}
