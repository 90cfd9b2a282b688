//! Ends that no call comes of: called off, too late.

use std::time::Duration;

use reqwest::Method;
use ringback_contract::callback::{Accepted, State};
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::{eventually, never};
use ringback_tests::house::House;
use ringback_tests::plan::API_KEY;
use webex_simulator::{Fault, Operation, Pace};

async fn cancel(house: &House, callback: &Accepted, token: &str) -> Answer {
    let path = format!("/v1/callbacks/{}", callback.id);
    house.send(house.request(Method::DELETE, &path).bearer_auth(token)).await
}

/// A callback that waits for its next attempt.
async fn waiting(house: &House) -> Accepted {
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = house.ask().await;
    eventually("it waits for its next attempt", async || {
        let record = house.record(&accepted.id).await;
        (record["state"] == "accepted" && record["attempts"] == 1).then_some(())
    })
    .await;
    accepted
}

#[tokio::test]
async fn a_visitor_calls_it_off_and_nobody_rings() {
    let house = House::with(|plan| plan.set("delivery.retry_s", vec![1])).await;
    let accepted = waiting(&house).await;
    assert_eq!(house.view(&accepted).await["cancellable"], true);
    let view = cancel(&house, &accepted, &accepted.follow).await.ok();
    assert_eq!((view["state"].as_str(), view["cancellable"].as_bool()), (Some("cancelled"), Some(false)));
    // Twice is as good as once.
    assert_eq!(cancel(&house, &accepted, &accepted.follow).await.ok()["state"], "cancelled");
    let before = house.control().requests_for(Operation::CreateTask).await.unwrap().len();
    house.control().clear_faults().await.unwrap();
    never("it is sent all the same", Duration::from_millis(1800), async || {
        house.control().requests_for(Operation::CreateTask).await.unwrap().len() > before
    })
    .await;
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn a_crm_calls_it_off_with_its_key() {
    let house = House::with(|plan| plan.set("delivery.retry_s", vec![60])).await;
    let accepted = waiting(&house).await;
    let record = cancel(&house, &accepted, API_KEY).await.ok();
    assert_eq!(record["state"], "cancelled");
    assert_eq!(record["attempts"], 1);
}

#[tokio::test]
async fn what_webex_has_taken_cannot_be_called_off() {
    let house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Requested).await;
    assert_eq!(house.view(&accepted).await["cancellable"], false);
    let problem = cancel(&house, &accepted, &accepted.follow).await.problem(Kind::NotCancellable);
    assert!(problem.detail.contains("requested"), "{}", problem.detail);
}

#[tokio::test]
async fn nobody_is_rung_after_the_deadline() {
    let house = House::with(|plan| plan.set("delivery.deadline_s", 2)).await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = house.ask().await;
    let states = house.follow(&accepted).await.states().await;
    assert_eq!(states.last().map(String::as_str), Some("expired"), "{states:?}");
    house.control().clear_faults().await.unwrap();
    assert_eq!(house.record(&accepted.id).await["state"], "expired");
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn what_has_expired_while_the_service_was_away_is_not_rung() {
    let mut house = House::with(|plan| plan.set("delivery.deadline_s", 2)).await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = house.ask().await;
    house.kill().await;
    house.control().clear_faults().await.unwrap();
    // Not a wait for something to happen: the time itself is what is tested.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    house.start().await;
    house.until(&accepted.id, State::Expired).await;
    assert!(house.tasks().await.is_empty());
}
