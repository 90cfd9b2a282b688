//! What Webex tells, in whatever order and however often it arrives.

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::WEBHOOK_SECRET;
use serde_json::json;
use sha2::Sha256;
use webex_simulator::{Effect, Fault, Operation, Outcome, Pace, TaskState, WebhookEffect, WebhookFault};

pub(crate) fn signature(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(mac.chain_update(body).finalize().into_bytes())
}

pub(crate) async fn deliver(house: &House, body: &str, signature: Option<&str>) -> Answer {
    let request = house.request(Method::POST, "/webhooks/webex").header("Content-Type", "application/json");
    let request = match signature {
        Some(signature) => request.header("X-WebexCC-Signature", signature),
        None => request,
    };
    house.send(request.body(body.to_owned())).await
}

pub(crate) fn event(id: &str, kind: &str, task: &str, at: i64) -> String {
    json!({
        "id": id,
        "specversion": "1.0",
        "type": kind,
        "source": "/com/cisco/wxcc/1",
        "data": { "taskId": task, "channelType": "telephony", "createdTime": at, "queueId": "q" },
    })
    .to_string()
}

#[tokio::test]
async fn events_that_are_repeated_count_once() {
    let house = House::open().await;
    let twice = WebhookFault::new(WebhookEffect::Duplicate { copies: 2, delay_ms: 5 }, 100);
    house.control().webhook_fault(&twice).await.unwrap();
    let accepted = house.ask().await;
    let states = house.follow(&accepted).await.states().await;
    assert!(states.is_sorted_by_key(|state| State::parse(state)), "{states:?}");
    let record = house.until(&accepted.id, State::Completed).await;
    let revision = record["revision"].clone();
    let task = house.tasks().await.remove(0);
    eventually("every copy has arrived", async || {
        let deliveries = house.control().deliveries_of(&task.id).await.unwrap();
        (deliveries.len() == 3 * task.events.len()).then_some(())
    })
    .await;
    assert_eq!(house.record(&accepted.id).await["revision"], revision);
}

#[tokio::test]
async fn events_that_arrive_last_one_first_lead_to_the_same_end() {
    let house = House::open().await;
    let reverse = WebhookFault::new(WebhookEffect::Reverse, 5);
    house.control().webhook_fault(&reverse).await.unwrap();
    let accepted = house.ask().await;
    let follower = house.follow(&accepted).await;
    let states = follower.states().await;
    assert_eq!(states.last().map(String::as_str), Some("completed"));
    assert!(states.is_sorted_by_key(|state| State::parse(state)), "{states:?}");
    let record = house.until(&accepted.id, State::Completed).await;
    assert_eq!(record.get("failure"), None);
}

#[tokio::test]
async fn an_event_that_overtakes_the_answer_is_kept_for_its_callback() {
    let house = House::with(|plan| plan.pace(Pace::instant())).await;
    house
        .control()
        .fault(&Fault::new(Operation::CreateTask, Effect::Delay).answered_late(700))
        .await
        .unwrap();
    let accepted = house.ask().await;
    let task = house.until_tasks(1).await.remove(0);
    eventually("every event has arrived", async || {
        let deliveries = house.control().deliveries_of(&task.id).await.unwrap();
        (deliveries.len() == 5).then_some(())
    })
    .await;
    assert_eq!(house.view(&accepted).await["state"], "sending");
    house.until(&accepted.id, State::Completed).await;
}

#[tokio::test]
async fn an_event_with_a_wrong_signature_is_refused_and_changes_nothing() {
    let house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    let record = house.until(&accepted.id, State::Requested).await;
    let task = record["task_id"].as_str().unwrap();
    let body = event("e1", "task:connected", task, 1_800_000_000_000);
    let right = signature(WEBHOOK_SECRET, &body);
    let wrong = signature("another-secret-of-somebody-else-012345", &body);
    for refused in [None, Some(""), Some("zz"), Some(wrong.as_str()), Some(&right[..62])] {
        deliver(&house, &body, refused).await.problem(Kind::SignatureInvalid);
    }
    let changed = body.replace("task:connected", "task:ended");
    deliver(&house, &changed, Some(&right)).await.problem(Kind::SignatureInvalid);
    assert_eq!(house.view(&accepted).await["state"], "requested");
    assert_eq!(deliver(&house, &body, Some(&right)).await.status.as_u16(), 200);
    assert_eq!(house.view(&accepted).await["state"], "connected");
}

#[tokio::test]
async fn webex_itself_is_refused_where_the_secrets_differ() {
    let house = House::open().await;
    let forged = WebhookFault::new(WebhookEffect::WrongSignature, 1).on("task:parked");
    let unsigned = WebhookFault::new(WebhookEffect::NoSignature, 1).on("task:connect");
    house.control().webhook_fault(&forged).await.unwrap();
    house.control().webhook_fault(&unsigned).await.unwrap();
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    let deliveries = house.control().deliveries().await.unwrap().entries;
    let refused: Vec<_> = deliveries
        .iter()
        .filter(|delivery| delivery.status == Some(401))
        .map(|delivery| delivery.event_type.as_str())
        .collect();
    assert_eq!(refused, ["task:parked", "task:connect"]);
}

#[tokio::test]
async fn each_of_several_secrets_is_good_while_one_is_being_changed() {
    let house = House::with(|plan| {
        let secrets = vec!["the-next-secret-0123456789abcdef0123", WEBHOOK_SECRET];
        plan.set("webex.webhook_secrets", secrets);
    })
    .await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    let body = event("e1", "task:new", "t1", 1_800_000_000_000);
    for secret in ["the-next-secret-0123456789abcdef0123", WEBHOOK_SECRET] {
        let answer = deliver(&house, &body, Some(&signature(secret, &body))).await;
        assert_eq!(answer.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn who_guesses_at_the_signature_is_counted_and_webex_is_not() {
    let house = House::with(|plan| plan.limit("guesses", 2, 600)).await;
    let body = event("e1", "task:new", "t1", 1_800_000_000_000);
    for status in [401, 401, 429, 429] {
        assert_eq!(deliver(&house, &body, Some(&signature("guess", &body))).await.status.as_u16(), status);
    }
    assert_eq!(house.log().matches("a webhook with a wrong signature was refused").count(), 2);
    let answer = deliver(&house, &body, Some(&signature(WEBHOOK_SECRET, &body))).await;
    assert_eq!(answer.status.as_u16(), 200);
}

#[tokio::test]
async fn secrets_that_stand_in_a_file_are_as_good() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, format!("{WEBHOOK_SECRET}\nthe-next-secret-0123456789abcdef0123\n")).unwrap();
    let house = House::with(|plan| {
        plan.unset("webex.webhook_secrets");
        plan.set("webex.webhook_secrets_file", file.path().to_str().unwrap());
    })
    .await;
    let body = event("e1", "task:new", "t1", 1_800_000_000_000);
    for (secret, status) in
        [(WEBHOOK_SECRET, 200), ("the-next-secret-0123456789abcdef0123", 200), ("another", 401)]
    {
        assert_eq!(deliver(&house, &body, Some(&signature(secret, &body))).await.status.as_u16(), status);
    }
}

#[tokio::test]
async fn events_about_tasks_of_others_and_of_unknown_kinds_are_taken_and_passed_over() {
    let house = House::open().await;
    for body in [
        event("e1", "task:connected", "somebody-elses-task", 1_800_000_000_000),
        event("e2", "task:on-hold", "somebody-elses-task", 1_800_000_000_000),
        json!({ "id": "e3", "type": "agent:login", "data": {} }).to_string(),
        json!({ "id": "e4", "type": "task:new", "data": {} }).to_string(),
        "[]".to_owned(),
        "not even JSON".to_owned(),
    ] {
        let answer = deliver(&house, &body, Some(&signature(WEBHOOK_SECRET, &body))).await;
        assert_eq!(answer.status.as_u16(), 200, "{body}");
    }
}

#[tokio::test]
async fn an_agent_who_does_not_pick_up_is_not_the_end() {
    let house = House::with(|plan| {
        plan.pace(Pace::Manual);
        plan.outcome(Outcome::Rona);
    })
    .await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Requested).await;
    let task = house.until_tasks(1).await.remove(0);
    let mut seen = Vec::new();
    for state in [
        State::Queued,
        State::Offered,
        // The agent let it ring.
        State::Queued,
        State::Offered,
        State::Connected,
        State::Completed,
    ] {
        eventually(&format!("{state:?} after {seen:?}"), async || {
            // One step at a time, and the next only when the last has arrived.
            let task = house.control().task(&task.id).await.unwrap();
            let deliveries = house.control().deliveries_of(&task.id).await.unwrap();
            if deliveries.len() < task.events.len() {
                return None;
            }
            if house.view(&accepted).await["state"] == state.as_str() {
                return Some(());
            }
            house.control().advance(&task.id).await.unwrap();
            None
        })
        .await;
        seen.push(state);
    }
}

#[tokio::test]
async fn how_a_call_ends_is_told_for_what_it_is() {
    for (outcome, state, failure) in [
        (Outcome::AgentLeft, State::Completed, None),
        (Outcome::NoAnswer, State::Failed, Some("not_connected")),
        (Outcome::Busy, State::Failed, Some("not_connected")),
        (Outcome::QueueTimeout, State::Failed, Some("not_connected")),
        (Outcome::Failed, State::Failed, Some("task_failed")),
    ] {
        let house = House::with(|plan| plan.outcome(outcome)).await;
        let accepted = house.ask().await;
        let record = house.until(&accepted.id, state).await;
        assert_eq!(record.get("failure").and_then(serde_json::Value::as_str), failure, "{outcome:?}");
    }
}

#[tokio::test]
async fn an_event_is_known_again_after_a_restart() {
    let mut house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    let record = house.until(&accepted.id, State::Requested).await;
    let task = record["task_id"].as_str().unwrap().to_owned();
    let connected = event("e-connected", "task:connected", &task, 1_800_000_000_000);
    let parked = event("e-parked", "task:parked", &task, 1_800_000_001_000);
    deliver(&house, &connected, Some(&signature(WEBHOOK_SECRET, &connected))).await;
    let before = house.until(&accepted.id, State::Connected).await;
    house.kill().await;
    house.start().await;
    for body in [&connected, &connected, &parked] {
        let answer = deliver(&house, body, Some(&signature(WEBHOOK_SECRET, body))).await;
        assert_eq!(answer.status.as_u16(), 200);
    }
    assert_eq!(house.record(&accepted.id).await["state"], before["state"]);
    house.control().advance_to(&task, TaskState::Ended).await.unwrap();
    house.until(&accepted.id, State::Completed).await;
}

#[tokio::test]
async fn a_call_is_followed_though_no_event_ever_comes() {
    let house = House::with(|plan| {
        plan.unsubscribed();
        plan.set("delivery.quiet_s", 1);
    })
    .await;
    let accepted = house.ask().await;
    let record = house.until(&accepted.id, State::Completed).await;
    assert_eq!(record["attempts"], 1);
    assert!(house.control().deliveries().await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn an_old_delivery_is_not_taken_again() {
    let house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    let record = house.until(&accepted.id, State::Requested).await;
    let task = record["task_id"].as_str().unwrap();
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let deliver_at = async |sent: i64, header: i64| {
        let mut body: serde_json::Value =
            serde_json::from_str(&event(&format!("e{sent}"), "task:connected", task, now)).unwrap();
        body["comciscotimestamp"] = sent.to_string().into();
        let body = body.to_string();
        let request = house
            .request(Method::POST, "/webhooks/webex")
            .header("X-WebexCC-Signature", signature(WEBHOOK_SECRET, &body))
            .header("X-WebExCC-Timestamp", header);
        house.send(request.body(body)).await
    };
    // Kept by somebody for ten minutes; and with a header that the signature does not cover.
    deliver_at(now - 600_000, now - 600_000).await.problem(Kind::SignatureInvalid);
    deliver_at(now - 600_000, now).await.problem(Kind::SignatureInvalid);
    assert_eq!(house.view(&accepted).await["state"], "requested");
    assert_eq!(deliver_at(now, now).await.status.as_u16(), 200);
    assert_eq!(house.view(&accepted).await["state"], "connected");
}
