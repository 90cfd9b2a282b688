//! A database that cannot be written: what is not stored is refused, what is stored is whole, and the service goes on by itself
//! once it can.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use ringback_contract::callback::{Accepted, State};
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::{Value, json};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::webhook_storm::number;

async fn post(house: &House, index: usize) -> Answer {
    let change = json!({ "phone": number(index), "message": "x".repeat(900) });
    let request =
        house.post(&visitor::request_with(change)).header("Idempotency-Key", format!("key-{index}"));
    house.send(request).await
}

async fn is_ready(house: &House) -> bool {
    house.get_ops("/readyz").await.status.as_u16() == 200
}

/// Once the database can be written: whoever was refused is taken under the same key, and whoever was taken is called, once.
async fn all_is_well(house: &House, accepted: BTreeMap<usize, Accepted>, refused: &[usize]) {
    let mut accepted = accepted;
    for &index in refused {
        let answer = eventually("a repeated post is taken", async || {
            let answer = post(house, index).await;
            (answer.status.as_u16() == 202).then_some(answer)
        })
        .await;
        accepted.insert(index, answer.accepted());
    }
    eventually("the service is ready", async || is_ready(house).await.then_some(())).await;
    for (index, accepted) in &accepted {
        // The same key gives the same callback, however the first post ended.
        assert_eq!(post(house, *index).await.accepted().id, accepted.id);
        house.until(&accepted.id, State::Completed).await;
        assert_eq!(house.control().rings(&number(*index)).await.unwrap(), 1, "{index}");
    }
    let tasks = house.tasks().await;
    assert_eq!(tasks.len(), accepted.len(), "{tasks:?}");
}

#[tokio::test]
async fn a_full_disk_refuses_what_it_cannot_hold_and_takes_it_once_there_is_room() {
    let mut house = House::with(|plan| {
        plan.small_disk(4);
        plan.set("log.level", "info");
    })
    .await;
    let mut accepted = BTreeMap::new();
    let mut refused = Vec::new();
    for index in 0..2400 {
        let answer = post(&house, index).await;
        if answer.status.as_u16() == 202 {
            accepted.insert(index, answer.accepted());
        } else {
            answer.problem(Kind::StoreUnavailable);
            refused.push(index);
        }
        if refused.len() >= 5 {
            break;
        }
    }
    assert!(!accepted.is_empty() && refused.len() >= 5, "{} {}", accepted.len(), refused.len());
    eventually("the service says that it is not ready", async || (!is_ready(&house).await).then_some(()))
        .await;
    // What was taken can be read all the while, and nothing else is there.
    let listed = listed(&house).await;
    assert_eq!(listed, accepted.len());
    house.service().make_room();
    all_is_well(&house, accepted, &refused).await;
    assert!(house.log().contains("full"), "{}", house.log());
}

async fn listed(house: &House) -> usize {
    let mut count = 0;
    let mut path = "/v1/callbacks?limit=200".to_owned();
    loop {
        let request = house.request(reqwest::Method::GET, &path).bearer_auth(ringback_tests::plan::API_KEY);
        let page: Value = house.send(request).await.ok();
        count += page["callbacks"].as_array().unwrap().len();
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/callbacks?limit=200&cursor={next}"),
            None => return count,
        }
    }
}

#[tokio::test]
async fn a_database_that_somebody_locks_is_told_and_used_again() {
    let house = House::open().await;
    let mut accepted = BTreeMap::from([(0, post(&house, 0).await.accepted())]);
    let options = SqliteConnectOptions::new().filename(house.folder().join("ringback.db"));
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    post(&house, 1).await.problem(Kind::StoreUnavailable);
    eventually("the service says that it is not ready", async || (!is_ready(&house).await).then_some(()))
        .await;
    // Reading goes on.
    house.view(&accepted[&0]).await;
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    accepted.insert(
        2,
        eventually("posts are taken", async || {
            let answer = post(&house, 2).await;
            (answer.status.as_u16() == 202).then(|| answer.accepted())
        })
        .await,
    );
    all_is_well(&house, accepted, &[1]).await;
}

#[tokio::test]
async fn a_database_that_becomes_read_only_is_told_and_used_again() {
    let house = House::with(ringback_tests::plan::Plan::postgres).await;
    let accepted = BTreeMap::from([(0, post(&house, 0).await.accepted())]);
    let config: toml::Table = std::fs::read_to_string(house.config_file()).unwrap().parse().unwrap();
    let url = config["store"]["url"].as_str().unwrap();
    let name = url.rsplit('/').next().unwrap();
    // As after a fail-over to a server that follows another.
    let set = async |to: &str| {
        let mut operator = PgConnection::connect(url).await.unwrap();
        for statement in [
            "SET default_transaction_read_only = off".to_owned(),
            format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = {to}"),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ringback' \
             AND datname = current_database()"
                .to_owned(),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut operator).await.unwrap();
        }
    };
    set("on").await;
    eventually("a post is refused", async || {
        let answer = post(&house, 1).await;
        (answer.status.as_u16() != 202).then(|| answer.problem(Kind::StoreUnavailable))
    })
    .await;
    eventually("the service says that it is not ready", async || (!is_ready(&house).await).then_some(()))
        .await;
    set("off").await;
    all_is_well(&house, accepted, &[1]).await;
}

/// A house on a server that goes without a word while so many statements wait for their answers, and another is in its place.
async fn silenced_while<T>(connections: i64, waiting: i64, asked: impl AsyncFn(&House) -> T) -> (House, T) {
    let house = House::with(|plan| {
        plan.wired_postgres();
        plan.set("store.connections", connections);
    })
    .await;
    let mut operator = PgConnection::connect(house.direct_postgres()).await.unwrap();
    sqlx::query("BEGIN").execute(&mut operator).await.unwrap();
    sqlx::query("LOCK TABLE callback IN ACCESS EXCLUSIVE MODE").execute(&mut operator).await.unwrap();
    let counted = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ringback' \
                   AND datname = current_database() AND wait_event_type = 'Lock'";
    let silenced = async {
        eventually("they wait", async || {
            let count: i64 = sqlx::query_scalar(counted).fetch_one(&mut operator).await.unwrap();
            (count >= waiting).then_some(())
        })
        .await;
        house.silence_postgres();
        sqlx::query("ROLLBACK").execute(&mut operator).await.unwrap();
    };
    let (answer, ()) = tokio::join!(asked(&house), silenced);
    (house, answer)
}

#[tokio::test]
async fn a_server_that_goes_without_a_word_holds_nobody_up_for_long() {
    // The dispatcher, too.
    let (house, answer) = silenced_while(10, 2, async |house| post(house, 0).await).await;
    answer.problem(Kind::StoreUnavailable);
    all_is_well(&house, BTreeMap::new(), &[0, 1, 2]).await;
    // Who listens for the news of other processes was silenced with the rest.
    eventually("it listens again", async || house.log().contains("cannot be heard").then_some(())).await;
}

#[tokio::test]
async fn connections_that_fall_silent_are_replaced_though_they_are_all_there_are() {
    // One of the three listens.
    let (house, answers) = silenced_while(3, 2, async |house| {
        let asking = (0..4).map(|_| {
            let request = house.request(reqwest::Method::GET, "/v1/callbacks");
            house.send(request.bearer_auth(ringback_tests::plan::API_KEY))
        });
        join_all(asking).await
    })
    .await;
    for answer in answers {
        answer.problem(Kind::StoreUnavailable);
    }
    all_is_well(&house, BTreeMap::new(), &[0]).await;
}
