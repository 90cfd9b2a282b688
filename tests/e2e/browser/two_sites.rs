//! Two sites on one page: each form keeps to its own.

use ringback_tests::browser::Browser;
use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::{Pace, TaskState};

use super::{play_to, visit};

/// The website is a place of both shops. The second has a number of its own, speaks German, and asks for less.
async fn house() -> House {
    House::with(|plan| {
        plan.with_shared_website();
        plan.pace(Pace::Manual);
        plan.set("sites.acme.theme.color", "#ffcc00");
        plan.set("sites.other.theme.color", "#004400");
        plan.set("sites.other.countries", vec!["US"]);
        plan.set("sites.other.fields", vec!["name", "phone"]);
    })
    .await
}

/// A page with a second script tag, that of the other shop.
async fn with_both(house: &House) -> Browser {
    let browser = visit(house).await;
    browser.page().element("button.launch").await;
    add_second(&browser).await;
    browser
}

async fn add_second(browser: &Browser) {
    let add = "
        const first = document.querySelector('script[data-site]');
        const second = document.createElement('script');
        second.src = first.src;
        Object.assign(second.dataset, { site: 'other', locale: 'de', position: 'left', prefillName: 'Ann Other' });
        return new Promise(done => { second.onload = () => done(); document.body.append(second) });
    ";
    browser.script(add, vec![]).await;
}

const ACME: &str = "ringback-launcher[data-site=acme]";
const OTHER: &str = "ringback-launcher[data-site=other]";

/// The events of one kind, by the site that they are of.
const BY_SITE: &str = "
    watched.sites = [];
    for (const type of ['open', 'submitted', 'state'])
        document.addEventListener('ringback:' + type, ({ target }) => watched.sites.push(`${type} ${target.dataset.site}`));
";

#[tokio::test]
async fn two_script_tags_are_two_buttons_and_two_forms_that_keep_to_their_own() {
    let house = house().await;
    let browser = with_both(&house).await;
    browser.script(BY_SITE, vec![]).await;
    let (acme, other) = (browser.form_in(ACME), browser.form_in(OTHER));
    assert_eq!(acme.text("button.launch").await, "Call me back");
    assert_eq!(other.text("button.launch").await, "Rückruf anfordern");
    let apart = "
        const [one, two] = [...document.querySelectorAll('ringback-launcher')]
            .map(({ shadowRoot }) => shadowRoot.querySelector('button').getBoundingClientRect());
        return two.right < one.left;
    ";
    assert_eq!(browser.script(apart, vec![]).await, true);

    other.open().await;
    assert_eq!(other.value("#name").await, "Ann Other");
    assert!(!other.shows("#email").await && !other.shows("#country").await);
    other.until_text("#title", "Wir rufen Sie zurück").await;
    other.fill("#phone", "(202) 555-0143").await;
    other.send().await;
    other.until_state("requested").await;
    other.click("[data-action=close]").await;
    // The one says where its call stands, and the other what it always says.
    other.until_text("button.launch", "Ihre Anfrage").await;
    assert_eq!(acme.text("button.launch").await, "Call me back");

    acme.open().await;
    assert_eq!(acme.value("#name").await, "");
    assert!(acme.shows("#email").await && !acme.shows(".follow").await);
    acme.fill_in().await;
    acme.send().await;
    acme.until_state("requested").await;
    let tasks = house.until_tasks(2).await;
    let mut pages: Vec<_> = tasks.iter().map(|task| task.attributes["Name"].clone()).collect();
    pages.sort();
    assert_eq!(pages, [visitor::NAME, "Ann Other"]);
    let sites = browser.script("return [...new Set(watched.sites)].sort()", vec![]).await;
    let expected =
        ["open acme", "open other", "state acme", "state other", "submitted acme", "submitted other"];
    assert_eq!(sites, json!(expected));

    // Both are gone on with on the next page, each under its site.
    let kept = "return Object.keys(sessionStorage).sort()";
    assert_eq!(browser.script(kept, vec![]).await, json!(["ringback/acme", "ringback/other"]));
    browser.goto(house.website()).await;
    acme.until_state("requested").await;
    add_second(&browser).await;
    other.until_state("requested").await;
    // What becomes of the one is no news of the other.
    let task = tasks.iter().find(|task| task.attributes["Name"] == "Ann Other").expect("a task");
    house.control().advance_to(&task.id, TaskState::Ended).await.unwrap();
    other.until_state("completed").await;
    acme.until_state("requested").await;
    assert_eq!(browser.script(kept, vec![]).await, json!(["ringback/acme"]));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn elements_of_two_sites_stand_beside_each_other_and_one_without_a_site_is_of_the_script_tag() {
    let house = house().await;
    let browser = visit(&house).await;
    browser.page().element("button.launch").await;
    let place = "
        for (const site of ['other', '']) {
            const form = document.createElement('ringback-form');
            form.id = site || 'own';
            if (site) form.dataset.site = site;
            document.querySelector('main').append(form);
        }
    ";
    browser.script(place, vec![]).await;
    for host in ["#other", "#own"] {
        let scroll = "document.querySelector(arguments[0]).scrollIntoView({ behavior: 'instant' })";
        browser.script(scroll, vec![json!(host)]).await;
        browser.form_in(host).until_inline().await;
    }
    let (other, own) = (browser.form_in("#other"), browser.form_in("#own"));
    assert!(own.shows("#email").await && !other.shows("#email").await);
    other.fill("#name", visitor::NAME).await;
    other.fill("#phone", visitor::PHONE).await;
    other.send().await;
    other.until_state("requested").await;
    assert!(own.shows(".ask").await && !own.shows(".follow").await);
    play_to(&house, TaskState::Ended).await;
    other.until_state("completed").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_opened_by_name_and_what_fails_is_of_the_site_that_was_named() {
    let house = house().await;
    let browser = with_both(&house).await;
    // The form cannot be had: the link is that of the site that was asked for.
    browser.block(&["*/main.js*"]).await;
    browser.script("Ringback('open', { site: 'other' })", vec![]).await;
    let link = browser.form_in(OTHER).element("a.launch").await;
    let href = link.attr("href").await.unwrap().unwrap_or_default();
    assert!(href.contains("/c/other?level=link"), "{href}");
    assert!(!browser.form_in(ACME).shows("a.launch").await);
    // Without a name, the first script tag's is meant.
    browser.block(&[]).await;
    browser.script("Ringback('open')", vec![]).await;
    browser.form_in(ACME).element("dialog[open] form").await;
}

#[tokio::test]
async fn a_preferred_agents_link_in_the_address_is_no_word_of_the_other_site() {
    let house = house().await;
    let token = house.agent_token("acme", "grace", "30d");
    let browser = Browser::open().await;
    browser.goto(&format!("{}/?ringback_agent={token}", house.website())).await;
    browser.page().element("button.launch").await;
    add_second(&browser).await;
    let (acme, other) = (browser.form_in(ACME), browser.form_in(OTHER));
    other.open().await;
    assert!(!other.shows("[part=notice]").await);
    other.fill("#phone", "(202) 555-0143").await;
    other.send().await;
    other.until_state("requested").await;
    other.click("[data-action=close]").await;
    acme.open().await;
    acme.until_text("#title", "Grace Loh").await;
}

#[tokio::test]
async fn a_site_that_has_no_button_takes_nothing_of_the_script_tag_that_is_not_its_own() {
    let house = house().await;
    let token = house.agent_token("acme", "grace", "30d");
    let browser = Browser::open().await;
    browser.block(&[&format!("{}/widget.js", house.url())]).await;
    browser.goto(house.website()).await;
    let add = "
        const script = document.createElement('script');
        script.src = arguments[0];
        Object.assign(script.dataset, { site: 'acme', agent: arguments[1], theme: 'dark' });
        return new Promise(done => { script.onload = () => done(); document.body.append(script) });
    ";
    let address = format!("{}/widget/v1.js", house.url());
    browser.script(add, vec![json!(address), json!(token)]).await;
    browser.script("Ringback('open', { site: 'other' })", vec![]).await;
    let other = browser.form_in(OTHER);
    other.element("dialog[open] form").await;
    assert!(!other.shows("[part=notice]").await);
    let data =
        browser.script(&format!("return {{ ...document.querySelector('{OTHER}').dataset }}"), vec![]).await;
    assert_eq!((&data["theme"], &data["agent"]), (&json!("dark"), &Value::Null));
}
