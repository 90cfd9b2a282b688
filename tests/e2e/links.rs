//! Preferred-agent links and the pages that the service shows itself.

use ringback_contract::callback::State;
use ringback_contract::field::Code;
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::{service, visitor};
use serde_json::json;

async fn agent_of_form(house: &House, site: &str, token: &str) -> serde_json::Value {
    house.get(&format!("/v1/sites/{site}/form?agent={token}")).await.ok()["agent"].clone()
}

#[track_caller]
fn assert_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("; frame-ancestors "), "{policy}");
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert!(!answer.text().contains('@'), "an e-mail address? {}", answer.text());
}

#[tokio::test]
async fn a_link_shows_the_form_of_its_site_for_its_agent() {
    let house = House::open().await;
    let link = house.agent_link("acme", "grace", "30d");
    assert!(link.starts_with(&format!("{}/a/", house.url())), "{link}");
    let token = house.agent_token("acme", "grace", "30d");
    let page = house.get(&format!("/a/{token}")).await;
    assert_page(&page, 200);
    assert!(
        page.text().contains("data-site=\"acme\"") && page.text().contains("Grace Loh"),
        "{}",
        page.text()
    );
    assert!(page.text().contains(&format!("data-agent=\"{token}\"")));
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(
        agent_of_form(&house, "acme", &token).await,
        json!({ "status": "named", "name": "Grace Loh" })
    );
    // The token itself does not say it either.
    assert!(!token.contains("grace.loh"));
}

#[tokio::test]
async fn a_link_can_be_made_for_another_address_and_without_a_running_service() {
    let house =
        House::without_service(|plan| plan.set("server.public_url", "https://call.example.com")).await;
    let link = house.agent_link("acme", "grace", "12h");
    assert!(link.starts_with("https://call.example.com/a/"), "{link}");
    let config = house.config_file();
    let output = service::output(&[
        "link",
        "--config",
        config.to_str().unwrap(),
        "--site",
        "acme",
        "--agent",
        "grace",
        "--base-url",
        "https://other.example.com",
    ]);
    let link = String::from_utf8(output.stdout).unwrap();
    assert!(link.starts_with("https://other.example.com/a/"), "{link}");
}

#[tokio::test]
async fn a_link_that_has_run_out_offers_the_normal_callback() {
    let house = House::open().await;
    let token = house.agent_token("acme", "grace", "1s");
    eventually("the link runs out", async || {
        (agent_of_form(&house, "acme", &token).await["status"] == "expired").then_some(())
    })
    .await;
    let page = house.get(&format!("/a/{token}")).await;
    assert_page(&page, 410);
    assert!(page.text().contains("This link is no longer valid"), "{}", page.text());
    assert!(
        page.text().contains("data-site=\"acme\"") && !page.text().contains("data-agent"),
        "{}",
        page.text()
    );
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
}

#[tokio::test]
async fn a_forged_link_is_told_and_offers_the_normal_callback_of_the_site_that_it_names() {
    let house = House::open().await;
    let mut forged = house.agent_token("acme", "grace", "30d");
    forged.pop();
    let page = house.get(&format!("/a/{forged}")).await;
    assert_page(&page, 404);
    assert!(page.text().contains("not valid"), "{}", page.text());
    assert!(page.text().contains("data-site=\"acme\""), "{}", page.text());
    assert!(!page.text().contains("data-agent"), "{}", page.text());
    assert_eq!(agent_of_form(&house, "acme", &forged).await, json!({ "status": "invalid" }));
}

#[tokio::test]
async fn a_link_that_names_nothing_says_so_and_no_more() {
    let house = House::open().await;
    for forged in ["nonsense", "rba_00000000.e30.AAAA", "%3Cscript%3E", "rba_.eyJzIjoibm9ib2R5In0.AAAA"] {
        let page = house.get(&format!("/a/{forged}")).await;
        assert_page(&page, 404);
        assert!(!page.text().contains("<form") && !page.text().contains("widget.js"), "{}", page.text());
        assert_eq!(agent_of_form(&house, "acme", forged).await, json!({ "status": "invalid" }));
    }
}

#[tokio::test]
async fn where_there_is_but_one_site_a_link_that_names_nothing_offers_its_form() {
    let house = House::with(|plan| {
        plan.unset("sites.other");
        plan.unset("agents.omar");
        plan.unset("api_keys.other");
    })
    .await;
    let page = house.get("/a/nonsense").await;
    assert_page(&page, 404);
    assert!(page.text().contains("data-site=\"acme\""), "{}", page.text());
}

#[tokio::test]
async fn a_link_of_one_site_is_worth_nothing_on_another() {
    let house = House::with(|plan| plan.preferred_agents("other")).await;
    let token = house.agent_token("other", "omar", "30d");
    assert_eq!(agent_of_form(&house, "other", &token).await["name"], "Omar Haddad");
    assert_eq!(agent_of_form(&house, "acme", &token).await, json!({ "status": "invalid" }));
    let answer = house.send(house.post(&visitor::request_with(json!({ "agent": token })))).await;
    let expected = vec![("/agent".to_owned(), Code::LinkInvalid.as_str().to_owned())];
    assert_eq!(answer.refused_fields(Kind::Validation), expected);
}

#[tokio::test]
async fn the_page_of_a_site_speaks_the_visitors_language() {
    let house = House::open().await;
    let page = async |accept: &str| {
        let request = house.request(reqwest::Method::GET, "/c/acme").header("Accept-Language", accept);
        house.send(request).await
    };
    let english = page("xx, en;q=0.5").await;
    assert_page(&english, 200);
    assert!(english.text().contains("<html lang=\"en\" dir=\"ltr\">"), "{}", english.text());
    assert!(!english.text().contains("data-agent"));
    assert!(page("de-AT,de;q=0.9,en;q=0.5").await.text().contains("lang=\"de\""));
    assert!(page("ar").await.text().contains("<html lang=\"ar\" dir=\"rtl\">"));
}

#[tokio::test]
async fn what_the_operator_writes_cannot_become_markup() {
    let house = House::with(|plan| plan.set("sites.acme.name", "Acme <b>&\" {phone}")).await;
    let page = house.get("/c/acme").await;
    assert_page(&page, 200);
    assert!(page.text().contains("Acme &lt;b&gt;&amp;&quot; {phone}"), "{}", page.text());
}

#[tokio::test]
async fn a_link_that_would_lead_nowhere_is_not_made() {
    let house = House::without_service(|_| {}).await;
    let config = house.config_file();
    let config = config.to_str().unwrap();
    for (site, agent, expires, told) in [
        ("nobody", "grace", "30d", "nobody"),
        ("acme", "nobody", "30d", "nobody"),
        // He takes callbacks for the other site alone.
        ("acme", "omar", "30d", "omar"),
        ("other", "omar", "30d", "preferred_agent"),
        ("acme", "grace", "0s", "lifetime"),
        ("acme", "grace", "soon", "30d"),
    ] {
        let output = service::output(&[
            "link",
            "--config",
            config,
            "--site",
            site,
            "--agent",
            agent,
            "--expires",
            expires,
        ]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{site} {agent} {expires}");
        assert!(error.contains(told), "{site} {agent} {expires}: {error}");
    }
}
