//! How the service ends: in good order where it can, at once where it is told so, and never with a call lost or made twice.

use ringback_contract::callback::{Accepted, State};
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::{Effect, Fault, Operation};

/// A house in which a request to make a task is under way for so long, in milliseconds.
async fn under_way(change: impl FnOnce(&mut Plan), delay_ms: u64) -> (House, Accepted) {
    let house = House::with(|plan| {
        plan.set("webex.request_timeout_ms", 20_000);
        plan.set("delivery.lease_s", 25);
        change(plan);
    })
    .await;
    let delay = Fault::new(Operation::CreateTask, Effect::Delay).delayed(delay_ms);
    house.control().fault(&delay).await.unwrap();
    let accepted = house.ask().await;
    eventually("the request arrives at Webex", async || {
        let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
        (requests.len() == 1).then_some(())
    })
    .await;
    (house, accepted)
}

/// After a start it is called, once.
async fn is_called_once(mut house: House, accepted: &Accepted) {
    house.control().clear_faults().await.unwrap();
    house.start().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn who_stops_says_that_it_is_not_ready_and_takes_nothing_more() {
    let (mut house, accepted) = under_way(|_| {}, 4000).await;
    house.service().signal("TERM");
    let report = eventually("the service says that it stops", async || {
        let report = house.get_ops("/readyz").await;
        (report.status.as_u16() == 503).then(|| report.json())
    })
    .await;
    let checks = report["checks"].as_array().unwrap();
    let running = checks.iter().find(|check| check["name"] == "running").unwrap();
    assert_eq!(running["detail"], "the service is stopping");
    eventually("nothing more is taken", async || {
        let answer = house.post(&visitor::request()).send().await;
        answer.is_err().then_some(())
    })
    .await;
    let status = house.take_service().ended().await;
    assert_eq!(status.code(), Some(0), "{}", house.log());
    assert_eq!(house.until_tasks(1).await.len(), 1);
    is_called_once(house, &accepted).await;
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (mut house, accepted) = under_way(|_| {}, 15_000).await;
    let service = house.take_service();
    service.signal("TERM");
    eventually("the service says that it stops", async || {
        let report: Value = house.get_ops("/readyz").await.json();
        (report["status"] == "not ready").then_some(())
    })
    .await;
    service.signal("INT");
    let status = service.ended().await;
    assert_eq!(status.code(), Some(143), "{}", house.log());
    assert!(house.log().contains("stopped at once"));
    is_called_once(house, &accepted).await;
}

#[tokio::test]
async fn a_stop_waits_no_longer_than_the_grace() {
    let (mut house, accepted) = under_way(|plan| plan.set("server.shutdown_grace_s", 1), 15_000).await;
    let status = house.stop().await;
    assert_eq!(status.code(), Some(0), "{}", house.log());
    assert!(house.log().contains("did not finish in time"), "{}", house.log());
    is_called_once(house, &accepted).await;
}

#[tokio::test]
async fn what_waits_for_a_lease_is_left_for_the_next_start() {
    let (mut house, accepted) = under_way(|plan| plan.set("delivery.concurrency", 1), 1500).await;
    let other = visitor::request_with(json!({ "phone": "+12025550111" }));
    let waiting = house.send(house.post(&other)).await.accepted();
    assert_eq!(house.stop().await.code(), Some(0), "{}", house.log());
    house.start().await;
    for callback in [&accepted, &waiting] {
        house.until(&callback.id, State::Completed).await;
    }
    // Each was asked for once, and nothing had to be looked up.
    assert_eq!(house.control().requests_for(Operation::CreateTask).await.unwrap().len(), 2);
    assert!(house.control().requests_for(Operation::Search).await.unwrap().is_empty());
}
