//! The ways in which pages put the form to use.

use ringback_tests::browser::{Browser, Look};
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::screenshot::take;
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::OutboundType;

use super::{filled, house, opened, visit};

/// What pages write that call before the script has come.
const QUEUE: &str = "window.Ringback = function () { (Ringback.q = Ringback.q || []).push(arguments) };";

#[tokio::test]
async fn what_a_page_says_before_the_script_has_come_is_done_when_it_comes() {
    let house = house().await;
    let browser = Browser::open().await;
    let early = "
        watched.heard = [];
        Ringback('on', 'open', event => watched.heard.push(event.type));
        Ringback('prefill', { name: 'Ann Early', reason: 'orders' });
        Ringback('open', { prefill: { message: 'About my tent' } });
    ";
    browser.before_each_page(&format!("{QUEUE}{early}")).await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.element("dialog[open] form").await;
    for (field, value) in [("#name", "Ann Early"), ("#reason", "orders"), ("#message", "About my tent")] {
        assert_eq!(page.value(field).await, value, "{field}");
    }
    assert_eq!(browser.script("return watched.heard", vec![]).await, json!(["ringback:open"]));
}

#[tokio::test]
async fn what_is_no_wish_to_be_called_waits_and_fetches_nothing() {
    let house = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.element("button.launch").await;
    browser.script("Ringback('prefill', { name: 'Ann Later' }); Ringback('close')", vec![]).await;
    assert_eq!(browser.fetched_from(house.url()).await.len(), 1);
    page.open().await;
    assert_eq!(page.value("#name").await, "Ann Later");
    // What the visitor has typed stays.
    page.fill("#name", visitor::NAME).await;
    browser.script("Ringback('prefill', { name: 'Somebody', email: 'some@example.com' })", vec![]).await;
    eventually("the rest is filled in", async || {
        (page.value("#email").await == "some@example.com").then_some(())
    })
    .await;
    assert_eq!(page.value("#name").await, visitor::NAME);
}

#[tokio::test]
async fn a_script_tag_that_stands_twice_on_a_page_is_one() {
    let house = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.element("button.launch").await;
    let again = "
        const first = document.querySelector('script[data-site]');
        const again = document.createElement('script');
        again.src = first.src.replace('widget.js', 'widget/v1.js');
        again.dataset.site = 'acme';
        return new Promise(done => { again.onload = () => done(1); document.body.append(again) });
    ";
    assert_eq!(browser.script(again, vec![]).await, 1);
    let launchers = "return document.querySelectorAll('ringback-launcher').length";
    assert_eq!(browser.script(launchers, vec![]).await, 1);
    page.open().await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    let opened = browser.events().await.iter().filter(|event| event["type"] == "open").count();
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn several_forms_on_a_page_are_each_their_own() {
    let house = house().await;
    let browser = Browser::open().await;
    let token = house.agent_token("acme", "grace", "30d");
    browser.goto(house.website()).await;
    let place = "
        for (const agent of ['', arguments[0]]) {
            const form = document.createElement('ringback-form');
            form.className = agent ? 'grace' : 'anybody';
            Object.assign(form.dataset, { site: 'acme', agent, prefillName: 'Ann Example' });
            document.querySelector('main').append(form);
        }
    ";
    browser.script(place, vec![json!(token)]).await;
    let (anybody, grace) = (browser.form_in(".anybody"), browser.form_in(".grace"));
    for host in [".anybody", ".grace"] {
        let scroll = "document.querySelector(arguments[0]).scrollIntoView({ behavior: 'instant' })";
        browser.script(scroll, vec![json!(host)]).await;
        browser.form_in(host).until_inline().await;
    }
    grace.until_text("#title", "Grace Loh").await;
    grace.fill("#phone", visitor::PHONE).await;
    grace.click("#consent").await;
    grace.send().await;
    grace.until_state("requested").await;
    assert_eq!(house.until_tasks(1).await[0].outbound_type, OutboundType::ExecuteFlow);
    // The other stands as it stood, and does its own job.
    assert_eq!(anybody.value("#phone").await, "");
    anybody.fill("#phone", "(202) 555-0143").await;
    anybody.click("#consent").await;
    anybody.send().await;
    anybody.until_state("requested").await;
    let tasks = house.until_tasks(2).await;
    assert!(tasks.iter().any(|task| task.outbound_type == OutboundType::Callback));
    assert_eq!(grace.text("#title").await, "");
    // The dialog beside them is a third.
    browser.page().open().await;
    assert_eq!(browser.page().value("#phone").await, "");
}

#[tokio::test]
async fn any_element_opens_the_form_with_a_reason_and_for_an_agent() {
    let house = house().await;
    let browser = Browser::open().await;
    let token = house.agent_token("acme", "grace", "30d");
    browser.goto(house.website()).await;
    browser.page().element("button.launch").await;
    // Put on the page after the script has come, as pages of one piece do; and the click meets what is in the element.
    let place = "
        const place = (id, data) => {
            const link = document.createElement('a');
            link.id = id;
            link.href = '#gone';
            link.append(Object.assign(document.createElement('b'), { textContent: id }));
            Object.assign(link.dataset, { ringbackOpen: '', ...data });
            document.querySelector('main').prepend(link);
        };
        place('for-orders', { reason: 'orders', prefillMessage: 'About my tent' });
        place('for-grace', { agent: arguments[0], reason: 'billing' });
    ";
    browser.script(place, vec![json!(token)]).await;
    let click = "document.querySelector(arguments[0]).click()";
    browser.script(click, vec![json!("#for-orders b")]).await;
    let page = browser.page();
    page.element("dialog[open] form").await;
    assert_eq!(page.value("#reason").await, "orders");
    assert_eq!(page.value("#message").await, "About my tent");
    assert!(page.text("#title").await.starts_with("We’ll call you back"));
    page.click("[data-action=close]").await;
    browser.script(click, vec![json!("#for-grace b")]).await;
    let grace = browser.form_in("ringback-launcher[data-agent]");
    grace.until_text("#title", "Grace Loh").await;
    assert_eq!(grace.value("#reason").await, "billing");
    // The link itself leads nowhere, and the one for Grace has no button of its own beside the first.
    assert!(!browser.plain().address().await.contains("#gone"));
    assert!(!grace.shows("button.launch").await);
    grace.fill("#name", visitor::NAME).await;
    grace.fill("#phone", visitor::PHONE).await;
    grace.click("#consent").await;
    grace.send().await;
    grace.until_state("requested").await;
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.outbound_type, OutboundType::ExecuteFlow);
    assert_eq!(task.attributes["CallReason"], "Billing");
}

#[tokio::test]
async fn a_page_can_keep_the_form_from_being_sent_and_learns_nothing_of_what_was_typed() {
    let house = house().await;
    let browser = filled(&house).await;
    let page = browser.page();
    let keep = "Ringback('on', 'before-submit', watched.keep = event => event.preventDefault())";
    browser.script(keep, vec![]).await;
    page.send().await;
    let told = eventually("the page is asked", async || {
        browser.events().await.into_iter().find(|event| event["type"] == "before-submit")
    })
    .await;
    assert_eq!(told["reason"], "orders");
    let fields: Vec<_> = told["fields"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(fields, ["name", "country", "phone", "email", "reason", "message", "consent"]);
    for typed in [visitor::NAME, visitor::EMAIL, visitor::MESSAGE, "555"] {
        assert!(!told.to_string().contains(typed), "{told}");
    }
    page.until_phase("editing").await;
    assert!(browser.fetched_from(house.url()).await.iter().all(|name| !name.ends_with("/callbacks")));
    assert_eq!(page.value("#message").await, visitor::MESSAGE);
    browser.script("Ringback('off', 'before-submit', watched.keep)", vec![]).await;
    page.send().await;
    page.until_state("requested").await;
    house.until_tasks(1).await;
}

#[tokio::test]
async fn a_form_that_is_taken_away_and_put_back_works_and_is_heard_once() {
    let house = house().await;
    let browser = opened(&house).await;
    let page = browser.page();
    page.click("[data-action=close]").await;
    let away = "
        window.watched.launcher = document.querySelector('ringback-launcher');
        watched.launcher.remove();
    ";
    browser.script(away, vec![]).await;
    eventually("what it drew is gone", async || {
        let left = "return watched.launcher.shadowRoot.querySelectorAll('.frame').length";
        (browser.script(left, vec![]).await == 0).then_some(())
    })
    .await;
    browser.script("document.body.append(watched.launcher); watched.events.length = 0", vec![]).await;
    page.open().await;
    // One that is only moved, while it is open, keeps what was typed and opens above the page again.
    page.fill("#name", visitor::NAME).await;
    browser.script("document.querySelector('main').append(watched.launcher); Ringback('open')", vec![]).await;
    page.element("dialog:modal form").await;
    assert_eq!(page.value("#name").await, visitor::NAME);
    page.fill_in().await;
    page.send().await;
    page.until_state("requested").await;
    let events = browser.events().await;
    for kind in ["level", "before-submit", "submitted"] {
        assert_eq!(events.iter().filter(|event| event["type"] == kind).count(), 1, "{kind}: {events:?}");
    }
    house.until_tasks(1).await;
}

#[tokio::test]
async fn the_address_of_a_page_fills_the_form_in_only_where_that_is_wanted() {
    let house = house().await;
    let browser = Browser::open().await;
    let address = format!("{}/?ringback_name=Ann&ringback_phone=2025550142&email=no", house.website());
    browser.goto(&address).await;
    let page = browser.page();
    page.open().await;
    assert_eq!(page.value("#name").await, "");
    browser.goto(&address).await;
    page.element("button.launch").await;
    let ask = "document.querySelector('ringback-launcher').dataset.prefill = 'address'";
    browser.script(ask, vec![]).await;
    page.open().await;
    for (field, value) in [("#name", "Ann"), ("#phone", "(202) 555-0142"), ("#email", "")] {
        assert_eq!(page.value(field).await, value, "{field}");
    }
}

#[tokio::test]
async fn an_operator_can_have_addresses_fill_the_form_in() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.set("sites.acme.prefill_from_address", true);
    })
    .await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/?ringback_name=Ann&ringback_reason=orders", house.website())).await;
    let page = browser.page();
    page.open().await;
    assert_eq!((page.value("#name").await, page.value("#reason").await), ("Ann".into(), "orders".into()));
}

#[tokio::test]
async fn the_examples_of_the_demo_do_what_is_said_beside_them() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/examples", house.website())).await;
    let page = browser.page();
    page.element("button.launch").await;
    let press = "document.querySelector(arguments[0]).click()";
    browser.script(press, vec![json!("[data-reason=billing]")]).await;
    page.element("dialog[open] form").await;
    assert_eq!(page.value("#reason").await, "billing");
    page.click("[data-action=close]").await;
    browser.script(press, vec![json!("#open")]).await;
    page.element("dialog[open] form").await;
    assert_eq!(page.value("#name").await, "Ann Example");
    page.click("[data-action=close]").await;
    browser.script("document.querySelector('ringback-form').scrollIntoView()", vec![]).await;
    let inline = browser.form_in("ringback-form");
    inline.until_inline().await;
    inline.until_text("#title", "Wir rufen Sie zurück").await;
    eventually("what is heard is shown", async || {
        let heard = browser.script("return document.querySelector('#heard').innerText", vec![]).await;
        heard
            .as_str()
            .filter(|heard| heard.contains("ringback:open") && heard.contains("\"wasm\""))
            .map(|_| ())
    })
    .await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    for look in [Look::WIDE, Look::NARROW, Look::WIDE.in_dark()] {
        browser.look(look).await;
        take(&browser, "60-examples", look).await;
    }
}
