//! A CRM lists the callbacks of its sites.

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, API_KEY_FOR_ALL, API_KEY_OF_OTHER, Plan};
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::{Fault, Operation};

async fn page(house: &House, key: &str, query: &[(&str, &str)]) -> Answer {
    house.send(house.request(Method::GET, "/v1/callbacks").bearer_auth(key).query(query)).await
}

fn ids(page: &Value) -> Vec<String> {
    let callbacks = page["callbacks"].as_array().unwrap();
    callbacks.iter().map(|callback| callback["id"].as_str().unwrap().to_owned()).collect()
}

async fn ask(house: &House, site: &str) -> String {
    let body = visitor::crm_request_with(json!({ "site": site, "reason": null, "another": true }));
    house.private.add_from(&body);
    let request = house.request(Method::POST, "/v1/callbacks").bearer_auth(API_KEY_FOR_ALL).json(&body);
    house.send(request).await.accepted().id
}

#[tokio::test]
async fn pages_lead_to_the_end_and_hold_each_callback_once_while_more_come_in() {
    for change in [|_: &mut Plan| {}, Plan::postgres] {
        let house = House::with(change).await;
        let mut asked = Vec::new();
        for _ in 0..23 {
            asked.push(ask(&house, "acme").await);
        }
        ask(&house, "other").await;
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let mut query = vec![("limit", "5")];
            if !cursor.is_empty() {
                query.push(("cursor", &cursor));
            }
            let page = page(&house, API_KEY, &query).await.ok();
            seen.extend(ids(&page));
            ask(&house, "acme").await;
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        // Two of one millisecond may stand either way round.
        asked.sort_by(|one, other| other.cmp(one));
        assert_eq!(seen, asked);
    }
}

#[tokio::test]
async fn a_list_shows_what_is_asked_for_and_nothing_of_other_sites() {
    let house = House::open().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let of_acme = ask(&house, "acme").await;
    let of_other = ask(&house, "other").await;
    let visitors = house.ask().await.id;
    // It is tried again and again, and cannot be called off just then.
    ringback_tests::eventually::eventually("it is called off", async || {
        let request = house.request(Method::DELETE, &format!("/v1/callbacks/{of_acme}"));
        house.send(request.bearer_auth(API_KEY)).await.status.is_success().then_some(())
    })
    .await;
    let listed = async |key, query: &[(&str, &str)]| ids(&page(&house, key, query).await.ok());
    let newest_first = |ids: &[&String]| {
        let mut ids: Vec<_> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort_by(|one, other| other.cmp(one));
        ids
    };
    assert_eq!(listed(API_KEY, &[]).await, newest_first(&[&visitors, &of_acme]));
    assert_eq!(listed(API_KEY_FOR_ALL, &[]).await, newest_first(&[&visitors, &of_other, &of_acme]));
    assert_eq!(listed(API_KEY_OF_OTHER, &[]).await, std::slice::from_ref(&of_other));
    assert_eq!(listed(API_KEY_FOR_ALL, &[("site", "other")]).await, [of_other]);
    assert_eq!(listed(API_KEY, &[("state", "cancelled")]).await, std::slice::from_ref(&of_acme));
    let record = house.record(&visitors).await;
    let since = record["created_at"].as_str().unwrap();
    assert!(listed(API_KEY, &[("since", since)]).await.contains(&visitors));
    assert!(listed(API_KEY, &[("since", "2999-01-01T00:00:00Z")]).await.is_empty());
    let whole = page(&house, API_KEY, &[("state", "cancelled")]).await;
    assert_eq!(whole.json()["callbacks"][0], house.until(&of_acme, State::Cancelled).await);
    for private in [visitor::NAME, visitor::PHONE_E164, visitor::EMAIL, visitor::MESSAGE] {
        assert!(!whole.text().contains(private));
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_key_and_its_question_alone() {
    let house = House::open().await;
    for _ in 0..3 {
        ask(&house, "acme").await;
    }
    let first = page(&house, API_KEY, &[("limit", "1")]).await.ok();
    let cursor = first["next"].as_str().unwrap();
    house.private.add(cursor);
    let refused = async |key, query: &[(&str, &str)]| {
        page(&house, key, query).await.problem(Kind::CursorInvalid);
    };
    refused(API_KEY_FOR_ALL, &[("cursor", cursor)]).await;
    let other_key = house.key(&["--site", "acme"]);
    refused(&other_key, &[("cursor", cursor)]).await;
    refused(API_KEY, &[("cursor", cursor), ("state", "accepted")]).await;
    refused(API_KEY, &[("cursor", cursor), ("site", "acme")]).await;
    let mut forged = cursor.to_owned();
    forged.replace_range(20..21, if &cursor[20..21] == "A" { "B" } else { "A" });
    for cursor in [forged.as_str(), "x", "rbc_", ""] {
        refused(API_KEY, &[("cursor", cursor)]).await;
    }
    // The size of the page may change.
    assert_eq!(ids(&page(&house, API_KEY, &[("limit", "2"), ("cursor", cursor)]).await.ok()).len(), 2);
}

#[tokio::test]
async fn a_question_that_cannot_be_read_is_told() {
    let house = House::open().await;
    for query in [
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "-1"),
        ("state", "done"),
        ("since", "yesterday"),
        ("sate", "accepted"),
    ] {
        let problem = page(&house, API_KEY, &[query]).await.problem(Kind::BadRequest);
        assert!(problem.detail.contains(&format!("`{}`", query.0)), "{problem:?}");
    }
    page(&house, API_KEY_FOR_ALL, &[("site", "nobody")]).await.problem(Kind::SiteUnknown);
}
