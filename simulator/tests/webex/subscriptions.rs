use reqwest::Method;
use serde_json::{Value, json};
use webex_simulator::organization::{ADMINISTRATOR, ORG_ID, TOKEN_WITHOUT_WRITE};

use crate::house::{House, SECRET, but, send};

fn subscription() -> Value {
    json!({
        "name": "callbacks",
        "description": "the life of a task",
        "secret": SECRET,
        "eventTypes": ["task:new", "task:ended"],
        "destinationUrl": "https://callbacks.example.com/webhooks/webex",
    })
}

fn versioned() -> Value {
    but(subscription(), "resourceVersion", json!("task:1.0.0"))
}

async fn as_webex() -> House {
    House::with(|options| options.accept_local_webhooks = false).await
}

#[tokio::test]
async fn a_subscription_is_made_read_changed_and_deleted() {
    let house = as_webex().await;
    let made = house.post("/v1/subscriptions", &subscription()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.body["meta"]["orgId"], ORG_ID);
    let data = &made.body["data"];
    assert_eq!((&data["status"], &data["createdBy"]), (&json!("active"), &json!(ADMINISTRATOR)));
    assert!(data.get("secret").is_none(), "a secret is told to nobody");
    let path = format!("/v1/subscriptions/{}", data["id"].as_str().unwrap());

    assert_eq!(house.get(&path).await.body["data"], *data);
    let change = json!({ "description": "less", "eventTypes": ["task:failed"], "status": "inactive" });
    let changed = send(house.request(Method::PATCH, &path).json(&change)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.body["data"]["eventTypes"], json!(["task:failed"]));
    assert_eq!(changed.body["data"]["status"], "inactive");
    assert_eq!(send(house.request(Method::DELETE, &path)).await.status, 204);
    let gone = house.get(&path).await;
    gone.is_refused(404, "No such subscription");
    assert_eq!(gone.body["error"]["key"], 404, "the key of a subscription's error is a number");
}

#[tokio::test]
async fn the_versions_do_not_see_each_other_but_are_counted_together() {
    let house = as_webex().await;
    house.post("/v1/subscriptions", &subscription()).await;
    let second = house.post("/v2/subscriptions", &versioned()).await;
    assert_eq!(second.status, 201, "{}", second.text);
    assert_eq!(second.body["data"]["resourceVersion"], "task:1.0.0");
    for version in ["v1", "v2"] {
        let list = house.get(&format!("/{version}/subscriptions")).await.body;
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
        assert_eq!(list["meta"]["subscriptionCount"], 2);
    }
    let path = format!("/v1/subscriptions/{}", second.body["data"]["id"].as_str().unwrap());
    house.get(&path).await.is_refused(404, "No such subscription");
}

#[tokio::test]
async fn a_destination_must_be_a_public_https_address_and_nothing_more() {
    let house = as_webex().await;
    for (url, words) in [
        ("http://callbacks.example.com/hook", "https"),
        ("https://callbacks.example.com", "path"),
        ("https://callbacks.example.com/hook?key=1", "query"),
        ("https://callbacks.example.com/hook#part", "fragment"),
        ("https://ann@callbacks.example.com/hook", "user information"),
        ("https://callbacks.example.com:8443/hook", "port"),
        ("https://127.0.0.1/hook", "top-level domain"),
        ("https://localhost/hook", "top-level domain"),
        ("https://callbacks.internal/hook", "top-level domain"),
        ("/hook", "not a URL"),
    ] {
        let body = but(subscription(), "destinationUrl", json!(url));
        house.post("/v1/subscriptions", &body).await.is_refused(400, words);
    }
    let port = but(subscription(), "destinationUrl", json!("https://callbacks.example.com:443/"));
    assert_eq!(house.post("/v1/subscriptions", &port).await.status, 201);
}

#[tokio::test]
async fn local_destinations_are_taken_when_that_is_set() {
    let house = House::still().await;
    let local = |url: &str| but(subscription(), "destinationUrl", json!(url));
    assert_eq!(house.post("/v1/subscriptions", &local("http://127.0.0.1:9/hook")).await.status, 201);
    house.post("/v1/subscriptions", &local("http://127.0.0.1:9/hook?a=1")).await.is_refused(400, "query");
    house.post("/v1/subscriptions", &local("ftp://127.0.0.1/hook")).await.is_refused(400, "https");
}

#[tokio::test]
async fn every_field_has_its_rule() {
    let house = as_webex().await;
    let many: Vec<&str> = vec!["task:new"; 33];
    for (name, value, words) in [
        ("name", Value::Null, "name is mandatory"),
        ("name", json!("abc"), "4 to 64"),
        ("name", json!("a".repeat(65)), "4 to 64"),
        ("description", json!("a".repeat(1025)), "1024"),
        ("secret", json!("a".repeat(31)), "32 to 256"),
        ("secret", json!("a".repeat(257)), "32 to 256"),
        ("eventTypes", Value::Null, "eventTypes is mandatory"),
        ("eventTypes", json!([]), "1 to 32"),
        ("eventTypes", json!(many), "1 to 32"),
        ("eventTypes", json!(["task:sung"]), "not known"),
        ("eventTypes", json!([1]), "strings"),
        ("destinationUrl", Value::Null, "destinationUrl is mandatory"),
        ("colour", json!("red"), "Unknown member"),
        ("resourceVersion", json!("task:1.0.0"), "Unknown member"),
    ] {
        house.post("/v1/subscriptions", &but(subscription(), name, value)).await.is_refused(400, words);
    }
    let organization = but(subscription(), "orgId", json!("another"));
    house.post("/v1/subscriptions", &organization).await.is_refused(403, "another organization");
    let raw = house.request(Method::POST, "/v1/subscriptions").header("Content-Type", "application/json");
    send(raw.body("{")).await.is_refused(400, "Body is invalid JSON.");
}

#[tokio::test]
async fn version_two_needs_a_resource_version_that_fits_its_events() {
    let house = as_webex().await;
    let v2 = |body: Value| async { house.post("/v2/subscriptions", &{ body }).await };
    v2(subscription()).await.is_refused(400, "resourceVersion is mandatory");
    v2(but(versioned(), "resourceVersion", json!("task:9.0.0"))).await.is_refused(400, "not known");
    v2(but(versioned(), "resourceVersion", json!("agent:2.0.0"))).await.is_refused(400, "does not fit");
}

#[tokio::test]
async fn an_organization_has_at_most_twenty_subscriptions() {
    let house = as_webex().await;
    for _ in 0..20 {
        assert_eq!(house.post("/v1/subscriptions", &subscription()).await.status, 201);
    }
    house.post("/v2/subscriptions", &versioned()).await.is_refused(400, "limit");
}

#[tokio::test]
async fn a_patch_has_fields_of_its_own() {
    let house = as_webex().await;
    let made = house.post("/v1/subscriptions", &subscription()).await;
    let path = format!("/v1/subscriptions/{}", made.body["data"]["id"].as_str().unwrap());
    let changed = |body: Value| send(house.request(Method::PATCH, &path).json(&body));
    changed(json!({ "name": "another" })).await.is_refused(400, "Unknown member");
    changed(json!({ "status": "asleep" })).await.is_refused(400, "asleep");
    changed(json!({ "destinationUrl": "http://x.example.com/" })).await.is_refused(400, "https");
}

#[tokio::test]
async fn writing_needs_a_scope_that_reading_does_not() {
    let house = as_webex().await;
    let with = |method| house.bare(method, "/v1/subscriptions").bearer_auth(TOKEN_WITHOUT_WRITE);
    send(with(Method::POST).json(&subscription())).await.is_refused(403, "cjp:config_write");
    assert_eq!(send(with(Method::GET)).await.status, 200);
}

#[tokio::test]
async fn event_types_are_listed_for_each_version() {
    let house = as_webex().await;
    let names = |body: Value| -> Vec<String> {
        let entries = body["data"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = house.get("/v1/event-types").await.body;
    assert_eq!(first["data"][0], json!({ "name": "task:new", "resource": "task", "action": "new" }));
    let first = names(first);
    assert!(first.contains(&"agent:state_change".to_owned()));
    let second = house.get("/v2/event-types").await.body;
    assert_eq!(second["data"][0]["resourceVersions"], json!(["task:1.0.0"]));
    let second = names(second);
    assert!(!second.contains(&"agent:state_change".to_owned()));
    assert!(second.contains(&"agent:channel_state_change".to_owned()));
}
