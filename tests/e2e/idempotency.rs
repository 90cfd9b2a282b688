//! A post that is repeated has the effect of one.

use std::collections::HashSet;

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_tests::house::House;
use ringback_tests::plan::ORIGIN;
use ringback_tests::visitor;
use serde_json::json;

#[tokio::test]
async fn the_same_post_under_the_same_key_gives_the_same_callback() {
    let house = House::open().await;
    let first = house.ask_with_key("key-1").await;
    let again = house.ask_with_key("key-1").await;
    assert_eq!(first.id, again.id);
    // Both tokens open it: the first answer may have been lost.
    house.view(&first).await;
    house.view(&again).await;
    // The quotes of the IETF draft's form are no part of the key.
    assert_eq!(house.ask_with_key("\"key-1\"").await.id, first.id);
    // White space between the members makes no other request.
    let request = house
        .request(Method::POST, "/v1/sites/acme/callbacks")
        .header("Origin", ORIGIN)
        .header("Content-Type", "application/json")
        .header(IDEMPOTENCY_KEY, "key-1")
        .body(serde_json::to_string_pretty(&visitor::request()).unwrap());
    assert_eq!(house.send(request).await.accepted().id, first.id);
    house.until(&first.id, State::Completed).await;
    assert_eq!(house.tasks().await.len(), 1);
}

#[tokio::test]
async fn thirty_posts_at_once_under_one_key_make_one_callback() {
    let house = House::open().await;
    let posts = (0..30).map(|_| house.ask_with_key("one-key"));
    let ids: HashSet<_> =
        futures_util::future::join_all(posts).await.into_iter().map(|accepted| accepted.id).collect();
    assert_eq!(ids.len(), 1);
    let id = ids.into_iter().next().unwrap();
    house.until(&id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn a_key_is_remembered_over_a_restart() {
    let mut house = House::open().await;
    let first = house.ask_with_key("kept").await;
    house.stop().await;
    house.start().await;
    let again = house.ask_with_key("kept").await;
    assert_eq!(first.id, again.id);
    house.view(&first).await;
    house.until(&first.id, State::Completed).await;
    assert_eq!(house.tasks().await.len(), 1);
}

#[tokio::test]
async fn a_key_stands_for_one_request_alone() {
    let house = House::open().await;
    house.ask_with_key("key").await;
    let other = visitor::request_with(json!({ "phone": "+1 202 555 0143" }));
    let request = house.post(&other).header(IDEMPOTENCY_KEY, "key");
    house.send(request).await.problem(Kind::IdempotencyKeyReused);
    house.until_tasks(1).await;
}

#[tokio::test]
async fn a_key_belongs_to_whoever_used_it() {
    let house = House::with(|plan| plan.set("delivery.join_s", 0)).await;
    let of_site = house.ask_with_key("shared").await;
    let of_crm = house
        .send(house.crm_post(&visitor::crm_request()).header(IDEMPOTENCY_KEY, "shared"))
        .await
        .accepted();
    let other = json!({ "name": visitor::NAME, "phone": visitor::PHONE_E164 });
    let request = house
        .request(Method::POST, "/v1/sites/other/callbacks")
        .header("Origin", "https://www.other.example")
        .header(IDEMPOTENCY_KEY, "shared")
        .json(&other);
    let of_other = house.send(request).await.accepted();
    let ids: HashSet<_> = [of_site.id, of_crm.id, of_other.id].into();
    assert_eq!(ids.len(), 3);
    house.until_tasks(3).await;
}

#[tokio::test]
async fn posts_without_a_key_are_requests_of_their_own_where_none_may_join() {
    let house = House::with(|plan| plan.set("delivery.join_s", 0)).await;
    assert_ne!(house.ask().await.id, house.ask().await.id);
    house.until_tasks(2).await;
}
