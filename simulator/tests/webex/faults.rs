use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use webex_simulator::{Effect, Envelope, Failure, Fault, Operation};

use crate::house::{CUSTOMER, House, callback, eventually, send};

async fn made(house: &House) -> usize {
    house.control.tasks_to(CUSTOMER).await.unwrap().len()
}

fn on_create(effect: Effect) -> Fault {
    Fault::new(Operation::CreateTask, effect)
}

#[tokio::test]
async fn a_connection_that_is_cut_before_leaves_no_task_and_no_answer() {
    let house = House::still().await;
    house.control.fault(&on_create(Effect::CutBefore)).await.unwrap();
    let error = house.request(Method::POST, "/v1/tasks").json(&callback()).send().await.unwrap_err();
    assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!(made(&house).await, 0);
    house.make(&callback()).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_after_leaves_a_task_and_no_answer() {
    let house = House::still().await;
    // The second of these goes over a connection that was used before.
    house.make(&callback()).await;
    house.control.fault(&on_create(Effect::CutAfter)).await.unwrap();
    let error = house.request(Method::POST, "/v1/tasks").json(&callback()).send().await.unwrap_err();
    assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!(made(&house).await, 2, "made once, and not sent again by the client");
    let requests = house.control.requests_for(Operation::CreateTask).await.unwrap();
    assert_eq!(requests[1].status, None);
    assert_eq!(requests[1].fault.as_deref(), Some("cut-after"));
}

#[tokio::test]
async fn a_failure_comes_as_often_as_it_was_set_and_in_the_operations_own_envelope() {
    let house = House::still().await;
    house.control.fault(&Fault::status(Operation::CreateTask, 503).times(2)).await.unwrap();
    for _ in 0..2 {
        let answer = house.post("/v1/tasks", &callback()).await;
        answer.is_refused(503, "asked for");
        assert_eq!(answer.body["error"]["key"], "503");
    }
    house.make(&callback()).await;
    assert_eq!(made(&house).await, 1);
}

#[tokio::test]
async fn a_failure_comes_in_any_envelope_with_retry_after() {
    let house = House::still().await;
    let fails = |envelope| async move {
        let house = House::still().await;
        let failure = Failure {
            status: 429,
            envelope: Some(envelope),
            retry_after: Some(7),
            description: Some("Slow down.".to_owned()),
            tracking_id: None,
        };
        house.control.fault(&on_create(Effect::Status(failure))).await.unwrap();
        let answer = house.post("/v1/tasks", &callback()).await;
        assert_eq!((answer.status, answer.retry_after.as_deref()), (429, Some("7")));
        answer
    };
    assert_eq!(fails(Envelope::Runtime).await.body["error"]["key"], "429");
    assert_eq!(fails(Envelope::Subscription).await.body["error"]["key"], 429);
    let configuration = fails(Envelope::Configuration).await.body;
    assert_eq!(configuration["error"]["reason"], "Slow down.");
    assert_eq!(configuration["error"]["message"][0]["code"], "429");
    assert_eq!(fails(Envelope::Journey).await.body["status"], "429 TOO_MANY_REQUESTS");
    assert_eq!(fails(Envelope::Identity).await.body["errors"][0]["description"], "Slow down.");
    assert_eq!(fails(Envelope::Empty).await.text, "");
    assert_eq!(fails(Envelope::Text).await.text, "Slow down.");
    let html = fails(Envelope::Html).await;
    assert!(html.text.starts_with("<html>") && html.body == Value::Null);
    drop(house);
}

#[tokio::test]
async fn a_task_can_be_made_and_answered_with_a_failure() {
    let house = House::still().await;
    house.control.fault(&on_create(Effect::StatusAfter(Failure::status(500)))).await.unwrap();
    assert_eq!(house.post("/v1/tasks", &callback()).await.status, 500);
    assert_eq!(made(&house).await, 1);
}

#[tokio::test]
async fn a_task_can_be_made_and_answered_with_half_a_body() {
    let house = House::still().await;
    house.control.fault(&on_create(Effect::MalformedBody)).await.unwrap();
    let answer = house.post("/v1/tasks", &callback()).await;
    assert_eq!((answer.status, answer.body), (201, Value::Null));
    assert!(!answer.text.is_empty());
    assert_eq!(made(&house).await, 1);
}

#[tokio::test]
async fn a_late_call_leaves_no_task_when_the_client_is_gone_before_it_is_done() {
    let house = House::still().await;
    house.control.fault(&on_create(Effect::Delay).delayed(600_000)).await.unwrap();
    let request = house.request(Method::POST, "/v1/tasks").json(&callback()).send();
    let waiting = tokio::spawn(request);
    eventually("the request", || async {
        let requests = house.control.requests_for(Operation::CreateTask).await.unwrap();
        requests.first().is_some_and(|request| request.fault.is_some()).then_some(())
    })
    .await;
    waiting.abort();
    assert_eq!(made(&house).await, 0);
}

#[tokio::test]
async fn a_late_answer_leaves_a_task_when_the_client_does_not_wait_for_it() {
    let house = House::still().await;
    house.control.fault(&on_create(Effect::Delay).answered_late(600_000)).await.unwrap();
    let request = house.request(Method::POST, "/v1/tasks").json(&callback()).send();
    let waiting = tokio::spawn(request);
    eventually("the task", || async { (made(&house).await == 1).then_some(()) }).await;
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn a_short_delay_only_takes_time() {
    let house = House::still().await;
    house.control.fault(&on_create(Effect::Delay).delayed(30)).await.unwrap();
    let began = Instant::now();
    house.make(&callback()).await;
    assert!(began.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn a_fault_spares_other_operations_and_the_calls_before_its_turn() {
    let house = House::still().await;
    let mut fault = Fault::status(Operation::CreateTask, 500);
    fault.skip = 1;
    house.control.fault(&fault).await.unwrap();
    assert_eq!(house.get("/v1/subscriptions").await.status, 200);
    house.make(&callback()).await;
    assert_eq!(house.post("/v1/tasks", &callback()).await.status, 500);
    house.make(&callback()).await;
}

#[tokio::test]
async fn a_fault_without_an_operation_meets_any_call() {
    let house = House::still().await;
    let fault = Fault { operation: None, ..Fault::status(Operation::Search, 502).times(2) };
    house.control.fault(&fault).await.unwrap();
    assert_eq!(house.get("/v1/event-types").await.status, 502);
    assert_eq!(send(house.bare(Method::POST, "/v1/access_token").body("")).await.status, 502);
    assert_eq!(house.get("/v1/event-types").await.status, 200);
}

#[tokio::test]
async fn faults_are_met_in_order_and_can_be_taken_back() {
    let house = House::still().await;
    for status in [500, 502, 503] {
        house.control.fault(&Fault::status(Operation::CreateTask, status)).await.unwrap();
    }
    assert_eq!(house.post("/v1/tasks", &callback()).await.status, 500);
    assert_eq!(house.post("/v1/tasks", &callback()).await.status, 502);
    assert_eq!(house.control.faults().await.unwrap().len(), 1);
    house.control.clear_faults().await.unwrap();
    house.make(&callback()).await;
}
