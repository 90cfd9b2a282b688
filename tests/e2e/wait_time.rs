//! How long people wait: shown where Webex has a figure, asked for once a period, and nobody is kept waiting for it.

use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use serde_json::{Value, json};
use toml::Table;
use webex_simulator::{Effect, Fault, Operation, Pace, organization};

fn with_queue(plan: &mut Plan) {
    plan.set("sites.acme.wait_time.queue", organization::SUPPORT_QUEUE);
}

async fn form(house: &House) -> Value {
    house.get("/v1/sites/acme/form").await.ok()
}

async fn asked(house: &House) -> usize {
    house.control().requests_for(Operation::EstimateWait).await.unwrap().len()
}

#[tokio::test]
async fn the_form_and_the_follow_view_tell_the_wait_and_webex_is_asked_once() {
    let house = House::with(|plan| {
        with_queue(plan);
        plan.pace(Pace::Manual);
    })
    .await;
    let shown = eventually("there is a figure", async || {
        let form = form(&house).await;
        form.get("wait_time_s").is_some().then_some(form)
    })
    .await;
    // 73.5 s, rounded up.
    assert_eq!(shown["wait_time_s"], 74);
    assert!(shown["wait_time_at"].as_str().unwrap().ends_with('Z'), "{shown}");
    for _ in 0..50 {
        form(&house).await;
    }
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Requested).await;
    let view = house.view(&accepted).await;
    assert_eq!((&view["wait_time_s"], &view["wait_time_at"]), (&json!(74), &shown["wait_time_at"]));
    assert_eq!(asked(&house).await, 1);
    let request = house.control().requests_for(Operation::EstimateWait).await.unwrap().remove(0);
    for part in [organization::SUPPORT_QUEUE, "lookbackMinutes=60", "maxCV=40", "minValidSamples=40"] {
        assert!(request.query.contains(part), "{}", request.query);
    }
    // Whoever is being called waits no more, and a preferred agent's callers wait for that agent.
    house.control().set_pace(Pace::instant()).await.unwrap();
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.view(&accepted).await.get("wait_time_s"), None);
}

#[tokio::test]
async fn no_figure_is_no_figure_and_not_no_wait() {
    let house = House::with(|plan| {
        plan.set("sites.acme.wait_time.queue", organization::BILLING_QUEUE);
    })
    .await;
    form(&house).await;
    eventually("Webex has answered", async || {
        let requests = house.control().requests_for(Operation::EstimateWait).await.unwrap();
        requests.first().is_some_and(|request| request.status == Some(204)).then_some(())
    })
    .await;
    for _ in 0..20 {
        assert_eq!(form(&house).await.get("wait_time_s"), None);
    }
    assert_eq!(asked(&house).await, 1);
}

#[tokio::test]
async fn a_failure_shows_no_figure_and_is_not_asked_for_again_at_once() {
    let effects = [400, 401, 403, 422, 429, 500, 503]
        .map(|status| Effect::Status(webex_simulator::Failure::status(status)))
        .into_iter()
        .chain([Effect::CutBefore, Effect::CutAfter, Effect::MalformedBody]);
    for effect in effects {
        let house = House::with(with_queue).await;
        house.control().fault(&Fault::new(Operation::EstimateWait, effect.clone())).await.unwrap();
        form(&house).await;
        eventually("Webex was asked", async || (asked(&house).await == 1).then_some(())).await;
        for _ in 0..20 {
            assert_eq!(form(&house).await.get("wait_time_s"), None, "{effect:?}");
        }
        assert_eq!(asked(&house).await, 1, "{effect:?}");
    }
}

#[tokio::test]
async fn a_slow_webex_keeps_no_form_waiting() {
    let house = House::with(with_queue).await;
    house.control().fault(&Fault::new(Operation::EstimateWait, Effect::Delay).delayed(1000)).await.unwrap();
    // It was answered before Webex has answered, or the figure would be in it.
    assert_eq!(form(&house).await.get("wait_time_s"), None);
    eventually("there is a figure", async || form(&house).await.get("wait_time_s").map(|_| ())).await;
}

#[tokio::test]
async fn a_reason_may_have_a_queue_of_its_own() {
    let house = House::with(|plan| {
        plan.set("sites.acme.wait_time.queue", organization::BILLING_QUEUE);
        let reason = |id: &str, queue: &str| {
            let texts = [("id", id), ("label", id), ("queue", queue)];
            Table::from_iter(texts.map(|(key, value)| (key.to_owned(), value.into())))
        };
        let reasons = vec![reason("orders", organization::SUPPORT_QUEUE), reason("else", "")];
        plan.set("sites.acme.reasons", reasons);
        plan.pace(Pace::Manual);
    })
    .await;
    let shown = eventually("there is a figure", async || {
        let form = form(&house).await;
        reasons_of(&form)[0].get("wait_time_s").is_some().then_some(form)
    })
    .await;
    assert_eq!(reasons_of(&shown)[0]["wait_time_s"], 74);
    assert_eq!(reasons_of(&shown)[1].get("wait_time_s"), None);
    assert_eq!(shown.get("wait_time_s"), None);
    let accepted = house.ask().await;
    assert_eq!(house.view(&accepted).await["wait_time_s"], 74);
}

#[tokio::test]
async fn a_figure_follows_the_queue() {
    let house = House::with(|plan| {
        with_queue(plan);
        plan.set("sites.acme.wait_time.refresh_s", 10);
    })
    .await;
    eventually("there is a figure", async || form(&house).await.get("wait_time_s").map(|_| ())).await;
    house.control().set_wait(organization::SUPPORT_QUEUE, Some(300_000.0)).await.unwrap();
    eventually("the figure is the new one", async || {
        (form(&house).await["wait_time_s"] == 300).then_some(())
    })
    .await;
    assert_eq!(asked(&house).await, 2);
}

/// What there is to choose from.
fn reasons_of(form: &Value) -> Value {
    let fields = form["fields"].as_array().unwrap();
    fields.iter().find(|field| field["name"] == "reason").unwrap()["options"].clone()
}
