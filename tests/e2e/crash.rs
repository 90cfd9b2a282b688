//! What was answered `202` is called once, whenever the process ends.

use std::time::Duration;

use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::{Effect, Fault, Operation};

#[tokio::test]
async fn what_was_accepted_is_called_once_though_the_process_is_killed_right_after() {
    let mut house = House::open().await;
    let accepted = house.ask().await;
    house.kill().await;
    house.start().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
    // Whoever followed it goes on with the same token.
    assert_eq!(house.view(&accepted).await["state"], "completed");
}

#[tokio::test]
async fn no_moment_to_be_killed_at_loses_a_call_or_rings_twice() {
    let mut house = House::with(|plan| plan.set("delivery.search_grace_s", 2)).await;
    let mut asked = Vec::new();
    for (round, delay_ms) in [0, 1, 2, 4, 7, 12, 20].into_iter().enumerate() {
        // Webex takes its time, so that some of the kills fall while it is being asked.
        house.control().fault(&Fault::new(Operation::CreateTask, Effect::Delay).delayed(5)).await.unwrap();
        let number = format!("+12025550{}", 100 + round);
        let request = visitor::request_with(json!({ "phone": number }));
        asked.push((house.send(house.post(&request)).await.accepted().id, number));
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        house.kill().await;
        house.start().await;
    }
    for (id, number) in &asked {
        house.until(id, State::Completed).await;
        assert_eq!(house.control().rings(number).await.unwrap(), 1, "{number}");
    }
}

#[tokio::test]
async fn a_request_that_was_under_way_at_the_kill_is_looked_up_and_adopted() {
    let mut house = House::with(|plan| plan.set("delivery.search_grace_s", 3)).await;
    // Done at once and answered late: the process is gone before the answer comes.
    house
        .control()
        .fault(&Fault::new(Operation::CreateTask, Effect::Delay).answered_late(1500))
        .await
        .unwrap();
    let accepted = house.ask().await;
    let task = house.until_tasks(1).await.remove(0);
    house.kill().await;
    house.start().await;
    let record = house.until(&accepted.id, State::Completed).await;
    assert_eq!(record["task_id"], task.id);
    assert_eq!(house.control().requests_for(Operation::CreateTask).await.unwrap().len(), 1);
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn a_stop_waits_for_the_request_under_way() {
    let mut house = House::open().await;
    house.control().fault(&Fault::new(Operation::CreateTask, Effect::Delay).delayed(1000)).await.unwrap();
    let accepted = house.ask().await;
    eventually("the request arrives at Webex", async || {
        let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
        (requests.len() == 1).then_some(())
    })
    .await;
    let status = house.stop().await;
    assert_eq!(status.code(), Some(0), "{}", house.log());
    let task = house.until_tasks(1).await.remove(0);
    // It was settled before the end: the next start has nothing to look up.
    house.start().await;
    let record = house.until(&accepted.id, State::Completed).await;
    assert_eq!(record["task_id"], task.id);
    assert!(house.control().requests_for(Operation::Search).await.unwrap().is_empty());
}

#[tokio::test]
async fn callbacks_that_wait_are_sent_after_a_restart() {
    let mut house = House::open().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = house.ask().await;
    eventually("a first attempt", async || {
        let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
        (!requests.is_empty()).then_some(())
    })
    .await;
    assert_eq!(house.stop().await.code(), Some(0));
    house.control().clear_faults().await.unwrap();
    house.start().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}
