//! The form is a guest on pages that belong to others: it takes little, moves nothing, and leaves nothing behind.

use ringback_tests::browser::Browser;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use serde_json::json;

use super::{house, visit};

/// What the page's window has now and did not have before. The browser's driver leaves names of its own.
const NEW_NAMES: &str = "
    const drivers = ['ret_nodes', 'se_exportedFunctionSymbol'];
    const names = [...Object.getOwnPropertyNames(window), ...Object.keys(document)];
    return names.filter(name => ![...watched.names, ...drivers].includes(name));
";

#[tokio::test]
async fn the_page_gets_one_name_and_no_other() {
    let house = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.element("button.launch").await;
    assert_eq!(browser.script(NEW_NAMES, vec![]).await, json!(["Ringback"]));
    page.ask_for_call().await;
    page.until_state("requested").await;
    page.click("[data-action=close]").await;
    browser.script("Ringback('prefill', { name: 'Ann' }); Ringback('destroy')", vec![]).await;
    eventually("the form is gone", async || {
        let left = "return document.querySelectorAll('ringback-launcher').length";
        (browser.script(left, vec![]).await == 0).then_some(())
    })
    .await;
    assert_eq!(browser.script(NEW_NAMES, vec![]).await, json!(["Ringback"]));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_moves_and_nothing_is_fetched_before_a_visitor_shows_intent() {
    let house = house().await;
    let browser = Browser::open().await;
    // The tag that the page has. Pages move while they are loaded, as this one does when it gets its scroll bar; the form comes to one that
    // stands still.
    let blocked = format!("{}/widget.js", house.url());
    browser.block(&[&blocked]).await;
    browser.goto(house.website()).await;
    let settle = "
        const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        await frame();
        watched.shifts.length = 0;
        const script = document.createElement('script');
        Object.assign(script, { src: address, crossOrigin: 'anonymous' });
        script.dataset.site = 'acme';
        document.body.append(script);
    ";
    let loader = format!("{}/widget/v1.js", house.url());
    let settle = format!("return (async address => {{ {settle} }})(arguments[0])");
    browser.script(&settle, vec![json!(loader)]).await;
    let page = browser.page();
    page.element("button.launch").await;
    // The page is looked through, up and down, as visitors do.
    let look_through = "
        for (const y of [300, document.body.scrollHeight, 0]) {
            scrollTo({ top: y, behavior: 'instant' });
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        }
        await new Promise(done => requestIdleCallback(done));
    ";
    let look_through = format!("return (async () => {{ {look_through} }})()");
    browser.script(&look_through, vec![]).await;
    let fetched = browser.fetched_from(house.url()).await;
    assert_eq!(fetched.into_iter().filter(|name| *name != blocked).collect::<Vec<_>>(), [loader]);
    page.open().await;
    page.press(&[fantoccini::key::Key::Escape]).await;
    browser.script(&look_through, vec![]).await;
    assert_eq!(browser.script("return watched.shifts", vec![]).await, json!([]));
}

#[tokio::test]
async fn the_form_looks_and_works_the_same_under_a_page_that_resets_everything() {
    let house: House = house().await;
    let browser = visit(&house).await;
    let page = browser.page();
    page.element("button.launch").await;
    let reset = "
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(`
            * { all: unset; display: block; position: static; font: 40px/3 fantasy; letter-spacing: 1em; visibility: visible; }
            html { zoom: 1.25; }
            button, input, form, dialog { display: none !important; }
            main { position: fixed; inset: 0; z-index: 2147483647; background: white; }
        `);
        document.adoptedStyleSheets.push(sheet);
    ";
    browser.script(reset, vec![]).await;
    browser.script("Ringback('open')", vec![]).await;
    page.element("dialog[open] form").await;
    let styles = "
        const root = document.querySelector('ringback-launcher').shadowRoot;
        const { fontFamily, letterSpacing, display } = getComputedStyle(root.querySelector('#name'));
        return [fontFamily.includes('fantasy'), letterSpacing, display != 'none'];
    ";
    assert_eq!(browser.script(styles, vec![]).await, json!([false, "normal", true]));
    page.fill_in().await;
    page.send().await;
    page.until_state("requested").await;
}
