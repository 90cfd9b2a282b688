use jiff::{ToSpan, Zoned};
use reqwest::Method;
use serde_json::{Value, json};
use webex_simulator::TaskState;
use webex_simulator::organization::{
    GRACE_CI_USER_ID, GRACE_ID, OMAR_CI_USER_ID, ORG_ID, SUPPORT_QUEUE, TOKEN_WITHOUT_USER,
};

use crate::house::{Answer, CUSTOMER, House, but, callback, send};

fn path() -> String {
    format!("/v1/callbacks/organization/{ORG_ID}/scheduled-callback")
}

/// The time of the simulator's zone: the clock of the machine, read through an answer of its own.
async fn now(house: &House) -> Zoned {
    let id = house.make(&callback()).await;
    let created = house.control.task(&id).await.unwrap().created_time;
    jiff::Timestamp::from_millisecond(created).unwrap().in_tz("Europe/Berlin").unwrap()
}

/// A window of two hours at ten in the morning, so many days from now.
async fn in_days(house: &House, days: i64) -> Value {
    let date = now(house).await.date().checked_add(days.days()).unwrap();
    json!({
        "customerName": "Ann Example",
        "callbackNumber": CUSTOMER,
        "timezone": "Europe/Berlin",
        "scheduleDate": date.to_string(),
        "startTime": "10:00:00",
        "endTime": "12:00:00",
        "queueId": SUPPORT_QUEUE,
    })
}

async fn list(house: &House, query: &[(&str, &str)]) -> Answer {
    send(house.request(Method::GET, &path()).query(query)).await
}

async fn total(house: &House, query: &[(&str, &str)]) -> u64 {
    list(house, query).await.body["meta"]["totalRecords"].as_u64().unwrap()
}

#[tokio::test]
async fn a_callback_is_scheduled_read_changed_and_deleted() {
    let house = House::still().await;
    let body = but(in_days(&house, 2).await, "callbackReason", json!("Billing"));
    let made = house.post(&path(), &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["customerName"], "Ann Example");
    assert_eq!(made.body["callbackOrigin"], "api");
    assert_eq!(made.body["orgId"], ORG_ID);
    assert_eq!(made.body["assigneeAgent"], Value::Null);
    let id = made.body["id"].as_str().unwrap();
    let one = format!("{}/{id}", path());
    assert_eq!(house.get(&one).await.body, made.body);

    let change = but(but(body, "endTime", json!("11:00:00")), "id", json!(id));
    let changed = send(house.request(Method::PUT, &one).json(&change)).await;
    assert_eq!((changed.status, &changed.body["endTime"]), (200, &json!("11:00:00")));
    let deleted = send(house.request(Method::DELETE, &one)).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    house.get(&one).await.is_refused(404, "No such scheduled callback");
    assert_eq!(send(house.request(Method::DELETE, &one)).await.status, 404);
}

#[tokio::test]
async fn a_change_repeats_the_id_of_the_path() {
    let house = House::still().await;
    let body = in_days(&house, 2).await;
    let made = house.post(&path(), &body).await;
    let one = format!("{}/{}", path(), made.body["id"].as_str().unwrap());
    let put = |body: Value| send(house.request(Method::PUT, &one).json(&body));
    put(body.clone()).await.is_refused(400, "id is mandatory");
    put(but(body.clone(), "id", json!("another"))).await.is_refused(400, "not the one of the path");
    let unknown = format!("{}/another", path());
    let body = but(body, "id", json!("another"));
    assert_eq!(send(house.request(Method::PUT, &unknown).json(&body)).await.status, 404);
}

#[tokio::test]
async fn a_date_lies_within_31_days() {
    let house = House::still().await;
    assert_eq!(house.post(&path(), &in_days(&house, 31).await).await.status, 201);
    house.post(&path(), &in_days(&house, 32).await).await.is_refused(400, "within 31 days");
    house.post(&path(), &in_days(&house, -1).await).await.is_refused(400, "30 minutes from now");
}

/// A window that starts so many minutes from now, in a zone where it does not cross midnight.
async fn in_minutes(house: &House, minutes: i64) -> Value {
    let now = now(house).await;
    let zone = ["UTC", "Asia/Tokyo", "America/Los_Angeles"]
        .into_iter()
        .find(|zone| (2..20).contains(&now.in_tz(zone).unwrap().hour()))
        .unwrap();
    let start = now.in_tz(zone).unwrap().checked_add(minutes.minutes()).unwrap();
    let end = start.checked_add(1.hours()).unwrap();
    let body = in_days(house, 1).await;
    let body = but(body, "timezone", json!(zone));
    let body = but(body, "scheduleDate", json!(start.date().to_string()));
    let body = but(body, "startTime", json!(start.strftime("%H:%M:%S").to_string()));
    but(body, "endTime", json!(end.strftime("%H:%M:%S").to_string()))
}

#[tokio::test]
async fn a_start_is_at_least_30_minutes_away() {
    let house = House::still().await;
    house.post(&path(), &in_minutes(&house, 29).await).await.is_refused(400, "30 minutes from now");
    assert_eq!(house.post(&path(), &in_minutes(&house, 32).await).await.status, 201);
}

#[tokio::test]
async fn a_window_is_30_minutes_to_8_hours_long() {
    let house = House::still().await;
    let body = in_days(&house, 2).await;
    let until = |end: &str| but(body.clone(), "endTime", json!(end));
    for end in ["10:30:00", "18:00:00"] {
        assert_eq!(house.post(&path(), &until(end)).await.status, 201);
    }
    house.post(&path(), &until("10:29:59")).await.is_refused(400, "30 minutes after");
    house.post(&path(), &until("18:00:01")).await.is_refused(400, "8 hours");
    house.post(&path(), &until("09:00:00")).await.is_refused(400, "30 minutes after");
}

#[tokio::test]
async fn every_field_has_its_rule() {
    let house = House::still().await;
    let body = in_days(&house, 2).await;
    for (name, value, words) in [
        ("customerName", Value::Null, "customerName is mandatory"),
        ("customerName", json!("a".repeat(251)), "250"),
        ("callbackNumber", Value::Null, "callbackNumber is mandatory"),
        ("callbackNumber", json!("555010"), "malformed"),
        ("callbackNumber", json!("+155555501010101"), "malformed"),
        ("callbackNumber", json!("555-0101x"), "malformed"),
        ("timezone", json!("Middle/Earth"), "IANA"),
        ("scheduleDate", json!("14.09.2026"), "YYYY-MM-DD"),
        ("startTime", json!("10:00"), "HH:mm:ss"),
        ("endTime", json!("25:00:00"), "HH:mm:ss"),
        ("queueId", json!("none"), "no such queue"),
        ("sourceInteraction", json!("none"), "UUID"),
        // The id of the agent is not the one that is asked for.
        ("assigneeAgent", json!(GRACE_ID), "no such user"),
        ("entryPointId", json!("any"), "Unknown member"),
        ("id", json!("any"), "Unknown member"),
    ] {
        house.post(&path(), &but(body.clone(), name, value)).await.is_refused(400, words);
    }
    for number in ["555-0101", "(555) 555 0101", "+1.555.555.0101"] {
        let taken = house.post(&path(), &but(body.clone(), "callbackNumber", json!(number))).await;
        assert_eq!(taken.status, 201, "{number}: {}", taken.text);
    }
}

#[tokio::test]
async fn callbacks_are_listed_by_number_or_by_agent_in_pages() {
    let house = House::still().await;
    for (days, name, agent) in
        [(5, "Cid", Some(OMAR_CI_USER_ID)), (3, "Ann", None), (4, "Bob", Some(GRACE_CI_USER_ID))]
    {
        let body = but(in_days(&house, days).await, "customerName", json!(name));
        let body = but(body, "assigneeAgent", agent.map_or(Value::Null, |agent| json!(agent)));
        assert_eq!(house.post(&path(), &body).await.status, 201);
    }
    let names = |answer: Answer| -> Vec<String> {
        let data = answer.body["data"].as_array().unwrap().clone();
        data.iter().map(|entry| entry["customerName"].as_str().unwrap().to_owned()).collect()
    };
    let number = ("callbackNumber", CUSTOMER);
    assert_eq!(names(list(&house, &[number]).await), ["Ann", "Bob", "Cid"]);
    assert_eq!(names(list(&house, &[number, ("sortOrder", "desc")]).await), ["Cid", "Bob", "Ann"]);
    assert_eq!(names(list(&house, &[number, ("sortBy", "customerName")]).await), ["Ann", "Bob", "Cid"]);
    assert_eq!(names(list(&house, &[("assigneeAgent", GRACE_CI_USER_ID)]).await), ["Bob"]);
    let by_assignment = [("assigneeAgent", OMAR_CI_USER_ID), ("sortBy", "assignedTime")];
    assert_eq!(names(list(&house, &by_assignment).await), ["Cid"]);

    let page = list(&house, &[number, ("page", "1"), ("pageSize", "2")]).await;
    assert_eq!(
        (&page.body["meta"]["totalPages"], &page.body["meta"]["totalRecords"]),
        (&json!(2), &json!(3))
    );
    assert!(page.body["meta"]["links"]["prev"].is_string() && page.body["meta"]["links"]["next"].is_null());
    assert_eq!(names(page), ["Cid"]);

    assert_eq!(total(&house, &[("callbackNumber", "+15555550102")]).await, 0);
    list(&house, &[]).await.is_refused(400, "callbackNumber or assigneeAgent");
    list(&house, &[number, ("sortBy", "assignedTime")]).await.is_refused(400, "assigneeAgent");
    list(&house, &[number, ("pageSize", "101")]).await.is_refused(400, "pageSize");
    list(&house, &[number, ("sortOrder", "up")]).await.is_refused(400, "sortOrder");
}

#[tokio::test]
async fn a_plus_that_is_not_encoded_finds_nothing_and_a_number_without_one_is_found_with_it() {
    let house = House::still().await;
    let body = but(in_days(&house, 2).await, "callbackNumber", json!("15555550103"));
    assert_eq!(house.post(&path(), &body).await.status, 201);
    assert_eq!(total(&house, &[("callbackNumber", "+15555550103")]).await, 1);
    let raw = house.get(&format!("{}?callbackNumber=+15555550103", path())).await;
    assert_eq!(raw.body["meta"]["totalRecords"], 0);
}

#[tokio::test]
async fn a_triggered_callback_is_hidden_and_makes_a_task() {
    let house = House::still().await;
    let body = but(in_days(&house, 2).await, "assigneeAgent", json!(OMAR_CI_USER_ID));
    let body = but(body, "callbackNumber", json!("+1 555-555-0104"));
    let made = house.post(&path(), &body).await;
    let id = made.body["id"].as_str().unwrap();
    let task_id = house.control.trigger(id).await.unwrap();

    let one = format!("{}/{id}", path());
    assert_eq!(house.get(&one).await.status, 404);
    assert_eq!(send(house.request(Method::DELETE, &one)).await.status, 404);
    assert_eq!(total(&house, &[("assigneeAgent", OMAR_CI_USER_ID)]).await, 0);
    assert!(house.control.trigger(id).await.is_err(), "only once");

    let task = house.control.advance_to(&task_id, TaskState::Offered).await.unwrap();
    assert_eq!((task.destination.as_str(), task.scheduled), ("+15555550104", true));
    assert_eq!(task.agent_id, task.preferred_agent_id);
}

#[tokio::test]
async fn scheduling_needs_the_scope_and_the_organization() {
    let house = House::still().await;
    let body = in_days(&house, 2).await;
    let request = house.bare(Method::POST, &path()).bearer_auth(TOKEN_WITHOUT_USER).json(&body);
    send(request).await.is_refused(403, "cjp:user");
    let elsewhere = "/v1/callbacks/organization/another/scheduled-callback";
    house.post(elsewhere, &body).await.is_refused(403, "another organization");
}
