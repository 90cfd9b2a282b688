//! The whole job by keys alone, in every state: the focus is always somewhere, always seen, and goes where the visitor goes on.

use fantoccini::key::Key;
use ringback_tests::browser::Browser;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::page::Page;
use ringback_tests::plan::{API_KEY, Plan};
use ringback_tests::visitor;
use webex_simulator::{Effect, Failure, Fault, Operation, Pace, TaskState};

use super::{PATIENT, play_to};

/// Watches in each moment in which a focus is lost: none may be, while a form is open.
const WATCH_FOCUS: &str = "
    window.lost = [];
    window.last = '';
    // From the last control, Tab goes on in the browser's own.
    addEventListener('keydown', event => window.last = event.key, true);
    const look = () => {
        const host = document.querySelector('ringback-launcher');
        const open = host?.shadowRoot?.querySelector('dialog[open]');
        const inside = host?.shadowRoot?.activeElement;
        // A browser moves the focus in two steps: what counts is what a visitor meets, between two pictures.
        if (open && !inside && last != 'Tab') lost.push(open.parentNode.dataset.phase + ' ' + (host.dataset.state ?? ''));
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
";

/// A house whose callbacks wait until Webex is back. It is open at all hours, offers times, and takes no number of another country.
async fn away() -> House {
    let house = House::with(|plan: &mut Plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        plan.set("delivery.retry_s", vec![3600]);
        crate::slots::open_mornings(plan, "America/New_York");
        for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] {
            plan.set(&format!("sites.acme.hours.{day}"), vec!["00:00-24:00"]);
        }
    })
    .await;
    let refused = Fault::new(Operation::CreateTask, Effect::Status(Failure::status(429))).times(u32::MAX);
    house.control().fault(&refused).await.unwrap();
    house
}

/// Waits until the service has tried to send what was asked for last, and will not for an hour: what it says can be done stays so.
async fn until_tried_in_vain(house: &House) {
    eventually("it was tried in vain", async || {
        let id = house.callbacks().await.remove(0)["id"].as_str().expect("an id").to_owned();
        let tries = house.requests_of(&id).await;
        (!tries.is_empty() && house.record(&id).await["state"] == "accepted").then_some(())
    })
    .await;
}

/// Goes by Tab from where the focus is to the last that can be reached, and gives all: each with a ring that is seen.
async fn walk(page: &Page<'_>, last: &str) -> Vec<String> {
    let mut seen = vec![page.focused().await];
    while seen.last().is_none_or(|name| name != last) {
        assert!(seen.len() < 30, "{last} is not reached: {seen:?}");
        page.press(&[Key::Tab]).await;
        let name = page.focused().await;
        assert!(page.has_ring().await, "{name} has no ring");
        seen.push(name);
    }
    seen
}

/// Goes to an element, and presses a key on it.
async fn press_on(page: &Page<'_>, name: &str, key: Key) {
    page.tab_to(name).await;
    assert!(page.has_ring().await, "{name} has no ring");
    page.press(&[key]).await;
}

/// Fills in all but the number, in whose place something else is typed.
async fn fill_in(page: &Page<'_>) {
    page.until_focused("name").await;
    page.fill_in_by_keys("12").await;
}

/// From the open form to the form for the next call.
async fn ask_change_call_off_and_ask_again(house: &House, page: &Page<'_>) {
    page.until_focused("name").await;
    // Nothing is filled in: the first error has the focus, and says what is wrong.
    press_on(page, "send", Key::Enter).await;
    page.until_focused("name").await;
    assert!(page.has_ring().await && page.shows("#name-error").await);
    fill_in(page).await;
    // Then the next that is wrong.
    press_on(page, "send", Key::Enter).await;
    page.until_focused("phone").await;
    assert!(page.has_ring().await && page.shows("#phone-error").await);
    page.select_all().await;
    page.type_text(visitor::PHONE_E164).await;
    // Enter in a field sends, as everywhere.
    page.press(&[Key::Enter]).await;
    page.until_phase("following").await;
    page.until_focused("news").await;

    until_tried_in_vain(house).await;
    // The page may hear late that it was sent in vain: meanwhile there is no such button, and a key goes nowhere.
    let has_ring = eventually("another number is asked for", async || {
        page.element("[data-action=number]").await;
        page.tab_to("number").await;
        let has_ring = page.has_ring().await;
        page.press(&[Key::Enter]).await;
        (page.focused().await == "other-phone").then_some(has_ring)
    });
    assert!(has_ring.await, "number has no ring");
    press_on(page, "keep", Key::Enter).await;
    page.until_focused("news").await;
    press_on(page, "number", Key::Space).await;
    page.until_focused("other-phone").await;
    page.select_all().await;
    page.type_text("+12025550177").await;
    page.press(&[Key::Enter]).await;
    page.until_focused("news").await;
    assert!(!page.shows("#other-phone").await);

    press_on(page, "cancel", Key::Enter).await;
    page.until_state("cancelled").await;
    // The button is gone, and the focus is not.
    page.until_focused("news").await;
    press_on(page, "again", Key::Enter).await;
    page.until_focused("name").await;
    assert_eq!(page.value("#name").await, visitor::NAME);
    house.control().clear_faults().await.unwrap();
}

/// A time is chosen, and another.
async fn book_move_and_call_off(house: &House, page: &Page<'_>) {
    page.tab_to("form.now").await;
    assert!(page.has_ring().await);
    page.press(&[Key::Down]).await;
    page.until_focused("form.later").await;
    page.element(".slots:not([hidden])").await;
    for select in ["day", "time"] {
        page.tab_to(select).await;
        assert!(page.has_ring().await);
        page.press(&[Key::Down]).await;
    }
    press_on(page, "send", Key::Enter).await;
    page.until_state("scheduled").await;
    page.until_focused("news").await;
    let booked = house.callbacks().await.remove(0)["schedule"].clone();
    page.element("[data-action=move]").await;
    press_on(page, "move", Key::Enter).await;
    page.until_focused("day").await;
    page.tab_to("time").await;
    page.press(&[Key::Down]).await;
    press_on(page, "save", Key::Enter).await;
    page.until_focused("move").await;
    eventually("it is moved", async || {
        (house.callbacks().await.remove(0)["schedule"] != booked).then_some(())
    })
    .await;
    // Closed and opened again, it still is there.
    page.press(&[Key::Escape]).await;
    page.until_focused("launch").await;
    page.press(&[Key::Enter]).await;
    page.until_focused("news").await;
    press_on(page, "cancel", Key::Space).await;
    page.until_state("cancelled").await;
    page.until_focused("news").await;
    press_on(page, "again", Key::Enter).await;
    page.until_focused("name").await;
    page.tab_to("form.later").await;
    page.press(&[Key::Up]).await;
    page.until_focused("form.now").await;
}

/// The call comes, and the focus stays where it is.
async fn be_called(house: &House, page: &Page<'_>) {
    press_on(page, "send", Key::Enter).await;
    page.until_state("requested").await;
    page.until_focused("news").await;
    for (step, state) in
        [(TaskState::Queued, "queued"), (TaskState::Connected, "connected"), (TaskState::Ended, "completed")]
    {
        play_to(house, step).await;
        page.until_state(state).await;
        page.until_focused("news").await;
    }
}

async fn in_a_dialog(path: &str) {
    let house = away().await;
    let browser = Browser::open().await;
    browser.before_each_page(WATCH_FOCUS).await;
    browser.goto(&format!("{}{path}", house.website())).await;
    let page = browser.page();
    page.element("button.launch").await;
    press_on(&page, "launch", Key::Enter).await;
    page.element("dialog[open] form").await;
    page.until_focused("name").await;
    // Every control in the order in which it stands, and the way out last; then around, and never to the page behind.
    let seen = walk(&page, "close").await;
    assert_eq!(seen, page.controls().await);
    page.press(&[Key::Escape]).await;
    page.until_focused("launch").await;
    assert!(page.has_ring().await);
    page.press(&[Key::Space]).await;
    ask_change_call_off_and_ask_again(&house, &page).await;
    book_move_and_call_off(&house, &page).await;
    be_called(&house, &page).await;
    press_on(&page, "close", Key::Enter).await;
    page.until_focused("launch").await;
    assert!(page.has_ring().await);
    let lost = browser.script("return [...new Set(lost)]", vec![]).await;
    assert_eq!(lost, serde_json::json!([]));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn in_a_dialog_from_left_to_right() {
    in_a_dialog("/").await;
}

#[tokio::test]
async fn in_a_dialog_from_right_to_left() {
    in_a_dialog("/rtl").await;
}

#[tokio::test]
async fn in_a_form_on_a_page_which_lets_the_focus_go() {
    let house = away().await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/c/acme", house.url())).await;
    let page = browser.form_in("ringback-form");
    page.until_inline().await;
    page.tab_to("name").await;
    let seen = walk(&page, "send").await;
    assert_eq!(seen, page.controls().await);
    // Behind the last control the page goes on.
    page.press(&[Key::Tab]).await;
    let outside = "return document.activeElement?.localName !== 'ringback-form'";
    assert_eq!(browser.script(outside, vec![]).await, true);
    page.tab_to("name").await;
    ask_change_call_off_and_ask_again(&house, &page).await;
    be_called(&house, &page).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn without_a_network_and_without_an_answer() {
    let mut house = away().await;
    let browser = Browser::open().await;
    browser.before_each_page(&[PATIENT, WATCH_FOCUS].concat()).await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.element("button.launch").await;
    press_on(&page, "launch", Key::Enter).await;
    page.element("dialog[open] form").await;
    fill_in(&page).await;
    page.tab_to("phone").await;
    page.select_all().await;
    page.type_text(visitor::PHONE_E164).await;
    browser.set_offline(true).await;
    page.press(&[Key::Enter]).await;
    page.until_phase("waiting").await;
    page.until_focused("send").await;
    assert!(page.has_ring().await);
    // What is locked is passed over.
    assert_eq!(walk(&page, "close").await, ["send", "hold", "close"]);
    press_on(&page, "hold", Key::Enter).await;
    page.until_focused("name").await;
    browser.set_offline(false).await;
    house.kill().await;
    page.press(&[Key::Enter]).await;
    page.until_phase("unclear").await;
    page.until_focused("send").await;
    assert_eq!(walk(&page, "close").await, ["send", "hold", "close"]);
    house.start().await;
    press_on(&page, "send", Key::Enter).await;
    page.until_phase("following").await;
    page.until_focused("news").await;
    let lost = browser.script("return [...new Set(lost)]", vec![]).await;
    assert_eq!(lost, serde_json::json!([]));
}

#[tokio::test]
async fn on_the_plain_pages() {
    let house = away().await;
    let browser = Browser::open().await;
    browser.forbid_scripts().await;
    browser.goto(&format!("{}/c/acme", house.url())).await;
    let (keys, plain) = (browser.page(), browser.plain());
    let press_on = async |name: &str| {
        keys.tab_to(name).await;
        assert!(keys.has_ring().await, "{name} has no ring");
        keys.press(&[Key::Enter]).await;
    };
    keys.tab_to("name").await;
    keys.type_text(visitor::NAME).await;
    keys.tab_to("phone").await;
    keys.type_text("12").await;
    keys.press(&[Key::Enter]).await;
    // The summary of what is wrong has the focus, and leads there.
    plain.element("#problem").await;
    keys.until_focused("problem").await;
    keys.press(&[Key::Tab, Key::Enter]).await;
    keys.until_focused("phone").await;
    assert!(keys.has_ring().await);
    keys.select_all().await;
    keys.type_text(visitor::PHONE_E164).await;
    keys.tab_to("consent").await;
    keys.press(&[Key::Space, Key::Enter]).await;
    plain.element("#cancel").await;
    let path = plain.address().await;
    let path = path.strip_prefix(house.url()).unwrap().split('?').next().unwrap();
    house.private.add(path.strip_prefix("/f/").unwrap());
    until_tried_in_vain(&house).await;
    // A page that comes anew by itself takes the focus along: it is asked to stand still, however often it comes meanwhile.
    for steps in 0.. {
        if !plain.has("#still").await {
            break;
        }
        assert!(steps < 200, "the page does not stand still");
        keys.press(&[Key::Tab]).await;
        if keys.focused().await == "still" {
            keys.press(&[Key::Enter]).await;
        }
    }
    plain.element("#cancel").await;
    press_on("cancel").await;
    plain.until_text("#title", "Your call was called off").await;
    let listed = house.request(reqwest::Method::GET, "/v1/callbacks").bearer_auth(API_KEY);
    assert_eq!(house.send(listed).await.ok()["callbacks"][0]["state"], "cancelled");
    press_on("again").await;
    plain.element("#phone").await;
}
