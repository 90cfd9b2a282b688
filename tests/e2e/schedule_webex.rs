//! Callbacks at a chosen time that Webex keeps: made once, moved, called off there first, and followed when it calls.

use std::time::Duration;

use reqwest::Method;
use ringback_contract::callback::{Accepted, State};
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::{eventually, never};
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::visitor;
use ringback_tests::window::window;
use serde_json::{Value, json};
use webex_simulator::{Effect, Failure, Fault, Operation, Pace, organization};

const HOUR: i64 = 3600;

fn kept_by_webex(plan: &mut Plan) {
    plan.set("sites.acme.schedule.through", "webex");
    plan.set("sites.acme.schedule.queue", organization::SUPPORT_QUEUE);
    plan.set("sites.acme.schedule.timezone", "UTC");
    plan.set("delivery.quiet_s", 1);
    plan.set("delivery.schedule_check_s", 1);
}

async fn house() -> House {
    House::with(kept_by_webex).await
}

async fn booked_with(house: &House, changes: Value) -> Accepted {
    house.send(house.post(&visitor::request_with(changes))).await.accepted()
}

async fn booked(house: &House) -> Accepted {
    booked_with(house, json!({ "schedule": window(2 * HOUR, HOUR) })).await
}

async fn count(house: &House, operation: Operation) -> usize {
    house.control().requests_for(operation).await.unwrap().len()
}

fn scheduled_path() -> String {
    format!("/v1/callbacks/organization/{}/scheduled-callback", organization::ORG_ID)
}

/// A request to Webex as an agent's desktop makes it.
async fn desktop(house: &House, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let url = format!("{}{}{path}", house.webex.base_url(), scheduled_path());
    let request = house.http.request(method, url).bearer_auth(organization::ACCESS_TOKEN);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    Answer::of(request.send().await.unwrap()).await
}

/// What Webex keeps for the visitor's number.
async fn kept(house: &House) -> Vec<Value> {
    let answer = desktop(house, Method::GET, "?callbackNumber=%2B12025550142", None).await.ok();
    answer["data"].as_array().unwrap().clone()
}

async fn until_kept(house: &House, callback: &Accepted) -> Value {
    house.until(&callback.id, State::Scheduled).await;
    let mut kept = kept(house).await;
    assert_eq!(kept.len(), 1, "{kept:#?}");
    kept.remove(0)
}

async fn trigger(house: &House, kept: &Value) -> String {
    house.control().trigger(kept["id"].as_str().unwrap()).await.unwrap()
}

/// What was asked of Webex for a callback, in order.
async fn operations(house: &House, callback: &Accepted) -> Vec<String> {
    let requests = house.requests_of(&callback.id).await;
    requests.iter().map(|request| request["operation"].as_str().unwrap().to_owned()).collect()
}

async fn call_off(house: &House, callback: &Accepted) -> Answer {
    let path = format!("/v1/callbacks/{}", callback.id);
    house.send(house.request(Method::DELETE, &path).bearer_auth(&callback.follow)).await
}

async fn change(house: &House, callback: &Accepted, schedule: &Value) -> Answer {
    let path = format!("/v1/callbacks/{}", callback.id);
    let body = json!({ "schedule": schedule });
    house.send(house.request(Method::PATCH, &path).bearer_auth(&callback.follow).json(&body)).await
}

fn status(status: u16) -> Effect {
    Effect::Status(Failure::status(status))
}

#[tokio::test]
async fn webex_keeps_it_and_what_becomes_of_it_there_is_followed_to_its_end() {
    let house = house().await;
    let schedule = window(2 * HOUR, HOUR);
    let accepted = booked_with(&house, json!({ "schedule": schedule })).await;
    let kept = until_kept(&house, &accepted).await;
    assert_eq!(kept["customerName"], visitor::NAME);
    assert_eq!(kept["callbackNumber"], visitor::PHONE_E164);
    assert_eq!(kept["queueId"], organization::SUPPORT_QUEUE);
    assert_eq!(kept["callbackReason"], "Orders");
    for (theirs, ours) in
        [("scheduleDate", "date"), ("startTime", "start"), ("endTime", "end"), ("timezone", "timezone")]
    {
        assert_eq!(kept[theirs], schedule[ours]);
    }
    let task = trigger(&house, &kept).await;
    let record = house.until(&accepted.id, State::Completed).await;
    assert_eq!(record["task_id"], task.as_str());
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
    // Webex made the task itself.
    assert_eq!(count(&house, Operation::CreateTask).await, 0);
    assert_eq!(count(&house, Operation::CreateScheduledCallback).await, 1);
}

#[tokio::test]
async fn without_the_right_to_search_its_task_is_found_in_the_list() {
    let house = House::with(|plan| {
        kept_by_webex(plan);
        plan.set("webex.access_token", organization::TOKEN_WITHOUT_READ);
    })
    .await;
    let accepted = booked(&house).await;
    let task = trigger(&house, &until_kept(&house, &accepted).await).await;
    let record = house.until(&accepted.id, State::Completed).await;
    assert_eq!(record["task_id"], task.as_str());
}

#[tokio::test]
async fn an_answer_that_was_lost_makes_no_second_one() {
    for (effect, created) in [
        (Effect::CutAfter, 1),
        (Effect::StatusAfter(Failure::status(500)), 1),
        (Effect::MalformedBody, 1),
        (Effect::CutBefore, 2),
        (status(500), 2),
    ] {
        let house = house().await;
        house.control().fault(&Fault::new(Operation::CreateScheduledCallback, effect.clone())).await.unwrap();
        let accepted = booked(&house).await;
        let kept = until_kept(&house, &accepted).await;
        assert_eq!(count(&house, Operation::CreateScheduledCallback).await, created, "{effect:?}");
        trigger(&house, &kept).await;
        house.until(&accepted.id, State::Completed).await;
        assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1, "{effect:?}");
        let operations = operations(&house, &accepted).await;
        assert_eq!(operations[..2], ["create_schedule", "find_schedule"], "{effect:?}");
        assert_eq!(operations.last().unwrap(), "search_task", "{effect:?}");
    }
}

#[tokio::test]
async fn a_kill_while_webex_is_asked_makes_no_second_one() {
    let mut house = House::with(|plan| {
        kept_by_webex(plan);
        plan.set("delivery.search_grace_s", 3);
    })
    .await;
    let late = Fault::new(Operation::CreateScheduledCallback, Effect::Delay).answered_late(1500);
    house.control().fault(&late).await.unwrap();
    let accepted = booked(&house).await;
    eventually("Webex keeps it", async || (kept(&house).await.len() == 1).then_some(())).await;
    house.kill().await;
    house.start().await;
    until_kept(&house, &accepted).await;
    assert_eq!(count(&house, Operation::CreateScheduledCallback).await, 1);
}

#[tokio::test]
async fn a_look_up_that_fails_is_made_again() {
    for failing in [400, 401, 403, 429, 500, 503] {
        let house = house().await;
        house
            .control()
            .fault(&Fault::new(Operation::CreateScheduledCallback, Effect::CutAfter))
            .await
            .unwrap();
        house.control().fault(&Fault::status(Operation::ListScheduledCallbacks, failing)).await.unwrap();
        let accepted = booked(&house).await;
        house.until(&accepted.id, State::Scheduled).await;
        assert_eq!(count(&house, Operation::CreateScheduledCallback).await, 1, "{failing}");
    }
}

#[tokio::test]
async fn where_several_could_be_its_own_it_is_held() {
    let house = house().await;
    let schedule = window(2 * HOUR, HOUR);
    let strangers = json!({
        "customerName": "Ann Example",
        "callbackNumber": visitor::PHONE_E164,
        "timezone": schedule["timezone"],
        "scheduleDate": schedule["date"],
        "startTime": schedule["start"],
        "endTime": schedule["end"],
        "queueId": organization::SUPPORT_QUEUE,
        "callbackReason": "Orders",
    });
    for _ in 0..2 {
        assert_eq!(desktop(&house, Method::POST, "", Some(&strangers)).await.status.as_u16(), 201);
    }
    house.control().fault(&Fault::new(Operation::CreateScheduledCallback, Effect::CutBefore)).await.unwrap();
    let accepted = booked_with(&house, json!({ "schedule": schedule })).await;
    house.until(&accepted.id, State::Unconfirmed).await;
    // Past the grace after which what is absent is made again.
    never("it is made again", Duration::from_millis(2500), async || {
        count(&house, Operation::CreateScheduledCallback).await > 3
            || house.record(&accepted.id).await["state"] != "unconfirmed"
    })
    .await;
    call_off(&house, &accepted).await.problem(Kind::NotCancellable);
}

#[tokio::test]
async fn a_refusal_that_may_pass_is_asked_again() {
    for failing in [401, 429, 503] {
        let house = house().await;
        house.control().fault(&Fault::status(Operation::CreateScheduledCallback, failing)).await.unwrap();
        let accepted = booked(&house).await;
        until_kept(&house, &accepted).await;
        assert_eq!(count(&house, Operation::CreateScheduledCallback).await, 2, "{failing}");
    }
}

#[tokio::test]
async fn what_webex_refuses_to_keep_is_kept_by_us() {
    for failing in [400, 403] {
        let house = house().await;
        house.control().fault(&Fault::status(Operation::CreateScheduledCallback, failing)).await.unwrap();
        let accepted = booked(&house).await;
        let record = house.until(&accepted.id, State::Scheduled).await;
        assert!(kept(&house).await.is_empty());
        assert_eq!(count(&house, Operation::CreateScheduledCallback).await, 1);
        // Ours to call off at once.
        assert_eq!(record["cancellable"], true);
        assert_eq!(call_off(&house, &accepted).await.ok()["state"], "cancelled");
    }
}

#[tokio::test]
async fn what_begins_too_soon_for_webex_is_kept_by_us() {
    let house = house().await;
    // Half an hour is what the site and Webex ask for; on its way there it would be less.
    let accepted = booked_with(&house, json!({ "schedule": window(1805, HOUR) })).await;
    house.until(&accepted.id, State::Scheduled).await;
    assert_eq!(count(&house, Operation::CreateScheduledCallback).await, 0);
}

#[tokio::test]
async fn it_is_called_off_at_webex_first() {
    let house = house().await;
    let accepted = booked(&house).await;
    until_kept(&house, &accepted).await;
    let answer = call_off(&house, &accepted).await;
    assert_eq!(answer.status.as_u16(), 202, "{}", answer.text());
    assert_eq!(
        (answer.json()["state"].as_str(), answer.json()["cancellable"].as_bool()),
        (Some("cancelling"), Some(false))
    );
    // Twice is as good as once, whether it is done by then or not.
    assert!(call_off(&house, &accepted).await.status.is_success());
    house.until(&accepted.id, State::Cancelled).await;
    assert!(kept(&house).await.is_empty());
    assert_eq!(call_off(&house, &accepted).await.ok()["state"], "cancelled");
    assert_eq!(operations(&house, &accepted).await, ["create_schedule", "delete_schedule"]);
}

#[tokio::test]
async fn a_call_off_that_fails_for_now_is_made_again_and_one_whose_answer_was_lost_is_found_out() {
    let effects = [401, 429, 500, 503].map(status).into_iter();
    for effect in
        effects.chain([Effect::CutBefore, Effect::CutAfter, Effect::StatusAfter(Failure::status(500))])
    {
        let house = house().await;
        let accepted = booked(&house).await;
        until_kept(&house, &accepted).await;
        house.control().fault(&Fault::new(Operation::DeleteScheduledCallback, effect.clone())).await.unwrap();
        call_off(&house, &accepted).await;
        house.until(&accepted.id, State::Cancelled).await;
        assert!(kept(&house).await.is_empty(), "{effect:?}");
        assert_eq!(count(&house, Operation::DeleteScheduledCallback).await, 2, "{effect:?}");
    }
}

#[tokio::test]
async fn a_call_off_that_webex_refuses_leaves_it_booked() {
    let house = house().await;
    let accepted = booked(&house).await;
    until_kept(&house, &accepted).await;
    house.control().fault(&Fault::status(Operation::DeleteScheduledCallback, 403)).await.unwrap();
    call_off(&house, &accepted).await;
    let record = eventually("it is booked again", async || {
        let record = house.record(&accepted.id).await;
        (record["state"] == "scheduled").then_some(record)
    })
    .await;
    assert_eq!(record["cancellable"], true);
    assert_eq!(kept(&house).await.len(), 1);
}

#[tokio::test]
async fn a_call_off_outlives_a_kill() {
    let mut house = house().await;
    let accepted = booked(&house).await;
    until_kept(&house, &accepted).await;
    house.control().fault(&Fault::status(Operation::DeleteScheduledCallback, 503).times(1000)).await.unwrap();
    call_off(&house, &accepted).await;
    house.kill().await;
    house.control().clear_faults().await.unwrap();
    house.start().await;
    house.until(&accepted.id, State::Cancelled).await;
    assert!(kept(&house).await.is_empty());
}

#[tokio::test]
async fn a_call_off_that_comes_after_webex_has_begun_does_not_deny_the_call() {
    let house = House::with(|plan| {
        kept_by_webex(plan);
        // Nothing but the call-off finds it out.
        plan.set("delivery.schedule_check_s", 3600);
        plan.pace(Pace::Manual);
    })
    .await;
    let accepted = booked(&house).await;
    let task = trigger(&house, &until_kept(&house, &accepted).await).await;
    call_off(&house, &accepted).await;
    let record = house.until(&accepted.id, State::Requested).await;
    assert_eq!(
        (record["task_id"].as_str(), record["cancellable"].as_bool()),
        (Some(task.as_str()), Some(false))
    );
    house.control().set_pace(Pace::instant()).await.unwrap();
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn it_is_moved_at_webex() {
    let house = house().await;
    let accepted = booked(&house).await;
    let before = until_kept(&house, &accepted).await;
    let later = window(26 * HOUR, 2 * HOUR);
    let answer = change(&house, &accepted, &later).await;
    assert_eq!(answer.status.as_u16(), 202, "{}", answer.text());
    let view = answer.json();
    assert_eq!(view["state"], "rescheduling");
    assert_eq!(
        (&view["wanted_schedule"]["start"], &view["schedule"]["start"]),
        (&later["start"], &before["startTime"])
    );
    let record = eventually("it is moved", async || {
        let record = house.record(&accepted.id).await;
        (record["schedule"]["date"] == later["date"] && record["state"] == "scheduled").then_some(record)
    })
    .await;
    assert_eq!(record.get("wanted_schedule"), None);
    let after = until_kept(&house, &accepted).await;
    assert_eq!((&after["id"], &after["scheduleDate"]), (&before["id"], &later["date"]));
    assert_eq!((&after["startTime"], &after["endTime"]), (&later["start"], &later["end"]));
    assert_eq!(after["callbackReason"], before["callbackReason"]);
    // The same again changes nothing.
    assert_eq!(change(&house, &accepted, &later).await.ok()["state"], "scheduled");
    assert_eq!(operations(&house, &accepted).await, ["create_schedule", "change_schedule"]);
}

#[tokio::test]
async fn a_move_that_fails_for_now_is_made_again() {
    let effects = [401, 429, 500, 503].map(status).into_iter();
    for effect in effects.chain([Effect::CutBefore, Effect::CutAfter, Effect::MalformedBody]) {
        let house = house().await;
        let accepted = booked(&house).await;
        until_kept(&house, &accepted).await;
        house.control().fault(&Fault::new(Operation::UpdateScheduledCallback, effect.clone())).await.unwrap();
        let later = window(26 * HOUR, 2 * HOUR);
        change(&house, &accepted, &later).await;
        eventually("it is moved", async || {
            let record = house.record(&accepted.id).await;
            (record["schedule"]["date"] == later["date"] && record["state"] == "scheduled").then_some(())
        })
        .await;
        assert_eq!(until_kept(&house, &accepted).await["scheduleDate"], later["date"], "{effect:?}");
    }
}

#[tokio::test]
async fn a_move_that_webex_refuses_leaves_the_window_as_it_was() {
    for failing in [400, 403] {
        let house = house().await;
        let accepted = booked(&house).await;
        let before = until_kept(&house, &accepted).await;
        house.control().fault(&Fault::status(Operation::UpdateScheduledCallback, failing)).await.unwrap();
        change(&house, &accepted, &window(26 * HOUR, 2 * HOUR)).await;
        let record = eventually("it is as it was", async || {
            let record = house.record(&accepted.id).await;
            (record["state"] == "scheduled").then_some(record)
        })
        .await;
        assert_eq!(record["schedule"]["start"], before["startTime"], "{failing}");
        assert_eq!(record.get("wanted_schedule"), None);
    }
}

#[tokio::test]
async fn a_move_that_comes_after_webex_has_begun_does_not_deny_the_call() {
    let house = House::with(|plan| {
        kept_by_webex(plan);
        plan.set("delivery.schedule_check_s", 3600);
    })
    .await;
    let accepted = booked(&house).await;
    trigger(&house, &until_kept(&house, &accepted).await).await;
    change(&house, &accepted, &window(26 * HOUR, 2 * HOUR)).await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn what_agents_do_on_their_desktop_is_noticed() {
    let house = house().await;
    let accepted = booked(&house).await;
    let mut kept = until_kept(&house, &accepted).await;
    let id = kept["id"].as_str().unwrap().to_owned();
    let later = window(26 * HOUR, HOUR);
    let members = ["customerName", "callbackNumber", "queueId", "callbackReason", "id"];
    kept.as_object_mut().unwrap().retain(|name, _| members.contains(&name.as_str()));
    for (theirs, ours) in
        [("scheduleDate", "date"), ("startTime", "start"), ("endTime", "end"), ("timezone", "timezone")]
    {
        kept[theirs] = later[ours].clone();
    }
    desktop(&house, Method::PUT, &format!("/{id}"), Some(&kept)).await.ok();
    let record = eventually("the view follows", async || {
        let record = house.record(&accepted.id).await;
        (record["schedule"]["date"] == later["date"]).then_some(record)
    })
    .await;
    assert_eq!(record["deadline"], record["schedule"]["ends_at"]);
    assert_eq!(desktop(&house, Method::DELETE, &format!("/{id}"), None).await.status.as_u16(), 204);
    house.until(&accepted.id, State::Cancelled).await;
}

#[tokio::test]
async fn looking_after_it_survives_what_webex_answers() {
    for failing in [400, 401, 403, 429, 500, 503] {
        let house = house().await;
        let accepted = booked(&house).await;
        let kept = until_kept(&house, &accepted).await;
        house
            .control()
            .fault(&Fault::status(Operation::ReadScheduledCallback, failing).times(2))
            .await
            .unwrap();
        eventually("it was looked at", async || {
            house.control().faults().await.unwrap().is_empty().then_some(())
        })
        .await;
        trigger(&house, &kept).await;
        house.until(&accepted.id, State::Completed).await;
    }
}

#[tokio::test]
async fn a_personal_callback_names_the_agents_identity() {
    let house = house().await;
    let token = house.agent_token("acme", "grace", "30d");
    let accepted = booked_with(&house, json!({ "agent": token, "schedule": window(2 * HOUR, HOUR) })).await;
    let kept = until_kept(&house, &accepted).await;
    assert_eq!(kept["assigneeAgent"], organization::GRACE_CI_USER_ID);
    assert_eq!(house.view(&accepted).await["agent"], "Grace Loh");
    // Moved, it stays hers.
    change(&house, &accepted, &window(26 * HOUR, HOUR)).await;
    house.until(&accepted.id, State::Scheduled).await;
    assert_eq!(until_kept(&house, &accepted).await["assigneeAgent"], organization::GRACE_CI_USER_ID);
}

#[tokio::test]
async fn a_personal_callback_of_an_agent_who_has_left_is_anybodys() {
    let house = House::with(|plan| {
        kept_by_webex(plan);
        plan.set("agents.lea.name", "Lea Novak");
        plan.set("agents.lea.email", organization::LEA_EMAIL);
    })
    .await;
    let posted = json!({ "agent": "lea", "schedule": window(2 * HOUR, HOUR) });
    let accepted = house.send(house.crm_post(&visitor::crm_request_with(posted))).await.accepted();
    let kept = until_kept(&house, &accepted).await;
    assert_eq!(kept["assigneeAgent"], Value::Null);
    assert_eq!(house.record(&accepted.id).await["fallback"], "agent_inactive");
}
