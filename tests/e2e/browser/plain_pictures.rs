//! Pictures of the pages that need no script, at both widths, in light, dark and from right to left: `target/screenshots`.

use ringback_tests::browser::{Browser, Look};
use ringback_tests::house::House;
use ringback_tests::screenshot::take;
use webex_simulator::TaskState;

use super::{house, play_to};

async fn take_all(look: Look, locale: &str) {
    let house = house().await;
    let browser = Browser::open().await;
    browser.look(look).await;
    let page = browser.scriptless().await;
    let name = |name: &str| format!("plain-{name}-{locale}");
    browser.goto(&format!("{}/c/acme?locale={locale}", house.url())).await;
    page.element("form").await;
    take(&browser, &name("1-form"), look).await;
    page.fill("#name", "Ann Example").await;
    page.fill("#phone", "12").await;
    page.fill("#email", "ann@").await;
    page.click("button.primary").await;
    page.element("#problem").await;
    take(&browser, &name("2-errors"), look).await;
    page.fill_in().await;
    page.click("button.primary").await;
    page.element("[data-state=requested]").await;
    take(&browser, &name("3-requested"), look).await;
    play_to(&house, TaskState::Ended).await;
    page.element("[data-state=completed]").await;
    take(&browser, &name("4-completed"), look).await;
    browser.goto(&format!("{}/a/nonsense", house.url())).await;
    take(&browser, &name("5-dead"), look).await;
}

#[tokio::test]
async fn pictures_of_the_plain_pages_on_a_telephone() {
    take_all(Look::NARROW, "en").await;
    take_all(Look::NARROW, "ar").await;
}

#[tokio::test]
async fn pictures_of_the_plain_pages_on_a_desktop_in_the_dark() {
    take_all(Look::WIDE.in_dark(), "de").await;
}

#[tokio::test]
async fn pictures_of_a_booked_callback_without_scripts() {
    let house = House::with(|plan| {
        plan.set("sites.acme.schedule.through", "store");
        plan.set("sites.acme.schedule.timezone", "America/New_York");
        plan.set("sites.acme.schedule.slot_minutes", 240);
    })
    .await;
    for (look, locale) in [(Look::NARROW, "en"), (Look::NARROW.in_dark(), "he"), (Look::WIDE, "ja")] {
        let browser = Browser::open().await;
        browser.look(look).await;
        let page = browser.scriptless().await;
        browser.goto(&format!("{}/c/acme?locale={locale}", house.url())).await;
        page.fill_in().await;
        page.click("#schedule optgroup:nth-of-type(3) option").await;
        page.click("button.primary").await;
        page.element("[data-state=scheduled]").await;
        page.click("#move").await;
        take(&browser, &format!("plain-6-booked-{locale}"), look).await;
        page.click("#schedule optgroup:nth-of-type(5) option").await;
        page.click("#save").await;
        page.element("[data-state=scheduled]").await;
        page.click("#cancel").await;
        page.element("[data-state=cancelled]").await;
        take(&browser, &format!("plain-7-called-off-{locale}"), look).await;
    }
}
