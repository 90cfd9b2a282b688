//! Keys that are made on the command line and used at the REST door.

use reqwest::Method;
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::service;
use ringback_tests::visitor;
use serde_json::{Value, json};

async fn post(house: &House, key: &str) -> Answer {
    let body = visitor::crm_request();
    house.private.add_from(&body);
    house.send(house.request(Method::POST, "/v1/callbacks").bearer_auth(key).json(&body)).await
}

async fn list(house: &House, key: &str) -> Answer {
    house.send(house.request(Method::GET, "/v1/callbacks").bearer_auth(key)).await
}

fn listed(house: &House) -> Vec<Value> {
    serde_json::from_str(&house.command(&["key", "list", "--json"])).unwrap()
}

#[tokio::test]
async fn a_key_works_at_once_and_no_more_once_it_is_taken_back() {
    let house = House::open().await;
    let key = house.key(&["--site", "acme", "--name", "The CRM"]);
    assert!(key.starts_with("rbk_") && key.len() == 88, "{}", key.len());
    let accepted = post(&house, &key).await.accepted();
    let id = listed(&house)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.command(&["key", "revoke", &id]), format!("revoked {id}"));
    let refused = post(&house, &key).await.problem(Kind::Unauthorized);
    assert!(refused.detail.contains("taken back"), "{}", refused.detail);
    // What it asked for goes on.
    house.until(&accepted.id, ringback_contract::callback::State::Completed).await;
    assert_eq!(house.command(&["key", "revoke", &id]), format!("{id} had been revoked before"));
}

#[tokio::test]
async fn keys_work_the_same_in_postgresql_and_at_every_service() {
    let house = House::with(ringback_tests::plan::Plan::postgres).await;
    let other = house.start_beside().await;
    let key = house.key(&["--all-sites"]);
    let at_other =
        house.http.get(format!("{}/v1/callbacks", other.url)).bearer_auth(&key).send().await.unwrap();
    assert_eq!(at_other.status().as_u16(), 200);
    let id = listed(&house)[0]["id"].as_str().unwrap().to_owned();
    house.command(&["key", "revoke", &id]);
    for url in [house.url(), &other.url] {
        let answer = house.http.get(format!("{url}/v1/callbacks")).bearer_auth(&key).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 401);
    }
}

#[tokio::test]
async fn a_key_may_do_what_its_scopes_say_on_its_sites_and_no_more() {
    let house = House::open().await;
    let writer = house.key(&["--site", "acme", "--scopes", "callbacks:write"]);
    let reader = house.key(&["--site", "acme", "--scopes", "callbacks:read"]);
    let of_other = house.key(&["--site", "other"]);
    let linker = house.key(&["--site", "acme", "--scopes", "links:write"]);
    let accepted = post(&house, &writer).await.accepted();
    let path = format!("/v1/callbacks/{}", accepted.id);
    let ask = async |method: Method, path: &str, key: &str| {
        house.send(house.request(method, path).bearer_auth(key).json(&visitor::crm_request())).await
    };
    ask(Method::GET, &path, &reader).await.ok();
    for (method, path, key, kind) in [
        (Method::POST, "/v1/callbacks", &reader, Kind::Forbidden),
        (Method::POST, "/v1/callbacks", &linker, Kind::Forbidden),
        (Method::POST, "/v1/callbacks", &of_other, Kind::Forbidden),
        (Method::GET, path.as_str(), &writer, Kind::Forbidden),
        (Method::DELETE, path.as_str(), &reader, Kind::Forbidden),
        (Method::GET, "/v1/callbacks", &writer, Kind::Forbidden),
        (Method::GET, "/v1/callbacks?site=acme", &of_other, Kind::Forbidden),
        (Method::POST, "/v1/agent-links", &writer, Kind::Forbidden),
        // That it exists is nothing for a key of another site.
        (Method::GET, path.as_str(), &of_other, Kind::NotFound),
        (Method::DELETE, path.as_str(), &of_other, Kind::NotFound),
    ] {
        ask(method.clone(), path, key).await.problem(kind);
    }
    assert_eq!(list(&house, &of_other).await.ok()["callbacks"], json!([]));
}

#[tokio::test]
async fn a_key_that_is_mistyped_forged_or_expired_opens_nothing() {
    let house = House::open().await;
    let key = house.key(&["--site", "acme"]);
    let mut forged = Vec::new();
    let flipped = |index: usize| {
        let mut bytes = key.clone().into_bytes();
        bytes[index] = if bytes[index] == b'0' { b'1' } else { b'0' };
        String::from_utf8(bytes).unwrap()
    };
    // Of the prefix, the id, the secret, the checksum.
    forged.extend([0, 5, 40, 87].map(flipped));
    // Another secret, with a checksum that fits: the id alone opens nothing.
    let body = format!("{}{}", &key[..16], "a".repeat(64));
    let sum = <sha2::Sha256 as sha2::Digest>::digest(&body);
    forged.push(format!("{body}{}", hex::encode(&sum[..4])));
    forged.extend([key[..87].to_owned(), format!("{key}0"), "rbk_".to_owned(), key.to_uppercase()]);
    for text in &forged {
        house.private.add(text);
        post(&house, text).await.problem(Kind::Unauthorized);
        list(&house, text).await.problem(Kind::Unauthorized);
    }
    let short = house.key(&["--site", "acme", "--expires", "1s"]);
    let refused = ringback_tests::eventually::eventually("the key expires", async || {
        let answer = list(&house, &short).await;
        (answer.status.as_u16() != 200).then_some(answer)
    })
    .await;
    assert!(refused.problem(Kind::Unauthorized).detail.contains("expired"));
    assert_eq!(house.tasks().await.len(), 0);
}

#[tokio::test]
async fn guessing_at_keys_is_limited() {
    let house = House::with(|plan| plan.limit("guesses", 3, 600)).await;
    let guess = format!("rbk_{}", "0".repeat(84));
    for _ in 0..3 {
        post(&house, &guess).await.problem(Kind::Unauthorized);
    }
    post(&house, &guess).await.problem(Kind::RateLimited);
}

#[tokio::test]
async fn the_last_use_of_a_key_is_written_at_the_latest_when_the_service_stops() {
    let mut house = House::open().await;
    let key = house.key(&["--site", "acme", "--name", "The CRM", "--expires", "90d"]);
    assert_eq!(listed(&house)[0]["last_used_at"], Value::Null);
    list(&house, &key).await.ok();
    house.stop().await;
    let listed = listed(&house);
    assert!(listed[0]["last_used_at"].is_string(), "{listed:?}");
    assert_eq!(listed[0]["name"], "The CRM");
    assert_eq!(listed[0]["scopes"], json!(["callbacks:write", "callbacks:read"]));
    // The key itself is nowhere but with whoever it was shown to.
    let secret = &key[16..80];
    assert!(!house.command(&["key", "list"]).contains(secret));
    for file in std::fs::read_dir(house.config_file().parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
}

#[tokio::test]
async fn what_a_key_cannot_be_made_for_is_told() {
    let house = House::open().await;
    let config = house.config_file();
    for (arguments, told) in [
        (&["key", "create", "--site", "nobody"][..], "hint: name one"),
        (&["key", "create"][..], "--site"),
        (&["key", "create", "--site", "acme", "--scopes", "everything"][..], "callbacks:write"),
        (&["key", "create", "--site", "acme", "--expires", "soon"][..], "30d"),
        (&["key", "revoke", "0123456789ab"][..], "hint: `ringback key list`"),
    ] {
        let output = service::output(&[arguments, &["--config", config.to_str().unwrap()]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(told), "{arguments:?}: {said}");
    }
    assert!(listed(&house).is_empty());
}

#[tokio::test]
async fn a_key_of_the_configuration_has_the_scopes_that_are_listed() {
    let house = House::with(|plan| plan.set("api_keys.other.scopes", vec!["callbacks:read"])).await;
    let key = ringback_tests::plan::API_KEY_OF_OTHER;
    list(&house, key).await.ok();
    let body = visitor::crm_request_with(json!({ "site": "other" }));
    let request = house.request(Method::POST, "/v1/callbacks").bearer_auth(key).json(&body);
    house.send(request).await.problem(Kind::Forbidden);
}
