//! The pages that need no script, held against the guidelines in every look, and in the look of their site.

use ringback_contract::form::Preset;
use ringback_tests::browser::{Browser, Look};
use ringback_tests::house::House;
use serde_json::json;
use webex_simulator::Pace;

/// What is wrong with the page that is shown, in every look.
async fn hold_against_the_guidelines(browser: &Browser, name: &str, wrong: &mut Vec<String>) {
    let mut found = browser.violations().await;
    for preset in Preset::ALL {
        for theme in ["light", "dark"] {
            let script = "
                document.documentElement.dataset.theme = arguments[1];
                document.querySelector('.frame').dataset.preset = arguments[0];
            ";
            browser.script(script, vec![json!(preset.as_str()), json!(theme)]).await;
            let looks = browser.violations_of_looks().await;
            found.extend(looks.into_iter().map(|violation| format!("{preset:?} {theme}: {violation}")));
        }
    }
    wrong.extend(found.into_iter().map(|found| format!("{name}: {found}")));
}

#[tokio::test]
async fn no_page_without_script_breaks_a_guideline() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        plan.set("sites.acme.schedule.through", "store");
        plan.set("sites.acme.schedule.timezone", "America/New_York");
        plan.set("sites.acme.schedule.slot_minutes", 240);
        plan.set("sites.acme.phone", "+1 202 555 0180");
    })
    .await;
    let browser = Browser::open().await;
    browser.bring_axe().await;
    browser.forbid_wasm().await;
    // What is scrolled out of sight cannot be judged.
    browser.look(Look { height: 1800, ..Look::WIDE }).await;
    let mut wrong = Vec::new();
    let page = browser.plain();
    for locale in ["en", "he"] {
        browser.goto(&format!("{}/c/acme?locale={locale}", house.url())).await;
        page.element("form").await;
        hold_against_the_guidelines(&browser, "form", &mut wrong).await;
        page.fill("#phone", "12").await;
        page.click("button.primary").await;
        page.element("#problem").await;
        hold_against_the_guidelines(&browser, "errors", &mut wrong).await;
        page.fill_in().await;
        page.click("#schedule optgroup:nth-of-type(3) option").await;
        page.click("button.primary").await;
        page.element("[data-state=scheduled]").await;
        page.click("#move").await;
        hold_against_the_guidelines(&browser, "booked", &mut wrong).await;
        page.click("#cancel").await;
        page.element("[data-state=cancelled]").await;
        hold_against_the_guidelines(&browser, "called off", &mut wrong).await;
        browser.goto(&format!("{}/a/nonsense?locale={locale}", house.url())).await;
        page.element(".alert").await;
        hold_against_the_guidelines(&browser, "dead link", &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How the button of a page without script looks: its text, its ground, and the corners of a field above it.
async fn look(browser: &Browser) -> String {
    let script = "
        const of = selector => getComputedStyle(document.querySelector(selector));
        const { color, backgroundColor } = of('button.primary');
        return `${color} on ${backgroundColor}, ${of('#phone').borderTopLeftRadius}, ${getComputedStyle(document.documentElement).colorScheme}`;
    ";
    browser.script(script, vec![]).await.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn pages_without_script_have_the_look_of_their_site_or_what_the_page_around_says() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.set("sites.acme.theme.color", "#ffcc00");
        plan.set("sites.acme.theme.preset", "plain");
        plan.set("sites.acme.theme.font", "'Noto Serif', serif");
    })
    .await;
    let browser = Browser::open().await;
    browser.forbid_wasm().await;
    let page = browser.plain();
    let hosted = format!("{}/c/acme", house.url());
    browser.goto(&hosted).await;
    page.element("form").await;
    assert_eq!(look(&browser).await, "rgb(0, 0, 0) on rgb(255, 204, 0), 4px, light dark");
    // The style of this site alone breaks no rule of the page.
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    // What a page around says stays with the visitor, also when something is wrong.
    browser.goto(&format!("{hosted}?level=plain&color=%23004400&preset=bold&theme=dark")).await;
    page.element("form").await;
    let around = "rgb(255, 255, 255) on rgb(0, 68, 0), 0px, dark";
    assert_eq!(look(&browser).await, around);
    page.click("button.primary").await;
    page.element("#problem").await;
    assert_eq!(look(&browser).await, around);
    assert_eq!(browser.complaints().await, Vec::<String>::new());

    // What is no colour and no preset is as if it were not there.
    browser.goto(&format!("{hosted}?level=plain&color=red%7D&preset=loud&theme=%22")).await;
    page.element("form").await;
    assert_eq!(look(&browser).await, "rgb(0, 0, 0) on rgb(255, 204, 0), 4px, light dark");
}
