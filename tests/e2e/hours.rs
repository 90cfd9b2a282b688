//! Opening hours: nobody is rung while the site is closed, whoever asks then is called at the next opening, once.

use std::time::Duration;

use jiff::ToSpan as _;
use reqwest::Method;
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_tests::eventually::never;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, Plan};
use ringback_tests::visitor;
use ringback_tests::window::noon;
use serde_json::{Value, json};
use webex_simulator::{Operation, organization};

const WEEK: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Open every day in these spans, by the clocks of that zone.
fn open_daily(plan: &mut Plan, timezone: &str, spans: &[&str]) {
    plan.set("sites.acme.hours.timezone", timezone);
    for day in WEEK {
        plan.set(&format!("sites.acme.hours.{day}"), spans.to_vec());
    }
}

/// It is about noon, and the site opens at three.
fn closed(plan: &mut Plan) {
    open_daily(plan, &noon().0, &["15:00-16:30"]);
}

/// It is about noon, and the site closes at three.
fn open(plan: &mut Plan) {
    open_daily(plan, &noon().0, &["09:00-15:00"]);
}

fn offers_times(plan: &mut Plan) {
    plan.set("sites.acme.schedule.through", "store");
    plan.set("sites.acme.schedule.timezone", noon().0);
}

async fn nothing_is_sent(house: &House) {
    never("Webex is asked", Duration::from_millis(1500), async || !house.tasks().await.is_empty()).await;
}

#[tokio::test]
async fn whoever_asks_while_it_is_closed_is_told_when_it_opens_and_waits_for_it() {
    let house = House::with(closed).await;
    let (timezone, now) = noon();
    let form = house.get("/v1/sites/acme/form").await.ok();
    let opens_at = form["opens_at"].as_str().unwrap();
    assert_eq!(opens_at[..19], now.date().at(15, 0, 0, 0).to_string());
    let accepted = house.ask().await;
    assert!(accepted.at_opening && !accepted.joined);
    let window = accepted.schedule.clone().unwrap();
    assert_eq!((window.start.as_str(), window.end.as_str()), ("15:00:00", "16:30:00"));
    assert_eq!((window.date, window.timezone), (now.date().to_string(), timezone));
    let view = house.view(&accepted).await;
    assert_eq!((&view["state"], &view["at_opening"]), (&json!("scheduled"), &json!(true)));
    // It can be called off; to be moved, the site would have to offer times.
    assert_eq!((&view["cancellable"], &view["changeable"]), (&json!(true), &Value::Null));
    let record = house.record(&accepted.id).await;
    assert_eq!(record["deadline"], record["schedule"]["ends_at"]);
    // Whoever asks again meanwhile is called once.
    let again = house.ask().await;
    assert_eq!((again.id.as_str(), again.joined, again.at_opening), (accepted.id.as_str(), true, true));
    nothing_is_sent(&house).await;
    let path = format!("/v1/callbacks/{}", accepted.id);
    let answer = house.send(house.request(Method::DELETE, &path).bearer_auth(&accepted.follow)).await.ok();
    // To the same fraction of a second, as everywhere.
    assert_eq!(house.view(&accepted).await["updated_at"], answer["updated_at"]);
    assert_eq!(answer["state"], "cancelled");
}

#[tokio::test]
async fn a_crm_is_told_what_happened_and_may_ask_regardless_of_hours() {
    let house = House::with(closed).await;
    let posted = visitor::crm_request_with(json!({ "phone": "+12025550177" }));
    let answer = house.send(house.crm_post(&posted).header("Prefer", "wait=1")).await.ok();
    assert_eq!((&answer["at_opening"], &answer["callback"]["at_opening"]), (&json!(true), &json!(true)));
    assert_eq!(answer["schedule"]["start"], "15:00:00");
    assert_eq!(answer["callback"]["state"], "scheduled");
    let urgent = visitor::crm_request_with(json!({ "phone": "+12025550178", "ignore_hours": true }));
    let accepted = house.send(house.crm_post(&urgent)).await.accepted();
    assert_eq!((accepted.schedule, accepted.at_opening), (None, false));
    house.until(&accepted.id, State::Completed).await;
    // A visitor cannot.
    let posted = visitor::request_with(json!({ "ignore_hours": true }));
    house.send(house.post(&posted)).await.problem(Kind::UnknownField);
}

#[tokio::test]
async fn while_it_is_open_nobody_is_called_after_closing_time() {
    let house = House::with(|plan| {
        open(plan);
        plan.set("delivery.deadline_s", 86_400);
    })
    .await;
    assert_eq!(house.get("/v1/sites/acme/form").await.ok()["opens_at"], Value::Null);
    let accepted = house.ask().await;
    assert_eq!((&accepted.schedule, accepted.at_opening), (&None, false));
    let record = house.until(&accepted.id, State::Completed).await;
    let (timezone, now) = noon();
    let closing = now.date().at(15, 0, 0, 0).in_tz(&timezone).unwrap().timestamp();
    assert_eq!(record["deadline"], closing.to_string());
}

#[tokio::test]
async fn a_holiday_is_closed_and_a_day_of_its_own_is_open_whatever_the_week_says() {
    let (_, now) = noon();
    let tomorrow = now.date().tomorrow().unwrap();
    let house = House::with(|plan| {
        open(plan);
        plan.set("sites.acme.hours.holidays", vec![now.date().strftime("%m-%d").to_string()]);
        plan.set(&format!("sites.acme.hours.days.{tomorrow}"), vec!["20:00-24:00"]);
        plan.set("delivery.deadline_s", 86_400);
    })
    .await;
    let window = house.ask().await.schedule.unwrap();
    assert_eq!(
        (window.date, window.start, window.end),
        (tomorrow.to_string(), "20:00:00".to_owned(), "23:59:59".to_owned())
    );
}

#[tokio::test]
async fn a_window_outside_of_the_hours_is_refused_at_both_doors_and_moved_to_by_an_api_key_alone() {
    let house = House::with(|plan| {
        open(plan);
        offers_times(plan);
    })
    .await;
    let tomorrow = (noon().1.date() + 1.day()).to_string();
    let at = |start: &str, end: &str| json!({ "date": tomorrow, "start": start, "end": end });
    let expected = [("/schedule/start".to_owned(), "outside_hours".to_owned())];
    for schedule in [at("08:30", "09:30"), at("14:30", "15:30"), at("20:00", "21:00")] {
        let posted = visitor::request_with(json!({ "schedule": schedule }));
        assert_eq!(house.send(house.post(&posted)).await.refused_fields(Kind::Validation), expected);
        let posted = visitor::crm_request_with(json!({ "schedule": schedule }));
        assert_eq!(house.send(house.crm_post(&posted)).await.refused_fields(Kind::Validation), expected);
        let posted = visitor::crm_request_with(json!({ "schedule": schedule, "ignore_hours": true }));
        house.send(house.crm_post(&posted)).await.accepted();
    }
    let posted = visitor::request_with(json!({ "schedule": at("09:00", "10:00") }));
    let accepted = house.send(house.post(&posted)).await.accepted();
    let path = format!("/v1/callbacks/{}", accepted.id);
    let change =
        |token: &str, body: Value| house.request(Method::PATCH, &path).bearer_auth(token).json(&body);
    let night = at("22:00", "23:00");
    let refused = house.send(change(&accepted.follow, json!({ "schedule": night }))).await;
    assert_eq!(refused.refused_fields(Kind::Validation), expected);
    let forced = json!({ "schedule": night, "ignore_hours": true });
    house.send(change(&accepted.follow, forced.clone())).await.problem(Kind::Forbidden);
    let record = house.send(change(API_KEY, forced)).await.ok();
    assert_eq!(record["schedule"]["start"], "22:00:00");
}

#[tokio::test]
async fn what_waits_for_the_site_to_open_is_moved_to_a_chosen_time() {
    let house = House::with(|plan| {
        closed(plan);
        offers_times(plan);
    })
    .await;
    let accepted = house.ask().await;
    assert_eq!(house.view(&accepted).await["changeable"], true);
    let path = format!("/v1/callbacks/{}", accepted.id);
    let tomorrow = (noon().1.date() + 1.day()).to_string();
    let body = json!({ "schedule": { "date": tomorrow, "start": "15:30", "end": "16:00" } });
    let view =
        house.send(house.request(Method::PATCH, &path).bearer_auth(&accepted.follow).json(&body)).await.ok();
    assert_eq!((&view["at_opening"], &view["schedule"]["start"]), (&Value::Null, &json!("15:30:00")));
    // Whoever asks to be called soon now is not put off to it.
    let again = house.ask().await;
    assert!(!again.joined && again.at_opening);
}

#[tokio::test]
async fn webex_keeps_it_until_the_site_opens_where_it_keeps_the_sites_callbacks() {
    let house = House::with(|plan| {
        closed(plan);
        plan.set("sites.acme.schedule.through", "webex");
        plan.set("sites.acme.schedule.queue", organization::SUPPORT_QUEUE);
        plan.set("sites.acme.schedule.timezone", noon().0);
    })
    .await;
    let accepted = house.ask().await;
    assert!(accepted.at_opening);
    house.until(&accepted.id, State::Scheduled).await;
    let kept = house.control().requests_for(Operation::CreateScheduledCallback).await.unwrap();
    assert_eq!(kept.len(), 1);
    // It takes no windows of less than half an hour, so we keep this one.
    let house = House::with(|plan| {
        open_daily(plan, &noon().0, &["15:00-15:20", "16:00-17:00"]);
        plan.set("sites.acme.schedule.through", "webex");
        plan.set("sites.acme.schedule.queue", organization::SUPPORT_QUEUE);
        plan.set("sites.acme.schedule.timezone", noon().0);
    })
    .await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Scheduled).await;
    let kept = house.control().requests_for(Operation::CreateScheduledCallback).await.unwrap();
    assert!(kept.is_empty());
}
