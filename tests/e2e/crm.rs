//! What a CRM can say beside what a form can.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plan::API_KEY;
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::{Fault, Operation, organization};

async fn post(house: &House, body: &Value, headers: &[(&str, &str)]) -> Answer {
    let request =
        headers.iter().fold(house.crm_post(body), |request, (name, value)| request.header(*name, *value));
    house.send(request).await
}

async fn task_body(house: &House) -> Value {
    let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
    assert_eq!(requests.len(), 1, "{requests:#?}");
    serde_json::from_str(&requests[0].body).unwrap()
}

#[tokio::test]
async fn two_hundred_posts_at_once_under_one_key_make_one_callback_and_one_answer() {
    let house = House::open().await;
    let body = visitor::crm_request();
    let headers = [(IDEMPOTENCY_KEY, "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"")];
    let answers = join_all((0..200).map(|_| post(&house, &body, &headers))).await;
    // None is told to come again: a post that finds another of its key under way is answered when that is stored.
    let distinct: HashSet<_> = answers
        .iter()
        .map(|answer| (answer.status.as_u16(), answer.header("location").to_owned(), answer.text()))
        .collect();
    assert_eq!(distinct.len(), 1, "{distinct:?}");
    let accepted = answers[0].accepted();
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
    // The same afterwards.
    let again = post(&house, &body, &headers).await;
    assert_eq!(again.text(), answers[0].text());
}

#[tokio::test]
async fn two_hundred_posts_at_four_services_under_one_key_make_one_callback() {
    let house = House::with(ringback_tests::plan::Plan::postgres).await;
    let others = join_all((0..3).map(|_| house.start_beside())).await;
    let urls: Vec<&str> = others.iter().map(|other| other.url.as_str()).chain([house.url()]).collect();
    let body = visitor::crm_request();
    house.private.add_from(&body);
    let answers = join_all((0..200).map(async |index: usize| {
        let request = house.http.post(format!("{}/v1/callbacks", urls[index % urls.len()]));
        let request = request.bearer_auth(API_KEY).header(IDEMPOTENCY_KEY, "one").json(&body);
        house.send(request).await.text()
    }))
    .await;
    let distinct: HashSet<_> = answers.into_iter().collect();
    assert_eq!(distinct.len(), 1, "{distinct:?}");
    house.until_tasks(1).await;
}

#[tokio::test]
async fn a_key_is_remembered_over_a_kill_and_belongs_to_one_body() {
    let mut house = House::open().await;
    let body = visitor::crm_request_with(json!({ "attributes": { "Case": "4711-a" } }));
    let headers = [(IDEMPOTENCY_KEY, "kept")];
    let first = post(&house, &body, &headers).await;
    house.kill().await;
    house.start().await;
    assert_eq!(post(&house, &body, &headers).await.text(), first.text());
    let other = visitor::crm_request_with(json!({ "attributes": { "Case": "4711-b" } }));
    post(&house, &other, &headers).await.problem(Kind::IdempotencyKeyReused);
    house.until_tasks(1).await;
}

#[tokio::test]
async fn attributes_reach_the_task_beside_the_sites_own() {
    let house = House::open().await;
    let attributes = json!({ "Case": "4711", "Größe": "42 \"x\"", "Left": "" });
    let accepted =
        post(&house, &visitor::crm_request_with(json!({ "attributes": attributes })), &[]).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    let sent = &task_body(&house).await["attributes"];
    assert_eq!((&sent["Case"], &sent["Größe"]), (&json!("4711"), &json!("42 \"x\"")));
    assert_eq!(sent["RingbackRef"], accepted.id);
    // An empty value is none, as with the site's own.
    assert_eq!(sent.get("Left"), None);
}

#[tokio::test]
async fn attributes_that_webex_would_refuse_or_the_site_sets_are_told_one_by_one() {
    let house = House::open().await;
    let refused = async |attributes: Value| {
        let body = visitor::crm_request_with(json!({ "attributes": attributes }));
        post(&house, &body, &[]).await.refused_fields(Kind::Validation)
    };
    for (key, value, code) in [
        ("", "x", "required"),
        (&*"k".repeat(201), "x", "too_long"),
        ("a\u{202e}b", "x", "control_character"),
        ("Long", &*"ü".repeat(513), "too_long"),
        ("Lines", "a\nb", "control_character"),
        // What answers are searched by, what names the agent, and any other that the site fills.
        ("RingbackRef", "forged", "reserved"),
        ("preferredAgent", "nobody@example.com", "reserved"),
        ("Name", "forged", "reserved"),
    ] {
        assert_eq!(refused(json!({ key: value })).await, [(format!("/attributes/{key}"), code.to_owned())]);
    }
    assert_eq!(refused(json!({ "a/b~c": "\0" })).await[0].0, "/attributes/a~1b~0c");
    let many: BTreeMap<String, &str> = (0..25).map(|index| (format!("A{index}"), "x")).collect();
    assert_eq!(refused(json!(many)).await, [("/attributes".to_owned(), "too_many".to_owned())]);
    for wrong in [json!({ "A": 1 }), json!(["A"]), json!(null), json!({ "A": { "b": "c" } })] {
        let body = json!({ "site": "acme", "phone": visitor::PHONE_E164, "attributes": wrong });
        post(&house, &body, &[]).await.problem(Kind::WrongType);
    }
    let twice = r#"{"site":"acme","phone":"+12025550142","attributes":{"A":"1","A":"2"}}"#;
    let request = house.request(Method::POST, "/v1/callbacks").bearer_auth(API_KEY);
    house.send(request.header("Content-Type", "application/json").body(twice)).await.problem(Kind::NotJson);
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn as_many_attributes_as_webex_takes_are_taken_with_an_agent() {
    let house = House::open().await;
    // Five of the site's own and the agent's.
    let many: BTreeMap<String, String> =
        (0..24).map(|index| (format!("A{index}"), "x".repeat(500))).collect();
    let body = visitor::crm_request_with(json!({ "agent": organization::GRACE_EMAIL, "attributes": many }));
    let accepted = post(&house, &body, &[]).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    let task = task_body(&house).await;
    assert_eq!(task["attributes"]["preferredAgent"], organization::GRACE_EMAIL);
    assert!(task["attributes"].as_object().unwrap().len() <= 30);
    let unknown = visitor::crm_request_with(json!({ "agent": "nobody@example.com" }));
    let refused = post(&house, &unknown, &[]).await.refused_fields(Kind::Validation);
    assert_eq!(refused, [("/agent".to_owned(), "agent_unknown".to_owned())]);
}

#[tokio::test]
async fn who_prefers_to_wait_is_told_what_came_of_the_request() {
    let house = House::open().await;
    let answer =
        post(&house, &visitor::crm_request_with(json!({ "another": true })), &[("Prefer", "wait=30")]).await;
    assert_eq!(answer.header("preference-applied"), "wait=30");
    let body = answer.ok();
    assert!(!["accepted", "sending", "unconfirmed"].contains(&body["state"].as_str().unwrap()), "{body}");
    assert_eq!(body["callback"]["task_id"], house.tasks().await[0].id);
    assert_eq!(answer.header("location"), format!("/v1/callbacks/{}", body["id"].as_str().unwrap()));
    // Who does not, is answered at once and of that says nothing.
    let answer =
        post(&house, &visitor::crm_request_with(json!({ "another": true })), &[("Prefer", "respond-async")])
            .await;
    answer.accepted();
    assert_eq!(answer.header("preference-applied"), "");
}

#[tokio::test]
async fn a_wait_that_ends_first_says_where_it_stands() {
    let house = House::open().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let answer =
        post(&house, &visitor::crm_request_with(json!({ "another": true })), &[("Prefer", "wait=0")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("preference-applied")), (202, "wait=0"));
    assert_eq!(answer.json()["callback"]["state"], answer.json()["state"]);
    house.control().clear_faults().await.unwrap();
    // A refusal for good ends it as well.
    house.until_tasks(1).await;
    house.control().fault(&Fault::status(Operation::CreateTask, 400)).await.unwrap();
    let body = post(&house, &visitor::crm_request_with(json!({ "another": true })), &[("Prefer", "wait=30")])
        .await
        .ok();
    assert_eq!((&body["state"], &body["callback"]["failure"]), (&json!("failed"), &json!("refused")));
}

#[tokio::test]
async fn a_stop_sends_those_who_wait_home_with_an_answer() {
    let mut house = House::open().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let request = house.crm_post(&visitor::crm_request()).header("Prefer", "wait=30");
    let waiting = tokio::spawn(request.send());
    ringback_tests::eventually::eventually("the callback is stored", async || {
        house.log().contains("callback accepted").then_some(())
    })
    .await;
    assert_eq!(house.stop().await.code(), Some(0));
    let answer = tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap().unwrap();
    let answer = Answer::of(answer).await;
    assert_eq!(answer.status.as_u16(), 202, "{}", answer.text());
    house.private.add(answer.json()["follow"].as_str().unwrap());
}

#[tokio::test]
async fn the_record_lists_the_requests_to_webex_for_support() {
    let house = House::open().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1)).await.unwrap();
    let accepted = post(&house, &visitor::crm_request(), &[]).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.record(&accepted.id).await.get("requests"), None);
    let requests = house.requests_of(&accepted.id).await;
    let statuses: Vec<_> = requests
        .iter()
        .filter(|request| request["operation"] == "create_task")
        .map(|request| request["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [503, 201]);
    // A visitor's token shows none of it.
    let path = format!("/v1/callbacks/{}?include=requests", accepted.id);
    let view = house.send(house.request(Method::GET, &path).bearer_auth(&accepted.follow)).await.ok();
    assert_eq!(view.get("requests"), None);
    let path = format!("/v1/callbacks/{}?include=everything", accepted.id);
    house.send(house.request(Method::GET, &path).bearer_auth(API_KEY)).await.problem(Kind::BadRequest);
}
