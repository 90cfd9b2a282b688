//! Limits that several services count together, and what becomes of them when the server that counts is away.

use futures_util::future::join_all;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::figures::Figures;
use ringback_tests::house::House;
use ringback_tests::plan::{ORIGIN, Plan};
use ringback_tests::redis::Redis;
use ringback_tests::service;
use ringback_tests::visitor;
use serde_json::{Value, json};

const PASSWORD: &str = "a-password-of-redis";

/// Callbacks to one number are limited, and none joins another.
fn limited(plan: &mut Plan, redis_url: &str, per_number: i64) {
    plan.set("limits.redis_url", redis_url);
    plan.set("delivery.join_s", 0);
    plan.limit("number", per_number, 3600);
}

async fn post(house: &House, url: &str) -> Answer {
    let request = house.http.post(format!("{url}/v1/sites/acme/callbacks")).header("Origin", ORIGIN);
    Answer::of(request.json(&visitor::request()).send().await.expect("an answer")).await
}

/// How many of so many posts at once are taken; the others are told to come back.
async fn taken(house: &House, urls: &[&str], posts: usize) -> usize {
    let answers = join_all((0..posts).map(|index| post(house, urls[index % urls.len()]))).await;
    for answer in &answers {
        let status = answer.status.as_u16();
        assert!(status == 202 || status == 429, "{}", answer.text());
        assert_eq!(answer.header("retry-after").is_empty(), status == 202, "{}", answer.text());
    }
    answers.iter().filter(|answer| answer.status.as_u16() == 202).count()
}

/// What the operators' door says of the shared limits, where they are not shared. The figures come to say the same: they are asked for
/// a moment later, when the server may be back.
async fn trouble(house: &House) -> Option<String> {
    eventually("readiness and figures say the same of the shared limits", async || {
        let url = format!("{}/readyz", house.ops_url());
        let report: Value = house.http.get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(report["status"], "ready", "{report}");
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == "shared_limits").unwrap();
        let trouble = check["detail"].as_str().map(str::to_owned);
        let are_shared = Figures::of(house).await.sum("ringback_shared_limits_up", &[]);
        (are_shared == Some(f64::from(u8::from(trouble.is_none())))).then_some(trouble)
    })
    .await
}

#[tokio::test]
async fn services_count_together_and_name_nobody() {
    let redis = Redis::start(PASSWORD).await;
    let house = House::without_service(|plan| {
        plan.postgres();
        limited(plan, &redis.url(), 7);
    })
    .await;
    house.private.add(PASSWORD);
    let services = join_all((0..3).map(|_| house.start_beside())).await;
    let urls: Vec<_> = services.iter().map(|service| service.url.as_str()).collect();
    assert_eq!(taken(&house, &urls, 30).await, 7);
    assert_eq!(taken(&house, &urls[..1], 3).await, 0);
    let keys = redis.keys().await;
    assert!(keys.iter().any(|key| key.starts_with("ringback:limit:number:")), "{keys:?}");
    for key in keys {
        let (_, caller) = key.rsplit_once(':').unwrap();
        assert!(caller.len() == 64 && caller.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    }
    for service in services {
        assert_eq!(service.stop().await.code(), Some(0));
    }
}

#[tokio::test]
async fn while_the_server_is_away_each_counts_for_itself_and_says_so() {
    let mut redis = Redis::start("").await;
    let house = House::with(|plan| limited(plan, &redis.url(), 3)).await;
    let url = house.url().to_owned();
    assert_eq!(trouble(&house).await, None);
    assert_eq!(taken(&house, &[&url], 5).await, 3);
    redis.kill();
    // Its own count begins anew.
    assert_eq!(taken(&house, &[&url], 5).await, 3);
    let why = trouble(&house).await.unwrap();
    assert!(why.starts_with("each process counts for itself: "), "{why}");
    redis.restart().await;
    eventually("the limits are shared again", async || {
        post(&house, &url).await;
        trouble(&house).await.is_none().then_some(())
    })
    .await;
    eventually("the server counts to the end", async || {
        (post(&house, &url).await.status.as_u16() == 429).then_some(())
    })
    .await;
    assert_eq!(redis.keys().await.iter().filter(|key| key.contains(":number:")).count(), 1);
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_or_refuses_the_service_holds_up_nothing() {
    let redis = Redis::start(PASSWORD).await;
    for url in [redis.open_url(), "redis://127.0.0.1:1".to_owned()] {
        let house = House::with(|plan| limited(plan, &url, 3)).await;
        let service = house.url().to_owned();
        assert_eq!(taken(&house, &[&service], 5).await, 3);
        assert!(trouble(&house).await.is_some());
        let config = house.config_file().display().to_string();
        let doctor = tokio::task::spawn_blocking(move || service::output(&["doctor", "--config", &config]));
        let found = String::from_utf8(doctor.await.unwrap().stdout).unwrap();
        assert!(found.contains("WRONG shared_limits limits.redis_url"), "{found}");
    }
    assert_eq!(json!(redis.keys().await), json!([]));
}
