//! How much of what is accepted, and from whom.

use reqwest::{Method, RequestBuilder};
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plain::{members, with};
use ringback_tests::plan::{API_KEY, API_KEY_FOR_ALL, Plan};
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::{Fault, Operation, Pace};

/// A post for a number of its own.
fn post_for(house: &House, number: usize) -> RequestBuilder {
    house.post(&visitor::request_with(json!({ "phone": format!("+1 202 555 0{number}") })))
}

/// Checks a `429` for the limit of that name.
#[track_caller]
fn assert_limited(answer: &Answer, name: &str, limit: u32) {
    let problem = answer.problem(Kind::RateLimited);
    assert!(problem.detail.contains(&format!("({name})")), "{}", problem.detail);
    let number = |header: &str| answer.header(header).parse::<u32>().unwrap_or_else(|_| panic!("{header}"));
    assert!((1..=600).contains(&number("retry-after")));
    assert_eq!(number("ratelimit-limit"), limit);
    assert_eq!(number("ratelimit-remaining"), 0);
    assert_eq!(number("ratelimit-reset"), number("retry-after"));
}

#[tokio::test]
async fn one_address_may_post_so_often() {
    let house = House::with(|plan| plan.limit("address", 3, 600)).await;
    for number in 100..103 {
        house.send(post_for(&house, number)).await.accepted();
    }
    assert_limited(&house.send(post_for(&house, 103)).await, "address", 3);
    // What a client writes into the header itself is not believed.
    let forged = post_for(&house, 104).header("X-Forwarded-For", "198.51.100.7");
    assert_limited(&house.send(forged).await, "address", 3);
    let forged = post_for(&house, 104).header("Forwarded", "for=198.51.100.7");
    assert_limited(&house.send(forged).await, "address", 3);
    house.until_tasks(3).await;
}

#[tokio::test]
async fn what_a_page_of_others_makes_a_browser_send_counts_for_nothing_against_its_user() {
    let house = House::with(|plan| plan.limit("address", 2, 600)).await;
    let sent = members(&house.plain_page().await);
    let link = format!("/a/{}", house.agent_token("acme", "grace", "1h"));
    for _ in 0..3 {
        let posted =
            house.request(Method::POST, "/v1/sites/acme/callbacks").header("Origin", "https://evil.example");
        house.send(posted.json(&visitor::request())).await.problem(Kind::OriginNotAllowed);
        for path in ["/c/acme", &link] {
            let posted =
                house.request(Method::POST, path).header("Origin", "https://evil.example").form(&sent);
            assert_eq!(house.send(posted).await.status.as_u16(), 403);
        }
    }
    house.ask().await;
    let members = with(sent, "phone", "+1 202 555 0143");
    house.follow_path(&house.send_plain(&members).await);
    assert_limited(&house.send(house.post(&visitor::request())).await, "address", 2);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_visitor_has_an_own_limit() {
    let house = House::with(|plan| {
        plan.limit("address", 2, 600);
        plan.set("server.trusted_proxies", vec!["127.0.0.1", "10.0.0.0/8"]);
    })
    .await;
    let from = |number: usize, chain: &str| post_for(&house, number).header("X-Forwarded-For", chain);
    house.send(from(100, "198.51.100.7")).await.accepted();
    house.send(from(101, "198.51.100.7, 10.0.0.3")).await.accepted();
    assert_limited(&house.send(from(102, "198.51.100.7")).await, "address", 2);
    // Whatever stands before the last address that no trusted proxy has could be written by anybody.
    assert_limited(&house.send(from(102, "203.0.113.9, 198.51.100.7, 10.0.0.3")).await, "address", 2);
    house.send(from(102, "198.51.100.8")).await.accepted();
    // A household has a whole network of IPv6 addresses.
    house.send(from(103, "2001:db8:1:2::1")).await.accepted();
    house.send(from(104, "2001:db8:1:2::2")).await.accepted();
    assert_limited(&house.send(from(105, "2001:db8:1:2:ffff::3")).await, "address", 2);
    house.send(from(105, "2001:db8:1:3::1")).await.accepted();
}

#[tokio::test]
async fn one_number_may_be_called_so_often() {
    let house = House::with(|plan| plan.limit("number", 2, 600)).await;
    // The same number, however it is written.
    for phone in ["(202) 555-0142", "+1 202 555 0142"] {
        house.send(house.post(&visitor::request_with(json!({ "phone": phone })))).await.accepted();
    }
    assert_limited(&house.send(house.post(&visitor::request())).await, "number", 2);
    assert_limited(&house.send(house.crm_post(&visitor::crm_request())).await, "number", 2);
    // Several sites do not add up: whoever is harassed has one telephone.
    assert_limited(&house.send(post_to_other(&house)).await, "number", 2);
    house.send(post_for(&house, 143)).await.accepted();
}

/// A post for the visitor's number at the other site.
fn post_to_other(house: &House) -> RequestBuilder {
    house
        .request(Method::POST, "/v1/sites/other/callbacks")
        .header("Origin", "https://www.other.example")
        .json(&json!({ "name": visitor::NAME, "phone": visitor::PHONE_E164 }))
}

async fn a_number_has_rest_after_a_call(change: fn(&mut Plan)) {
    let house = House::with(|plan| {
        plan.pace(Pace::every(5));
        plan.set("limits.cooldown_s", 600);
        change(plan);
    })
    .await;
    let first = house.ask_with_key("once").await;
    house.until(&first.id, State::Completed).await;
    // Told as the limit of the number is, and always for a whole rest: a stranger learns neither that a call has ended nor when.
    for post in [house.post(&visitor::request()), house.crm_post(&visitor::crm_request())] {
        let refused = house.send(post).await;
        assert_limited(&refused, "number", 10_000);
        assert_eq!(refused.header("retry-after"), "600");
    }
    // The same post again is the same request; another number and another site have nothing to do with it.
    assert_eq!(house.ask_with_key("once").await.id, first.id);
    house.send(post_for(&house, 143)).await.accepted();
    let other = json!({ "site": "other", "phone": visitor::PHONE_E164 });
    let other = house.request(Method::POST, "/v1/callbacks").bearer_auth(API_KEY_FOR_ALL).json(&other);
    house.send(other).await.accepted();
    // A CRM that asks for another call gets one.
    let another = house.crm_post(&visitor::crm_request_with(json!({ "another": true })));
    house.send(another).await.accepted();
}

#[tokio::test]
async fn a_number_has_rest_after_a_call_on_sqlite() {
    a_number_has_rest_after_a_call(|_| {}).await;
}

#[tokio::test]
async fn a_number_has_rest_after_a_call_on_postgresql() {
    a_number_has_rest_after_a_call(Plan::postgres).await;
}

#[tokio::test]
async fn one_site_may_ask_so_often() {
    let house = House::with(|plan| plan.limit("site", 2, 600)).await;
    house.send(post_for(&house, 100)).await.accepted();
    house.send(post_for(&house, 101)).await.accepted();
    assert_limited(&house.send(post_for(&house, 102)).await, "site", 2);
    house.send(post_to_other(&house)).await.accepted();
}

#[tokio::test]
async fn changes_have_a_limit_of_an_address_and_of_a_callback_at_every_door() {
    let house = House::with(|plan| {
        plan.limit("changes", 2, 600);
        plan.set("server.trusted_proxies", vec!["127.0.0.1"]);
    })
    .await;
    house.control().fault(&Fault::status(Operation::CreateTask, 429).times(u32::MAX)).await.unwrap();
    let accepted = house.ask().await;
    let path = format!("/v1/callbacks/{}", accepted.id);
    let from = |method: Method, path: &str, host: u8| {
        house.request(method, path).header("X-Forwarded-For", format!("198.51.100.{host}"))
    };
    let change = |host: u8| {
        from(Method::PATCH, &path, host).bearer_auth(&accepted.follow).json(&json!({ "country": "US" }))
    };
    for _ in 0..2 {
        house.send(change(1)).await.problem(Kind::Validation);
    }
    assert_limited(&house.send(change(1)).await, "changes", 2);
    // Of this callback, from wherever it comes.
    assert_limited(&house.send(change(2)).await, "changes", 2);
    let call_off = from(Method::DELETE, &path, 3).bearer_auth(&accepted.follow);
    assert_limited(&house.send(call_off).await, "changes", 2);
    let press = from(Method::POST, &format!("/f/{}", accepted.follow), 4).header("Origin", house.url());
    assert_eq!(house.send(press.form(&[("do", "cancel")])).await.header("ratelimit-limit"), "2");
    // Of this address, to whatever callback.
    let other = house.send(post_for(&house, 143)).await.accepted();
    let call_off = from(Method::DELETE, &format!("/v1/callbacks/{}", other.id), 1).bearer_auth(&other.follow);
    assert_limited(&house.send(call_off).await, "changes", 2);
    // To look is no change, and a CRM has the limit of its key.
    house.view(&accepted).await;
    house.send(from(Method::DELETE, &path, 1).bearer_auth(API_KEY)).await.ok();
}

#[tokio::test]
async fn reads_have_a_limit_of_their_own() {
    let house = House::with(|plan| plan.limit("reads", 3, 600)).await;
    for _ in 0..3 {
        house.get("/v1/sites/acme/form").await.ok();
    }
    assert_limited(&house.get("/v1/sites/acme/form").await, "reads", 3);
    assert_eq!(house.get("/c/acme").await.header("ratelimit-limit"), "3");
    house.ask().await;
}

#[tokio::test]
async fn a_repeated_post_counts_for_nothing() {
    let house = House::with(|plan| {
        plan.limit("number", 1, 600);
        plan.limit("site", 1, 600);
    })
    .await;
    let first = house.ask_with_key("again").await;
    for _ in 0..3 {
        assert_eq!(house.ask_with_key("again").await.id, first.id);
    }
    let other = house.post(&visitor::request()).header(IDEMPOTENCY_KEY, "another");
    house.send(other).await.problem(Kind::RateLimited);
}

#[tokio::test]
async fn who_guesses_at_keys_is_counted_and_who_has_one_is_not() {
    let house = House::with(|plan| plan.limit("guesses", 2, 600)).await;
    let guess =
        || house.request(Method::POST, "/v1/callbacks").bearer_auth("guess").json(&visitor::crm_request());
    house.send(guess()).await.problem(Kind::Unauthorized);
    house.send(guess()).await.problem(Kind::Unauthorized);
    assert_limited(&house.send(guess()).await, "guesses", 2);
    house.send(house.crm_post(&visitor::crm_request())).await.accepted();
}

#[tokio::test]
async fn who_guesses_at_the_token_of_a_callback_is_counted() {
    let house = House::with(|plan| plan.limit("guesses", 2, 600)).await;
    let accepted = house.ask().await;
    let path = format!("/v1/callbacks/{}", accepted.id);
    let guess = || house.request(Method::GET, &path).bearer_auth("rbf_00000000.AAAA.AAAA");
    house.send(guess()).await.problem(Kind::Unauthorized);
    house.send(guess()).await.problem(Kind::Unauthorized);
    assert_limited(&house.send(guess()).await, "guesses", 2);
    house.view(&accepted).await;
}

#[tokio::test]
async fn of_several_windows_each_holds() {
    let house = House::with(|plan| {
        let rate = |requests: i64, per_s: i64| {
            toml::Table::from_iter([
                ("requests".to_owned(), requests.into()),
                ("per_s".to_owned(), per_s.into()),
            ])
        };
        plan.set("limits.number", vec![rate(5, 60), rate(2, 86_400)]);
    })
    .await;
    house.ask().await;
    house.ask().await;
    let refused = house.send(house.post(&visitor::request())).await;
    refused.problem(Kind::RateLimited);
    assert_eq!(refused.header("ratelimit-limit"), "2");
    // Half a day, and what of it has gone since.
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((40_000..=43_200).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_site_may_have_a_limit_of_its_own() {
    let house = House::with(|plan| {
        plan.set("sites.acme.limit.requests", 1);
        plan.set("sites.acme.limit.per_s", 600);
    })
    .await;
    house.send(post_for(&house, 100)).await.accepted();
    assert_limited(&house.send(post_for(&house, 101)).await, "site", 1);
    for number in 100..103 {
        let other = house
            .request(Method::POST, "/v1/sites/other/callbacks")
            .header("Origin", "https://www.other.example")
            .json(&json!({ "name": visitor::NAME, "phone": format!("+12025550{number}") }));
        house.send(other).await.accepted();
    }
}

#[tokio::test]
async fn one_link_brings_so_many_callbacks() {
    let house = House::with(|plan| plan.limit("link", 2, 600)).await;
    let [link, other] = ["1h", "2h"].map(|expires| house.agent_token("acme", "grace", expires));
    let by = |link: &str, number: usize| {
        let phone = format!("+1 202 555 0{number}");
        house.post(&visitor::request_with(json!({ "phone": phone, "agent": link })))
    };
    house.send(by(&link, 100)).await.accepted();
    house.send(by(&link, 101)).await.accepted();
    assert_limited(&house.send(by(&link, 102)).await, "link", 2);
    house.send(by(&other, 102)).await.accepted();
    house.send(post_for(&house, 103)).await.accepted();
}

#[tokio::test]
async fn one_key_makes_so_many_requests() {
    let house = House::with(|plan| plan.limit("key", 2, 600)).await;
    let list = |key: &str| house.request(Method::GET, "/v1/callbacks").bearer_auth(key);
    house.send(list(API_KEY)).await.ok();
    house.send(list(API_KEY)).await.ok();
    assert_limited(&house.send(list(API_KEY)).await, "key", 2);
    assert_limited(&house.send(house.crm_post(&visitor::crm_request())).await, "key", 2);
    // Every door that a key opens counts.
    let accepted = house.ask().await;
    let path = format!("/v1/callbacks/{}", accepted.id);
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/events")),
        (Method::PATCH, path.clone()),
        (Method::DELETE, path.clone()),
    ] {
        assert_limited(&house.send(house.request(method, &path).bearer_auth(API_KEY)).await, "key", 2);
    }
    house.view(&accepted).await;
    house.send(list(API_KEY_FOR_ALL)).await.ok();
}

#[tokio::test]
async fn what_is_refused_for_its_fields_does_not_count_against_the_number() {
    let house = House::with(|plan| plan.limit("number", 1, 600)).await;
    for _ in 0..3 {
        house.send(house.post(&visitor::request_with(json!({ "name": "" })))).await.problem(Kind::Validation);
    }
    house.ask().await;
}
