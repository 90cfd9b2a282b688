//! What goes wrong at Webex, and that nobody's phone rings twice for it.

use std::time::Duration;

use ringback_contract::callback::State;
use ringback_tests::eventually::{eventually, never};
use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::{Effect, Envelope, Failure, Fault, Operation, organization};

async fn sent(house: &House) -> Vec<webex_simulator::RecordedRequest> {
    house.control().requests_for(Operation::CreateTask).await.unwrap()
}

/// One fault on the next request to make a task, up to the end of the call. Gives how often it was asked for.
async fn completes_after(house: &House, effect: Effect) -> usize {
    house.control().fault(&Fault::new(Operation::CreateTask, effect)).await.unwrap();
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
    assert_eq!(house.tasks().await.len(), 1);
    sent(house).await.len()
}

fn status(status: u16, retry_after: Option<u64>) -> Effect {
    Effect::Status(Failure { retry_after, ..Failure::status(status) })
}

#[tokio::test]
async fn webex_says_when_to_come_back() {
    let house = House::open().await;
    assert_eq!(completes_after(&house, status(429, Some(2))).await, 2);
    let requests = sent(&house).await;
    let waited = requests[1].at - requests[0].at;
    // Not before the two seconds that were asked for, though the schedule says one.
    assert!(waited >= 2000, "{waited} ms");
}

#[tokio::test]
async fn a_busy_webex_is_asked_again() {
    let house = House::open().await;
    assert_eq!(completes_after(&house, status(503, None)).await, 2);
}

#[tokio::test]
async fn an_answer_that_was_lost_before_the_task_was_made_is_found_out_and_the_task_is_asked_for_again() {
    let house = House::open().await;
    assert_eq!(completes_after(&house, Effect::CutBefore).await, 2);
    assert!(!house.control().requests_for(Operation::Search).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_that_was_lost_after_the_task_was_made_is_found_out_and_the_task_adopted() {
    let house = House::open().await;
    assert_eq!(completes_after(&house, Effect::CutAfter).await, 1);
}

#[tokio::test]
async fn an_error_after_the_task_was_made_is_found_out_and_the_task_adopted() {
    let house = House::open().await;
    assert_eq!(completes_after(&house, Effect::StatusAfter(Failure::status(500))).await, 1);
}

#[tokio::test]
async fn an_error_before_the_task_was_made_is_found_out_and_the_task_is_asked_for_again() {
    let house = House::open().await;
    assert_eq!(completes_after(&house, status(500, None)).await, 2);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_found_out_and_the_task_adopted() {
    let house = House::open().await;
    assert_eq!(completes_after(&house, Effect::MalformedBody).await, 1);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_found_out_and_the_task_adopted() {
    let house = House::with(|plan| {
        plan.set("webex.request_timeout_ms", 400);
        plan.set("delivery.search_grace_s", 3);
    })
    .await;
    house
        .control()
        .fault(&Fault::new(Operation::CreateTask, Effect::Delay).answered_late(3000))
        .await
        .unwrap();
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
    assert_eq!(sent(&house).await.len(), 1);
}

#[tokio::test]
async fn a_task_that_the_search_shows_late_is_waited_for() {
    let house = House::with(|plan| {
        plan.search_lag_ms(1500);
        plan.set("delivery.search_grace_s", 6);
    })
    .await;
    assert_eq!(completes_after(&house, Effect::CutAfter).await, 1);
    assert!(house.control().requests_for(Operation::Search).await.unwrap().len() > 1);
}

#[tokio::test]
async fn without_a_reference_a_lost_task_is_known_by_number_and_time() {
    let house = House::with(|plan| plan.set("sites.acme.reference_variable", "")).await;
    assert_eq!(completes_after(&house, Effect::CutAfter).await, 1);
}

#[tokio::test]
async fn two_lost_answers_for_one_number_are_each_given_their_own_task() {
    let house = House::with(|plan| plan.set("delivery.join_s", 0)).await;
    let cut = Fault::new(Operation::CreateTask, Effect::CutAfter).times(2);
    house.control().fault(&cut).await.unwrap();
    let (first, second) = (house.ask().await, house.ask().await);
    let of_first = house.until(&first.id, State::Completed).await;
    let of_second = house.until(&second.id, State::Completed).await;
    assert_ne!(of_first["task_id"], of_second["task_id"]);
    for (record, id) in [(of_first, first.id), (of_second, second.id)] {
        let task = house.control().task(record["task_id"].as_str().unwrap()).await.unwrap();
        assert_eq!(task.attributes["RingbackRef"], id);
    }
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 2);
}

#[tokio::test]
async fn a_lost_answer_is_held_where_nothing_can_be_looked_up() {
    // A token that may make tasks and may not search.
    let house = House::with(|plan| plan.set("webex.access_token", organization::TOKEN_WITHOUT_READ)).await;
    house.private.add(organization::TOKEN_WITHOUT_READ);
    house.control().fault(&Fault::new(Operation::CreateTask, Effect::CutAfter)).await.unwrap();
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Unconfirmed).await;
    eventually("two looks, beyond the grace", async || {
        let searches = house.control().requests_for(Operation::Search).await.unwrap();
        (searches.len() >= 2).then_some(())
    })
    .await;
    assert_eq!(house.view(&accepted).await["state"], "unconfirmed");
    assert_eq!(sent(&house).await.len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_sent_again_where_the_operator_prefers_that() {
    let house = House::with(|plan| {
        plan.set("webex.access_token", organization::TOKEN_WITHOUT_READ);
        plan.set("delivery.when_unsearchable", "resend");
    })
    .await;
    house.control().fault(&Fault::new(Operation::CreateTask, Effect::CutBefore)).await.unwrap();
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(sent(&house).await.len(), 2);
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn what_webex_refuses_has_failed_for_a_reason_that_the_crm_can_read() {
    let house = House::open().await;
    let refusal = Failure {
        description: Some(format!("Invalid destination {}", visitor::PHONE_E164)),
        ..Failure::status(400)
    };
    house.control().fault(&Fault::new(Operation::CreateTask, Effect::Status(refusal))).await.unwrap();
    let accepted = house.ask().await;
    let record = house.until(&accepted.id, State::Failed).await;
    assert_eq!(record["failure"], "refused");
    let detail = record["failure_detail"].as_str().unwrap();
    assert!(detail.contains("400") && detail.contains("Invalid destination"), "{detail}");
    assert!(!detail.contains("2025550142"), "{detail}");
    let view = house.view(&accepted).await;
    assert_eq!((&view["failure"], view.get("failure_detail")), (&json!("refused"), None));
    assert_eq!(sent(&house).await.len(), 1);
}

#[tokio::test]
async fn every_envelope_of_an_error_is_read() {
    let house = House::open().await;
    for envelope in [Envelope::Runtime, Envelope::Subscription, Envelope::Configuration, Envelope::Identity] {
        let refusal = Failure {
            envelope: Some(envelope),
            description: Some("The moon is full".to_owned()),
            ..Failure::status(400)
        };
        house.control().fault(&Fault::new(Operation::CreateTask, Effect::Status(refusal))).await.unwrap();
        let accepted = house.ask().await;
        let record = house.until(&accepted.id, State::Failed).await;
        let detail = record["failure_detail"].as_str().unwrap();
        assert!(detail.contains("The moon is full"), "{envelope:?}: {detail}");
    }
}

#[tokio::test]
async fn a_token_that_has_expired_can_be_replaced_while_the_service_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, organization::EXPIRED_TOKEN).unwrap();
    let house = House::with(|plan| {
        plan.set("webex.access_token", "");
        plan.set("webex.access_token_file", file.to_str().unwrap());
    })
    .await;
    house.private.add(organization::EXPIRED_TOKEN);
    let accepted = house.ask().await;
    eventually("a first attempt", async || (!sent(&house).await.is_empty()).then_some(())).await;
    assert_eq!(house.view(&accepted).await["failure"], json!(null));
    std::fs::write(&file, format!("{}\n", organization::ACCESS_TOKEN)).unwrap();
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn one_slow_answer_does_not_hold_up_the_others() {
    let house = House::with(|plan| plan.set("delivery.concurrency", 4)).await;
    house.control().fault(&Fault::new(Operation::CreateTask, Effect::Delay).delayed(1500)).await.unwrap();
    let slow = house.ask().await;
    eventually("the slow request arrives", async || (!sent(&house).await.is_empty()).then_some(())).await;
    let request = visitor::request_with(json!({ "phone": "+1 202 555 0143" }));
    let quick = house.send(house.post(&request)).await.accepted();
    house.until(&quick.id, State::Completed).await;
    assert_eq!(house.view(&slow).await["state"], "sending");
    house.until(&slow.id, State::Completed).await;
}

#[tokio::test]
async fn what_has_failed_is_not_sent_again() {
    let house = House::open().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 400)).await.unwrap();
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Failed).await;
    never("a second request", Duration::from_millis(1500), async || sent(&house).await.len() > 1).await;
}

#[tokio::test]
async fn a_task_is_found_though_the_clocks_are_apart() {
    for ahead_s in [-300, 300] {
        let house = House::open().await;
        house.control().patch(json!({ "clock_ahead_s": ahead_s })).await.unwrap();
        assert_eq!(completes_after(&house, Effect::CutAfter).await, 1, "{ahead_s}");
    }
}

#[tokio::test]
async fn what_is_not_found_by_a_wrong_clock_is_not_sent_again() {
    // Without a reference, tasks are told by their time.
    let house = House::with(|plan| plan.set("sites.acme.reference_variable", "")).await;
    house.control().patch(json!({ "clock_ahead_s": -300 })).await.unwrap();
    house.control().fault(&Fault::new(Operation::CreateTask, Effect::CutAfter)).await.unwrap();
    let accepted = house.ask().await;
    // Until the time is over that a search is given.
    eventually("two looks, beyond the grace", async || {
        let searches = house.control().requests_for(Operation::Search).await.unwrap();
        (searches.last()?.at - searches.first()?.at > 2000).then_some(())
    })
    .await;
    assert_eq!(house.view(&accepted).await["state"], "unconfirmed");
    assert_eq!(sent(&house).await.len(), 1);
    let ready = house.get_ops("/readyz").await;
    assert!(ready.text().contains("apart from Webex's"), "{}", ready.text());
}
