//! Another number for a callback that was not sent yet: at both doors, by the rules for a new one, and for one call.

use reqwest::Method;
use ringback_contract::callback::{Accepted, State};
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, ENCRYPTION_KEY, Plan};
use ringback_tests::visitor;
use ringback_tests::window::window;
use serde_json::{Value, json};
use webex_simulator::{Fault, Operation, Outcome, organization};

/// Another number of the visitor.
const OTHER: &str = "+12025550177";

fn kept_by_us(plan: &mut Plan) {
    plan.set("sites.acme.schedule.through", "store");
    plan.set("sites.acme.schedule.timezone", "UTC");
    plan.set("sites.acme.schedule.notice_minutes", 0);
    plan.set("sites.acme.schedule.shortest_minutes", 0);
}

/// A house whose callbacks wait until Webex is back.
async fn away(change: fn(&mut Plan)) -> House {
    let house = House::with(change).await;
    house.control().fault(&Fault::status(Operation::CreateTask, 429).times(u32::MAX)).await.unwrap();
    house
}

async fn change(house: &House, callback: &Accepted, token: &str, body: &Value) -> Answer {
    house.private.add_from(body);
    let path = format!("/v1/callbacks/{}", callback.id);
    house.send(house.request(Method::PATCH, &path).bearer_auth(token).json(body)).await
}

async fn change_to(house: &House, callback: &Accepted, phone: &str) -> Answer {
    change(house, callback, &callback.follow, &json!({ "phone": phone })).await
}

/// Changes something of a callback that Webex does not take at present: not in the moment in which it is asked.
async fn change_meanwhile(house: &House, callback: &Accepted, token: &str, body: &Value) -> Answer {
    eventually("it is not being sent", async || {
        let answer = change(house, callback, token, body).await;
        (!answer.text().contains(Kind::NotChangeable.slug())).then_some(answer)
    })
    .await
}

async fn change_meanwhile_to(house: &House, callback: &Accepted, phone: &str) -> Answer {
    change_meanwhile(house, callback, &callback.follow, &json!({ "phone": phone })).await
}

async fn ask_for(house: &House, phone: &str) -> Accepted {
    house.send(house.post(&visitor::request_with(json!({ "phone": phone })))).await.accepted()
}

async fn booked(house: &House, phone: &str, schedule: &Value) -> Accepted {
    let posted = visitor::request_with(json!({ "phone": phone, "schedule": schedule }));
    house.send(house.post(&posted)).await.accepted()
}

async fn rings(house: &House, phone: &str) -> u32 {
    house.control().rings(phone).await.unwrap()
}

async fn the_number_that_was_given_last_is_called_and_no_other(change_plan: fn(&mut Plan)) {
    let house = away(change_plan).await;
    let accepted = house.ask().await;
    // As typed, and by the country's own rules.
    let german = json!({ "phone": "030 23125 501", "country": "DE" });
    change_meanwhile(&house, &accepted, &accepted.follow, &german).await.ok();
    let view = change_meanwhile_to(&house, &accepted, "(202) 555-0177").await.ok();
    assert_eq!(view["number_changeable"], true);
    house.control().clear_faults().await.unwrap();
    house.until(&accepted.id, State::Completed).await;
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.destination, OTHER);
    assert_eq!(task.attributes["Name"], visitor::NAME);
    assert_eq!((rings(&house, OTHER).await, rings(&house, visitor::PHONE_E164).await), (1, 0));
    assert_eq!(house.view(&accepted).await.get("number_changeable"), None);
    change_to(&house, &accepted, visitor::PHONE).await.problem(Kind::NotChangeable);
}

#[tokio::test]
async fn the_number_that_was_given_last_is_called_and_no_other_on_sqlite() {
    the_number_that_was_given_last_is_called_and_no_other(|_| {}).await;
}

#[tokio::test]
async fn the_number_that_was_given_last_is_called_and_no_other_on_postgresql() {
    the_number_that_was_given_last_is_called_and_no_other(Plan::postgres).await;
}

#[tokio::test]
async fn who_is_booked_is_called_at_the_new_number_in_the_window() {
    let house = House::with(|plan| {
        kept_by_us(plan);
        plan.set("store.encryption_key", ENCRYPTION_KEY);
    })
    .await;
    let accepted = booked(&house, visitor::PHONE, &window(8, 120)).await;
    change_to(&house, &accepted, OTHER).await.ok();
    // Twice is as good as once.
    let view = change_to(&house, &accepted, OTHER).await.ok();
    assert_eq!((&view["state"], &view["revision"]), (&json!("scheduled"), &json!(1)));
    house.until(&accepted.id, State::Completed).await;
    assert_eq!((rings(&house, OTHER).await, rings(&house, visitor::PHONE_E164).await), (1, 0));
}

#[tokio::test]
async fn a_crm_changes_the_number_and_that_is_written_down() {
    let house = away(|_| {}).await;
    let accepted = house.send(house.crm_post(&visitor::crm_request())).await.accepted();
    let body = json!({ "phone": OTHER });
    let record = change_meanwhile(&house, &accepted, API_KEY, &body).await.ok();
    assert_eq!(record["reference"], "case 4711/17");
    let audit = house.command(&["audit"]);
    assert!(audit.contains("callback.change_number") && !audit.contains("5550177"), "{audit}");
    let reader = house.key(&["--name", "reader", "--site", "acme", "--scopes", "callbacks:read"]);
    change(&house, &accepted, &reader, &body).await.problem(Kind::Forbidden);
    house.control().clear_faults().await.unwrap();
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(rings(&house, OTHER).await, 1);
}

#[tokio::test]
async fn what_webex_has_is_called_at_the_number_that_it_has() {
    let house = House::with(|plan| {
        plan.outcome(Outcome::StaysParked);
        plan.set("sites.acme.schedule.through", "webex");
        plan.set("sites.acme.schedule.queue", organization::SUPPORT_QUEUE);
        plan.set("sites.acme.schedule.timezone", "UTC");
    })
    .await;
    let queued = house.ask().await;
    house.until(&queued.id, State::Queued).await;
    let told = change_to(&house, &queued, OTHER).await.problem(Kind::NotChangeable);
    assert!(told.detail.contains("queued") && told.detail.contains("Webex"), "{}", told.detail);
    // The number that it has already is no change.
    assert_eq!(change_to(&house, &queued, visitor::PHONE).await.ok()["state"], "queued");
    let kept = booked(&house, visitor::PHONE, &window(7200, 3600)).await;
    house.until(&kept.id, State::Scheduled).await;
    assert_eq!(house.view(&kept).await.get("number_changeable"), None);
    change_to(&house, &kept, OTHER).await.problem(Kind::NotChangeable);
}

#[tokio::test]
async fn a_new_number_keeps_every_rule_and_every_limit_and_only_its_own_visitor_gives_it() {
    let house = away(|plan| plan.limit("number", 2, 3600)).await;
    let accepted = house.ask().await;
    for (body, pointer, code) in [
        (json!({ "phone": "12" }), "/phone", "phone_too_short"),
        (json!({ "phone": "call me" }), "/phone", "phone_character"),
        (json!({ "phone": "+442079460142" }), "/phone", "phone_not_allowed"),
        (json!({ "phone": organization::DEFAULT_ANI }), "/phone", "phone_not_allowed"),
        (json!({ "phone": OTHER, "country": "us" }), "/country", "country_shape"),
        (json!({ "phone": OTHER, "schedule": window(3600, 7200) }), "/phone", "one_at_a_time"),
        (json!({}), "", "required"),
        (json!({ "country": "DE" }), "", "required"),
    ] {
        let answer = change(&house, &accepted, &accepted.follow, &body).await;
        let expected = [(pointer.to_owned(), code.to_owned())];
        assert_eq!(answer.refused_fields(Kind::Validation), expected, "{body}");
    }
    let nothing = change(&house, &accepted, &accepted.follow, &json!({})).await.problem(Kind::Validation);
    assert_eq!(nothing.errors[0].message, "Give `schedule` or `phone`: what is to be changed.");
    for (body, kind) in [
        (json!({ "phone": 12_025_550_177_u64 }), Kind::WrongType),
        (json!({ "phones": OTHER }), Kind::UnknownField),
    ] {
        change(&house, &accepted, &accepted.follow, &body).await.problem(kind);
    }
    let joined = house.ask().await;
    assert!(joined.joined);
    change_to(&house, &joined, OTHER).await.problem(Kind::NotChangeable);
    change(&house, &accepted, "rbf_x", &json!({ "phone": OTHER })).await.problem(Kind::Unauthorized);
    // To and fro, until the limit of the number is reached; what is no change counts for nothing.
    for phone in [OTHER, OTHER, OTHER, "+12025550178", OTHER, OTHER, "+12025550178"] {
        change_meanwhile_to(&house, &accepted, phone).await.ok();
    }
    let limited = change_meanwhile_to(&house, &accepted, OTHER).await;
    limited.problem(Kind::RateLimited);
    assert!(!limited.header("retry-after").is_empty());
}

#[tokio::test]
async fn the_claim_goes_with_the_number_and_that_of_others_is_respected() {
    let house = away(|_| {}).await;
    let (one, other) = (house.ask().await, ask_for(&house, OTHER).await);
    change_meanwhile_to(&house, &one, OTHER).await.problem(Kind::NumberClaimed);
    assert_eq!(house.ask().await.id, one.id);
    let third = "+12025550178";
    change_meanwhile_to(&house, &one, third).await.ok();
    assert_eq!(ask_for(&house, third).await.id, one.id);
    assert_ne!(house.ask().await.id, one.id);
    // What is called off leaves its number.
    let path = format!("/v1/callbacks/{}", other.id);
    eventually("it is called off", async || {
        let call_off = house.request(Method::DELETE, &path).bearer_auth(&other.follow);
        house.send(call_off).await.status.is_success().then_some(())
    })
    .await;
    change_meanwhile_to(&house, &one, OTHER).await.ok();
    house.control().clear_faults().await.unwrap();
    house.until(&one.id, State::Completed).await;
    assert_eq!((rings(&house, OTHER).await, rings(&house, third).await), (1, 0));
}

#[tokio::test]
async fn a_number_that_was_just_called_rests() {
    let house = House::with(|plan| {
        kept_by_us(plan);
        plan.set("limits.cooldown_s", 600);
    })
    .await;
    let called = ask_for(&house, OTHER).await;
    house.until(&called.id, State::Completed).await;
    house.control().fault(&Fault::status(Operation::CreateTask, 429).times(u32::MAX)).await.unwrap();
    let accepted = house.ask().await;
    change_meanwhile_to(&house, &accepted, OTHER).await.problem(Kind::RateLimited);
    // A booking is for a time of its own.
    let later = booked(&house, visitor::PHONE, &window(3600, 7200)).await;
    change_to(&house, &later, OTHER).await.ok();
}

#[tokio::test]
async fn who_gives_another_number_agrees_to_be_called_there() {
    let house = away(|_| {}).await;
    let accepted = house.ask().await;
    change_meanwhile_to(&house, &accepted, OTHER).await.ok();
    let text = house.command(&["consent", "list", "--phone", OTHER]);
    let entry: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&entry["given"], &entry["callback"]), (&json!(true), &json!(accepted.id)));
    assert_eq!((&entry["version"], &entry["language"]), (&json!(visitor::CONSENT), &json!("en")));
    // And whoever takes that back is not called.
    house.command(&["consent", "revoke", "--phone", OTHER, "--site", "acme"]);
    house.until(&accepted.id, State::Cancelled).await;
}

#[tokio::test]
async fn changes_against_the_dispatcher_end_with_the_last_number_that_was_taken() {
    let house = away(|_| {}).await;
    let accepted = house.ask().await;
    eventually("it was refused once", async || {
        (house.record(&accepted.id).await["attempts"].as_u64() > Some(0)).then_some(())
    })
    .await;
    house.control().clear_faults().await.unwrap();
    let mut last = visitor::PHONE_E164.to_owned();
    for number in (150..170).cycle() {
        let phone = format!("+12025550{number}");
        let answer = change_to(&house, &accepted, &phone).await;
        if !answer.status.is_success() {
            answer.problem(Kind::NotChangeable);
            break;
        }
        last = phone;
    }
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.tasks().await.len(), 1);
    assert_eq!(rings(&house, &last).await, 1);
}

#[tokio::test]
async fn who_waits_learns_which_number_will_call() {
    let house = House::with(|plan| {
        plan.outcome(Outcome::StaysParked);
        plan.set("sites.acme.ani", "+12025550180");
    })
    .await;
    let accepted = house.ask().await;
    assert_eq!(house.view(&accepted).await["calls_from"], "+1 202-555-0180");
    let agent = house.agent_token("acme", "grace", "1h");
    let posted = visitor::request_with(json!({ "phone": OTHER, "agent": agent }));
    let by_agent = house.send(house.post(&posted)).await.accepted();
    let shown = house.view(&by_agent).await["calls_from"].clone();
    assert_ne!(shown, "+1 202-555-0180");
    let digits: String = shown.as_str().unwrap().chars().filter(char::is_ascii_digit).collect();
    assert_eq!(format!("+{digits}"), organization::DEFAULT_ANI);
    // Whoever joins does not learn from it whom the other has asked for.
    let joined = ask_for(&house, OTHER).await;
    assert!(joined.joined);
    assert_eq!(house.view(&joined).await.get("calls_from"), None);
    let house = House::with(|plan| plan.outcome(Outcome::StaysParked)).await;
    let accepted = house.ask().await;
    assert_eq!(house.view(&accepted).await.get("calls_from"), None);
}
