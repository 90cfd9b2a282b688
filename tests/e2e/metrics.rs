//! What operators count and measure.

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::figures::Figures;
use ringback_tests::house::House;
use ringback_tests::plan::WEBHOOK_SECRET;
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::{Fault, Operation, Outcome};

use crate::webhooks::signature;

const ACCEPTED: &str = "ringback_callbacks_accepted_total";
const EVENTS: &str = "ringback_webex_events_total";
const HTTP: &str = "ringback_http_requests_total";
const TRANSITIONS: &str = "ringback_callback_transitions_total";

#[tokio::test]
async fn the_life_of_a_callback_is_counted_from_its_post_to_its_end() {
    let house = House::open().await;
    let before = Figures::of(&house).await;
    // From nought on, so that the first shows as an increase.
    assert_eq!(before.sum(ACCEPTED, &[("site", "other"), ("door", "crm")]), Some(0.0));
    // Not sent before somebody else has asked for the same.
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = house.ask().await;
    house.send(house.post(&visitor::request())).await.accepted();
    house.control().clear_faults().await.unwrap();
    house
        .send(house.crm_post(&visitor::crm_request_with(json!({ "phone": "+12025550143" }))))
        .await
        .accepted();
    house.until(&accepted.id, State::Completed).await;
    let figures = Figures::of(&house).await;
    assert_eq!(figures.count(ACCEPTED, &[("site", "acme"), ("door", "site")]), 1);
    assert_eq!(figures.count(ACCEPTED, &[("site", "acme"), ("door", "crm")]), 1);
    assert_eq!(figures.count("ringback_callbacks_joined_total", &[("site", "acme"), ("door", "site")]), 1);
    for (from, to) in [("accepted", "sending"), ("sending", "requested"), ("connected", "completed")] {
        assert!(
            figures.count(TRANSITIONS, &[("from", from), ("to", to)]) >= 1,
            "{from} {to}\n{}",
            figures.text()
        );
    }
    let posts = [("method", "POST"), ("route", "/v1/sites/{site}/callbacks"), ("status", "202")];
    assert_eq!(figures.count(HTTP, &posts), 2, "{}", figures.text());
    let buckets = "ringback_http_request_duration_seconds_bucket";
    assert_eq!(figures.count(buckets, &[("le", "+Inf"), posts[0], posts[1]]), 2, "{}", figures.text());
}

#[tokio::test]
async fn no_label_is_of_a_callers_making_and_no_figure_tells_of_a_person() {
    let house = House::open().await;
    let accepted = house.ask().await;
    for path in ["/wp-login.php?user=ann", "/v1/sites/secret-site/form", "/a/rba_secret", "/c/secret-place"] {
        house.get(path).await;
    }
    let method = Method::from_bytes(b"SECRET").unwrap();
    house.send(house.request(method, "/v1/callbacks")).await;
    house.view(&accepted).await;
    let figures = Figures::of(&house).await;
    let text = figures.text();
    let found = house.private.found_in(text);
    assert!(found.is_empty(), "the metrics hold {found:?} in clear:\n{text}");
    for made_up in ["secret", "SECRET", "wp-login", &accepted.id] {
        assert!(!text.contains(made_up), "{made_up}\n{text}");
    }
    assert_eq!(figures.count(HTTP, &[("route", "none"), ("status", "404")]), 1, "{text}");
    assert_eq!(figures.count(HTTP, &[("method", "other"), ("route", "/v1/callbacks")]), 1, "{text}");
    assert_eq!(figures.count(HTTP, &[("route", "/v1/callbacks/{id}"), ("status", "200")]), 1, "{text}");
    // The public does not see the operators' door.
    assert_eq!(house.get("/metrics").await.status.as_u16(), 404);
}

#[tokio::test]
async fn what_waits_while_webex_takes_nothing_shows_with_its_age_and_goes_when_it_is_sent() {
    let house = House::open().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = house.ask().await;
    let queue = "ringback_queue_callbacks";
    eventually("the callback is counted as waiting", async || {
        let figures = Figures::of(&house).await;
        (figures.count(queue, &[("state", "accepted")]) == 1).then_some(())
    })
    .await;
    house.control().clear_faults().await.unwrap();
    house.until(&accepted.id, State::Completed).await;
    let figures = Figures::of(&house).await;
    assert_eq!(figures.sum(queue, &[("state", "accepted")]), Some(0.0));
    assert_eq!(figures.sum("ringback_queue_oldest_due_seconds", &[]), Some(0.0));
}

#[tokio::test]
async fn events_are_counted_by_what_became_of_them() {
    let house = House::with(|plan| {
        plan.outcome(Outcome::Silent);
        plan.set("delivery.quiet_s", 3600);
    })
    .await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Requested).await;
    let task = house.until_tasks(1).await.remove(0);
    let send = async |id: &str, kind: &str, task: &str, secret: &str| {
        let body = json!({ "id": id, "type": kind, "data": { "taskId": task } }).to_string();
        let signature = signature(secret, &body);
        let request = house.request(Method::POST, "/webhooks/webex").header("X-WebexCC-Signature", signature);
        house.send(request.header("Content-Type", "application/json").body(body)).await.status.as_u16()
    };
    assert_eq!(send("e1", "task:parked", &task.id, WEBHOOK_SECRET).await, 200);
    assert_eq!(send("e1", "task:parked", &task.id, WEBHOOK_SECRET).await, 200);
    assert_eq!(send("e2", "task:parked", "00000000-0000-4000-8000-00000000abcd", WEBHOOK_SECRET).await, 200);
    assert_eq!(send("e3", "agent:login", "x", WEBHOOK_SECRET).await, 200);
    assert_eq!(send("e4", "task:parked", &task.id, "another-secret-0123456789abcdef-0123").await, 401);
    let figures = Figures::of(&house).await;
    for outcome in ["taken", "duplicate", "unknown", "irrelevant", "refused"] {
        assert_eq!(figures.count(EVENTS, &[("outcome", outcome)]), 1, "{outcome}\n{}", figures.text());
    }
}

#[tokio::test]
async fn followers_are_counted_while_they_follow() {
    let house = House::open().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = house.ask().await;
    let mut follower = house.follow(&accepted).await;
    follower.until(State::Accepted).await;
    assert_eq!(Figures::of(&house).await.sum("ringback_followers", &[]), Some(1.0));
    let cancel = house.request(Method::DELETE, &format!("/v1/callbacks/{}", accepted.id));
    eventually("it is called off between two attempts", async || {
        let cancel = cancel.try_clone().unwrap().bearer_auth(&accepted.follow);
        house.send(cancel).await.status.is_success().then_some(())
    })
    .await;
    follower.until(State::Cancelled).await;
    eventually("the follower is counted no more", async || {
        (Figures::of(&house).await.sum("ringback_followers", &[]) == Some(0.0)).then_some(())
    })
    .await;
}
