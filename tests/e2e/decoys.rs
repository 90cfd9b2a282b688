//! What no person has made becomes a decoy: a callback like any other to whoever sent it, and no call.

use reqwest::{Method, RequestBuilder};
use ringback_contract::callback::{Accepted, State};
use ringback_contract::problem::Kind;
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::figures::Figures;
use ringback_tests::house::House;
use ringback_tests::plain::{members, with};
use ringback_tests::plan::{API_KEY, Plan};
use ringback_tests::visitor;
use ringback_tests::window::window;
use serde_json::{Value, json};
use webex_simulator::Outcome;

/// What a program fills in, and no person sees.
const TRAP: (&str, &str) = ("website", "https://spam.example");

/// The post of a program.
fn trapped(house: &House, changes: &Value) -> RequestBuilder {
    let mut body = visitor::request_with(changes.clone());
    body[TRAP.0] = json!(TRAP.1);
    house.post(&body)
}

async fn decoy(house: &House, changes: &Value) -> Accepted {
    house.send(trapped(house, changes)).await.accepted()
}

/// Another number, so that nobody joins anybody.
fn other_number() -> Value {
    json!({ "phone": "+1 202 555 0143" })
}

async fn until(house: &House, callback: &Accepted, state: State) -> Value {
    eventually(state.as_str(), async || {
        Some(house.view(callback).await).filter(|view| view["state"] == state.as_str())
    })
    .await
}

async fn change(house: &House, method: Method, callback: &Accepted, body: &Value) -> Answer {
    house.private.add_from(body);
    let path = format!("/v1/callbacks/{}", callback.id);
    house.send(house.request(method, &path).bearer_auth(&callback.follow).json(body)).await
}

/// What a program can see of an answer, but for what differs with each: names of headers and members.
fn shape(answer: &Answer) -> (Vec<String>, Value) {
    let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
    names.sort();
    let mut body: Value = serde_json::from_str(&answer.text()).unwrap();
    for (name, member) in body.as_object_mut().unwrap() {
        match name.as_str() {
            "id" | "follow" => *member = json!(member.as_str().unwrap().len()),
            "created_at" | "updated_at" => *member = json!("a moment"),
            _ => {}
        }
    }
    (names, body)
}

async fn a_program_sees_a_callback_like_any_other_and_nobody_is_called(change_plan: fn(&mut Plan)) {
    let mut house = House::with(|plan| {
        plan.outcome(Outcome::StaysParked);
        change_plan(plan);
    })
    .await;
    let key = |request: RequestBuilder, key: &str| request.header(IDEMPOTENCY_KEY, key);
    let real = house.send(key(house.post(&visitor::request()), "real")).await;
    let fake = house.send(key(trapped(&house, &other_number()), "fake")).await;
    assert_eq!((real.status, shape(&real)), (fake.status, shape(&fake)));
    let (real, fake) = (real.accepted(), fake.accepted());

    // The same again is the same; with another body it is refused; and a second one for the number joins the first.
    assert_eq!(house.send(key(trapped(&house, &other_number()), "fake")).await.accepted().id, fake.id);
    let reused = key(trapped(&house, &json!({ "phone": "+1 202 555 0144" })), "fake");
    house.send(reused).await.problem(Kind::IdempotencyKeyReused);
    let joiner = decoy(&house, &other_number()).await;
    assert!(joiner.joined && joiner.id == fake.id);

    // It goes the same way, for whoever looks and for whoever listens, after a start of the service, too.
    let states = house.follow(&fake);
    house.until(&real.id, State::Queued).await;
    states.await.until(State::Queued).await;
    house.stop().await;
    house.start().await;
    let look = async |callback: &Accepted| {
        let path = format!("/v1/callbacks/{}", callback.id);
        let answer = house.send(house.request(Method::GET, &path).bearer_auth(&callback.follow)).await;
        let (names, mut view) = shape(&answer);
        view["revision"].take();
        (answer.status, names, view)
    };
    assert_eq!(look(&real).await, look(&fake).await);
    for (method, kind) in [(Method::DELETE, Kind::NotCancellable), (Method::PATCH, Kind::NotChangeable)] {
        let body = json!({ "phone": "+1 202 555 0145" });
        let of = async |callback| change(&house, method.clone(), callback, &body).await.problem(kind).detail;
        assert_eq!(of(&real).await, of(&fake).await);
    }
    let page = house.get(&format!("/f/{}", fake.follow)).await.text();
    assert!(page.contains("You’re in the queue"), "{page}");

    // Nobody is called, no person has agreed to anything, no list and no figure has it; and a person with that number is.
    assert_eq!(house.until_tasks(1).await[0].destination, visitor::PHONE_E164);
    let path = format!("/v1/callbacks/{}", fake.id);
    house.send(house.request(Method::GET, &path).bearer_auth(API_KEY)).await.problem(Kind::NotFound);
    let list = house.send(house.request(Method::GET, "/v1/callbacks").bearer_auth(API_KEY)).await.ok();
    assert_eq!(list["callbacks"].as_array().unwrap().len(), 1);
    assert_eq!(house.command(&["consent", "list", "--phone", "+12025550143"]), "");
    let person = house.send(house.post(&visitor::request_with(other_number()))).await.accepted();
    assert!(!person.joined && person.id != fake.id);
    house.until_tasks(2).await;
    // Which of the person's and the program's it is that waits, the store itself tells.
    house.until(&person.id, State::Queued).await;
}

#[tokio::test]
async fn a_program_sees_a_callback_like_any_other_and_nobody_is_called_on_sqlite() {
    a_program_sees_a_callback_like_any_other_and_nobody_is_called(|_| {}).await;
}

#[tokio::test]
async fn a_program_sees_a_callback_like_any_other_and_nobody_is_called_on_postgresql() {
    a_program_sees_a_callback_like_any_other_and_nobody_is_called(Plan::postgres).await;
}

#[tokio::test]
async fn a_program_is_held_to_every_rule_and_every_limit() {
    let house = House::with(|plan| plan.limit("number", 2, 600)).await;
    let wrong = json!({ "name": "", "phone": "12" });
    let expected = house.send(house.post(&visitor::request_with(wrong.clone()))).await;
    let refused = house.send(trapped(&house, &wrong)).await;
    assert_eq!(refused.refused_fields(Kind::Validation), expected.refused_fields(Kind::Validation));
    let fake = decoy(&house, &json!({})).await;
    decoy(&house, &json!({})).await;
    house.send(trapped(&house, &json!({}))).await.problem(Kind::RateLimited);
    // What counts for the program counts for everybody.
    house.send(house.post(&visitor::request())).await.problem(Kind::RateLimited);
    until(&house, &fake, State::Queued).await;
    let figures = Figures::of(&house).await;
    assert_eq!(figures.sum("ringback_sieved_total", &[("sieve", "hidden_field")]), Some(2.0));
    assert_eq!(figures.count("ringback_callbacks_accepted_total", &[]), 0);
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn a_booking_of_a_program_is_moved_and_called_off_and_takes_no_place() {
    let house = House::with(|plan| {
        plan.set("sites.acme.schedule.through", "store");
        plan.set("sites.acme.schedule.timezone", "UTC");
        plan.set("sites.acme.schedule.slot_capacity", 1);
    })
    .await;
    let schedule = window(7200, 3600);
    let fake = decoy(&house, &json!({ "schedule": schedule })).await;
    assert_eq!(house.view(&fake).await["state"], "scheduled");
    let later = json!({ "schedule": window(10_800, 3600) });
    let moved = change(&house, Method::PATCH, &fake, &later).await.ok();
    assert_eq!(moved["schedule"]["start"], later["schedule"]["start"]);
    let renumbered = change(&house, Method::PATCH, &fake, &json!({ "phone": "+1 202 555 0145" })).await.ok();
    assert_eq!((&renumbered["state"], &renumbered["revision"]), (&json!("scheduled"), &json!(2)));
    assert_eq!(house.command(&["consent", "list", "--phone", "+12025550145"]), "");
    for taken in [&schedule, &later["schedule"]] {
        let body = visitor::request_with(json!({ "schedule": taken }));
        house.send(house.post(&body)).await.accepted();
    }
    assert_eq!(change(&house, Method::DELETE, &fake, &json!({})).await.ok()["state"], "cancelled");
}

#[tokio::test]
async fn what_is_sent_sooner_than_a_person_could_is_a_decoy_and_the_plain_form_is_held_until_then() {
    let house = House::with(|plan| plan.set("limits.typing_ms", 3000)).await;
    let form = house.get("/v1/sites/acme/form").await.ok();
    assert_eq!(form["typing_ms"], 3000);
    let body = |changes: Value| house.post(&visitor::request_with(changes));
    let opened = &form["opened"];
    let fast = house.send(body(json!({ "opened": opened }))).await.accepted();
    house
        .send(house.request(Method::GET, &format!("/v1/callbacks/{}", fast.id)).bearer_auth(API_KEY))
        .await
        .problem(Kind::NotFound);
    let figures = Figures::of(&house).await;
    assert_eq!(figures.sum("ringback_sieved_total", &[("sieve", "too_fast")]), Some(1.0));

    // Whose browser fills the plain form in is a person, however soon it is sent. By the time it was taken, so is whoever sends the
    // other form; and so is whoever sends a moment that is none of ours, from a form of their own.
    let page = house.plain_page().await;
    house.follow_path(&house.send_plain(&members(&page)).await);
    house.send(body(json!({ "opened": opened, "phone": "+1 202 555 0143" }))).await.accepted();
    house.send(body(json!({ "opened": "rbo_x.y.z", "phone": "+1 202 555 0144" }))).await.accepted();
    house.until_tasks(3).await;
    // The trap is there without script, too.
    house.follow_path(&house.send_plain(&with(members(&house.plain_page().await), TRAP.0, TRAP.1)).await);
    let figures = Figures::of(&house).await;
    assert_eq!(figures.sum("ringback_sieved_total", &[("sieve", "hidden_field")]), Some(1.0));
    assert_eq!(house.tasks().await.len(), 3);
}
