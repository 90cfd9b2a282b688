//! A visitor whose browser fills the form in, and who sends it at once: a person all the same.

use ringback_contract::callback::State;
use ringback_tests::browser::Browser;
use ringback_tests::figures::Figures;
use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::json;

/// Fills the form in and sends it in the very moment in which it is drawn.
const AT_ONCE: &str = "
    const [name, phone, email] = arguments;
    const hurry = () => {
        const root = document.querySelector('ringback-launcher')?.shadowRoot;
        const button = root?.querySelector('[data-action=send]');
        if (!button) return requestAnimationFrame(hurry);
        for (const [id, value] of Object.entries({ name, phone, email, reason: 'orders' })) {
            const field = root.getElementById(id);
            field.value = value;
            for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
        }
        root.getElementById('consent').click();
        button.click();
        window.sent = Date.now();
    };
    hurry();
";

#[tokio::test]
async fn a_form_that_is_filled_in_by_the_browser_and_sent_at_once_is_a_persons() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.set("limits.typing_ms", 4000);
    })
    .await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    browser.script(AT_ONCE, vec![json!(visitor::NAME), json!(visitor::PHONE), json!(visitor::EMAIL)]).await;
    let page = browser.page();
    page.open().await;
    page.until_state(State::Completed.as_str()).await;
    assert_eq!(house.until_tasks(1).await[0].attributes["Name"], visitor::NAME);
    assert_eq!(Figures::of(&house).await.count("ringback_sieved_total", &[]), 0);
}
