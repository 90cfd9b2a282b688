//! Webhooks by the thousand, out of order, repeated and lost; and a store that stands still while they come.

use std::collections::{BTreeMap, HashSet};

use futures_util::{StreamExt as _, stream};
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::WEBHOOK_SECRET;
use ringback_tests::visitor;
use serde_json::json;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use webex_simulator::{Outcome, Pace, Task, WebhookEffect, WebhookFault};

use crate::webhooks::{deliver, event, signature};

const CALLBACKS: usize = 2_400;
const OUTCOMES: [Outcome; 7] = [
    Outcome::Connected,
    Outcome::AgentLeft,
    Outcome::Rona,
    Outcome::NoAnswer,
    Outcome::Busy,
    Outcome::Failed,
    Outcome::QueueTimeout,
];
const AREA_CODES: [u16; 24] = [
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229,
    231, 234, 239,
];

/// One of the numbers that are kept free for fiction.
pub(crate) fn number(index: usize) -> String {
    format!("+1{}555{:04}", AREA_CODES[index / 100], 100 + index % 100)
}

/// What the ledger of the Webex side says.
fn end_of(task: &Task) -> State {
    if task.connected_time.is_some() { State::Completed } else { State::Failed }
}

#[tokio::test]
async fn ten_thousand_events_shuffled_repeated_and_lost_lead_every_callback_to_its_end() {
    let house = House::with(|plan| {
        plan.pace(Pace::every(20));
        plan.set("delivery.quiet_s", 3);
        plan.set("delivery.concurrency", 32);
        plan.set("delivery.lease_s", 30);
        plan.set("webex.request_timeout_ms", 20_000);
        plan.set("log.level", "info");
    })
    .await;
    let control = house.control();
    for seed in 0..40 {
        let storm = WebhookEffect::Storm { seed, lost_percent: 10, repeated_percent: 20 };
        control.webhook_fault(&WebhookFault::new(storm, 500)).await.unwrap();
    }
    for outcome in OUTCOMES.into_iter().cycle().take(CALLBACKS / 10) {
        control.plan(outcome, 10, None).await.unwrap();
    }
    let accepted: Vec<_> = stream::iter(0..CALLBACKS)
        .map(|index| {
            let request = visitor::request_with(json!({ "phone": number(index) }));
            let request = house.post(&request);
            async { house.send(request).await.accepted() }
        })
        .buffer_unordered(16)
        .collect()
        .await;
    // Step by step: how long all of it takes depends on the machine.
    for step in 1..=12 {
        eventually(&format!("{step} of 12 parts of the calls are over"), async || {
            let tasks = control.tasks().await.unwrap().entries;
            let over = tasks.iter().filter(|task| task.ended_time.is_some()).count();
            (over >= CALLBACKS * step / 12).then_some(())
        })
        .await;
    }
    assert_eq!(control.tasks().await.unwrap().entries.len(), CALLBACKS);
    // What is still kept back goes.
    control.clear_webhook_faults().await.unwrap();
    let ledger: BTreeMap<String, Task> =
        control.tasks().await.unwrap().entries.into_iter().map(|task| (task.id.clone(), task)).collect();
    let mut ends = BTreeMap::new();
    let mut seen = HashSet::new();
    for accepted in &accepted {
        let task_id = eventually("the task is known", async || {
            house.record(&accepted.id).await["task_id"].as_str().map(str::to_owned)
        })
        .await;
        let task = &ledger[&task_id];
        let record = house.until(&accepted.id, end_of(task)).await;
        assert_eq!(record.get("failure").is_some(), end_of(task) == State::Failed, "{record} {task:?}");
        assert!(task.rings <= 1, "{task:?}");
        assert!(seen.insert(task_id), "two callbacks have one task");
        *ends.entry(end_of(task).as_str()).or_insert(0) += 1;
    }
    assert!(ends["completed"] > CALLBACKS / 3 && ends["failed"] > CALLBACKS / 3, "{ends:?}");
    let deliveries = control.deliveries().await.unwrap().entries;
    let events: HashSet<_> = deliveries.iter().map(|delivery| &delivery.event_id).collect();
    let lost = deliveries.iter().filter(|delivery| delivery.fault.as_deref() == Some("lose")).count();
    let repeated = deliveries.len() - events.len();
    assert!(events.len() >= 10_000, "{} events", events.len());
    assert!(lost * 100 / events.len() >= 9, "{lost} of {} events lost", events.len());
    assert!(repeated * 100 / events.len() >= 15, "{repeated} of {} events repeated", events.len());
    println!("{} events, {lost} lost, {repeated} repeated; {ends:?}", events.len());
    // Asked about together, and not one by one.
    let questions = control.requests_for(webex_simulator::Operation::ListTasks).await.unwrap().len();
    assert!(questions < CALLBACKS / 4, "{questions} questions");
}

#[tokio::test]
async fn webex_is_answered_while_the_store_stands_still_and_the_event_is_kept_when_it_can_be() {
    let house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    let record = house.until(&accepted.id, State::Requested).await;
    let body = event("e1", "task:connected", record["task_id"].as_str().unwrap(), 1_800_000_000_000);
    let signed = signature(WEBHOOK_SECRET, &body);
    let options = SqliteConnectOptions::new().filename(house.folder().join("ringback.db"));
    let mut backup = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut backup).await.unwrap();
    // The answer is here before the store is let go of: it does not wait for it, nor say that the event is kept.
    deliver(&house, &body, Some(&signed)).await.problem(Kind::StoreUnavailable);
    assert_eq!(house.view(&accepted).await["state"], "requested");
    sqlx::query("ROLLBACK").execute(&mut backup).await.unwrap();
    // Webex sends again what was answered so.
    assert_eq!(deliver(&house, &body, Some(&signed)).await.status.as_u16(), 200);
    assert_eq!(house.until(&accepted.id, State::Connected).await["state"], "connected");
}

#[tokio::test]
async fn an_event_may_be_larger_than_what_visitors_may_send() {
    let house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    let record = house.until(&accepted.id, State::Requested).await;
    let task = record["task_id"].as_str().unwrap();
    let mut body: serde_json::Value =
        serde_json::from_str(&event("e1", "task:parked", task, 1_800_000_000_000)).unwrap();
    body["data"]["further"] = "x".repeat(100_000).into();
    let body = body.to_string();
    assert_eq!(deliver(&house, &body, Some(&signature(WEBHOOK_SECRET, &body))).await.status.as_u16(), 200);
    house.until(&accepted.id, State::Queued).await;
    let huge = "x".repeat(300_000);
    deliver(&house, &huge, Some(&signature(WEBHOOK_SECRET, &huge))).await.problem(Kind::TooLarge);
}
