//! Networks that are away, slow or meddle, clocks that are wrong, pages that were left, and visitors who press twice. What was sent is called
//! once.

use ringback_tests::browser::{Browser, Look};
use ringback_tests::house::House;
use ringback_tests::screenshot::take;
use ringback_tests::visitor;
use serde_json::Value;
use webex_simulator::{Pace, TaskState};

use super::{house, play_to};

/// Writes down the keys under which the page posts, and lets a test meddle.
pub(super) const LISTEN: &str = "
    window.posted = [];
    window.send = window.fetch;
    window.fetch = (url, init) => {
        if (init?.method == 'POST' && init.body) posted.push(init.headers['Idempotency-Key']);
        return window.meddle?.(url, init) ?? send(url, init);
    };
";

/// Posts arrive, and the page hears nothing of it.
const HOLD: &str = "
    window.meddle = (url, init) => {
        if (init?.method != 'POST' || !init.body) return;
        if (init.signal.aborted) return Promise.reject(init.signal.reason);
        send(url, { ...init, signal: null });
        return new Promise((_, fail) => init.signal.addEventListener('abort', () => fail(init.signal.reason)));
    };
";

/// Time-outs of the form come fifty times as soon.
pub(super) const HASTE: &str = "
    const later = window.setTimeout;
    window.setTimeout = (go, milliseconds, ...more) => later(go, milliseconds / 50, ...more);
";

/// The browser says that there is no network, until a test says otherwise. Unlike a real one, this is one tab's alone, and a page
/// that is loaded anew comes all the same, as from a worker of the site.
const AWAY: &str = "Object.defineProperty(navigator, 'onLine', { get: () => !!window.back });";

/// It says that there is one again.
const BACK: &str = "window.back = true; dispatchEvent(new Event('online'))";

/// A page whose form is filled in, and whose posts are written down.
pub(super) async fn filled(house: &House) -> Browser {
    filled_after(house, "").await
}

/// The same, where another script has run before the page.
pub(super) async fn filled_after(house: &House, script: &str) -> Browser {
    super::filled_after(house, &[LISTEN, script].concat()).await
}

pub(super) async fn posted(browser: &Browser) -> Vec<Value> {
    browser.script("return posted", vec![]).await.as_array().cloned().unwrap()
}

/// What the tab keeps: nothing, a request in JSON, or the id and the token of a callback.
pub(super) async fn kept(browser: &Browser) -> String {
    let kept = browser.script("return sessionStorage['ringback/acme']", vec![]).await;
    kept.as_str().unwrap_or_default().to_owned()
}

/// The key of the request that the tab keeps.
pub(super) async fn kept_key(browser: &Browser) -> Value {
    let kept: Value = serde_json::from_str(&kept(browser).await).expect("a request");
    kept["key"].clone()
}

/// Exactly one callback was made, and one call.
pub(super) async fn assert_one(house: &House) {
    house.until_tasks(1).await;
    assert_eq!(house.callbacks().await.len(), 1);
    assert_eq!(house.tasks().await.len(), 1);
}

#[tokio::test]
async fn what_was_sent_without_a_network_goes_by_itself_when_it_is_back_and_the_visitor_knows() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    browser.set_offline(true).await;
    page.send().await;
    page.until_phase("waiting").await;
    page.until_text(".ask .alert", "as soon as you are back online").await;
    page.until_focused("send").await;
    assert_eq!(page.value("#message").await, visitor::MESSAGE);
    assert!(posted(&browser).await.is_empty());
    browser.set_offline(false).await;
    page.until_state("requested").await;
    assert_eq!(posted(&browser).await.len(), 1);
    assert_one(&house).await;
    // Nothing that was typed is kept any longer.
    assert!(kept(&browser).await.contains(" rbf_"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_waits_for_the_network_can_be_taken_back() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    browser.set_offline(true).await;
    page.send().await;
    page.until_phase("waiting").await;
    assert!(!kept(&browser).await.is_empty());
    page.click("[data-action=hold]").await;
    page.until_phase("editing").await;
    page.until_focused("name").await;
    assert!(!page.shows(".ask .alert").await && !page.shows("[data-action=hold]").await);
    assert_eq!(kept(&browser).await, "");
    browser.set_offline(false).await;
    page.fill("#name", "Ann Other").await;
    assert!(posted(&browser).await.is_empty());
    page.send().await;
    page.until_state("requested").await;
    assert_eq!(house.until_tasks(1).await[0].attributes["Name"], "Ann Other");
    assert_one(&house).await;
}

#[tokio::test]
async fn on_a_telephone_what_waits_and_what_can_be_done_about_it_is_seen_at_once() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.set("sites.acme.phone", "+1 202 555 0180");
    })
    .await;
    let browser = Browser::open().await;
    browser.look(Look::NARROW).await;
    browser.before_each_page(AWAY).await;
    let unseen = "
        const root = document.querySelector('ringback-launcher').shadowRoot;
        const body = root.querySelector('.body').getBoundingClientRect();
        return ['.ask .alert', '[data-action=send]', '[data-action=hold]', '.ask .phone'].filter(one => {
            const { top, bottom } = root.querySelector(one).getBoundingClientRect();
            return top < body.top - 1 || bottom > Math.min(body.bottom, innerHeight) + 1;
        });
    ";
    for path in ["/", "/rtl"] {
        browser.goto(&format!("{}{path}", house.website())).await;
        let page = browser.page();
        page.open().await;
        page.fill_in().await;
        page.send().await;
        page.until_phase("waiting").await;
        assert_eq!(browser.script(unseen, vec![]).await, serde_json::json!([]), "{path}");
        take(&browser, &format!("70-waiting{}", path.replace('/', "-")), Look::NARROW).await;
        // And when the page is loaded anew, with the focus on the button before the last.
        browser.goto(&format!("{}{path}", house.website())).await;
        page.until_phase("waiting").await;
        page.element("dialog[open] form").await;
        page.until_focused("send").await;
        assert_eq!(browser.script(unseen, vec![]).await, serde_json::json!([]), "{path}, loaded anew");
        page.click("[data-action=hold]").await;
    }
}

#[tokio::test]
async fn what_waits_outlives_its_page_and_a_second_tab_makes_no_second_call_of_it() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    browser.script(AWAY, vec![]).await;
    page.send().await;
    page.until_phase("waiting").await;
    let key = kept_key(&browser).await;
    // As when a tab is duplicated. This one has a network.
    browser.open_tab().await;
    browser.before_each_page(LISTEN).await;
    browser.goto(house.website()).await;
    page.until_state("requested").await;
    assert_eq!(posted(&browser).await, std::slice::from_ref(&key));
    assert_eq!(house.until_tasks(1).await[0].attributes["Name"], visitor::NAME);
    browser.go_to_tab(0).await;
    page.until_phase("waiting").await;
    browser.script(BACK, vec![]).await;
    page.until_state("requested").await;
    assert_eq!(posted(&browser).await, [key]);
    assert_one(&house).await;
    play_to(&house, TaskState::Ended).await;
    page.until_state("completed").await;
    assert_one(&house).await;
}

#[tokio::test]
async fn a_page_that_is_loaded_anew_without_a_network_still_waits_and_says_so() {
    let house = house().await;
    let browser = filled_after(&house, AWAY).await;
    let page = browser.page();
    page.send().await;
    page.until_phase("waiting").await;
    browser.goto(house.website()).await;
    page.until_phase("waiting").await;
    page.element("dialog[open] form").await;
    page.until_focused("send").await;
    page.until_text(".ask .alert", "as soon as you are back online").await;
    assert_eq!(page.value("#name").await, visitor::NAME);
    assert_eq!(page.value("#phone").await, visitor::PHONE);
    assert_eq!(page.value("#reason").await, "orders");
    assert!(posted(&browser).await.is_empty());
    browser.script(BACK, vec![]).await;
    page.until_state("requested").await;
    assert_one(&house).await;
}

#[tokio::test]
async fn a_page_that_is_left_while_it_sends_goes_on_under_the_same_key() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    browser.script(HOLD, vec![]).await;
    page.send().await;
    page.until_phase("sending").await;
    let key = kept_key(&browser).await;
    // It has arrived, and nobody on the page knows.
    house.until_tasks(1).await;
    browser.goto(&format!("{}/?next=page", house.website())).await;
    page.until_state("requested").await;
    assert_eq!(posted(&browser).await, [key]);
    assert_one(&house).await;
    // What was asked for is told, and does not open by itself.
    assert!(!page.shows("dialog[open]").await);
    browser.back().await;
    page.until_state("requested").await;
    assert_one(&house).await;
}

#[tokio::test]
async fn a_visitor_who_was_away_for_long_is_asked_before_anything_is_sent() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    browser.set_offline(true).await;
    page.send().await;
    page.until_phase("waiting").await;
    // The machine was asleep.
    let asleep = "const now = Date.now; Date.now = () => now() + 31 * 60 * 1000;";
    browser.script(asleep, vec![]).await;
    browser.set_offline(false).await;
    page.until_phase("editing").await;
    page.until_text(".ask .alert", "What you typed is kept").await;
    assert!(posted(&browser).await.is_empty());
    assert_eq!(kept(&browser).await, "");
    page.send().await;
    page.until_state("requested").await;
    assert_one(&house).await;
}

#[tokio::test]
async fn a_browser_that_takes_itself_for_offline_is_not_believed_twice() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    browser.script("Object.defineProperty(navigator, 'onLine', { get: () => false })", vec![]).await;
    page.send().await;
    page.until_phase("waiting").await;
    page.send().await;
    page.until_state("requested").await;
    assert_one(&house).await;
}

#[tokio::test]
async fn without_storage_a_request_waits_for_the_network_all_the_same() {
    let house = house().await;
    let forbidden = "Object.defineProperty(window, 'sessionStorage',
        { get() { throw new DOMException('no', 'SecurityError'); } });";
    let browser = filled_after(&house, forbidden).await;
    let page = browser.page();
    browser.set_offline(true).await;
    page.send().await;
    page.until_phase("waiting").await;
    browser.set_offline(false).await;
    page.until_state("requested").await;
    assert_one(&house).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_service_that_went_away_is_told_with_the_number_of_the_site_and_asked_again_when_the_network_is_back()
 {
    let mut house = House::with(|plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        plan.set("sites.acme.phone", "+1 202 555 0180");
    })
    .await;
    let browser = filled(&house).await;
    let page = browser.page();
    house.kill().await;
    page.send().await;
    page.until_text(".ask .alert", "won’t call you twice").await;
    page.until_text(".ask .phone", "+1 202 555 0180").await;
    // Whoever closes the form does not end it.
    page.click("[data-action=close]").await;
    house.start().await;
    browser.script("dispatchEvent(new Event('online'))", vec![]).await;
    page.until_state("requested").await;
    let keys = posted(&browser).await;
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_one(&house).await;
}

#[tokio::test]
async fn who_has_closed_the_form_learns_that_the_request_was_not_taken() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    let refuse = "
        window.meddle = (url, init) => init?.method == 'POST' && init.body
            && new Promise(answer => window.refuse = () => answer(new Response('{}', { status: 429 })));
    ";
    browser.script(refuse, vec![]).await;
    page.send().await;
    page.until_phase("sending").await;
    page.click("[data-action=close]").await;
    assert!(!page.shows("dialog[open]").await);
    browser.script("refuse()", vec![]).await;
    page.element("dialog:modal form").await;
    page.until_text(".ask .alert", "too many requests").await;
    assert_eq!(kept(&browser).await, "");
}

#[tokio::test]
async fn who_presses_twice_sends_once() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    let press = "
        const button = document.querySelector('ringback-launcher').shadowRoot.querySelector('[data-action=send]');
        button.click();
        button.click();
    ";
    browser.script(press, vec![]).await;
    page.until_state("requested").await;
    assert_eq!(posted(&browser).await.len(), 1);
    assert_one(&house).await;
}

#[tokio::test]
async fn two_tabs_in_which_one_visitor_asks_make_one_call() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    browser.open_tab().await;
    browser.before_each_page(LISTEN).await;
    browser.goto(house.website()).await;
    page.open().await;
    page.fill_in().await;
    page.send().await;
    page.until_state("requested").await;
    let second = posted(&browser).await;
    browser.go_to_tab(0).await;
    page.send().await;
    page.until_state("requested").await;
    assert_ne!(posted(&browser).await, second);
    assert_one(&house).await;
}

#[tokio::test]
async fn a_page_that_is_come_back_to_reads_a_stream_of_its_own() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    let streams = "
        window.streams = [];
        window.meddle = (url, init) => void (String(url).endsWith('/events') && streams.push(init.signal));
    ";
    browser.script(streams, vec![]).await;
    page.send().await;
    page.until_state("requested").await;
    let open = "return [streams.length, streams.filter(signal => !signal.aborted).length]";
    assert_eq!(browser.script(open, vec![]).await, serde_json::json!([1, 1]));
    // As the browser tells a page that it keeps one that is left, and that it is back.
    browser.script("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))", vec![]).await;
    assert_eq!(browser.script(open, vec![]).await, serde_json::json!([1, 0]));
    play_to(&house, TaskState::Queued).await;
    browser.script("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))", vec![]).await;
    page.until_state("queued").await;
    assert_eq!(browser.script(open, vec![]).await, serde_json::json!([2, 1]));
    assert!(!page.shows(".follow .alert").await);
    // And really: there, and back.
    browser.goto(&format!("{}/docs", house.url())).await;
    browser.back().await;
    play_to(&house, TaskState::Connected).await;
    page.until_state("connected").await;
    assert_one(&house).await;
}

#[tokio::test]
async fn a_form_that_a_page_of_one_piece_puts_back_finds_its_callback_again() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    page.send().await;
    page.until_state("requested").await;
    let again = "
        window.launcher = document.querySelector('ringback-launcher');
        launcher.remove();
        return new Promise(done => setTimeout(() => { document.body.append(launcher); done(1) }));
    ";
    browser.script(again, vec![]).await;
    page.click("button.launch").await;
    page.element("dialog[open] .follow").await;
    page.until_state("requested").await;
    play_to(&house, TaskState::Ended).await;
    page.until_state("completed").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// The clock of the page is wrong by so many hours.
fn wrong_clock(hours: i32) -> String {
    format!(
        "
        window.Date = class extends Date {{
            static off = {hours} * 3600 * 1000;
            constructor(...given) {{ given.length ? super(...given) : super(Date.now()); }}
            static now() {{ return super.now() + Date.off; }}
        }};
        const now = performance.now;
        performance.now = () => now.call(performance) + Date.off;
        "
    )
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_hours_spoils_nothing() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        // Work is asked for, and a form that is sent too soon is a program's.
        plan.set("proof.calm_per_minute", 0);
        plan.set("proof.least_bits", 10);
        plan.set("proof.most_bits", 12);
        plan.set("limits.typing_ms", 500);
        crate::slots::open_mornings(plan, "America/New_York");
    })
    .await;
    let mut offered = Vec::new();
    for (hours, phone) in [(0, "+12025550142"), (-26, "+12025550143"), (26, "+12025550144")] {
        let browser = filled_after(&house, &wrong_clock(hours)).await;
        let page = browser.page();
        page.fill("#phone", phone).await;
        page.click("[id='form.later']").await;
        page.element(".slots:not([hidden])").await;
        let days = "
            const root = document.querySelector('ringback-launcher').shadowRoot;
            return [...root.querySelectorAll('[data-field=day] option')].map(option => option.textContent);
        ";
        offered.push(browser.script(days, vec![]).await);
        let chosen = page.value(".ask [data-field=time]").await;
        page.send().await;
        page.until_state("scheduled").await;
        let asked = house.callbacks().await;
        assert!(
            asked.iter().any(|asked| asked["schedule"]["date"] == chosen[..10]),
            "{hours}: {chosen}: {asked:?}"
        );
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
    assert!(offered.iter().all(|days| *days == offered[0] && days[0].is_string()), "{offered:?}");
    assert_eq!(house.callbacks().await.len(), 3);
}
