use reqwest::Method;
use serde_json::{Map, Value, json};
use webex_simulator::organization::{
    BILLING_ENTRY_POINT, CALLBACK_DISABLED_ENTRY_POINT, CALLBACK_ENTRY_POINT, DEFAULT_ANI, EXPIRED_TOKEN,
    FLOW_ENTRY_POINT, FLOWLESS_ENTRY_POINT, GRACE_EMAIL, INACTIVE_ENTRY_POINT, ORG_ID, QUEUELESS_ENTRY_POINT,
    SECOND_ANI, TOKEN_WITHOUT_USER,
};
use webex_simulator::{OutboundType, TaskState};

use crate::house::{CUSTOMER, House, but, callback, flow, send};

async fn is_refused(house: &House, body: Value, words: &str) {
    house.post("/v1/tasks", &body).await.is_refused(400, words);
}

fn attributes(count: usize) -> Value {
    Value::Object((0..count).map(|number| (format!("key{number}"), json!("value"))).collect())
}

#[tokio::test]
async fn a_callback_is_taken_and_answered_with_its_id() {
    let house = House::still().await;
    let answer = house.post("/v1/tasks", &callback()).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["meta"]["orgId"], ORG_ID);
    let task = house.control.task(answer.body["data"]["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(task.destination, CUSTOMER);
    assert_eq!(task.origin, DEFAULT_ANI, "the default ANI stands in for an origin");
    assert_eq!(task.attributes["CallReason"], "Billing");
    assert_eq!((task.outbound_type, task.state), (OutboundType::Callback, TaskState::Requested));
}

#[tokio::test]
async fn every_kind_of_task_is_taken_as_documented() {
    let house = House::still().await;
    house.make(&but(callback(), "origin", json!(SECOND_ANI))).await;
    house.make(&but(callback(), "entryPointId", json!(BILLING_ENTRY_POINT))).await;
    house.make(&but(callback(), "attributes", json!({}))).await;
    house.make(&but(callback(), "attributes", Value::Null)).await;
    house.make(&but(callback(), "destination", json!("1000"))).await;
    house.make(&flow(GRACE_EMAIL)).await;
    let outdial = but(callback(), "callback", Value::Null);
    house.make(&but(but(outdial, "outboundType", json!("OUTDIAL")), "origin", json!(DEFAULT_ANI))).await;
    assert_eq!(house.control.tasks().await.unwrap().entries.len(), 7);
}

#[tokio::test]
async fn a_call_without_a_token_or_with_a_wrong_one_is_not_authorized() {
    let house = House::still().await;
    let request = || house.bare(Method::POST, "/v1/tasks").json(&callback());
    send(request()).await.is_refused(401, "Authentication");
    send(request().bearer_auth("unknown")).await.is_refused(401, "invalid");
    send(request().bearer_auth(EXPIRED_TOKEN)).await.is_refused(401, "expired");
    send(request().header("Authorization", "nonsense")).await.is_refused(400, "malformed");
    let answer = send(request()).await;
    assert_eq!(answer.body["error"]["key"], "401", "the key of a runtime error is a string");
}

#[tokio::test]
async fn a_token_without_the_scope_for_tasks_is_forbidden() {
    let house = House::still().await;
    let request = house.bare(Method::POST, "/v1/tasks").bearer_auth(TOKEN_WITHOUT_USER).json(&callback());
    send(request).await.is_refused(403, "cjp:user");
}

#[tokio::test]
async fn an_origin_is_mandatory_for_a_flow_and_an_outdial() {
    let house = House::still().await;
    is_refused(&house, but(flow(GRACE_EMAIL), "origin", Value::Null), "origin is mandatory").await;
    let outdial = but(but(callback(), "callback", Value::Null), "outboundType", json!("OUTDIAL"));
    is_refused(&house, outdial, "origin is mandatory").await;
}

#[tokio::test]
async fn an_origin_must_be_a_configured_ani_with_its_plus() {
    let house = House::still().await;
    for origin in ["15555550190", "+15555550199", "", "+1 555 555 0190"] {
        is_refused(&house, but(flow(GRACE_EMAIL), "origin", json!(origin)), "Invalid origin.").await;
        is_refused(&house, but(callback(), "origin", json!(origin)), "Invalid origin.").await;
    }
}

#[tokio::test]
async fn an_entry_point_must_be_of_the_kind_that_the_task_needs() {
    let house = House::still().await;
    let with = |entry_point: &str| but(callback(), "entryPointId", json!(entry_point));
    is_refused(&house, with("11111111-0000-4000-8000-0000000000ff"), "no such entry point").await;
    is_refused(&house, with(FLOW_ENTRY_POINT), "an outbound entry point").await;
    is_refused(&house, with(INACTIVE_ENTRY_POINT), "not active").await;
    is_refused(&house, with(CALLBACK_DISABLED_ENTRY_POINT), "callback is not enabled").await;
    is_refused(&house, with(QUEUELESS_ENTRY_POINT), "no outdial queue").await;
    let flow_with = |entry_point: &str| but(flow(GRACE_EMAIL), "entryPointId", json!(entry_point));
    is_refused(&house, flow_with(CALLBACK_ENTRY_POINT), "an inbound entry point").await;
    is_refused(&house, flow_with(FLOWLESS_ENTRY_POINT), "no flow").await;
}

#[tokio::test]
async fn an_outdial_through_an_entry_point_without_a_queue_is_a_server_error() {
    let house = House::still().await;
    let mut body = but(callback(), "callback", Value::Null);
    body = but(body, "outboundType", json!("OUTDIAL"));
    body = but(body, "origin", json!(DEFAULT_ANI));
    body = but(body, "entryPointId", json!(QUEUELESS_ENTRY_POINT));
    house.post("/v1/tasks", &body).await.is_refused(500, "Analyzer");
}

#[tokio::test]
async fn the_callback_object_has_its_two_values_and_stands_with_callbacks_alone() {
    let house = House::still().await;
    is_refused(&house, but(callback(), "callback", Value::Null), "callback is mandatory").await;
    for (origin, kind, words) in [
        ("phone", "immediate", "callbackOrigin must be"),
        ("web", "scheduled", "callbackType must be"),
        ("", "immediate", "callbackOrigin is mandatory"),
    ] {
        let object = json!({ "callbackOrigin": origin, "callbackType": kind });
        is_refused(&house, but(callback(), "callback", object), words).await;
    }
    let surplus = json!({ "callbackOrigin": "web", "callbackType": "immediate", "when": "now" });
    is_refused(&house, but(callback(), "callback", surplus), "Unknown member 'when'").await;
    let object = json!({ "callbackOrigin": "web", "callbackType": "immediate" });
    is_refused(&house, but(flow(GRACE_EMAIL), "callback", object), "not allowed for EXECUTE_FLOW").await;
}

#[tokio::test]
async fn attributes_have_limits_in_number_and_bytes() {
    let house = House::still().await;
    let with = |attributes: Value| but(callback(), "attributes", attributes);
    house.make(&with(attributes(30))).await;
    is_refused(&house, with(attributes(31)), "at most 30").await;
    let single = |key: String, value: Value| with(Value::Object(Map::from_iter([(key, value)])));
    house.make(&single("k".repeat(200), json!("v".repeat(1024)))).await;
    is_refused(&house, single("k".repeat(201), json!("v")), "200 bytes").await;
    is_refused(&house, single("k".to_owned(), json!("v".repeat(1025))), "1024 bytes").await;
    // Bytes count, not characters.
    is_refused(&house, single("k".to_owned(), json!("é".repeat(513))), "1024 bytes").await;
    for value in [json!(1), json!(true), json!(null), json!(["a"]), json!({})] {
        is_refused(&house, single("k".to_owned(), value), "must be a string").await;
    }
}

#[tokio::test]
async fn a_destination_is_a_number_of_at_most_36_characters() {
    let house = House::still().await;
    is_refused(&house, but(callback(), "destination", Value::Null), "destination is mandatory").await;
    for malformed in ["+1 555 555 0101", "555-0101", "++15555550101", "phone", "12", "sip:ann@example.com"] {
        is_refused(&house, but(callback(), "destination", json!(malformed)), "Invalid destination").await;
    }
    is_refused(&house, but(callback(), "destination", json!("5".repeat(37))), "at most 36").await;
    is_refused(&house, but(callback(), "destination", json!(15_555_550_101_u64)), "must be a string").await;
}

#[tokio::test]
async fn only_telephony_and_the_three_types_are_known() {
    let house = House::still().await;
    is_refused(&house, but(callback(), "mediaType", json!("chat")), "mediaType 'chat'").await;
    is_refused(&house, but(callback(), "mediaType", Value::Null), "mediaType is mandatory").await;
    is_refused(&house, but(callback(), "outboundType", json!("callback")), "outboundType 'callback'").await;
}

#[tokio::test]
async fn a_body_is_a_json_object_without_unknown_members() {
    let house = House::still().await;
    is_refused(&house, but(callback(), "scheduledTime", json!("now")), "Unknown member 'scheduledTime'")
        .await;
    is_refused(&house, json!([callback()]), "must be a JSON object").await;
    let raw = |content_type: &str, body: String| {
        send(house.request(Method::POST, "/v1/tasks").header("Content-Type", content_type).body(body))
    };
    raw("application/json", "{".to_owned()).await.is_refused(400, "invalid JSON");
    raw("text/plain", callback().to_string()).await.is_refused(400, "Content-Type");
    let taken = raw("application/json; charset=utf-8", callback().to_string()).await;
    assert_eq!(taken.status, 201);
    assert_eq!(raw("application/json", " ".repeat(2_000_000)).await.status, 413);
}

#[tokio::test]
async fn sip_headers_are_lowered_and_the_surplus_is_cut() {
    let house = House::still().await;
    let headers: Map<String, Value> =
        (10..35).map(|number| (format!("X-Header-{number}"), json!("v"))).collect();
    let id = house.make(&but(callback(), "customAttributes", Value::Object(headers))).await;
    let task = house.control.task(&id).await.unwrap();
    assert_eq!(task.custom_attributes.len(), 20);
    assert!(task.custom_attributes.contains_key("x-header-10"));
}

#[tokio::test]
async fn attributes_can_be_patched_and_a_single_task_cannot_be_read() {
    let house = House::still().await;
    let id = house.make(&callback()).await;
    let path = format!("/v1/tasks/{id}");
    let changed = |path: &str, body: Value| send(house.request(Method::PATCH, path).json(&body));
    let answer = changed(&path, json!({ "attributes": { "CallReason": "Orders" } })).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
    let task = house.control.task(&id).await.unwrap();
    assert_eq!(
        (task.attributes["CallReason"].as_str(), task.attributes["Name"].as_str()),
        ("Orders", "Ann Example")
    );
    changed(&path, json!({ "destination": "1000" })).await.is_refused(400, "Unknown member");
    changed("/v1/tasks/none", json!({ "attributes": {} })).await.is_refused(404, "No such task");
    assert_eq!(house.get(&path).await.status, 404);
    assert_eq!(send(house.request(Method::DELETE, "/v1/tasks")).await.status, 405);
}

#[tokio::test]
async fn tasks_are_listed_by_time() {
    let house = House::still().await;
    let first = house.make(&callback()).await;
    let created = house.control.task(&first).await.unwrap().created_time;
    house.make(&callback()).await;
    let answer = house.get(&format!("/v1/tasks?from={}", created - 1000)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["data"].as_array().unwrap().len(), 2);
    assert_eq!(answer.body["data"][0]["id"], first);
    assert_eq!(answer.body["data"][0]["attributes"]["status"], "created");
    assert_eq!(answer.body["data"][0]["attributes"]["destination"], CUSTOMER);
    let paged = house.get(&format!("/v1/tasks?from={}&pageSize=1", created - 1000)).await;
    assert_eq!(paged.body["data"].as_array().unwrap().len(), 1);
    let before = house.get(&format!("/v1/tasks?from={}&to={}", created - 1000, created - 1)).await;
    assert_eq!(before.body["data"], json!([]));
    house.get("/v1/tasks").await.is_refused(400, "from is mandatory");
    house.get("/v1/tasks?from=x").await.is_refused(400, "from must be a number");
    house.get(&format!("/v1/tasks?from={created}&pageSize=1001")).await.is_refused(400, "pageSize");
    house.get("/v1/tasks?from=1").await.is_refused(422, "too long");
}

#[tokio::test]
async fn over_its_limit_a_client_is_told_when_to_come_back() {
    let house = House::with(|options| options.settings.rate_limit_per_minute = Some(2)).await;
    house.make(&callback()).await;
    house.make(&callback()).await;
    let answer = house.post("/v1/tasks", &callback()).await;
    answer.is_refused(429, "Too many requests");
    let seconds: u64 = answer.retry_after.unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert_eq!(house.control.tasks().await.unwrap().entries.len(), 2);
}

#[tokio::test]
async fn a_token_opens_its_own_organization_alone() {
    let house = House::still().await;
    house.get("/v1/tasks?from=1&orgId=another").await.is_refused(403, "another organization");
}
