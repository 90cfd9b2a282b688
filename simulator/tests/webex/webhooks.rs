use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::json;
use sha2::Sha256;
use webex_simulator::organization::ORG_ID;
use webex_simulator::{Delivery, WebhookEffect, WebhookFault};

use crate::house::{EVENTS, House, Receiver, SECRET, callback, eventually, send};

fn signature(raw: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(raw);
    hex::encode(mac.finalize().into_bytes())
}

async fn house_and_inbox() -> (House, Receiver) {
    let house = House::quick().await;
    let inbox = Receiver::open();
    house.subscribe(&inbox).await;
    (house, inbox)
}

async fn deliveries(house: &House, count: usize) -> Vec<Delivery> {
    eventually("deliveries", || async {
        let deliveries = house.control.deliveries().await.unwrap().entries;
        (deliveries.len() >= count).then_some(deliveries)
    })
    .await
}

#[tokio::test]
async fn every_webhook_is_an_envelope_signed_over_its_raw_body() {
    let house = House::quick().await;
    let inbox = Receiver::open();
    let subscription = house.subscribe(&inbox).await;
    house.make(&callback()).await;
    for received in inbox.wait_for(5).await {
        assert_eq!(received.header("x-webexcc-signature"), Some(signature(&received.raw).as_str()));
        assert_eq!(received.header("content-type"), Some("application/json"));
        assert_eq!(received.header("x-webexcc-timestamp"), None);
        assert_eq!(received.body["specversion"], "1.0");
        assert_eq!(received.body["source"], format!("/com/cisco/wxcc/{subscription}"));
        assert_eq!(received.body["comciscoorgid"], ORG_ID);
        assert_eq!(received.body["datacontenttype"], "application/json");
        assert!(received.body["id"].is_string());
        assert!(received.body.get("comciscotimestamp").is_none());
    }
}

#[tokio::test]
async fn a_webhook_of_version_two_has_its_time_and_version_in_the_headers() {
    let house = House::quick().await;
    let inbox = Receiver::open();
    let body = json!({
        "name": "tests", "secret": SECRET, "eventTypes": EVENTS, "destinationUrl": inbox.url,
        "resourceVersion": "task:1.0.0",
    });
    assert_eq!(house.post("/v2/subscriptions", &body).await.status, 201);
    house.make(&callback()).await;
    for received in inbox.wait_for(5).await {
        let timestamp = received.body["comciscotimestamp"].as_str().unwrap();
        assert_eq!(received.header("x-webexcc-timestamp"), Some(timestamp));
        assert_eq!(received.header("x-webexcc-webhook-version"), Some("task:1.0.0"));
        assert_eq!(received.header("x-webexcc-signature"), Some(signature(&received.raw).as_str()));
    }
}

#[tokio::test]
async fn without_a_secret_there_is_no_signature_and_only_what_was_asked_for_comes() {
    let house = House::quick().await;
    let inbox = Receiver::open();
    let body = json!({ "name": "tests", "eventTypes": ["task:ended"], "destinationUrl": inbox.url });
    assert_eq!(house.post("/v1/subscriptions", &body).await.status, 201);
    house.make(&callback()).await;
    let received = inbox.wait_for(1).await;
    assert_eq!(received[0].kind(), "task:ended");
    assert_eq!(received[0].header("x-webexcc-signature"), None);
}

#[tokio::test]
async fn every_delivery_and_its_answer_is_remembered_and_a_redirect_is_not_followed() {
    let (house, inbox) = house_and_inbox().await;
    inbox.answers(302);
    let id = house.make(&callback()).await;
    let all = deliveries(&house, 5).await;
    assert!(all.iter().all(|delivery| delivery.status == Some(302) && delivery.task_id == id));
    assert_eq!(inbox.received().len(), 5, "no second request to the target of the redirect");
    assert_eq!(house.control.deliveries_of(&id).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_receiver_that_takes_too_long_is_not_waited_for() {
    let (house, inbox) = house_and_inbox().await;
    house.control.patch(json!({ "webhook_timeout_ms": 30 })).await.unwrap();
    inbox.takes(Duration::from_secs(2));
    house.make(&callback()).await;
    let first = deliveries(&house, 1).await.remove(0);
    assert_eq!(first.status, None);
    assert!(first.error.is_some());
}

#[tokio::test]
async fn a_failing_receiver_makes_its_subscription_inactive_when_that_is_set() {
    let (house, inbox) = house_and_inbox().await;
    house.control.patch(json!({ "deactivate_after": 3 })).await.unwrap();
    inbox.answers(500);
    house.make(&callback()).await;
    let subscription = eventually("an inactive subscription", || async {
        let list = house.get("/v1/subscriptions").await.body;
        (list["data"][0]["status"] == "inactive").then(|| list["data"][0]["id"].as_str().unwrap().to_owned())
    })
    .await;
    let path = format!("/v1/subscriptions/{subscription}");
    let answer = send(house.request(Method::PATCH, &path).json(&json!({ "status": "active" }))).await;
    assert_eq!(answer.body["data"]["status"], "active");
}

#[tokio::test]
async fn a_webhook_can_be_lost() {
    let (house, inbox) = house_and_inbox().await;
    let fault = WebhookFault::new(WebhookEffect::Lose, 1).on("task:connected");
    house.control.webhook_fault(&fault).await.unwrap();
    house.make(&callback()).await;
    inbox.wait_for(4).await;
    let all = deliveries(&house, 5).await;
    assert_eq!(inbox.kinds(), ["task:new", "task:parked", "task:connect", "task:ended"]);
    let lost = all.iter().find(|delivery| delivery.event_type == "task:connected").unwrap();
    assert_eq!((lost.status, lost.fault.as_deref()), (None, Some("lose")));
}

#[tokio::test]
async fn a_webhook_can_come_again_with_the_same_id() {
    let (house, inbox) = house_and_inbox().await;
    let twice = WebhookFault::new(WebhookEffect::Duplicate { copies: 2, delay_ms: 0 }, 1);
    house.control.webhook_fault(&twice).await.unwrap();
    house.make(&callback()).await;
    let received = inbox.wait_for(7).await;
    assert!(received[..3].iter().all(|one| one.body["id"] == received[0].body["id"]));
    assert_eq!(received[3].kind(), "task:parked");
}

#[tokio::test]
async fn webhooks_can_come_in_reverse() {
    let (house, inbox) = house_and_inbox().await;
    house.control.webhook_fault(&WebhookFault::new(WebhookEffect::Reverse, 5)).await.unwrap();
    house.make(&callback()).await;
    inbox.wait_for(5).await;
    assert_eq!(inbox.kinds(), ["task:ended", "task:connected", "task:connect", "task:parked", "task:new"]);
}

#[tokio::test]
async fn webhooks_can_come_shuffled_and_the_seed_says_how() {
    let mut orders = Vec::new();
    for seed in [7, 7, 8] {
        let (house, inbox) = house_and_inbox().await;
        let fault = WebhookFault::new(WebhookEffect::Shuffle { seed }, 5);
        house.control.webhook_fault(&fault).await.unwrap();
        house.make(&callback()).await;
        inbox.wait_for(5).await;
        orders.push(inbox.kinds());
    }
    assert_eq!(orders[0], orders[1]);
    let mut sorted = orders[2].clone();
    sorted.sort();
    assert_eq!(sorted, ["task:connect", "task:connected", "task:ended", "task:new", "task:parked"]);
}

#[tokio::test]
async fn what_is_kept_back_goes_when_the_faults_are_cleared() {
    let (house, inbox) = house_and_inbox().await;
    house.control.webhook_fault(&WebhookFault::new(WebhookEffect::Reverse, 50)).await.unwrap();
    let id = house.make(&callback()).await;
    eventually("the end of the call", || async {
        house.control.task(&id).await.unwrap().state.is_final().then_some(())
    })
    .await;
    assert_eq!(inbox.received().len(), 0);
    house.control.clear_webhook_faults().await.unwrap();
    inbox.wait_for(5).await;
}

#[tokio::test]
async fn a_delayed_webhook_is_overtaken() {
    let (house, inbox) = house_and_inbox().await;
    let fault = WebhookFault::new(WebhookEffect::Delay { delay_ms: 1_000 }, 1).on("task:new");
    house.control.webhook_fault(&fault).await.unwrap();
    house.make(&callback()).await;
    inbox.wait_for(5).await;
    assert_eq!(inbox.kinds().last().map(String::as_str), Some("task:new"));
}

#[tokio::test]
async fn a_signature_can_be_wrong_or_missing() {
    let (house, inbox) = house_and_inbox().await;
    house.control.webhook_fault(&WebhookFault::new(WebhookEffect::WrongSignature, 1)).await.unwrap();
    house.control.webhook_fault(&WebhookFault::new(WebhookEffect::NoSignature, 1)).await.unwrap();
    house.make(&callback()).await;
    let received = inbox.wait_for(3).await;
    assert_ne!(received[0].header("x-webexcc-signature"), Some(signature(&received[0].raw).as_str()));
    assert_eq!(received[0].header("x-webexcc-signature").unwrap().len(), 64);
    assert_eq!(received[1].header("x-webexcc-signature"), None);
    assert_eq!(received[2].header("x-webexcc-signature"), Some(signature(&received[2].raw).as_str()));
}
