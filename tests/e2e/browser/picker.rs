//! A time is chosen: by keyboard alone, far away, while others take places, and later once more.

use fantoccini::key::Key;
use ringback_tests::browser::{Browser, Look};
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::page::Page;
use ringback_tests::plan::Plan;
use ringback_tests::screenshot::take;
use ringback_tests::visitor;
use ringback_tests::window::noon;
use serde_json::{Value, json};
use webex_simulator::Pace;

use crate::slots::open_mornings;

/// A site that takes one call at a time.
pub(super) fn one_place(plan: &mut Plan) {
    plan.with_website();
    open_mornings(plan, "America/New_York");
    plan.set("sites.acme.schedule.slot_capacity", 1);
}

/// It is about noon, and the site opens at three.
fn closed(plan: &mut Plan) {
    plan.with_website();
    open_mornings(plan, &noon().0);
    for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] {
        plan.set(&format!("sites.acme.hours.{day}"), vec!["15:00-17:00"]);
    }
}

/// The times that the picker offers, as they are read.
async fn times(browser: &Browser) -> Vec<String> {
    let script = "
        const host = [...document.querySelectorAll('*')].find((element) => element.shadowRoot?.querySelector('form'));
        const options = host.shadowRoot.querySelectorAll('.ask [data-field=time] option');
        return [...options].map((option) => option.textContent);
    ";
    serde_json::from_value(browser.script(script, vec![]).await).unwrap()
}

/// The chosen time as a request names it.
pub(super) fn schedule(chosen: &str) -> Value {
    json!({ "date": chosen[..10], "start": chosen[11..16], "end": chosen[37..42] })
}

/// Fills the form in, and has the times shown of which one is chosen.
async fn choose(page: &Page<'_>) {
    page.open().await;
    page.fill_in().await;
    page.click("[id='form.later']").await;
    page.element(".slots:not([hidden])").await;
}

#[tokio::test]
async fn the_keyboard_alone_chooses_a_time_that_is_told_by_the_clocks_of_both() {
    let house = House::with(one_place).await;
    let browser = Browser::open().await;
    browser.travel_to("Asia/Kolkata").await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.open().await;
    page.fill_in().await;
    page.tab_to("form.now").await;
    // From the first of the two to the second.
    page.press(&[Key::Down]).await;
    page.element(".slots:not([hidden])").await;
    // All that it needs comes now, and once.
    let fetched = browser.fetched_from(house.url()).await;
    for part in ["/lazy.js", "/lazy.wasm", "/texts?", "/slots?"] {
        assert_eq!(fetched.iter().filter(|name| name.contains(part)).count(), 1, "{part}: {fetched:?}");
    }
    page.tab_to("day").await;
    page.press(&[Key::Down]).await;
    page.tab_to("time").await;
    page.press(&[Key::Down]).await;
    let chosen = page.value(".ask [data-field=time]").await;
    let told = times(&browser).await;
    assert_eq!(told.len(), 4, "{told:?}");
    for time in &told {
        assert!(time.contains("GMT+5:30") && time.contains("AM E"), "{time}");
    }
    assert_eq!(page.text(".slots span").await, "Day");
    page.tab_to("send").await;
    page.press(&[Key::Enter]).await;
    page.until_state("scheduled").await;
    let asked = house.callbacks().await.remove(0);
    for (member, value) in schedule(&chosen).as_object().unwrap() {
        assert!(asked["schedule"][member].as_str().unwrap().starts_with(value.as_str().unwrap()), "{asked}");
    }
    assert_eq!(asked["schedule"]["timezone"], "America/New_York");
    // Into the calendar.
    let link = browser
        .script("const host = [...document.querySelectorAll('*')].find((element) => element.shadowRoot?.querySelector('form')); \
                 return host.shadowRoot.querySelector('.planned a').href", vec![])
        .await;
    let path = link.as_str().unwrap().strip_prefix(house.url()).unwrap().to_owned();
    assert!(house.get(&path).await.text().contains("STATUS:CONFIRMED"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn who_is_too_late_for_the_last_place_keeps_all_that_was_typed_and_chooses_another() {
    let house = House::with(one_place).await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    let page = browser.page();
    choose(&page).await;
    let chosen = page.value(".ask [data-field=time]").await;
    let faster = visitor::crm_request_with(json!({ "phone": "+12025550177", "schedule": schedule(&chosen) }));
    house.send(house.crm_post(&faster)).await.accepted();
    page.send().await;
    page.until_text("#when-error", "just been taken").await;
    page.until_phase("editing").await;
    eventually("the time is gone", async || {
        (page.value(".ask [data-field=time]").await != chosen).then_some(())
    })
    .await;
    assert_eq!(page.value("#name").await, visitor::NAME);
    page.choose(".ask [data-field=time]", &page.value(".ask [data-field=time]").await).await;
    page.send().await;
    page.until_state("scheduled").await;
    assert_eq!(house.callbacks().await.len(), 2);
}

#[tokio::test]
async fn while_it_is_closed_the_form_says_when_it_opens_and_the_call_is_moved_to_a_chosen_time() {
    let house = House::with(closed).await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.open().await;
    page.until_text(".ask .notice", "We’ll call you when we open").await;
    page.fill_in().await;
    page.send().await;
    page.until_state("scheduled").await;
    page.until_text(".follow [part=wait]", "We’re closed at the moment").await;
    page.click("[data-action=move]").await;
    page.until_focused("day").await;
    page.click("[data-action=save]").await;
    eventually("the time is told, and no longer the opening", async || {
        page.text(".follow [part=wait]").await.starts_with("We’ll call you").then_some(())
    })
    .await;
    eventually("it is moved", async || {
        let asked = house.callbacks().await.remove(0);
        (asked["at_opening"] == Value::Null).then_some(())
    })
    .await;
    let asked = house.callbacks().await.remove(0);
    assert_eq!(asked["state"], "scheduled");
    let first = noon().1.date().to_string();
    assert_eq!(asked["schedule"]["date"], first);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

/// From now on, everything about a callback is answered with that status.
const ANSWER: &str = "
    const [status] = arguments;
    const send = window.fetch;
    window.fetch = (url, ...more) =>
        String(url).includes('/v1/callbacks/') ? Promise.resolve(new Response('{}', { status })) : send(url, ...more);
";

#[tokio::test]
async fn what_can_no_longer_be_done_about_a_booked_call_is_gone_and_the_focus_is_not() {
    let house = House::with(one_place).await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    let page = browser.page();
    choose(&page).await;
    page.send().await;
    page.until_state("scheduled").await;
    // Too late to move it.
    page.click("[data-action=move]").await;
    page.until_focused("day").await;
    browser.script(ANSWER, vec![json!(409)]).await;
    page.click("[data-action=save]").await;
    page.until_focused("news").await;
    assert!(!page.shows("[data-action=save]").await);
    // Nothing is known of it any more.
    page.tab_to("move").await;
    browser.script(ANSWER, vec![json!(404)]).await;
    browser.script("dispatchEvent(new Event('online'))", vec![]).await;
    page.until_text(".follow .alert", "We can’t show any more").await;
    page.until_focused("news").await;
    for gone in ["[data-action=move]", "[data-action=cancel]", "[data-action=number]", ".planned a"] {
        assert!(!page.shows(gone).await, "{gone}");
    }
}

async fn pictures(look: Look, path: &str, name: &str) {
    let house = House::with(closed).await;
    let browser = Browser::open().await;
    browser.look(look).await;
    browser.goto(&format!("{}{path}", house.website())).await;
    let page = browser.page();
    choose(&page).await;
    take(&browser, &format!("{name}-picker"), look).await;
    page.send().await;
    page.until_state("scheduled").await;
    page.click("[data-action=move]").await;
    page.until_focused("day").await;
    take(&browser, &format!("{name}-move"), look).await;
}

#[tokio::test]
async fn pictures_of_a_chosen_time() {
    pictures(Look::WIDE, "/", "60").await;
    pictures(Look::NARROW.in_dark(), "/", "60").await;
    pictures(Look::NARROW, "/rtl", "61").await;
}

#[tokio::test]
async fn a_picker_that_does_not_come_is_told_and_leaves_the_call_as_soon_as_possible() {
    let house = House::with(|plan| {
        one_place(plan);
        plan.pace(Pace::Manual);
        // Open at all hours, so that a call can be had now.
        for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] {
            plan.set(&format!("sites.acme.hours.{day}"), vec!["00:00-24:00"]);
        }
    })
    .await;
    let browser = Browser::open().await;
    browser.block(&["*lazy*"]).await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.open().await;
    page.fill_in().await;
    page.click("[id='form.later']").await;
    page.until_text(".when .error", "couldn’t be reached").await;
    page.until_focused("form.now").await;
    // It is tried anew for whoever does.
    browser.block(&[]).await;
    page.click("[id='form.later']").await;
    page.element(".slots:not([hidden])").await;
    page.click("[id='form.now']").await;
    assert!(!page.shows(".slots").await);
    page.send().await;
    page.until_state("requested").await;
}

#[tokio::test]
async fn a_time_that_is_longer_than_the_screen_is_wide_is_told_in_full() {
    let house = House::with(one_place).await;
    let browser = Browser::open().await;
    browser.travel_to("Asia/Kolkata").await;
    let narrow = Look { width: 320, ..Look::NARROW };
    for path in ["/", "/rtl"] {
        browser.look(narrow).await;
        browser.goto(&format!("{}{path}", house.website())).await;
        let page = browser.page();
        page.open().await;
        page.click("[id='form.later']").await;
        page.element(".slots:not([hidden])").await;
        let shown = async || {
            let chosen = "document.querySelector('ringback-launcher').shadowRoot.querySelector('[data-field=time] option:checked')";
            let chosen = browser.script(&format!("return {chosen}.textContent"), vec![]).await;
            assert_eq!(page.text(".slots .told").await, chosen, "{path}");
            chosen
        };
        let first = shown().await;
        page.element(".ask [data-field=time]").await.select_by_index(1).await.unwrap();
        assert_ne!(shown().await, first);
        page.element(".ask [data-field=day]").await.select_by_index(1).await.unwrap();
        shown().await;
        take(&browser, &format!("71-long-time{}", path.replace('/', "-")), narrow).await;
        // The list of a wide screen has room for it.
        browser.look(Look::WIDE).await;
        assert!(!page.shows(".slots .told").await);
    }
    // Nor has one clock more to tell than the list.
    browser.travel_to("America/New_York").await;
    browser.look(narrow).await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.open().await;
    page.click("[id='form.later']").await;
    page.element(".slots:not([hidden])").await;
    assert!(!page.shows(".slots .told").await);
}
