//! What the service has not answered is sent again by itself, for as long as the visitor may wait for it, and is called once.

use std::time::Duration;

use fantoccini::key::Key;
use ringback_tests::browser::Browser;
use ringback_tests::eventually::{eventually, never};
use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::json;

use super::bad_days::{HASTE, LISTEN, assert_one, filled_after, kept, kept_key, posted};
use super::picker::{one_place, schedule};
use super::{house, visit_after};

/// The service cannot be reached, as the page sees it, until a test says otherwise.
const UNREACHABLE: &str = "
    window.meddle = (url, init) =>
        init?.method == 'POST' && init.body ? Promise.reject(new TypeError('Failed to fetch')) : undefined;
";

/// A browser whose visitor has sent the form to a service that cannot be reached.
async fn sent_in_vain(house: &House) -> Browser {
    let browser = filled_after(house, HASTE).await;
    browser.script(UNREACHABLE, vec![]).await;
    browser.page().send().await;
    browser
}

/// From now on, the service can be reached.
async fn reach(browser: &Browser) {
    browser.script("window.meddle = null", vec![]).await;
}

/// How often a page has posted, once that is more often than so many times.
async fn posted_more_than(browser: &Browser, times: usize) -> usize {
    eventually("it is posted again", async || {
        Some(posted(browser).await.len()).filter(|count| *count > times)
    })
    .await
}

#[tokio::test]
async fn a_service_that_is_away_is_asked_again_by_itself_and_the_visitor_sees_that() {
    let mut house = house().await;
    let browser = filled_after(&house, HASTE).await;
    let page = browser.page();
    house.kill().await;
    page.send().await;
    page.until_text(".ask .alert", "We’ll try again by ourselves in").await;
    page.until_focused("send").await;
    // Whoever closes the form has been told, and is not disturbed by the next try.
    page.click("[data-action=close]").await;
    let before = posted(&browser).await.len();
    posted_more_than(&browser, before + 2).await;
    assert!(!page.shows("dialog[open]").await);
    assert!(!kept(&browser).await.is_empty());
    house.start().await;
    page.until_state("requested").await;
    let keys = posted(&browser).await;
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    // Of all the tries, the page hears of the first that failed.
    let errors = browser.events().await.into_iter().filter(|event| event["type"] == "unclear").count();
    assert_eq!(errors, 1);
    assert_one(&house).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_request_that_takes_too_long_says_so_and_is_repeated_under_the_same_key() {
    // Posts arrive, and the page hears nothing of it.
    let hold = "
        window.meddle = (url, init) => {
            if (init?.method != 'POST' || !init.body) return;
            if (init.signal.aborted) return Promise.reject(init.signal.reason);
            send(url, { ...init, signal: null });
            return new Promise((_, fail) => init.signal.addEventListener('abort', () => fail(init.signal.reason)));
        };
    ";
    let house = house().await;
    let browser = filled_after(&house, HASTE).await;
    let page = browser.page();
    browser.script(hold, vec![]).await;
    page.send().await;
    // What is pressed says what it does, also to whoever hears it.
    page.until_text("[data-action=send]", "Sending…").await;
    page.until_text(".ask .alert", "won’t call you twice").await;
    reach(&browser).await;
    page.until_state("requested").await;
    let keys = posted(&browser).await;
    assert!(keys.len() >= 2 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_one(&house).await;
}

#[tokio::test]
async fn who_stops_it_is_asked_for_nothing_more_and_can_change_what_was_typed() {
    let house = house().await;
    let browser = sent_in_vain(&house).await;
    let page = browser.page();
    page.until_text("[data-action=hold]", "Stop trying").await;
    // Also in the middle of a try.
    let count = posted(&browser).await.len();
    posted_more_than(&browser, count).await;
    page.click("[data-action=hold]").await;
    page.until_phase("editing").await;
    page.until_focused("name").await;
    assert_eq!(kept(&browser).await, "");
    // What is on its way may be repeated once, as any post is.
    let count = posted(&browser).await.len();
    never("it is tried again", Duration::from_secs(2), async || posted(&browser).await.len() > count + 1)
        .await;
    assert!(!page.shows(".ask .alert").await && !page.shows("[data-action=hold]").await);
    reach(&browser).await;
    page.fill("#name", "Ann Other").await;
    page.send().await;
    page.until_state("requested").await;
    assert_eq!(house.until_tasks(1).await[0].attributes["Name"], "Ann Other");
    assert_one(&house).await;
}

#[tokio::test]
async fn what_was_stopped_too_late_is_told_all_the_same() {
    let house = house().await;
    let browser = sent_in_vain(&house).await;
    let page = browser.page();
    page.until_text("[data-action=hold]", "Stop trying").await;
    // The next try arrives, and its answer comes when the visitor has stopped.
    let slow = "
        const held = answer => new Promise(done => window.answer = () => done(answer));
        window.meddle = (url, init) =>
            init?.method == 'POST' && init.body ? send(url, { ...init, signal: null }).then(held) : undefined;
    ";
    browser.script(slow, vec![]).await;
    house.until_tasks(1).await;
    page.click("[data-action=hold]").await;
    page.until_phase("editing").await;
    eventually("the answer is there", async || {
        (browser.script("return !!window.answer", vec![]).await == true).then_some(())
    })
    .await;
    browser.script("answer()", vec![]).await;
    page.until_state("requested").await;
    assert_one(&house).await;
}

#[tokio::test]
async fn what_is_tried_by_itself_leaves_the_focus_and_the_page_where_they_are() {
    let house = house().await;
    let browser = visit_after(&house, &[LISTEN, HASTE].concat()).await;
    let place = "
        const form = document.createElement('ringback-form');
        form.dataset.site = 'acme';
        document.querySelector('main').append(form);
        form.scrollIntoView({ behavior: 'instant' });
        // The page scrolls smoothly, and what is clicked is to stand still.
        document.documentElement.style.scrollBehavior = 'auto';
        const elsewhere = document.createElement('button');
        elsewhere.id = 'elsewhere';
        document.querySelector('main').prepend(elsewhere);
    ";
    browser.script(place, vec![]).await;
    let form = browser.form_in("ringback-form");
    form.until_inline().await;
    form.fill_in().await;
    browser.script(UNREACHABLE, vec![]).await;
    form.send().await;
    form.until_phase("unclear").await;
    browser.script("elsewhere.focus(); scrollTo({ top: 0, behavior: 'instant' })", vec![]).await;
    let count = posted(&browser).await.len();
    posted_more_than(&browser, count + 1).await;
    let place = "return [document.activeElement.id, scrollY]";
    assert_eq!(browser.script(place, vec![]).await, json!(["elsewhere", 0]));
    reach(&browser).await;
    form.until_state("requested").await;
    assert_eq!(browser.script(place, vec![]).await, json!(["elsewhere", 0]));
    assert_one(&house).await;
}

#[tokio::test]
async fn after_half_an_hour_nothing_is_sent_any_more_by_itself() {
    let house = house().await;
    let browser = sent_in_vain(&house).await;
    let page = browser.page();
    page.until_text(".ask .alert", "We’ll try again by ourselves in").await;
    browser.script("const now = Date.now; Date.now = () => now() + 31 * 60 * 1000;", vec![]).await;
    page.until_text(".ask .alert", "Please try again").await;
    let count = posted(&browser).await.len();
    never("it is tried again", Duration::from_secs(2), async || posted(&browser).await.len() > count).await;
    reach(&browser).await;
    page.send().await;
    page.until_state("requested").await;
    assert_one(&house).await;
}

#[tokio::test]
async fn two_tabs_that_try_again_make_one_call() {
    let house = house().await;
    let browser = sent_in_vain(&house).await;
    let page = browser.page();
    page.until_phase("unclear").await;
    let key = kept_key(&browser).await;
    // As when a tab is duplicated. This one does not reach the service at first either.
    browser.open_tab().await;
    browser.before_each_page(&[LISTEN, HASTE, UNREACHABLE].concat()).await;
    browser.goto(house.website()).await;
    page.until_phase("unclear").await;
    reach(&browser).await;
    page.until_state("requested").await;
    let second = posted(&browser).await;
    browser.go_to_tab(0).await;
    reach(&browser).await;
    page.until_state("requested").await;
    let posted = [posted(&browser).await, second].concat();
    assert!(posted.iter().all(|posted| *posted == key), "{posted:?}");
    assert_one(&house).await;
}

#[tokio::test]
async fn a_time_that_was_chosen_is_told_again_while_the_request_waits() {
    let house = House::with(|plan| {
        plan.with_website();
        crate::slots::open_mornings(plan, "America/New_York");
    })
    .await;
    let away = "Object.defineProperty(navigator, 'onLine', { get: () => !!window.back });";
    let browser = filled_after(&house, away).await;
    let page = browser.page();
    page.click("[id='form.later']").await;
    page.element(".slots:not([hidden])").await;
    let second = "
        const [select] = document.querySelector('ringback-launcher').shadowRoot.querySelectorAll('[data-field=time]');
        select.selectedIndex = 1;
        return select.selectedOptions[0].textContent;
    ";
    let time = browser.script(second, vec![]).await.as_str().unwrap().to_owned();
    let (day, chosen) =
        (page.value(".ask [data-field=day]").await, page.value(".ask [data-field=time]").await);
    page.send().await;
    page.until_phase("waiting").await;
    for _ in 0..2 {
        browser.goto(house.website()).await;
        page.until_phase("waiting").await;
        page.until_text(".ask .when", &format!("{day}, {time}")).await;
        let is_later = "return document.querySelector('ringback-launcher').shadowRoot.getElementById('form.later').checked";
        assert_eq!(browser.script(is_later, vec![]).await, true);
    }
    // Nothing was fetched for it.
    let fetched = browser.fetched_from(house.url()).await;
    assert!(!fetched.iter().any(|name| name.contains("/slots")), "{fetched:?}");
    // Who takes it back chooses among the times that there are now.
    page.click("[data-action=hold]").await;
    page.element(".slots:not([hidden])").await;
    assert!(!page.text(".ask .when").await.contains(&format!("{day}, {time}")));
    page.choose(".ask [data-field=time]", &chosen).await;
    page.send().await;
    page.until_phase("waiting").await;
    browser.script("window.back = true; dispatchEvent(new Event('online'))", vec![]).await;
    page.until_state("scheduled").await;
    let booked = house.callbacks().await.remove(0)["schedule"]["start"].clone();
    assert!(booked.as_str().unwrap().starts_with(&chosen[11..16]), "{booked}: {chosen}");
}

#[tokio::test]
async fn a_time_that_is_taken_while_the_request_waits_is_told_and_another_is_chosen() {
    let house = House::with(one_place).await;
    let away = "Object.defineProperty(navigator, 'onLine', { get: () => !!window.back });";
    let browser = filled_after(&house, away).await;
    let page = browser.page();
    page.click("[id='form.later']").await;
    page.element(".slots:not([hidden])").await;
    let chosen = page.value(".ask [data-field=time]").await;
    page.send().await;
    page.until_phase("waiting").await;
    let faster = visitor::crm_request_with(json!({ "phone": "+12025550177", "schedule": schedule(&chosen) }));
    house.send(house.crm_post(&faster)).await.accepted();
    browser.goto(house.website()).await;
    page.until_phase("waiting").await;
    browser.script("window.back = true; dispatchEvent(new Event('online'))", vec![]).await;
    page.until_text("#when-error", "This time has just been taken").await;
    page.until_phase("editing").await;
    page.until_focused("day").await;
    let time = page.value(".ask [data-field=time]").await;
    assert_ne!(time, chosen);
    assert_eq!(page.value("#name").await, visitor::NAME);
    // Who chooses is told no longer.
    page.tab_to("time").await;
    page.press(&[Key::Down]).await;
    assert!(!page.shows("#when-error").await);
    page.send().await;
    page.until_state("scheduled").await;
    assert_eq!(house.callbacks().await.len(), 2);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
