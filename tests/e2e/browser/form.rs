//! The whole job, by mouse and by keyboard.

use fantoccini::key::Key;
use ringback_contract::callback::State;
use ringback_tests::browser::{Browser, Look};
use ringback_tests::eventually::eventually;
use ringback_tests::visitor;
use webex_simulator::TaskState;

use super::{filled, house, opened, play_to, visit};

#[tokio::test]
async fn a_page_pays_for_the_loader_alone_until_a_visitor_wishes_to_be_called() {
    let house = house().await;
    let browser = visit(&house).await;
    browser.page().element("button.launch").await;
    assert_eq!(browser.fetched_from(house.url()).await, [format!("{}/widget.js", house.url())]);
    browser.page().open().await;
    // The last of them tells that the form was shown, for the operator to count.
    let fetched = eventually("everything is fetched", async || {
        Some(browser.fetched_from(house.url()).await).filter(|fetched| fetched.len() >= 5)
    })
    .await;
    for part in ["main.js", "ringback.wasm", "/form?", "/shown?level=wasm&reason=none"] {
        assert_eq!(fetched.iter().filter(|name| name.contains(part)).count(), 1, "{part}: {fetched:?}");
    }
    assert_eq!(fetched.len(), 5, "{fetched:?}");
    // The page keeps nothing about its visitors.
    let kept = browser.script("return document.cookie + localStorage.length + sessionStorage.length", vec![]);
    assert_eq!(kept.await, "00");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_visitor_asks_with_the_mouse_and_sees_the_call_happen() {
    let house = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.until_state("requested").await;
    for (step, state, title) in [
        (TaskState::Queued, "queued", "You’re in the queue"),
        (TaskState::Offered, "offered", "Someone is about to call you"),
        (TaskState::Connected, "connected", "You’re talking to us"),
        (TaskState::Ended, "completed", "The call has ended"),
    ] {
        play_to(&house, step).await;
        page.until_state(state).await;
        page.until_text(".follow .news", title).await;
    }
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.destination, visitor::PHONE_E164);
    assert_eq!(task.attributes["Name"], visitor::NAME);
    assert_eq!(task.attributes["CallReason"], "Orders");
    assert_eq!(task.attributes["Page"], format!("{}/", house.website()));
    let kinds: Vec<_> = browser.events().await.into_iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds[..4], ["open", "level", "before-submit", "submitted"]);
    assert!(kinds[4..].iter().all(|kind| kind == "state"), "{kinds:?}");
    // Who wants another call gets the form again.
    page.click("[data-action=again]").await;
    page.until_phase("editing").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_keyboard_alone_does_the_whole_job() {
    let house = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.element("button.launch").await;
    page.tab_to("launch").await;
    page.press(&[Key::Enter]).await;
    page.element("dialog[open] form").await;
    // The focus is in the first field.
    page.until_focused("name").await;
    page.fill_in_by_keys(visitor::PHONE).await;
    page.tab_to("send").await;
    page.press(&[Key::Enter]).await;
    page.until_state("requested").await;
    // A screen reader and the keyboard go on where the news are.
    page.until_focused("news").await;
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.attributes["CallReason"], "Orders");
    play_to(&house, TaskState::Ended).await;
    page.until_state("completed").await;
    page.tab_to("again").await;
    page.press(&[Key::Enter]).await;
    page.until_phase("editing").await;
}

#[tokio::test]
async fn the_focus_stays_in_the_dialog_and_goes_back_when_it_closes() {
    let house = house().await;
    let browser = opened(&house).await;
    let page = browser.page();
    page.fill("#name", visitor::NAME).await;
    // Through every control and around, never to the page behind it.
    let mut seen = Vec::new();
    for _ in 0..16 {
        page.press(&[Key::Tab]).await;
        let inside = browser.script(
            "return document.activeElement === document.body || document.activeElement.localName === 'ringback-launcher'",
            vec![],
        );
        assert_eq!(inside.await, true, "{seen:?}");
        seen.push(page.focused().await);
    }
    for id in ["phone", "email", "reason", "message", "consent", "send", "close"] {
        assert!(seen.iter().any(|name| name == id), "{id} is not reached: {seen:?}");
    }
    page.press(&[Key::Escape]).await;
    assert!(!page.shows("dialog").await);
    page.until_focused("launch").await;
    // What was typed is kept.
    page.press(&[Key::Enter]).await;
    page.element("dialog[open] form").await;
    assert_eq!(page.value("#name").await, visitor::NAME);
    page.click("[data-action=close]").await;
    assert!(!page.shows("dialog").await);
}

#[tokio::test]
async fn a_press_beside_the_dialog_closes_it_unless_it_began_inside_or_something_was_typed() {
    let house = house().await;
    let browser = opened(&house).await;
    let page = browser.page();
    let middle = "
        const { left, top, width, height } =
            document.querySelector('ringback-launcher').shadowRoot.querySelector('.intro').getBoundingClientRect();
        return [left + width / 2, top + height / 2];
    ";
    let inside = serde_json::from_value(browser.script(middle, vec![]).await).unwrap();
    let outside = (20.0, 400.0);
    // Who selects text up to its edge and beyond.
    page.drag(inside, outside).await;
    assert!(page.shows("dialog").await);
    page.drag(outside, outside).await;
    assert!(!page.shows("dialog").await);
    page.open().await;
    page.fill("#name", visitor::NAME).await;
    // Elsewhere: at the same place it could be the second click of a double one.
    page.drag((40.0, 200.0), (40.0, 200.0)).await;
    assert!(page.shows("dialog").await);
}

#[tokio::test]
async fn a_visitor_calls_it_off() {
    let house = house().await;
    house
        .control()
        .fault(&webex_simulator::Fault::status(webex_simulator::Operation::CreateTask, 503).times(1000))
        .await
        .unwrap();
    let browser = visit(&house).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.click("[data-action=cancel]").await;
    page.until_state("cancelled").await;
    page.until_text(".follow .news", "called off").await;
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn a_page_can_open_the_form_itself_and_in_its_language() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/rtl", house.website())).await;
    let page = browser.page();
    page.element("button.launch").await;
    browser.script("Ringback.open()", vec![]).await;
    page.element("dialog[open] form").await;
    let frame =
        "const frame = document.querySelector('ringback-launcher').shadowRoot.querySelector('.frame');";
    let direction = browser.script(&format!("{frame} return frame.dir + frame.lang"), vec![]).await;
    assert_eq!(direction, "rtlar");
    browser.script("Ringback.close()", vec![]).await;
    assert!(!page.shows("dialog").await);
}

#[tokio::test]
async fn what_the_browser_sends_is_what_the_contract_says() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/?visitor=ann#top", house.website())).await;
    let page = browser.page();
    page.open().await;
    page.fill("#name", visitor::NAME).await;
    page.fill("#phone", visitor::PHONE).await;
    page.click("#consent").await;
    page.send().await;
    page.until_state("requested").await;
    let id =
        browser.events().await.into_iter().find(|event| event["type"] == "submitted").unwrap()["id"].clone();
    let record = house.until(id.as_str().unwrap(), State::Requested).await;
    assert_eq!(record["site"], "acme");
    let task = house.until_tasks(1).await.remove(0);
    // Neither the query nor the fragment.
    assert_eq!(task.attributes["Page"], format!("{}/", house.website()));
    assert!(!task.attributes.contains_key("Email"));
}

#[tokio::test]
async fn an_empty_field_begins_where_its_language_does() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/rtl", house.website())).await;
    let page = browser.page();
    page.open().await;
    let direction = |id: &str| {
        let form = "document.querySelector('ringback-launcher').shadowRoot";
        format!("return getComputedStyle({form}.getElementById('{id}')).direction")
    };
    for (id, expected) in [("name", "rtl"), ("message", "rtl"), ("phone", "ltr"), ("email", "ltr")] {
        assert_eq!(browser.script(&direction(id), vec![]).await, expected, "{id}");
    }
}

#[tokio::test]
async fn who_sends_by_a_key_in_a_field_has_the_focus_on_the_button_while_the_fields_are_locked() {
    let mut house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    house.kill().await;
    page.fill("#email", visitor::EMAIL).await;
    page.press(&[Key::Enter]).await;
    page.until_phase("unclear").await;
    page.until_focused("send").await;
}

#[tokio::test]
async fn what_has_the_focus_is_not_under_the_title_nor_the_row_of_the_button_that_closes() {
    let house = house().await;
    let browser = Browser::open().await;
    // A title of three lines.
    let token = house.agent_token("acme", "grace", "30d");
    let address = format!("{}/?ringback_agent={token}", house.website());
    for height in [400, 640] {
        browser.look(Look { width: 320, height, dark: false }).await;
        browser.goto(&address).await;
        let page = browser.page();
        page.open().await;
        page.tab_to("send").await;
        // Upwards, since what comes into sight there comes in at the upper edge.
        let hidden = "
            const { shadowRoot } = document.querySelector('ringback-launcher');
            const { top, left, width } = shadowRoot.activeElement.getBoundingClientRect();
            const close = shadowRoot.querySelector('.close').getBoundingClientRect();
            return top < close.bottom || !shadowRoot.elementFromPoint(left + width / 2, top + 2).matches(':focus');
        ";
        while page.focused().await != "name" {
            page.select_with_shift(Key::Tab, 1).await;
            assert_eq!(browser.script(hidden, vec![]).await, false, "{}", page.focused().await);
        }
    }
}

#[tokio::test]
async fn a_form_with_every_field_is_seen_whole_on_a_desktop() {
    let house = house().await;
    let browser = opened(&house).await;
    assert_eq!(browser.page().controls().await.len(), 9);
    let hidden = "
        const { scrollHeight, clientHeight } = document.querySelector('ringback-launcher').shadowRoot.querySelector('.body');
        return scrollHeight - clientHeight;
    ";
    assert_eq!(browser.script(hidden, vec![]).await, 0);
}

#[tokio::test]
async fn what_is_locked_can_still_be_read() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    browser.set_offline(true).await;
    page.send().await;
    page.until_phase("waiting").await;
    let opacity = "
        let opacity = 1;
        for (let at = document.querySelector('ringback-launcher').shadowRoot.querySelector('#name'); at; at = at.parentElement)
            opacity *= getComputedStyle(at).opacity;
        return opacity;
    ";
    assert_eq!(browser.script(opacity, vec![]).await, 0.6);
}
