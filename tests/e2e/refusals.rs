//! Every kind of problem that a caller can meet.

use std::time::Duration;

use reqwest::{Body, Method};
use ringback_contract::problem::{Kind, Problem};
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, API_KEY_OF_OTHER, ORIGIN};
use ringback_tests::visitor;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A visitor's post with a body as it stands.
async fn post_text(house: &House, body: impl Into<Body>) -> Answer {
    let request = house
        .request(Method::POST, "/v1/sites/acme/callbacks")
        .header("Origin", ORIGIN)
        .header("Content-Type", "application/json");
    house.send(request.body(body)).await
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let house = House::open().await;
    for body in [
        "",
        "{",
        "nonsense",
        "{\"name\":\"Ann Example\"} more",
        "{\"name\":\"\\ud800\"}",
        "\u{feff}{}",
        "{\"name\":\"Ann Example\",\"name\":\"Bob Example\"}",
        "{\"consent\":{\"accepted\":true,\"accepted\":false}}",
    ] {
        let problem = post_text(&house, body).await.problem(Kind::NotJson);
        assert!(!problem.detail.contains("Example"), "{problem:?}");
    }
    post_text(&house, vec![b'{', 0xff, b'}']).await.problem(Kind::NotJson);
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let house = House::open().await;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let request = house
            .request(Method::POST, "/v1/sites/acme/callbacks")
            .header("Origin", ORIGIN)
            .header("Content-Type", media_type);
        house.send(request.body(visitor::request().to_string())).await.problem(Kind::MediaType);
    }
    let none = house.request(Method::POST, "/v1/sites/acme/callbacks").header("Origin", ORIGIN);
    house.send(none.body(visitor::request().to_string())).await.problem(Kind::MediaType);
    for media_type in ["application/json; charset=utf-8", "Application/JSON"] {
        let request = house
            .request(Method::POST, "/v1/sites/acme/callbacks")
            .header("Origin", ORIGIN)
            .header("Content-Type", media_type);
        house.send(request.body(visitor::request().to_string())).await.accepted();
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_whether_it_says_its_length_or_not() {
    let house = House::with(|plan| plan.set("limits.body_bytes", 2048)).await;
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(3000));
    let problem = post_text(&house, large.clone()).await.problem(Kind::TooLarge);
    assert!(problem.detail.contains("2048"), "{problem:?}");
    let chunks: Vec<_> =
        large.as_bytes().chunks(500).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
    let body = Body::wrap_stream(futures_util::stream::iter(chunks));
    post_text(&house, body).await.problem(Kind::TooLarge);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let house = House::with(|plan| plan.set("limits.body_timeout_ms", 200)).await;
    let address = house.url().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/sites/acme/callbacks HTTP/1.1\r\nHost: {address}\r\nOrigin: {ORIGIN}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"name\":"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(20), connection.read(&mut answer));
    let length = read.await.expect("no answer").unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let problem: Problem = serde_json::from_str(body).unwrap();
    assert_eq!(problem.kind, Kind::TooSlow.uri());
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_by_the_service_itself() {
    let house = House::open().await;
    for origin in ["https://evil.example", "http://www.acme.example", "https://www.other.example", "null"] {
        let request = house
            .request(Method::POST, "/v1/sites/acme/callbacks")
            .header("Origin", origin)
            .json(&visitor::request());
        let answer = house.send(request).await;
        answer.problem(Kind::OriginNotAllowed);
        assert_eq!(answer.header("access-control-allow-origin"), "");
        let read = house.request(Method::GET, "/v1/sites/acme/form").header("Origin", origin);
        house.send(read).await.problem(Kind::OriginNotAllowed);
    }
    let none = house.request(Method::POST, "/v1/sites/acme/callbacks").json(&visitor::request());
    let problem = house.send(none).await.problem(Kind::OriginNotAllowed);
    assert!(problem.detail.contains("/v1/callbacks"), "{}", problem.detail);
    let cross_site = house.request(Method::GET, "/v1/sites/acme/form").header("Sec-Fetch-Site", "cross-site");
    house.send(cross_site).await.problem(Kind::OriginNotAllowed);
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn a_site_that_is_not_configured_is_unknown() {
    let house = House::open().await;
    house.get("/v1/sites/nobody/form").await.problem(Kind::SiteUnknown);
    let request = house.request(Method::POST, "/v1/sites/nobody/callbacks").header("Origin", ORIGIN);
    house.send(request.json(&visitor::request())).await.problem(Kind::SiteUnknown);
    let unknown = visitor::crm_request_with(json!({ "site": "nobody" }));
    let request = house.request(Method::POST, "/v1/callbacks").json(&unknown);
    let everywhere = request.bearer_auth(ringback_tests::plan::API_KEY_FOR_ALL);
    house.send(everywhere).await.problem(Kind::SiteUnknown);
}

#[tokio::test]
async fn the_rest_door_opens_with_a_key_of_the_site_alone() {
    let house = House::open().await;
    let post = || house.request(Method::POST, "/v1/callbacks").json(&visitor::crm_request());
    for request in [
        post(),
        post().bearer_auth("x"),
        post().bearer_auth(""),
        post().bearer_auth(&API_KEY[1..]),
        post().header("Authorization", API_KEY),
        post().basic_auth("crm", Some(API_KEY)),
    ] {
        let answer = house.send(request).await;
        answer.problem(Kind::Unauthorized);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    house.send(post().bearer_auth(API_KEY_OF_OTHER)).await.problem(Kind::Forbidden);
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn an_idempotency_key_is_short_visible_text() {
    let house = House::open().await;
    for key in ["", "\"\"", "a b", &"x".repeat(129)] {
        let request = house.post(&visitor::request()).header(IDEMPOTENCY_KEY, key);
        house.send(request).await.problem(Kind::IdempotencyKeyInvalid);
    }
    let bytes = reqwest::header::HeaderValue::from_bytes(b"k\xe9y").unwrap();
    let request = house.post(&visitor::request()).header(IDEMPOTENCY_KEY, bytes);
    house.send(request).await.problem(Kind::IdempotencyKeyInvalid);
    let crm = house.crm_post(&visitor::crm_request()).header(IDEMPOTENCY_KEY, "");
    house.send(crm).await.problem(Kind::IdempotencyKeyInvalid);
}

#[tokio::test]
async fn an_address_that_is_none_of_ours_is_not_found() {
    let house = House::open().await;
    for path in ["/", "/v1", "/v1/sites/acme", "/v1/callbacks/x/y/z", "/favicon.ico", "/problems/nonsense"] {
        house.get(path).await.problem(Kind::NotFound);
    }
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_told_with_those_that_it_does() {
    let house = House::open().await;
    for (method, path, allowed) in [
        (Method::PUT, "/v1/sites/acme/callbacks", "POST"),
        (Method::POST, "/v1/sites/acme/form", "GET"),
        (Method::PUT, "/v1/callbacks/01a206c1-f181-7c7a-9ac7-98bc97d32847", "PATCH"),
        (Method::PUT, "/v1/callbacks", "POST"),
        (Method::GET, "/webhooks/webex", "POST"),
        (Method::POST, "/widget.js", "GET"),
        (Method::PUT, "/c/acme", "POST"),
        (Method::PUT, "/f/x", "GET"),
    ] {
        let answer = house.send(house.request(method.clone(), path)).await;
        assert_eq!(answer.status.as_u16(), 405, "{method} {path}: {}", answer.text());
        answer.problem(Kind::MethodNotAllowed);
        // RFC 9110 section 15.5.6 asks for it.
        assert!(answer.header("allow").contains(allowed), "{method} {path}: {:?}", answer.header("allow"));
    }
}

#[tokio::test]
async fn every_kind_of_problem_has_a_page_that_explains_it() {
    let house = House::open().await;
    for kind in Kind::ALL {
        let page = house.get(&kind.uri()).await;
        assert_eq!(page.status.as_u16(), 200, "{kind:?}");
        assert!(page.text().contains(kind.title()), "{}", page.text());
    }
}

#[tokio::test]
async fn every_answer_names_its_request_and_forbids_guessing_at_its_type() {
    let house = House::open().await;
    let mut ids = std::collections::HashSet::new();
    for answer in [
        house.get("/v1/sites/acme/form").await,
        house.get("/nothing").await,
        house.get("/c/acme").await,
        house.send(house.post(&visitor::request())).await,
    ] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(ids.insert(answer.header("x-request-id").to_owned()));
        assert!(!answer.header("x-request-id").is_empty());
    }
}
