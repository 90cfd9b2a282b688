//! What a browser lets the pages of other origins do.

use reqwest::Method;
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plan::ORIGIN;
use ringback_tests::visitor;
use serde_json::json;

async fn preflight(house: &House, path: &str, method: &str, origin: &str) -> Answer {
    let request = house
        .request(Method::OPTIONS, path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", "content-type,idempotency-key,authorization");
    house.send(request).await
}

const CALLBACK: &str = "/v1/callbacks/01a206c1-f181-7c7a-9ac7-98bc97d32847";

#[tokio::test]
async fn a_listed_page_may_post_follow_and_cancel() {
    let house = House::open().await;
    for (path, method) in [
        ("/v1/sites/acme/form", "GET"),
        ("/v1/sites/acme/callbacks", "POST"),
        (CALLBACK, "GET"),
        (CALLBACK, "DELETE"),
    ] {
        let answer = preflight(&house, path, method, ORIGIN).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN, "{path}");
        assert!(answer.header("access-control-allow-methods").contains(method));
        let headers = answer.header("access-control-allow-headers").to_ascii_lowercase();
        for name in ["content-type", "idempotency-key", "authorization"] {
            assert!(headers.contains(name), "{path}: {headers}");
        }
        assert!(answer.header("access-control-max-age").parse::<u32>().unwrap() >= 600);
        assert!(answer.header("vary").to_ascii_lowercase().contains("origin"));
        // Nothing here goes by cookies.
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn a_page_that_is_not_listed_may_read_nothing() {
    let house = House::open().await;
    for origin in
        ["https://evil.example", "https://www.other.example", "null", "https://www.acme.example.evil.example"]
    {
        let answer = preflight(&house, "/v1/sites/acme/callbacks", "POST", origin).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
    }
    let answer = preflight(&house, CALLBACK, "GET", "https://evil.example").await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
    // The other site's page may follow callbacks: whose they are is for the token to say.
    let answer = preflight(&house, CALLBACK, "GET", "https://www.other.example").await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://www.other.example");
}

#[tokio::test]
async fn every_page_can_read_why_it_has_no_form_and_nothing_else() {
    let house = House::open().await;
    let from = |origin, path: &str| house.send(house.request(Method::GET, path).header("Origin", origin));
    for (origin, site, kind) in [
        ("https://evil.example", "acme", Kind::OriginNotAllowed),
        ("null", "acme", Kind::OriginNotAllowed),
        (ORIGIN, "nope", Kind::SiteUnknown),
        ("https://evil.example", "nope", Kind::SiteUnknown),
    ] {
        let answer = from(origin, &format!("/v1/sites/{site}/form")).await;
        let problem = answer.problem(kind);
        assert!(!format!("{problem:?}").contains(ORIGIN), "{problem:?}");
        let allowed: Vec<_> = answer.headers.get_all("access-control-allow-origin").iter().collect();
        assert_eq!(allowed, ["*"], "{origin} {site}");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    for path in [
        "/v1/sites/acme/texts",
        "/v1/sites/acme/slots",
        "/v1/sites/nope/slots",
        "/v1/sites/acme/form?color=%",
    ] {
        let answer = from("https://evil.example", path).await;
        let is_form = path.contains("/form");
        assert!(answer.status.is_client_error(), "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), if is_form { "*" } else { "" }, "{path}");
    }
    let posted = house
        .request(Method::POST, "/v1/sites/acme/callbacks")
        .header("Origin", "https://evil.example")
        .json(&visitor::request());
    let answer = house.send(posted).await;
    answer.problem(Kind::OriginNotAllowed);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    // To the site's own page, the form goes as before.
    assert_eq!(from(ORIGIN, "/v1/sites/acme/form").await.header("access-control-allow-origin"), ORIGIN);
}

#[tokio::test]
async fn a_listed_page_can_read_why_it_was_refused() {
    let house = House::with(|plan| plan.limit("number", 1, 600)).await;
    let wrong = house.send(house.post(&visitor::request_with(json!({ "name": "" })))).await;
    wrong.problem(Kind::Validation);
    house.ask().await;
    let limited = house.send(house.post(&visitor::request())).await;
    limited.problem(Kind::RateLimited);
    for answer in [wrong, limited] {
        assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
        let exposed = answer.header("access-control-expose-headers").to_ascii_lowercase();
        for name in ["retry-after", "ratelimit-reset", "x-request-id"] {
            assert!(exposed.contains(name), "{name}: {exposed}");
        }
    }
}

#[tokio::test]
async fn the_services_own_pages_may_post_too() {
    let house = House::open().await;
    let request = house
        .request(Method::POST, "/v1/sites/acme/callbacks")
        .header("Origin", house.url())
        .json(&visitor::request());
    house.send(request).await.accepted();
}
