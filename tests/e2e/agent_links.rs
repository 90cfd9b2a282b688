//! Preferred-agent links that a CRM makes.

use reqwest::Method;
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plan::API_KEY;
use serde_json::{Value, json};
use webex_simulator::organization;

async fn mint(house: &House, body: Value) -> Answer {
    house.send(house.request(Method::POST, "/v1/agent-links").bearer_auth(API_KEY).json(&body)).await
}

#[tokio::test]
async fn a_link_leads_to_the_agent_named_by_handle_or_by_address() {
    let house = House::open().await;
    for agent in ["grace", organization::GRACE_EMAIL, &organization::GRACE_EMAIL.to_uppercase()] {
        let answer = mint(&house, json!({ "site": "acme", "agent": agent, "lifetime_s": 60 })).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
        let link = answer.json();
        house.private.add(link["token"].as_str().unwrap());
        assert_eq!(link["agent"], "Grace Loh");
        assert!(!answer.text().contains(organization::GRACE_EMAIL));
        let page = link["url"].as_str().unwrap().strip_prefix(house.url()).unwrap().to_owned();
        let page = house.get(&page).await;
        assert_eq!(page.status.as_u16(), 200);
        assert!(page.text().contains("Grace Loh"));
    }
}

#[tokio::test]
async fn what_a_link_cannot_be_made_for_is_told() {
    let house = House::open().await;
    for (body, pointer, code) in [
        (json!({ "site": "acme", "agent": "nobody" }), "/agent", "agent_unknown"),
        (json!({ "site": "acme", "agent": "nobody@example.com" }), "/agent", "agent_unknown"),
        // He takes callbacks for the other site alone.
        (json!({ "site": "acme", "agent": "omar" }), "/agent", "agent_unknown"),
        (json!({ "site": "acme", "agent": "" }), "/agent", "required"),
        (json!({ "site": "acme", "agent": "grace", "lifetime_s": 0 }), "/lifetime_s", "out_of_range"),
        (
            json!({ "site": "acme", "agent": "grace", "lifetime_s": 1_000_000_000 }),
            "/lifetime_s",
            "out_of_range",
        ),
    ] {
        let refused = mint(&house, body).await.refused_fields(Kind::Validation);
        assert_eq!(refused, [(pointer.to_owned(), code.to_owned())]);
    }
    let beyond = mint(&house, json!({ "site": "acme", "agent": "grace", "lifetime_s": 0 })).await;
    assert_eq!(beyond.problem(Kind::Validation).errors[0].message, "Give 1 to 63072000 seconds.");
    let negative = mint(&house, json!({ "site": "acme", "agent": "grace", "lifetime_s": -1 })).await;
    let told = negative.problem(Kind::WrongType);
    assert_eq!(told.errors[0].message, "Give this as a whole number, 0 or more.");
    mint(&house, json!({ "site": "other", "agent": "omar" })).await.problem(Kind::Forbidden);
    mint(&house, json!({ "site": "acme", "agent": "grace", "for": 1 })).await.problem(Kind::UnknownField);
}
