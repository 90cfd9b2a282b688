//! What is told of every state of the form to those who do not look, and in every language.

use ringback::locale;
use ringback_contract::form::{Direction, Preset};
use ringback_demo::gallery::scenes::Scene;
use ringback_tests::browser::Browser;
use serde_json::Value;

use super::gallery::{dress, gallery, play};
use super::gallery_pictures::{NARROWEST, misplaced};

const DIALOG: &str = "dialog \"We’ll call you back\" modal";
const TITLE: &str = "heading \"We’ll call you back\"";
const EMAIL: &str = "textbox \"Email address (optional)\"";
const REASON: &str = "combobox \"What is it about? (optional)\"";
const MESSAGE: &str = "textbox \"Anything we should know? (optional)\"";
const CONSENT: &str = "checkbox \"I agree that Acme Outdoor calls me about my request.\"";
const COUNTRY: &str = "combobox \"Country of the number\"";
const PHONE: &str = "textbox \"Phone number\" required";
const SEND: &str = "button \"Call me back\"";
const CLOSE: &str = "button \"Close\"";
const NEWS: &str = "status \"\"";
const STEPS: &str = "list \"\"";
const OWN_NUMBER: &str = "link \"+1 202 555 0180\"";

/// What is told of some states, beside the heading of the page. Of each there is the way to it in the gallery.
const TOLD: [(&str, &[&str]); 10] = [
    ("launcher", &[SEND]),
    ("launcher-kept", &["button \"You’re in the queue\""]),
    (
        "form",
        &[
            DIALOG,
            TITLE,
            "textbox \"Your name\" required focused",
            COUNTRY,
            PHONE,
            EMAIL,
            REASON,
            MESSAGE,
            CONSENT,
            SEND,
            CLOSE,
        ],
    ),
    (
        "errors",
        &[
            DIALOG,
            TITLE,
            "textbox \"Your name\" required invalid focused (Please fill in this field.)",
            COUNTRY,
            "textbox \"Phone number\" required invalid (This number is too short. Please check it.)",
            "textbox \"Email address (optional)\" invalid (Please enter an email address such as name@example.com.)",
            REASON,
            MESSAGE,
            "checkbox \"I agree that Acme Outdoor calls me about my request.\" invalid (Please agree, so that we may call you.)",
            "alert \"\"",
            SEND,
            OWN_NUMBER,
            CLOSE,
        ],
    ),
    (
        "times",
        &[
            DIALOG,
            TITLE,
            "textbox \"Your name\" required",
            COUNTRY,
            PHONE,
            EMAIL,
            REASON,
            MESSAGE,
            "radio \"As soon as possible\"",
            "radio \"At a time I choose\" checked focused",
            "combobox \"Day\"",
            "combobox \"Time\"",
            CONSENT,
            SEND,
            CLOSE,
        ],
    ),
    (
        "scheduled",
        &[
            DIALOG,
            NEWS,
            "heading \"Your call is booked\" focused",
            STEPS,
            "button \"Change the number\"",
            "link \"Add to calendar\"",
            "button \"Choose another time\"",
            "button \"Call it off\"",
            CLOSE,
        ],
    ),
    ("queued", &[DIALOG, NEWS, "heading \"You’re in the queue\" focused", STEPS, CLOSE]),
    (
        "number-claimed",
        &[
            DIALOG,
            NEWS,
            "heading \"We’ve received your request\"",
            STEPS,
            "button \"Change the number\"",
            COUNTRY,
            "textbox \"Phone number\" invalid focused (We are about to call this number already. Please give another one.)",
            "button \"Call this number\"",
            "button \"Keep the number\"",
            "button \"Call it off\"",
            CLOSE,
        ],
    ),
    (
        "not-connected",
        &[
            DIALOG,
            NEWS,
            "heading \"We couldn’t call you\" focused",
            "button \"Ask for another call\"",
            OWN_NUMBER,
            CLOSE,
        ],
    ),
    ("link", &["button \"Call me back\" focused", "link \"Call me back ↗\""]),
];

#[tokio::test]
async fn what_can_be_used_in_a_state_is_told_by_its_role_its_name_and_its_state() {
    let (house, browser) = gallery().await;
    for (name, expected) in TOLD {
        let scene = Scene::of(name).expect("a scene");
        play(&house, &browser, scene, "en").await;
        let mut told = browser.read_aloud().await;
        // Of the page itself, as long as nothing stands above it.
        told.retain(|line| *line != format!("heading {:?}", scene.title));
        assert_eq!(told, expected, "{name}");
    }
}

/// What stands in the form, with the language and the direction that it says it has.
async fn shown(browser: &Browser) -> Value {
    let script = "
        const host = document.querySelector('ringback-launcher, ringback-form');
        const walker = document.createTreeWalker(host.shadowRoot, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
        const texts = [];
        for (let node = walker.nextNode(); node; node = walker.nextNode())
            texts.push(node.nodeType == Node.TEXT_NODE ? node.data : node.ariaLabel ?? '');
        const frame = host.shadowRoot.querySelector('.frame');
        const { direction } = getComputedStyle(host.shadowRoot.querySelector('h2'));
        return { texts, lang: frame.lang, dir: frame.dir, direction };
    ";
    browser.script(script, vec![]).await
}

/// What stands where a text is missing, is the key of that text; and the mark of a value that was not put in is left.
fn is_missing(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    text.contains('{') || text.contains("undefined") || (text.contains('.') && text.split('.').all(is_word))
}

#[tokio::test]
async fn every_language_says_everything_in_its_own_direction_and_has_its_place() {
    let (house, browser) = gallery().await;
    browser.look(NARROWEST).await;
    // Each says what others do not.
    let scenes = ["times", "errors", "moving", "queued"];
    let languages = locale::names();
    assert_eq!(languages.len(), 16);
    for language in languages {
        let direction = match locale::exact(language).expect("a language").direction {
            Direction::Ltr => "ltr",
            Direction::Rtl => "rtl",
        };
        for name in scenes {
            play(&house, &browser, Scene::of(name).expect("a scene"), language).await;
            let shown = shown(&browser).await;
            let said = [&shown["lang"], &shown["dir"], &shown["direction"]];
            assert_eq!(said, [language, direction, direction], "{name} in {language}");
            let texts: Vec<String> = serde_json::from_value(shown["texts"].clone()).expect("texts");
            let missing: Vec<_> = texts.iter().filter(|text| is_missing(text.trim())).collect();
            assert!(texts.len() > 10 && missing.is_empty(), "{name} in {language}: {missing:?}");
            for preset in Preset::ALL {
                dress(&browser, preset, "light").await;
                assert_eq!(
                    misplaced(&browser).await,
                    Vec::<String>::new(),
                    "{name} in {language}, {preset:?}"
                );
            }
        }
    }
}
