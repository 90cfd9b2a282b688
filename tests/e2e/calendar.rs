//! The file for calendars: what was agreed on, for whoever has the token, and nothing about the person.

use reqwest::Method;
use ringback_contract::callback::Accepted;
use ringback_contract::problem::Kind;
use ringback_tests::house::House;
use ringback_tests::visitor;
use ringback_tests::window::window;
use serde_json::json;

async fn booked(house: &House) -> Accepted {
    let posted = visitor::request_with(json!({ "schedule": window(3 * 3600, 3600), "locale": "de" }));
    house.send(house.post(&posted)).await.accepted()
}

fn path(callback: &Accepted) -> String {
    format!("/f/{}/calendar.ics", callback.follow)
}

#[tokio::test]
async fn a_booking_goes_into_a_calendar_and_changes_and_ends_there() {
    let house = House::with(|plan| {
        plan.set("sites.acme.schedule.through", "store");
        plan.set("sites.acme.schedule.timezone", "UTC");
    })
    .await;
    let accepted = booked(&house).await;
    let view = house.view(&accepted).await;
    let answer = house.get(&path(&accepted)).await;
    assert_eq!(answer.header("content-type"), "text/calendar; charset=utf-8");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"callback.ics\"");
    assert_eq!(answer.header("cache-control"), "no-store");
    let file = answer.text().replace("\r\n ", "");
    let starts_at: jiff::Timestamp = view["schedule"]["starts_at"].as_str().unwrap().parse().unwrap();
    for line in [
        format!("UID:{}", accepted.id),
        format!("DTSTART:{}", starts_at.strftime("%Y%m%dT%H%M%SZ")),
        "SEQUENCE:0".to_owned(),
        "STATUS:CONFIRMED".to_owned(),
        format!("URL:{}/f/{}", house.url(), accepted.follow),
    ] {
        assert!(file.contains(&format!("\r\n{line}\r\n")), "{line} is missing in {file}");
    }
    assert!(file.contains("SUMMARY:Anruf von "), "{file}");
    for private in [visitor::NAME, visitor::PHONE, visitor::PHONE_E164, visitor::EMAIL, visitor::MESSAGE] {
        assert!(!file.contains(private), "{file}");
    }
    let callback = format!("/v1/callbacks/{}", accepted.id);
    let body = json!({ "schedule": window(5 * 3600, 3600) });
    house.send(house.request(Method::PATCH, &callback).bearer_auth(&accepted.follow).json(&body)).await.ok();
    assert!(house.get(&path(&accepted)).await.text().contains("\r\nSEQUENCE:1\r\n"));
    house.send(house.request(Method::DELETE, &callback).bearer_auth(&accepted.follow)).await.ok();
    let file = house.get(&path(&accepted)).await.text();
    assert!(file.contains("\r\nSTATUS:CANCELLED\r\n") && file.contains("\r\nSEQUENCE:2\r\n"), "{file}");
    // What has no time has no file, and what is no token opens none.
    let now = house.ask().await;
    house.get(&path(&now)).await.problem(Kind::NotFound);
    house.get("/f/rbf_x/calendar.ics").await.problem(Kind::NotFound);
}
