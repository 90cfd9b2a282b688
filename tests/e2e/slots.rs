//! Slots: what is offered is what is taken, and the last place goes to one visitor however many want it at once.

use futures_util::future::join_all;
use jiff::ToSpan as _;
use reqwest::Method;
use ringback_contract::callback::Accepted;
use ringback_contract::problem::Kind;
use ringback_contract::slots::Slots;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plan::{ORIGIN, Plan};
use ringback_tests::visitor;
use ringback_tests::window::noon;
use serde_json::{Value, json};

/// Open from nine till eleven, and offers times.
pub(crate) fn open_mornings(plan: &mut Plan, timezone: &str) {
    plan.set("sites.acme.hours.timezone", timezone);
    for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] {
        plan.set(&format!("sites.acme.hours.{day}"), vec!["09:00-11:00"]);
    }
    plan.set("sites.acme.schedule.through", "store");
    plan.set("sites.acme.schedule.timezone", timezone);
}

/// With two places in each half hour.
fn two_places(plan: &mut Plan) {
    open_mornings(plan, &noon().0);
    plan.set("sites.acme.schedule.slot_capacity", 2);
}

/// Tomorrow, when it is noon today.
fn tomorrow() -> String {
    (noon().1.date() + 1.day()).to_string()
}

fn schedule(start: &str, end: &str) -> Value {
    json!({ "date": tomorrow(), "start": start, "end": end })
}

async fn slots(house: &House) -> Slots {
    let path = format!("/v1/sites/acme/slots?from={}&days=1", tomorrow());
    serde_json::from_value(house.get(&path).await.ok()).unwrap()
}

/// When the slots of tomorrow begin.
async fn starts(house: &House) -> Vec<String> {
    slots(house).await.slots.iter().map(|slot| slot.starts_at[11..16].to_owned()).collect()
}

/// One visitor of many asks.
async fn ask(house: &House, url: &str, number: usize, schedule: &Value) -> Answer {
    let posted = visitor::request_with(
        json!({ "phone": format!("+1202555{:04}", 100 + number), "schedule": schedule }),
    );
    let url = format!("{url}/v1/sites/acme/callbacks");
    house.send(house.http.post(url).header("Origin", ORIGIN).json(&posted)).await
}

async fn patch(house: &House, callback: &Accepted, schedule: &Value) -> Answer {
    let path = format!("/v1/callbacks/{}", callback.id);
    let body = json!({ "schedule": schedule });
    house.send(house.request(Method::PATCH, &path).bearer_auth(&callback.follow).json(&body)).await
}

fn full() -> Vec<(String, String)> {
    vec![("/schedule/start".to_owned(), "slot_full".to_owned())]
}

#[tokio::test]
async fn a_site_lists_its_free_slots_to_its_pages_and_to_servers() {
    let house = House::with(two_places).await;
    let found = slots(&house).await;
    assert_eq!(found.timezone, noon().0);
    assert_eq!(starts(&house).await, ["09:00", "09:30", "10:00", "10:30"]);
    // The first characters of a moment are day and time by the site's clocks: what a request names.
    let slot = &found.slots[0];
    let asked =
        json!({ "date": slot.starts_at[..10], "start": slot.starts_at[11..16], "end": slot.ends_at[11..16] });
    let accepted = ask(&house, house.url(), 0, &asked).await.accepted();
    let view = house.view(&accepted).await;
    let begins: jiff::Timestamp = slot.starts_at.parse().unwrap();
    assert_eq!(view["schedule"]["starts_at"], begins.to_string());
    assert!(found.texts.is_empty());
    let path = "/v1/sites/acme/slots";
    let page = house.request(Method::GET, path).header("Origin", ORIGIN).query(&[("locale", "de")]);
    let answer = house.send(page).await;
    assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
    assert!(answer.ok()["slots"].as_array().unwrap().len() > 100);
    let elsewhere = house.request(Method::GET, path).header("Origin", "https://evil.example");
    house.send(elsewhere).await.problem(Kind::OriginNotAllowed);
    for (query, kind) in
        [("days=0", Kind::BadRequest), ("from=today", Kind::BadRequest), ("day=1", Kind::BadRequest)]
    {
        house.get(&format!("{path}?{query}")).await.problem(kind);
    }
    house.get("/v1/sites/other/slots").await.problem(Kind::NotFound);
    house.get("/v1/sites/nobody/slots").await.problem(Kind::SiteUnknown);
}

#[tokio::test]
async fn a_full_slot_is_refused_and_gone_until_a_place_is_given_back() {
    let house = House::with(two_places).await;
    let nine = schedule("09:00", "09:30");
    let first = ask(&house, house.url(), 0, &nine).await.accepted();
    assert_eq!(starts(&house).await.len(), 4);
    let second = ask(&house, house.url(), 1, &nine).await.accepted();
    assert_eq!(starts(&house).await, ["09:30", "10:00", "10:30"]);
    assert_eq!(ask(&house, house.url(), 2, &nine).await.refused_fields(Kind::Validation), full());
    // Whoever asked already is told so, and needs no place of their own.
    assert!(ask(&house, house.url(), 0, &nine).await.accepted().joined);
    // Moved away, and back again before somebody else comes.
    patch(&house, &first, &schedule("10:00", "10:30")).await.ok();
    assert_eq!(starts(&house).await, ["09:00", "09:30", "10:00", "10:30"]);
    patch(&house, &first, &nine).await.ok();
    let path = format!("/v1/callbacks/{}", second.id);
    house.send(house.request(Method::DELETE, &path).bearer_auth(&second.follow)).await.ok();
    let third = ask(&house, house.url(), 3, &nine).await.accepted();
    let fourth = ask(&house, house.url(), 4, &schedule("09:30", "10:00")).await.accepted();
    assert_eq!(patch(&house, &fourth, &nine).await.refused_fields(Kind::Validation), full());
    assert_eq!(house.view(&fourth).await["schedule"]["start"], "09:30:00");
    // A CRM whose caller has agreed to it may; whoever comes after that finds the slot as full as it is.
    let urgent =
        visitor::crm_request_with(json!({ "phone": "+12025550177", "schedule": nine, "ignore_hours": true }));
    house.send(house.crm_post(&urgent)).await.accepted();
    patch(&house, &third, &schedule("10:30", "11:00")).await.ok();
    assert_eq!(ask(&house, house.url(), 5, &nine).await.refused_fields(Kind::Validation), full());
}

#[tokio::test]
async fn of_many_visitors_at_several_services_two_get_the_two_places() {
    for postgres in [false, true] {
        let house = House::with(|plan| {
            two_places(plan);
            if postgres {
                plan.postgres();
            }
        })
        .await;
        let other = if postgres { Some(house.start_beside().await) } else { None };
        let urls = [house.url(), other.as_ref().map_or(house.url(), |other| other.url.as_str())];
        let nine = schedule("09:00", "09:30");
        let asking = (0..16).map(|number| ask(&house, urls[number % 2], number, &nine));
        let (taken, refused): (Vec<_>, Vec<_>) =
            join_all(asking).await.into_iter().partition(|answer| answer.status.as_u16() == 202);
        assert_eq!(taken.len(), 2);
        for answer in refused {
            assert_eq!(answer.refused_fields(Kind::Validation), full());
        }
        // Both want the one place that is left at ten.
        let [one, two] = [taken[0].accepted(), taken[1].accepted()];
        let ten = schedule("10:00", "10:30");
        ask(&house, house.url(), 20, &ten).await.accepted();
        let (first, second) = tokio::join!(patch(&house, &one, &ten), patch(&house, &two, &ten));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
    }
}
