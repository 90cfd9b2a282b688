//! A page whose policy forbids everything but what the documentation says the form needs.

use ringback_tests::browser::Browser;
use webex_simulator::TaskState;

use super::{house, play_to};

#[tokio::test]
async fn the_form_does_its_whole_job_under_a_strict_policy_and_breaks_no_rule_of_it() {
    let house = house().await;
    let address = format!("{}/strict", house.website());
    let policy = house.http.get(&address).send().await.unwrap();
    let policy = policy.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");

    let browser = Browser::open().await;
    browser.goto(&address).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.until_state("requested").await;
    play_to(&house, TaskState::Ended).await;
    page.until_state("completed").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    let console = browser.console().await;
    assert!(!console.contains("Content Security Policy"), "{console}");
    // The styles came in all the same.
    let radius = "return getComputedStyle(document.querySelector('ringback-launcher').shadowRoot\
                  .querySelector('dialog')).borderTopLeftRadius";
    assert_ne!(browser.script(radius, vec![]).await, "0px");
}
