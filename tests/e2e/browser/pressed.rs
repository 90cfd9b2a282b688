//! The form on a site that is pressed: it works while the visitor types, and nobody notices.

use ringback_tests::browser::Browser;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use webex_simulator::Pace;

async fn pressed(calm_per_minute: i64) -> House {
    House::with(|plan: &mut Plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        plan.set("proof.calm_per_minute", calm_per_minute);
        plan.set("proof.least_bits", 12);
        plan.set("proof.most_bits", 14);
    })
    .await
}

#[tokio::test]
async fn the_form_proves_its_work_and_the_next_call_has_work_of_its_own() {
    let house = pressed(0).await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.until_state("requested").await;
    house.command(&["callbacks", "list"]);
    let task = house.until_tasks(1).await.remove(0);
    house.control().advance_to(&task.id, webex_simulator::TaskState::Ended).await.unwrap();
    page.until_state("completed").await;
    page.click("[data-action=again]").await;
    page.until_phase("editing").await;
    page.send().await;
    page.until_phase("following").await;
    house.until_tasks(2).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_form_that_was_opened_in_calm_times_proves_its_work_when_it_is_asked() {
    let house = pressed(1).await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.open().await;
    page.fill_in().await;
    // Meanwhile the site is pressed.
    for number in 100..103 {
        let phone = serde_json::json!({ "phone": format!("+1 202 555 0{number}") });
        house.send(house.post(&ringback_tests::visitor::request_with(phone))).await;
    }
    page.send().await;
    page.until_phase("following").await;
    // The refusal that asked for work is all that the browser's console may tell.
    let complaints = browser.complaints().await;
    assert_eq!(complaints, Vec::<String>::new());
}
