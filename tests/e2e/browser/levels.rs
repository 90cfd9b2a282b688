//! Where the form cannot run, the visitor gets the plain one in a frame; where that is forbidden too, a link. Each leads to a
//! call.

use fantoccini::key::Key;
use ringback_tests::browser::{Browser, Look};
use ringback_tests::eventually::eventually;
use ringback_tests::figures::Figures;
use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::Value;

use super::house;

/// A policy as careful pages have it. What the form needs is left out of one or the other.
const SCRIPTS: &str = "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'";

/// The page of the shop under a policy.
fn under(house: &House, policy: &str) -> String {
    let mut address = reqwest::Url::parse(&format!("{}/policy", house.website())).unwrap();
    address.query_pairs_mut().append_pair("with", policy);
    address.into()
}

/// Waits until the page is told on which level the form is shown; gives why.
async fn until_level(browser: &Browser, level: &str) -> String {
    eventually(&format!("the page is told of the level {level}"), async || {
        let told = browser.events().await.into_iter().find(|event| event["type"] == "level")?;
        assert_eq!(told["level"], level, "{told}");
        told["reason"].as_str().map(str::to_owned)
    })
    .await
}

/// Waits until the operator can see how often the form was shown on a level.
async fn until_counted(house: &House, level: &str, reason: &str) {
    until_counted_of(house, "acme", level, reason).await;
}

async fn until_counted_of(house: &House, site: &str, level: &str, reason: &str) {
    let labels = [("site", site), ("level", level), ("reason", reason)];
    eventually(&format!("{level} because of {reason} is counted"), async || {
        (Figures::of(house).await.count("ringback_forms_shown_total", &labels) == 1).then_some(())
    })
    .await;
}

/// Asks for a call in the frame that has taken the form's place, and waits for it.
async fn ask_in_frame(house: &House, browser: &Browser) {
    let form = browser.page().enter_frame().await;
    form.fill_in().await;
    form.click("button.primary").await;
    form.until_text("#title", "Your request has reached our team").await;
    browser.leave_frame().await;
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.destination, visitor::PHONE_E164);
    assert_eq!(task.attributes["CallReason"], "Orders");
    assert!(task.attributes["Page"].starts_with(house.website()), "{task:?}");
}

#[tokio::test]
async fn the_form_itself_is_counted_too() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    browser.page().open().await;
    assert_eq!(until_level(&browser, "wasm").await, "none");
    until_counted(&house, "wasm", "none").await;
    // The customer's page is of another origin, and has nothing of it in its console.
    assert_eq!(browser.console().await, "");
}

#[tokio::test]
async fn a_page_that_the_site_does_not_list_is_told_that_it_was_refused() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.element("button.launch").await;
    for (site, todo) in [("other", "origins"), ("nope", "data-site")] {
        let check = "
            document.querySelector('script[data-site]').dataset.site = arguments[0];
            return Ringback('check');
        ";
        let found = browser.script(check, vec![site.into()]).await;
        assert_eq!(found["level"], "a link to the hosted page", "{found:#}");
        let results = found["results"].as_array().unwrap();
        let connection = results.iter().find(|result| result["what"] == "Connection to the service").unwrap();
        assert!(connection["todo"].as_str().unwrap().contains(todo), "{connection}");
        browser.script("document.querySelector('ringback-check').remove()", vec![]).await;
    }
    browser.script("Ringback('open', { site: 'other' })", vec![]).await;
    assert_eq!(until_level(&browser, "link").await, "service-refused");
    let statuses: Vec<_> = browser
        .events()
        .await
        .iter()
        .filter(|event| event["type"] == "load")
        .map(|event| event["status"].clone())
        .collect();
    assert_eq!(statuses, [403]);
    let followed = browser.form_in("ringback-launcher[data-site=other]").element("a.launch").await;
    followed.send_keys(&Key::Enter.to_string()).await.unwrap();
    until_counted_of(&house, "other", "link", "service-refused").await;
}

#[tokio::test]
async fn without_wasm_a_visitor_is_called_through_the_plain_form_in_a_frame() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.forbid_wasm().await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.click("button.launch").await;
    page.element("dialog.plain[open] iframe").await;
    ask_in_frame(&house, &browser).await;
    assert_eq!(until_level(&browser, "plain").await, "wasm-missing");
    until_counted(&house, "plain", "wasm-missing").await;
    // The page hears of it as from the form itself.
    let id = &house.tasks().await[0].attributes["RingbackRef"];
    eventually("the page is told of the callback", async || {
        let told = browser.events().await;
        let of = |kind: &str| told.iter().find(|event| event["type"] == kind && event["id"] == id.as_str());
        of("submitted").and(of("state")).map(|_| ())
    })
    .await;
    // Nobody has fetched a module that cannot run.
    let fetched = browser.fetched_from(house.url()).await;
    assert!(fetched.iter().all(|name| !name.contains("ringback.wasm")), "{fetched:?}");
    // The dialog closes, and opens with what happened in it.
    page.click("dialog.plain > button").await;
    assert!(!page.shows("dialog").await);
    page.click("button.launch").await;
    page.enter_frame().await.until_text("#title", "Your request has reached our team").await;
    browser.leave_frame().await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn without_wasm_a_form_in_the_page_is_the_plain_one_at_its_full_height() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.forbid_wasm().await;
    // Of a page that is lower than the form.
    browser.look(Look::NARROW).await;
    browser.goto(house.website()).await;
    let place = "const form = document.createElement('ringback-form'); form.dataset.site = 'acme'; \
                 document.querySelector('main').prepend(form)";
    browser.script(place, vec![]).await;
    let page = browser.form_in("ringback-form");
    let form = page.enter_frame().await;
    form.element("#phone").await;
    let inside = eventually("the frame is as tall as what it holds", async || {
        let tall = "return document.documentElement.scrollHeight - innerHeight";
        browser.script(tall, vec![]).await.as_i64().filter(|missing| *missing <= 0)
    });
    inside.await;
    browser.leave_frame().await;
    // Nor is it scrolled by itself.
    let scrolled = "
        const panel = document.querySelector('ringback-form').shadowRoot.querySelector('.plain');
        return [panel.clientHeight > innerHeight, panel.scrollHeight > panel.clientHeight];
    ";
    assert_eq!(browser.script(scrolled, vec![]).await, serde_json::json!([true, false]));
    browser.look(Look::WIDE).await;
    let form = page.enter_frame().await;
    form.fill_in().await;
    form.click("button.primary").await;
    form.until_text("#title", "Your request has reached our team").await;
    browser.leave_frame().await;
    house.until_tasks(1).await;
    assert_eq!(until_level(&browser, "plain").await, "wasm-missing");
}

#[tokio::test]
async fn a_policy_without_wasm_leads_to_the_plain_form_in_a_frame() {
    let house = house().await;
    let browser = Browser::open().await;
    let policy = format!("{SCRIPTS}; connect-src {{service}}; frame-src {{service}}");
    browser.goto(&under(&house, &policy)).await;
    browser.page().click("button.launch").await;
    ask_in_frame(&house, &browser).await;
    assert_eq!(until_level(&browser, "plain").await, "wasm-forbidden");
    until_counted(&house, "plain", "wasm-forbidden").await;
}

#[tokio::test]
async fn a_policy_without_connections_leads_to_the_plain_form_in_a_frame() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(&under(&house, &format!("{SCRIPTS} 'wasm-unsafe-eval'; frame-src {{service}}"))).await;
    browser.page().click("button.launch").await;
    ask_in_frame(&house, &browser).await;
    assert_eq!(until_level(&browser, "plain").await, "connect-forbidden");
    until_counted(&house, "plain", "connect-forbidden").await;
}

#[tokio::test]
async fn a_module_that_does_not_come_leads_to_the_plain_form_in_a_frame() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.block(&["*/ringback.wasm"]).await;
    browser.goto(house.website()).await;
    browser.page().click("button.launch").await;
    ask_in_frame(&house, &browser).await;
    assert_eq!(until_level(&browser, "plain").await, "wasm-failed");
    until_counted(&house, "plain", "wasm-failed").await;
}

/// Follows the link that has taken the form's place, and asks for a call where it leads to.
async fn ask_behind_link(house: &House, browser: &Browser, reason: &str) {
    let page = browser.page();
    page.element("a.launch").await;
    assert_eq!(until_level(browser, "link").await, reason);
    let told = browser.events().await;
    assert!(told.iter().any(|event| event["type"] == "load"), "{told:?}");
    // By keyboard: the driver cannot click a link inside a shadow root.
    page.element("a.launch").await.send_keys(&Key::Enter.to_string()).await.unwrap();
    let form = browser.plain();
    eventually("the hosted page", async || {
        form.address().await.starts_with(&format!("{}/c/acme", house.url())).then_some(())
    })
    .await;
    until_counted(house, "link", reason).await;
    form.fill_in().await;
    form.click("button.primary").await;
    form.until_text("#title", "Your request has reached our team").await;
    let address = form.address().await;
    house.private.add(address.split("/f/").nth(1).unwrap().split('?').next().unwrap());
    assert_eq!(house.until_tasks(1).await[0].destination, visitor::PHONE_E164);
}

#[tokio::test]
async fn where_frames_are_forbidden_too_a_link_leads_to_the_hosted_page() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.forbid_wasm().await;
    browser.goto(&format!("{}/strict", house.website())).await;
    browser.page().click("button.launch").await;
    ask_behind_link(&house, &browser, "frame-forbidden").await;
}

#[tokio::test]
async fn where_not_even_the_main_script_comes_a_link_leads_to_the_hosted_page() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.forbid_wasm().await;
    browser.block(&["*/main.js*"]).await;
    browser.goto(house.website()).await;
    browser.page().click("button.launch").await;
    ask_behind_link(&house, &browser, "script-failed").await;
}

#[tokio::test]
async fn the_self_test_says_what_a_policy_lacks() {
    let house = house().await;
    let browser = Browser::open().await;
    for (policy, level, lacking) in [
        ("", "the form", vec![]),
        (
            "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
             connect-src {service}; require-trusted-types-for 'script'",
            "the form",
            vec![("Frame with the plain form", "frame-src")],
        ),
        (
            "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'; frame-src {service}",
            "the plain form, in a frame",
            vec![("Connection to the service", "connect-src"), ("WebAssembly", "'wasm-unsafe-eval'")],
        ),
        (
            "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic'; connect-src {service}",
            "a link to the hosted page",
            vec![("WebAssembly", "'wasm-unsafe-eval'"), ("Frame with the plain form", "frame-src")],
        ),
    ] {
        browser.goto(&under(&house, policy)).await;
        browser.page().element("button.launch").await;
        let found = browser.script("return Ringback('check')", vec![]).await;
        assert_eq!(found["level"], level, "{policy}: {found:#}");
        let results = found["results"].as_array().unwrap();
        let works = |result: &&Value| result["works"] == false;
        let wanted: Vec<_> =
            results.iter().filter(works).map(|result| (&result["what"], &result["todo"])).collect();
        assert_eq!(wanted.len(), lacking.len(), "{policy}: {found:#}");
        for ((what, todo), (of, source)) in wanted.into_iter().zip(lacking) {
            assert_eq!(what, of, "{policy}");
            assert!(todo.as_str().unwrap().contains(source), "{policy}: {todo}");
        }
        let shown =
            "return document.querySelector('ringback-check').shadowRoot.querySelector('dialog').innerText";
        let shown = browser.script(shown, vec![]).await;
        assert!(shown.as_str().unwrap().contains(&format!("Visitors with this browser get {level}.")));
    }
}

#[tokio::test]
async fn the_self_test_tells_a_page_without_an_origin_that_it_has_none() {
    let house = house().await;
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    // Its address is that of the website all the same.
    let frame = "
        const frame = Object.assign(document.createElement('iframe'), { sandbox: 'allow-scripts', src: '/?framed' });
        document.body.prepend(frame);
    ";
    browser.script(frame, vec![]).await;
    browser.enter_frame().await;
    browser.page().element("button.launch").await;
    let found = browser.script("return Ringback('check')", vec![]).await;
    assert_eq!(found["level"], "a link to the hosted page", "{found:#}");
    let of = |what: &str| {
        found["results"].as_array().unwrap().iter().find(|result| result["what"] == what).unwrap()
    };
    assert_eq!(
        of("Connection to the service")["found"],
        "The page has no origin (a file, or a sandboxed frame)."
    );
    // What is refused is refused in a frame as well, which no page is told.
    assert_eq!(of("Frame with the plain form")["ok"], false);
}
