//! Every state of the form, as the gallery of the demo shows it: held against the guidelines, in every preset and colour scheme.

use ringback_contract::form::Preset;
use ringback_demo::gallery::scenes::{ALL, Scene};
use ringback_tests::browser::{Browser, Look};
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use serde_json::json;

/// A house whose site has a number of its own, and what is needed for every scene.
pub(super) async fn gallery() -> (House, Browser) {
    let house = House::with(|plan| {
        plan.with_website();
        plan.set("sites.acme.phone", "+1 202 555 0180");
    })
    .await;
    let browser = Browser::open().await;
    browser.bring_axe().await;
    // What is scrolled out of sight cannot be judged.
    browser.look(Look { height: 1600, ..Look::WIDE }).await;
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

async fn hold_against_the_guidelines(language: &str) {
    let (house, browser) = gallery().await;
    let mut wrong = Vec::new();
    for scene in ALL {
        play(&house, &browser, scene, language).await;
        let mut found = browser.complaints().await;
        found.extend(browser.violations().await);
        for preset in Preset::ALL {
            for scheme in ["light", "dark"] {
                dress(&browser, preset, scheme).await;
                found.extend(
                    browser
                        .violations_of_looks()
                        .await
                        .into_iter()
                        .map(|violation| format!("{preset:?} {scheme}: {violation}")),
                );
            }
        }
        wrong.extend(found.into_iter().map(|found| format!("{}: {found}", scene.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn no_state_breaks_a_guideline_from_left_to_right() {
    hold_against_the_guidelines("en").await;
}

#[tokio::test]
async fn no_state_breaks_a_guideline_from_right_to_left() {
    hold_against_the_guidelines("he").await;
}
