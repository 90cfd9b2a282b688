//! `ringback embed`: what a web developer pastes into a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use ringback_tests::browser::Browser;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::service;
use sha2::{Digest as _, Sha384};

/// What stands between two marks.
#[track_caller]
fn between<'a>(text: &'a str, (from, to): (&str, &str)) -> &'a str {
    let after = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}")).1;
    after.split_once(to).unwrap_or_else(|| panic!("no {to} after {from} in {text}")).0
}

#[tokio::test]
async fn the_pinned_loader_is_the_one_that_is_served_there() {
    let house = House::open().await;
    let printed = house.command(&["embed", "--site", "acme"]);
    assert!(printed.contains("https://www.acme.example"), "{printed}");
    let pinned = between(&printed, ("\n<script async crossorigin src=\"", "</script>\n-->"));
    let address = pinned.split('"').next().unwrap();
    let path = address.strip_prefix(house.url()).unwrap_or_else(|| panic!("{address}"));
    let loader = house.send(house.request(Method::GET, path)).await;
    assert_eq!(loader.status.as_u16(), 200, "{}", loader.text());
    let integrity = format!("sha384-{}", STANDARD.encode(Sha384::digest(&loader.body)));
    assert_eq!(between(pinned, ("integrity=\"", "\"")), integrity);
}

#[tokio::test]
async fn the_form_comes_by_what_is_printed_and_under_the_policy_that_is_printed() {
    let house = House::with(Plan::with_website).await;
    let printed = house.command(&["embed", "--site", "acme"]);
    let policy = between(&printed, ("Or with a list of hosts:\n", "\n-->"));
    let mut address = reqwest::Url::parse(&format!("{}/policy", house.website())).unwrap();
    address.query_pairs_mut().append_pair("with", &format!("default-src 'none'; style-src 'self'; {policy}"));
    let browser = Browser::open().await;
    // The tag that the page has already.
    browser.block(&[&format!("{}/widget.js", house.url())]).await;
    let tags: Vec<_> = printed.lines().filter(|line| line.starts_with("<script")).collect();
    assert_eq!(tags.len(), 2, "{printed}");
    for tag in tags {
        browser.goto(address.as_str()).await;
        let put = "
            const tag = new DOMParser().parseFromString(arguments[0], 'text/html').querySelector('script');
            const script = document.createElement('script');
            for (const { name, value } of tag.attributes) script.setAttribute(name, value);
            document.body.append(script);
        ";
        browser.script(put, vec![tag.into()]).await;
        browser.page().open().await;
    }
}

#[tokio::test]
async fn the_button_has_its_sites_colours_from_the_first_paint_by_the_rule_that_is_printed() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.set("sites.acme.theme.color", "#fc0");
    })
    .await;
    let printed = house.command(&["embed", "--site", "acme"]);
    let rule = between(&printed, ("in a style sheet of the page:\n", "\n-->"));
    let browser = Browser::open().await;
    browser.goto(house.website()).await;
    let page = browser.page();
    page.element("button.launch").await;
    let put = "
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(arguments[0]);
        document.adoptedStyleSheets.push(sheet);
        const button = document.querySelector('ringback-launcher').shadowRoot.querySelector('button');
        const { backgroundColor, color } = getComputedStyle(button);
        return `${color} on ${backgroundColor}`;
    ";
    assert_eq!(browser.script(put, vec![rule.into()]).await, "rgb(0, 0, 0) on rgb(255, 204, 0)");
    // The loader alone was fetched: nothing of the site is known yet.
    assert_eq!(browser.fetched_from(house.url()).await.len(), 1);
    page.open().await;
    assert_eq!(browser.script(put, vec![rule.into()]).await, "rgb(0, 0, 0) on rgb(255, 204, 0)");
    // A site without colours needs none.
    assert!(!house.command(&["embed", "--site", "other"]).contains("first paint"));
}

#[tokio::test]
async fn a_site_that_there_is_not_is_named_with_what_to_do() {
    let house = House::open().await;
    let config = house.config_file();
    let output = service::output(&["embed", "--site", "nobody", "--config", config.to_str().unwrap()]);
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("there is no site \"nobody\"") && told.contains("hint: "), "{told}");
}
