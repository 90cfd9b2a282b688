//! Every state of the form, as the gallery of the demo shows it: held against the guidelines, in every preset and colour scheme.

use ringback_contract::form::Preset;
use ringback_demo::gallery::scenes::{ALL, Scene};
use ringback_tests::browser::{Browser, Look};
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use serde_json::json;

use super::gallery_pictures::take_all;

/// A house whose site has a number of its own, and what is needed for every scene.
pub(super) async fn gallery() -> (House, Browser) {
    let house = House::with(|plan| {
        plan.with_website();
        plan.set("sites.acme.phone", "+1 202 555 0180");
    })
    .await;
    let browser = Browser::open().await;
    browser.bring_axe().await;
    (house, browser)
}

/// Goes to a scene, and waits until it has been played.
pub(super) async fn play(house: &House, browser: &Browser, scene: &Scene, language: &str) {
    let address = format!("{}/gallery/frame?state={}&lang={language}", house.website(), scene.name);
    browser.goto(&address).await;
    eventually(&format!("{} in {language}", scene.name), async || {
        let played = browser.script("return document.documentElement.dataset.played", vec![]).await;
        (played == "yes").then_some(())
    })
    .await;
}

/// Shows the same in another preset and other colours.
pub(super) async fn dress(browser: &Browser, preset: Preset, scheme: &str) {
    let script = "
        const [preset, scheme] = arguments;
        const host = document.querySelector('ringback-launcher, ringback-form');
        document.documentElement.dataset.scheme = host.dataset.theme = scheme;
        const frame = host.shadowRoot.querySelector('.frame');
        if (frame) frame.dataset.preset = preset;
    ";
    browser.script(script, vec![json!(preset.as_str()), json!(scheme)]).await;
}

/// The looks that are left once a state has been looked at as it opens, which is soft and light.
const LOOKS: [(Preset, &str); 5] = [
    (Preset::Soft, "dark"),
    (Preset::Plain, "light"),
    (Preset::Bold, "dark"),
    (Preset::Plain, "dark"),
    (Preset::Bold, "light"),
];

/// What is told of a state without a name, or without saying where the focus is.
async fn untold(browser: &Browser, scene: &Scene) -> Vec<String> {
    let told = browser.read_aloud().await;
    let needs_name =
        |line: &&String| !["status", "alert", "list", "note"].iter().any(|role| line.starts_with(role));
    let nameless = told.iter().filter(needs_name).filter(|line| line.contains("\"\""));
    let mut found: Vec<_> = nameless.map(|line| format!("without a name: {line}")).collect();
    let is_open = told.iter().any(|line| line.starts_with("dialog") && line.contains(" modal"));
    let focused = told.iter().filter(|line| line.contains(" focused")).count();
    // Of the frame of the plain form, the browser tells in a tree of its own.
    if is_open && focused != 1 && scene.name != "plain" {
        found.push(format!("the focus is on {focused} of {told:?}"));
    }
    found
}

/// What cannot be judged where it is scrolled out of sight is judged on a tall page.
const TALL: Look = Look { height: 1600, ..Look::WIDE };

/// Holds every state against the guidelines, in each of the looks, and against the edges of screens; takes pictures of it.
async fn judge_all(language: &str, looks: &[(Preset, &str)], pictures: &[Look]) {
    let (house, browser) = gallery().await;
    let mut wrong = Vec::new();
    for scene in ALL {
        browser.look(TALL).await;
        play(&house, &browser, scene, language).await;
        let mut found = browser.complaints().await;
        found.extend(browser.violations().await);
        found.extend(untold(&browser, scene).await);
        for (preset, scheme) in looks {
            dress(&browser, *preset, scheme).await;
            let violations = browser.violations_of_looks().await;
            found.extend(violations.into_iter().map(|violation| format!("{preset:?} {scheme}: {violation}")));
        }
        found.extend(take_all(&browser, &format!("gallery-{}-{language}", scene.name), pictures).await);
        wrong.extend(found.into_iter().map(|found| format!("{}: {found}", scene.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_state_keeps_the_guidelines_and_has_its_place_from_left_to_right() {
    let pictures = [Look::NARROW, Look::WIDE, Look::NARROW.in_dark(), Look::WIDE.in_dark()];
    judge_all("en", &LOOKS, &pictures).await;
}

#[tokio::test]
async fn every_state_keeps_the_guidelines_and_has_its_place_from_right_to_left() {
    judge_all("ar", &LOOKS, &[Look::NARROW, Look::WIDE, Look::NARROW.in_dark()]).await;
}

#[tokio::test]
async fn the_wall_shows_every_state_in_the_look_that_is_chosen_and_takes_no_focus() {
    let (house, browser) = gallery().await;
    browser.goto(&format!("{}/gallery", house.website())).await;
    let choose = "
        const [form] = document.forms;
        Object.entries(arguments[0]).forEach(([name, value]) => form.elements[name].value = value);
        form.querySelector('button').click();
    ";
    let chosen = json!({ "lang": "ja", "preset": "bold", "scheme": "dark", "color": "#ffcc00" });
    browser.script(choose, vec![chosen.clone()]).await;
    let shown = "
        const frame = document.querySelector('iframe[src*=\"state=form&\"]');
        const host = frame?.contentDocument?.querySelector('ringback-launcher');
        if (frame?.contentDocument.documentElement.dataset.played != 'yes') return null;
        const { locale: lang, preset, theme: scheme, color } = host.dataset;
        return { lang, preset, scheme, color };
    ";
    let shown = eventually("the form opens in its frame", async || {
        Some(browser.script(shown, vec![]).await).filter(|shown| !shown.is_null())
    });
    assert_eq!(shown.await, chosen);
    let focus = "return `${document.activeElement.localName} ${scrollY}`";
    assert_eq!(browser.script(focus, vec![]).await, "body 0");
    let pictures = browser.script("return document.querySelectorAll('figure iframe').length", vec![]).await;
    assert_eq!(pictures, ALL.len() + 1);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
