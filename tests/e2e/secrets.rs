//! The keys that sign tokens change, and links are taken back, while the service runs.

use ringback_contract::field::Code;
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::visitor;
use serde_json::json;

/// The ids of the signing keys, newest first.
fn keys(house: &House) -> Vec<String> {
    let printed = house.command(&["secret", "list"]);
    printed.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// Makes every key an hour older, as an hour would; a database that runs is not asked.
fn an_hour_passes(house: &House) {
    let file = house.folder().join("ringback.db");
    let sql = "UPDATE signing_key SET created_at = created_at - 3600000";
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0);
}

fn refused(house: &House, arguments: &[&str]) -> String {
    let output = house.command_with(arguments, "");
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

async fn by_link(house: &House, token: &str) -> Answer {
    house.send(house.post(&visitor::request_with(json!({ "agent": token })))).await
}

/// Waits until the running service takes the link no more.
async fn until_taken_back(house: &House, token: &str) {
    let answer = eventually("the link is worth nothing", async || {
        let answer = by_link(house, token).await;
        (answer.status.as_u16() != 202).then_some(answer)
    })
    .await;
    let problem = answer.problem(Kind::Validation);
    assert_eq!(problem.errors[0].code, Code::LinkExpired.as_str());
    // A visitor who opens it is offered the next free agent.
    assert_eq!(house.get(&format!("/a/{token}")).await.status.as_u16(), 410);
}

#[tokio::test]
async fn a_key_is_rotated_and_retired_under_the_eyes_of_its_tokens() {
    let house = House::open().await;
    let before = house.ask().await;
    let link = house.agent_token("acme", "grace", "1h");
    let first = keys(&house).remove(0);
    assert!(refused(&house, &["secret", "retire", &first]).contains("it is the only key"));
    assert!(house.command(&["secret", "rotate"]).contains("signs from 60 s from now on"));
    let second = keys(&house).remove(0);
    assert_ne!(first, second);
    assert!(refused(&house, &["secret", "retire", &first]).contains("does not sign yet"));
    // Nothing that is live breaks.
    house.view(&before).await;
    by_link(&house, &link).await.accepted();
    assert!(before.follow.contains(&first) && house.ask().await.follow.contains(&first));
    an_hour_passes(&house);
    let after = eventually("the new key signs", async || {
        Some(house.ask().await).filter(|accepted| accepted.follow.contains(&second))
    })
    .await;
    house.view(&before).await;
    assert!(refused(&house, &["secret", "retire", &second]).contains("it is the newest key"));
    assert!(refused(&house, &["secret", "retire", "none"]).contains("there is no signing key"));
    house.command(&["secret", "retire", &first]);
    eventually("the old key opens nothing", async || {
        let path = format!("/v1/callbacks/{}", before.id);
        let request = house.request(reqwest::Method::GET, &path).bearer_auth(&before.follow);
        (house.send(request).await.status.as_u16() == 401).then_some(())
    })
    .await;
    house.view(&after).await;
    let problem = by_link(&house, &link).await.problem(Kind::Validation);
    assert_eq!(problem.errors[0].code, Code::LinkInvalid.as_str());
}

#[tokio::test]
async fn services_of_one_database_rotate_together() {
    let house = House::with(Plan::postgres).await;
    let beside = house.start_beside().await;
    house.command(&["secret", "rotate"]);
    let accepted = house.ask().await;
    let request = house.http.get(format!("{}/v1/callbacks/{}", beside.url, accepted.id));
    house.send(request.bearer_auth(&accepted.follow)).await.ok();
}

#[tokio::test]
async fn one_link_is_taken_back_and_the_others_stay() {
    let house = House::open().await;
    let [link, other] = ["1h", "2h"].map(|expires| house.agent_token("acme", "grace", expires));
    by_link(&house, &link).await.accepted();
    house.command(&["link", "revoke", "--link", &format!("https://callback.example.com/a/{link}")]);
    until_taken_back(&house, &link).await;
    by_link(&house, &other).await.accepted();
    assert!(
        refused(&house, &["link", "revoke", "--link", "rba_nonsense"]).contains("no link of this service")
    );
}

#[tokio::test]
async fn every_link_of_an_agent_is_taken_back_and_later_ones_are_good() {
    let mut house = House::open().await;
    let link = house.agent_token("acme", "grace", "1h");
    house.command(&["link", "revoke", "--agent", "grace"]);
    until_taken_back(&house, &link).await;
    let later = eventually("a second has passed", async || {
        let later = house.agent_token("acme", "grace", "3h");
        (by_link(&house, &later).await.status.as_u16() == 202).then_some(later)
    })
    .await;
    house.stop().await;
    house.start().await;
    until_taken_back(&house, &link).await;
    by_link(&house, &later).await.accepted();
}
