//! One visitor, one call: further requests for a number join the callback that is on its way.

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_tests::house::House;
use ringback_tests::plan::API_KEY;
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::Outcome;

/// A house where a callback waits for an agent until the test goes on.
async fn waiting() -> House {
    House::with(|plan| plan.outcome(Outcome::StaysParked)).await
}

#[tokio::test]
async fn a_second_request_for_a_number_joins_the_first_and_rings_nobody_twice() {
    let house = waiting().await;
    let first = house.ask().await;
    assert!(!first.joined);
    house.until(&first.id, State::Queued).await;
    let second = house.ask().await;
    assert_eq!((second.id.as_str(), second.joined), (first.id.as_str(), true));
    assert_eq!(house.view(&second).await["state"], "queued");
    assert_eq!(house.tasks().await.len(), 1);
    // However often it is asked at once.
    let asking = (0..20).map(|_| house.ask());
    for accepted in futures_util::future::join_all(asking).await {
        assert_eq!(accepted.id, first.id);
    }
    assert_eq!(house.tasks().await.len(), 1);
}

#[tokio::test]
async fn who_joins_sees_the_callback_and_can_neither_call_it_off_nor_learn_whom_it_is_for() {
    let house = waiting().await;
    let token = house.agent_token("acme", "grace", "1h");
    let request = visitor::request_with(json!({ "agent": token }));
    let first = house.send(house.post(&request)).await.accepted();
    let second = house.ask().await;
    let view = house.view(&second).await;
    assert_eq!((&view["cancellable"], view.get("agent")), (&json!(false), None));
    assert_eq!(house.view(&first).await["agent"], "Grace Loh");
    let path = format!("/v1/callbacks/{}", first.id);
    let request = house.request(Method::DELETE, &path).bearer_auth(&second.follow);
    house.send(request).await.problem(Kind::NotCancellable);
}

#[tokio::test]
async fn a_repeated_post_is_answered_as_the_first_time_whether_it_had_joined_or_not() {
    let house = waiting().await;
    let first = house.ask_with_key("first").await;
    let second = house.ask_with_key("second").await;
    assert_eq!(house.ask_with_key("first").await, first);
    assert_eq!(house.ask_with_key("second").await, second);
    assert!(second.joined && !first.joined);
}

#[tokio::test]
async fn a_new_request_after_the_end_is_a_new_call() {
    let house = House::open().await;
    let first = house.ask().await;
    house.until(&first.id, State::Completed).await;
    let second = house.ask().await;
    assert_ne!(second.id, first.id);
    assert!(!second.joined);
    house.until(&second.id, State::Completed).await;
}

#[tokio::test]
async fn another_site_another_number_and_a_crm_that_says_so_get_calls_of_their_own() {
    let house = waiting().await;
    let first = house.ask().await;
    let other_number = visitor::request_with(json!({ "phone": "+12025550177" }));
    assert!(!house.send(house.post(&other_number)).await.accepted().joined);
    let joined = house.send(house.crm_post(&visitor::crm_request())).await.accepted();
    assert_eq!((joined.id.as_str(), joined.joined), (first.id.as_str(), true));
    let mut another = visitor::crm_request();
    another["another"] = json!(true);
    let another = house.send(house.crm_post(&another).header(IDEMPOTENCY_KEY, "another")).await.accepted();
    assert_ne!(another.id, first.id);
    house.until(&another.id, State::Queued).await;
    let path = format!("/v1/callbacks/{}", another.id);
    let record = house.send(house.request(Method::GET, &path).bearer_auth(API_KEY)).await.ok();
    assert_eq!(record["state"], "queued");
    house.until_tasks(3).await;
}
