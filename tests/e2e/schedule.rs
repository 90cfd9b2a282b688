//! Callbacks at a chosen time that the service keeps itself: never before, never after, once, and as agreed.

use std::time::Duration;

use reqwest::Method;
use ringback_contract::callback::{Accepted, State};
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::never;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, Plan};
use ringback_tests::visitor;
use ringback_tests::window::window;
use serde_json::{Value, json};
use webex_simulator::{Effect, Fault, Operation, OutboundType};

/// How soon the windows of these tests begin, in seconds: late enough that a slow machine still books them.
const SOON: i64 = 6;

fn kept_by_us(plan: &mut Plan) {
    plan.set("sites.acme.schedule.through", "store");
    plan.set("sites.acme.schedule.timezone", "America/New_York");
    plan.set("sites.acme.schedule.notice_minutes", 0);
    plan.set("sites.acme.schedule.shortest_minutes", 0);
}

async fn booked(house: &House, schedule: &Value) -> Accepted {
    let posted = visitor::request_with(json!({ "schedule": schedule }));
    house.send(house.post(&posted)).await.accepted()
}

async fn change(house: &House, callback: &Accepted, token: &str, body: &Value) -> Answer {
    let path = format!("/v1/callbacks/{}", callback.id);
    house.send(house.request(Method::PATCH, &path).bearer_auth(token).json(body)).await
}

fn starts_at_ms(view: &Value) -> i64 {
    let starts_at: jiff::Timestamp = view["schedule"]["starts_at"].as_str().unwrap().parse().unwrap();
    starts_at.as_millisecond()
}

/// How long it is until a window that was just booked has been open for so many seconds.
fn after_its_start(seconds: u64) -> Duration {
    Duration::from_secs(SOON.unsigned_abs() + seconds)
}

/// When Webex was asked for each task.
async fn asked_at(house: &House) -> Vec<i64> {
    let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
    requests.iter().map(|request| request.at).collect()
}

#[tokio::test]
async fn nobody_is_rung_before_the_window_and_who_is_booked_is_rung_once_in_it() {
    let house = House::with(kept_by_us).await;
    let schedule = window(SOON, 120);
    let accepted = booked(&house, &schedule).await;
    let view = house.view(&accepted).await;
    assert_eq!((&view["state"], accepted.state), (&json!("scheduled"), State::Scheduled));
    for member in ["date", "start", "end", "timezone"] {
        assert_eq!(view["schedule"][member], schedule[member]);
    }
    assert_eq!((&view["cancellable"], &view["changeable"]), (&json!(true), &json!(true)));
    let states = house.follow(&accepted).await.states().await;
    assert_eq!(states.first().map(String::as_str), Some("scheduled"));
    assert_eq!(states.last().map(String::as_str), Some("completed"));
    let asked = asked_at(&house).await;
    assert_eq!(asked.len(), 1);
    assert!(asked[0] >= starts_at_ms(&view), "{} ms too early", starts_at_ms(&view) - asked[0]);
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn a_booking_outlives_a_kill() {
    let mut house = House::with(kept_by_us).await;
    let accepted = booked(&house, &window(SOON, 120)).await;
    house.kill().await;
    house.start().await;
    let view = house.view(&accepted).await;
    house.until(&accepted.id, State::Completed).await;
    let asked = asked_at(&house).await;
    assert!(asked.len() == 1 && asked[0] >= starts_at_ms(&view), "{asked:?}");
}

#[tokio::test]
async fn nobody_is_rung_after_the_window() {
    let mut house = House::with(kept_by_us).await;
    let accepted = booked(&house, &window(SOON, 2)).await;
    house.kill().await;
    // Not a wait for something to happen: the time itself is what is tested.
    tokio::time::sleep(after_its_start(2)).await;
    house.start().await;
    house.until(&accepted.id, State::Expired).await;
    assert!(asked_at(&house).await.is_empty());
}

#[tokio::test]
async fn what_webex_does_not_take_in_the_window_is_given_up_at_its_end() {
    let house = House::with(kept_by_us).await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = booked(&house, &window(SOON, 3)).await;
    let record = house.until(&accepted.id, State::Expired).await;
    assert!(record["attempts"].as_u64().unwrap() >= 1);
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_in_the_window_rings_nobody_twice() {
    let house = House::with(kept_by_us).await;
    house.control().fault(&Fault::new(Operation::CreateTask, Effect::CutAfter)).await.unwrap();
    let accepted = booked(&house, &window(SOON, 120)).await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.tasks().await.len(), 1);
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn a_booking_is_called_off_until_its_window_begins() {
    let house = House::with(kept_by_us).await;
    let accepted = booked(&house, &window(SOON, 120)).await;
    let path = format!("/v1/callbacks/{}", accepted.id);
    let answer = house.send(house.request(Method::DELETE, &path).bearer_auth(&accepted.follow)).await.ok();
    assert_eq!(answer["state"], "cancelled");
    never("it is sent all the same", after_its_start(1), async || !asked_at(&house).await.is_empty()).await;
}

#[tokio::test]
async fn a_booking_is_moved_by_its_visitor_and_by_the_crm() {
    let house = House::with(kept_by_us).await;
    let accepted = booked(&house, &window(SOON, 120)).await;
    let later = window(3600, 7200);
    let view = change(&house, &accepted, &accepted.follow, &json!({ "schedule": later })).await.ok();
    assert_eq!((view["state"].as_str(), &view["schedule"]["start"]), (Some("scheduled"), &later["start"]));
    // Twice is as good as once.
    let again = change(&house, &accepted, &accepted.follow, &json!({ "schedule": later })).await.ok();
    assert_eq!(again["revision"], view["revision"]);
    never("it is sent at its former time", after_its_start(1), async || !asked_at(&house).await.is_empty())
        .await;
    let sooner = window(SOON, 120);
    let record = change(&house, &accepted, API_KEY, &json!({ "schedule": sooner })).await.ok();
    assert_eq!(record["deadline"], record["schedule"]["ends_at"]);
    house.until(&accepted.id, State::Completed).await;
    let asked = asked_at(&house).await;
    assert!(asked.len() == 1 && asked[0] >= starts_at_ms(&record), "{asked:?}");
}

#[tokio::test]
async fn what_cannot_be_moved_says_so() {
    let house = House::with(kept_by_us).await;
    let body = json!({ "schedule": window(3600, 7200) });
    let now = house.ask().await;
    change(&house, &now, &now.follow, &body).await.problem(Kind::NotChangeable);
    house.until(&now.id, State::Completed).await;
    let booked_now = booked(&house, &window(SOON, 120)).await;
    house.until(&booked_now.id, State::Completed).await;
    change(&house, &booked_now, &booked_now.follow, &body).await.problem(Kind::NotChangeable);
    let accepted = booked(&house, &window(3600, 7200)).await;
    let short = json!({ "schedule": { "date": "2020-01-01", "start": "10:00", "end": "09:00" } });
    let refused = change(&house, &accepted, &accepted.follow, &short).await.refused_fields(Kind::Validation);
    assert_eq!(refused, [("/schedule/end".to_owned(), "window_order".to_owned())]);
    change(&house, &accepted, &accepted.follow, &json!({ "time": "1" })).await.problem(Kind::UnknownField);
    change(&house, &accepted, &accepted.follow, &json!({ "schedule": 1 })).await.problem(Kind::WrongType);
    change(&house, &accepted, &accepted.follow, &json!({})).await.problem(Kind::Validation);
    change(&house, &accepted, "rbf_x", &body).await.problem(Kind::Unauthorized);
    assert_eq!(house.view(&accepted).await["revision"], 0);
}

#[tokio::test]
async fn many_moves_and_a_call_off_at_once_end_as_one_of_them() {
    let house = House::with(kept_by_us).await;
    let accepted = booked(&house, &window(3600, 7200)).await;
    let bodies: Vec<_> = (1..20).map(|hour| json!({ "schedule": window(3600 + hour * 60, 7200) })).collect();
    let moves = bodies.iter().map(|body| change(&house, &accepted, &accepted.follow, body));
    let path = format!("/v1/callbacks/{}", accepted.id);
    let call_off = house.send(house.request(Method::DELETE, &path).bearer_auth(&accepted.follow));
    let (answers, called_off) = tokio::join!(futures_util::future::join_all(moves), call_off);
    assert_eq!(called_off.ok()["state"], "cancelled");
    for answer in answers {
        assert!([200, 409].contains(&answer.status.as_u16()), "{}", answer.text());
    }
    assert_eq!(house.view(&accepted).await["state"], "cancelled");
}

#[tokio::test]
async fn a_booking_for_an_agent_goes_to_that_agent_in_its_window() {
    let house = House::with(kept_by_us).await;
    let token = house.agent_token("acme", "grace", "30d");
    let posted = visitor::request_with(json!({ "agent": token, "schedule": window(SOON, 120) }));
    let accepted = house.send(house.post(&posted)).await.accepted();
    assert_eq!(house.view(&accepted).await["agent"], "Grace Loh");
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.tasks().await[0].outbound_type, OutboundType::ExecuteFlow);
}

#[tokio::test]
async fn two_requests_for_one_window_are_one_call_and_other_times_are_others() {
    let house = House::with(kept_by_us).await;
    let (first, second) = (window(3600, 7200), window(7200, 7200));
    let one = booked(&house, &first).await;
    let same = booked(&house, &first).await;
    assert_eq!((same.id.as_str(), same.joined), (one.id.as_str(), true));
    change(&house, &same, &same.follow, &json!({ "schedule": second })).await.problem(Kind::NotChangeable);
    let other = booked(&house, &second).await;
    let now = house.ask().await;
    assert!(!other.joined && !now.joined && other.id != one.id && now.id != one.id);
    // Whoever wants the window that a booking has left is not put off to the new one.
    change(&house, &one, &one.follow, &json!({ "schedule": window(10_000, 7200) })).await.ok();
    let again = booked(&house, &first).await;
    assert!(!again.joined && again.id != one.id);
}

#[tokio::test]
async fn each_rule_of_a_window_names_its_member_at_both_doors() {
    let house = House::with(|plan| {
        kept_by_us(plan);
        plan.set("sites.acme.schedule.notice_minutes", 30);
        plan.set("sites.acme.schedule.shortest_minutes", 30);
        plan.set("sites.acme.schedule.horizon_days", 31);
    })
    .await;
    let changed = |changes: Value| {
        let mut schedule = window(5 * 86_400, 7200);
        schedule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        schedule
    };
    for (schedule, member, code) in [
        (changed(json!({ "date": "2026-02-30" })), "date", "date_shape"),
        (changed(json!({ "date": "" })), "date", "date_shape"),
        (changed(json!({ "start": "10 o'clock" })), "start", "time_shape"),
        (changed(json!({ "end": "" })), "end", "time_shape"),
        (changed(json!({ "timezone": "Nowhere/Land" })), "timezone", "timezone_unknown"),
        (changed(json!({ "start": "12:00", "end": "11:00" })), "end", "window_order"),
        (changed(json!({ "start": "12:00", "end": "12:10" })), "end", "window_short"),
        (changed(json!({ "start": "10:00", "end": "19:00" })), "end", "window_long"),
        (window(600, 7200), "start", "window_soon"),
        (window(-86_400, 7200), "start", "window_soon"),
        (window(33 * 86_400, 7200), "date", "window_far"),
    ] {
        let expected = [(format!("/schedule/{member}"), code.to_owned())];
        let posted = visitor::request_with(json!({ "schedule": schedule }));
        assert_eq!(house.send(house.post(&posted)).await.refused_fields(Kind::Validation), expected);
        let posted = visitor::crm_request_with(json!({ "schedule": schedule }));
        assert_eq!(house.send(house.crm_post(&posted)).await.refused_fields(Kind::Validation), expected);
    }
    for (schedule, kind) in [
        (json!("tomorrow"), Kind::WrongType),
        (json!([]), Kind::WrongType),
        (json!({ "day": "2026-12-01" }), Kind::UnknownField),
        (json!({ "date": 20_261_201 }), Kind::WrongType),
    ] {
        let posted = visitor::request_with(json!({ "schedule": schedule }));
        house.send(house.post(&posted)).await.problem(kind);
    }
    let house = House::open().await;
    let posted = visitor::request_with(json!({ "schedule": window(3600, 7200) }));
    let refused = house.send(house.post(&posted)).await.refused_fields(Kind::Validation);
    assert_eq!(refused, [("/schedule".to_owned(), "schedule_not_offered".to_owned())]);
}

#[tokio::test]
async fn a_form_says_what_can_be_booked_and_a_window_without_a_zone_is_of_the_sites() {
    let house = House::with(kept_by_us).await;
    let form = house.get("/v1/sites/acme/form").await.ok();
    let expected = json!({
        "timezone": "America/New_York",
        "horizon_days": 31,
        "notice_minutes": 0,
        "shortest_minutes": 0,
        "longest_minutes": 480,
        "slot_minutes": 30,
    });
    assert_eq!(form["schedule"], expected);
    let date = (ringback_tests::window::now() + jiff::SignedDuration::from_hours(72)).to_string();
    let schedule = json!({ "date": date[..10], "start": "10:00", "end": "12:00" });
    let accepted = booked(&house, &schedule).await;
    let view = house.view(&accepted).await;
    assert_eq!(view["schedule"]["timezone"], "America/New_York");
    assert_eq!(view["schedule"]["start"], "10:00:00");
    // The same key gives the same booking, with the zone or without.
    let posted = visitor::crm_request_with(json!({ "schedule": schedule, "phone": "+12025550177" }));
    let keyed = || house.crm_post(&posted).header("Idempotency-Key", "one");
    let first = house.send(keyed()).await.accepted();
    assert_eq!(house.send(keyed()).await.accepted().id, first.id);
}
