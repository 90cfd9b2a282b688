//! After sending: what the visitor sees, can still change, and finds again.

use fantoccini::key::Key;
use ringback_tests::browser::Browser;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::{Effect, Failure, Fault, Operation, Pace, TaskState, organization};

use super::{asked, filled, house, play_to, visit};

/// Another number of the visitor.
const OTHER: &str = "+1 202 555 0177";
/// The same as it is grouped.
const GROUPED: &str = "+1 202-555-0177";

/// A house whose callbacks wait until Webex is back; it is asked again after so many seconds.
async fn away(retry_s: i64) -> House {
    let house = House::with(|plan: &mut Plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        plan.set("delivery.retry_s", vec![retry_s]);
    })
    .await;
    let refused = Fault::new(Operation::CreateTask, Effect::Status(Failure::status(429))).times(u32::MAX);
    house.control().fault(&refused).await.unwrap();
    house
}

async fn until_forgotten(browser: &Browser) {
    let kept = async || browser.script("return sessionStorage['ringback/acme'] ?? null", vec![]).await;
    eventually("nothing is kept", async || kept().await.is_null().then_some(())).await;
}

#[tokio::test]
async fn who_waits_is_told_which_number_will_call() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        plan.set("sites.acme.ani", organization::SECOND_ANI);
    })
    .await;
    let browser = asked(&house).await;
    let page = browser.page();
    page.until_state("requested").await;
    page.until_text(".follow [part=from]", "The call will come from \u{2066}+1").await;
    let told = page.text(".follow [part=from]").await;
    let digits: String = told.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(format!("+{digits}"), organization::SECOND_ANI);
    play_to(&house, TaskState::Connected).await;
    page.until_state("connected").await;
    // Who talks knows it.
    assert!(!page.shows(".follow [part=from]").await);
}

#[tokio::test]
async fn the_second_press_of_a_double_click_on_what_sends_calls_nothing_off_and_closes_nothing() {
    let house = away(3600).await;
    let browser = asked(&house).await;
    let page = browser.page();
    page.element("[data-action=cancel]").await;
    // What stands now where the button stood, or lies beside a dialog that is smaller now.
    let press = "
        const [selector, detail] = arguments;
        const pressed = document.querySelector('ringback-launcher').shadowRoot.querySelector(selector);
        for (const type of ['pointerdown', 'click'])
            pressed.dispatchEvent(new PointerEvent(type, { detail, bubbles: true, composed: true }));
    ";
    let press = async |selector: &str, detail: u8| {
        browser.script(press, vec![json!(selector), json!(detail)]).await;
    };
    press("[data-action=cancel]", 2).await;
    press("dialog", 2).await;
    assert!(page.shows("[data-action=cancel]:not([aria-disabled])").await);
    press("dialog", 1).await;
    assert!(!page.shows("dialog").await);
    page.click("button.launch").await;
    press("[data-action=cancel]", 1).await;
    page.until_state("cancelled").await;
}

#[tokio::test]
async fn a_number_is_changed_while_the_call_is_not_on_its_way() {
    let house = away(3600).await;
    let browser = asked(&house).await;
    let page = browser.page();
    page.click("[data-action=number]").await;
    page.until_focused("other-phone").await;
    // It stays as it was for who does not mean it.
    page.click("[data-action=keep]").await;
    page.until_focused("news").await;
    assert!(!page.shows("#other-phone").await);
    page.click("[data-action=number]").await;
    page.fill("#other-phone", "12").await;
    page.click("[data-action=renumber]").await;
    page.until_text("#other-error", "too short").await;
    page.until_focused("other-phone").await;
    page.fill("#other-phone", OTHER).await;
    // By the key that sends any form.
    page.press(&[Key::Enter]).await;
    page.until_text(".follow .agent", "at the new number").await;
    page.until_focused("news").await;
    // Who asks for that number joins now.
    let id = browser.events().await.iter().find_map(|event| event["id"].as_str().map(str::to_owned));
    let joined =
        house.send(house.crm_post(&visitor::crm_request_with(json!({ "phone": OTHER })))).await.accepted();
    assert_eq!(Some(joined.id), id);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn another_number_grows_into_its_groups_as_it_does_in_the_form() {
    let house = away(3600).await;
    let browser = asked(&house).await;
    let page = browser.page();
    page.click("[data-action=number]").await;
    page.until_focused("other-phone").await;
    let mut shown = Vec::new();
    for key in ["20", "2", "5", "550", "1", "7", "7"] {
        page.type_text(key).await;
        shown.push(page.value("#other-phone").await);
    }
    let steps = ["(20", "(202", "(202) 5", "(202) 555-0", "(202) 555-01", "(202) 555-017", "(202) 555-0177"];
    assert_eq!(shown, steps);
    // A separator that is deleted takes its digit with it.
    page.press(&[Key::Backspace, Key::Backspace, Key::Backspace, Key::Backspace]).await;
    assert_eq!(page.value("#other-phone").await, "(202) 555");
    page.type_text("0177").await;
    page.press(&[Key::Enter]).await;
    page.until_text(".follow .agent", "at the new number").await;
    house.control().clear_faults().await.unwrap();
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_number_that_is_about_to_be_called_for_somebody_else_is_told() {
    let house = away(3600).await;
    house.send(house.crm_post(&visitor::crm_request_with(json!({ "phone": OTHER })))).await.accepted();
    let browser = asked(&house).await;
    let page = browser.page();
    page.click("[data-action=number]").await;
    page.fill("#other-phone", OTHER).await;
    page.click("[data-action=renumber]").await;
    page.until_text("#other-error", "about to call this number already").await;
    assert_eq!(page.value("#other-phone").await, GROUPED);
    page.click("[data-action=keep]").await;
    page.until_focused("news").await;
}

#[tokio::test]
async fn who_is_still_typing_when_the_call_is_on_its_way_is_told_so_on_sending_and_not_before() {
    let house = away(1).await;
    let browser = asked(&house).await;
    let page = browser.page();
    page.click("[data-action=number]").await;
    page.fill("#other-phone", "+1 202").await;
    house.control().clear_faults().await.unwrap();
    page.until_state("requested").await;
    assert!(!page.shows("[data-action=number]").await);
    assert_eq!(page.focused().await, "other-phone");
    page.type_text(" 555 0177").await;
    assert_eq!(page.value("#other-phone").await, GROUPED);
    page.click("[data-action=renumber]").await;
    page.until_text(".follow .alert", "can’t be changed any more").await;
    page.until_focused("news").await;
    assert!(!page.shows("#other-phone").await);
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.destination, visitor::PHONE_E164);
}

#[tokio::test]
async fn a_callback_is_found_again_after_a_reload_and_on_other_pages_until_it_is_over() {
    let house = house().await;
    let browser = asked(&house).await;
    let page = browser.page();
    page.until_state("requested").await;
    // Its id and its token, and nothing that was typed.
    let kept = browser.script("return { ...sessionStorage }", vec![]).await;
    let kept = kept.as_object().unwrap();
    assert_eq!(kept.len(), 1);
    let (id, token) = kept["ringback/acme"].as_str().unwrap().split_once(' ').unwrap();
    assert_eq!(id.len(), 36);
    assert!(token.starts_with("rbf_") && !token.contains(' '));
    assert_eq!(browser.script("return document.cookie + localStorage.length", vec![]).await, "0");
    for path in ["/", "/?next=page", "/rtl"] {
        browser.goto(&format!("{}{path}", house.website())).await;
        page.click("button.launch").await;
        page.element("dialog[open] .follow").await;
        page.until_focused("news").await;
        page.until_state("requested").await;
    }
    play_to(&house, TaskState::Queued).await;
    page.until_state("queued").await;
    play_to(&house, TaskState::Ended).await;
    page.until_state("completed").await;
    until_forgotten(&browser).await;
    browser.goto(house.website()).await;
    page.open().await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_the_service_does_not_know_any_more_gives_way_to_the_form() {
    let house = house().await;
    let browser = visit(&house).await;
    let unknown = "sessionStorage['ringback/acme'] = '019b7a4c-6f00-7a33-9d0e-5b1c2f3a4d5e rbf_x.y'";
    browser.script(unknown, vec![]).await;
    let page = browser.page();
    page.click("button.launch").await;
    page.element("dialog[open] form").await;
    page.until_phase("editing").await;
    until_forgotten(&browser).await;
    page.fill_in().await;
    page.send().await;
    page.until_state("requested").await;
}

#[tokio::test]
async fn without_storage_the_whole_job_is_done_all_the_same() {
    let house = house().await;
    let browser = Browser::open().await;
    browser
        .before_each_page(
            "Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no', 'SecurityError'); } })",
        )
        .await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.until_state("requested").await;
    play_to(&house, TaskState::Ended).await;
    page.until_state("completed").await;
    browser.goto(house.website()).await;
    page.open().await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// Notifications as a browser has them, whose visitor allows them when asked; the page is not in sight.
const NOTIFICATIONS: &str = "
    window.told = [];
    window.Notification = class {
        static permission = 'default';
        static async requestPermission() { return Notification.permission = 'granted'; }
        constructor(title, { tag }) { told.push({ title, tag }); }
    };
    Object.defineProperty(document, 'hidden', { get: () => window.away });
";

#[tokio::test]
async fn who_looks_elsewhere_is_notified_of_what_matters_if_they_wish() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.before_each_page(NOTIFICATIONS).await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.ask_for_call().await;
    page.until_state("requested").await;
    // Asked by a press alone, and once.
    assert_eq!(browser.script("return Notification.permission", vec![]).await, "default");
    page.click("[data-action=notify]").await;
    page.until_focused("news").await;
    browser.script("window.away = true", vec![]).await;
    for (step, state) in [(TaskState::Queued, "queued"), (TaskState::Offered, "offered")] {
        play_to(&house, step).await;
        page.until_state(state).await;
        assert!(!page.shows("[data-action=notify]").await);
    }
    let told = browser.script("return told", vec![]).await;
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told[0]["title"], "Someone is about to call you");
    // Who is looking needs none.
    browser.script("window.away = false", vec![]).await;
    play_to(&house, TaskState::Ended).await;
    page.element("[data-action=again]").await;
    assert_eq!(browser.script("return told.length", vec![]).await, 1);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn where_streams_do_not_come_through_the_page_asks_again_and_again() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    // As a proxy does that keeps an answer until it is whole.
    let hold = "
        const send = window.fetch;
        window.fetch = (url, init) => String(url).endsWith('/events')
            ? Promise.resolve(new Response(new ReadableStream({
                start(stream) { init.signal.addEventListener('abort', () => stream.error(init.signal.reason)); },
            })))
            : send(url, init);
    ";
    browser.script(hold, vec![]).await;
    page.send().await;
    for (step, state) in [(TaskState::Queued, "queued"), (TaskState::Connected, "connected")] {
        play_to(&house, step).await;
        page.until_state(state).await;
    }
    assert_eq!(page.text(".follow .alert").await, "");
}

#[tokio::test]
async fn a_network_that_comes_back_is_used_at_once_by_a_connection_of_its_own() {
    let house = house().await;
    let browser = asked(&house).await;
    let page = browser.page();
    page.until_state("requested").await;
    let streams = "const send = window.fetch; window.streams = 0;
        window.fetch = (url, init) => { if (String(url).endsWith('/events')) streams++; return send(url, init); };";
    browser.script(streams, vec![]).await;
    browser.script("dispatchEvent(new Event('online'))", vec![]).await;
    eventually("the stream is opened anew", async || {
        (browser.script("return streams", vec![]).await == 1).then_some(())
    })
    .await;
    play_to(&house, TaskState::Connected).await;
    page.until_state("connected").await;
    play_to(&house, TaskState::Ended).await;
    page.until_state("completed").await;
    // What is over is followed no more.
    browser.script("dispatchEvent(new Event('online'))", vec![]).await;
    assert_eq!(browser.script("return streams", vec![]).await, 1);
}
