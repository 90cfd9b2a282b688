//! Every header of every answer: those that are meant, and no others.

use std::collections::BTreeMap;

use reqwest::Method;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, ORIGIN};
use ringback_tests::{plain, visitor};

/// What each answer has, beside what it is about.
const ALWAYS: [&str; 7] = [
    "cache-control",
    "content-length",
    "cross-origin-resource-policy",
    "date",
    "referrer-policy",
    "x-content-type-options",
    "x-request-id",
];

/// Checks that an answer has what each has and these, and no more.
#[track_caller]
fn assert_headers(what: &str, answer: &Answer, more: &[&str]) -> BTreeMap<String, String> {
    let mut expected: Vec<_> = ALWAYS.iter().chain(more).copied().collect();
    expected.sort_unstable();
    let found: BTreeMap<String, String> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{what}");
    assert_eq!(found["x-content-type-options"], "nosniff", "{what}");
    found
}

#[tokio::test]
async fn every_answer_has_the_headers_that_are_meant_and_no_others() {
    let house = House::open().await;
    let limits = ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"];
    let of_page = ["content-security-policy", "content-type", "cross-origin-opener-policy", "x-robots-tag"];
    let found = assert_headers("hosted page", &house.get("/c/acme").await, &of_page);
    assert!(found["content-security-policy"].ends_with(&format!("frame-ancestors {ORIGIN}")), "{found:?}");
    assert!(!found["content-security-policy"].contains("unsafe-inline"));
    assert_eq!(
        (found["cache-control"].as_str(), found["referrer-policy"].as_str()),
        ("no-store", "same-origin")
    );
    let of_loader = ["access-control-allow-origin", "content-type", "etag", "vary"];
    let found = assert_headers("loader", &house.get("/widget.js").await, &of_loader);
    assert_eq!(found["cross-origin-resource-policy"], "cross-origin");
    let across = ["access-control-allow-origin", "access-control-expose-headers", "content-type", "vary"];
    let form = house.request(Method::GET, "/v1/sites/acme/form").header("Origin", ORIGIN);
    let found = assert_headers("form", &house.send(form).await, &across);
    assert_eq!(found["access-control-allow-origin"], ORIGIN);
    let form = house.request(Method::GET, "/v1/sites/acme/form").header("Origin", "https://evil.example");
    let found = assert_headers("form for a page of others", &house.send(form).await, &across);
    assert_eq!(found["access-control-allow-origin"], "*");
    let shown = house.request(Method::POST, "/v1/sites/acme/shown?level=wasm&reason=none");
    let shown = house.send(shown.header("Origin", ORIGIN)).await;
    assert_eq!(shown.header("cross-origin-resource-policy"), "cross-origin");
    let posted = house.send(house.post(&visitor::request())).await;
    let of_post = [&across[..], &["location"]].concat();
    let found = assert_headers("post", &posted, &of_post);
    assert_eq!(
        (found["cache-control"].as_str(), found["referrer-policy"].as_str()),
        ("no-store", "no-referrer")
    );
    assert_eq!(found["cross-origin-resource-policy"], "same-origin");
    let list = house.request(Method::GET, "/v1/callbacks").bearer_auth(API_KEY);
    assert_headers(
        "list",
        &house.send(list).await,
        &["access-control-expose-headers", "content-type", "vary"],
    );
    let refused = house.request(Method::GET, "/v1/callbacks");
    assert_headers(
        "no key",
        &house.send(refused).await,
        &["access-control-expose-headers", "content-type", "vary", "www-authenticate"],
    );
    assert_headers("nothing there", &house.get("/nothing").await, &["content-type"]);
    let wrong = house.request(Method::DELETE, "/v1/openapi.json");
    assert_headers("method", &house.send(wrong).await, &["allow", "content-type"]);
    let hook = house.request(Method::POST, "/webhooks/webex").body("{}");
    assert_headers("webhook", &house.send(hook).await, &["content-type"]);
    let limited = House::with(|plan| plan.limit("reads", 1, 600)).await;
    limited.get("/c/acme").await;
    let more = [&["retry-after"], &limits[..], &of_page].concat();
    assert_headers("limit of a page", &limited.get("/c/acme").await, &more);
    let more =
        [&["access-control-expose-headers", "content-type", "retry-after", "vary"], &limits[..]].concat();
    assert_headers("limit", &limited.get("/v1/sites/acme/form").await, &more);
    let sent = house.send_plain(&plain::members(&house.plain_page().await)).await;
    let found = assert_headers("plain form that was taken", &sent, &["location"]);
    assert_eq!(found["referrer-policy"], "no-referrer");
    let followed = house.get(&house.follow_path(&sent)).await;
    let found = assert_headers("page that follows", &followed, &of_page);
    assert!(found["content-security-policy"].contains("script-src 'self'; style-src 'self';"), "{found:?}");
    assert_eq!(
        (found["cache-control"].as_str(), found["referrer-policy"].as_str()),
        ("no-store", "no-referrer")
    );
}

#[tokio::test]
async fn browsers_are_told_to_stay_with_tls_where_the_service_has_it() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let house = House::with(|plan| {
        plan.unsubscribed();
        plan.set("server.listen", free.to_string());
        plan.set("server.public_url", "https://callback.example.com");
    })
    .await;
    for path in ["/c/acme", "/widget.js", "/nothing"] {
        let answer = house.send(house.http.get(format!("http://{free}{path}"))).await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
}
