//! `ringback doctor` and `ringback webex`: what an operator runs against the organisation.

use ringback_contract::callback::State;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::service;
use serde_json::Value;
use webex_simulator::organization;

/// Runs a command with the house's configuration; gives whether it succeeded, and its output.
async fn run(house: &House, arguments: &[&str]) -> (bool, String) {
    let config = house.config_file().display().to_string();
    let arguments: Vec<String> = arguments
        .iter()
        .map(|&argument| argument.to_owned())
        .chain(["--config".to_owned(), config])
        .collect();
    // The simulator answers meanwhile.
    let output = tokio::task::spawn_blocking(move || {
        service::output(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    })
    .await
    .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.success(), text)
}

/// What the doctor finds wrong or doubtful: check and verdict.
async fn findings(change: impl FnOnce(&mut Plan)) -> Vec<(String, String)> {
    let house = House::without_service(change).await;
    let (_, text) = run(&house, &["doctor", "--json"]).await;
    let found: Vec<Value> = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    for finding in &found {
        let good = finding["verdict"] == "good";
        assert_eq!(finding["remedy"].is_null(), good, "{finding}");
    }
    found
        .iter()
        .filter(|finding| finding["verdict"] != "good")
        .map(|finding| {
            (finding["check"].as_str().unwrap().to_owned(), finding["verdict"].as_str().unwrap().to_owned())
        })
        .collect()
}

fn public(plan: &mut Plan) {
    plan.set("server.public_url", "https://callback.example.com");
}

/// The finding of a check, where that is the only one beside the subscription that these houses do not have.
async fn only_finding(change: impl FnOnce(&mut Plan)) -> (String, String) {
    let mut found = findings(|plan| {
        public(plan);
        change(plan);
    })
    .await;
    found.retain(|(check, _)| check != "webhooks");
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn wrong(check: &str) -> (String, String) {
    (check.to_owned(), "wrong".to_owned())
}

#[tokio::test]
async fn a_sound_deployment_has_nothing_wrong_and_the_exit_code_says_so() {
    let house = House::without_service(public).await;
    let (good, text) = run(&house, &["doctor"]).await;
    assert!(good && !text.contains("WRONG"), "{text}");
    assert!(
        !text.contains(organization::ACCESS_TOKEN) && !text.contains(organization::GRACE_EMAIL),
        "{text}"
    );
}

#[tokio::test]
async fn an_entry_point_that_cannot_take_callbacks_is_found() {
    for entry_point in [
        organization::INACTIVE_ENTRY_POINT,
        organization::CALLBACK_DISABLED_ENTRY_POINT,
        organization::QUEUELESS_ENTRY_POINT,
        organization::FLOW_ENTRY_POINT,
        "11111111-0000-4000-8000-00000000dead",
    ] {
        assert_eq!(
            only_finding(|plan| plan.set("sites.other.entry_point", entry_point)).await,
            wrong("entry_point")
        );
    }
    for entry_point in [organization::FLOWLESS_ENTRY_POINT, organization::CALLBACK_ENTRY_POINT] {
        let found =
            only_finding(|plan| plan.set("sites.acme.preferred_agent.entry_point", entry_point)).await;
        assert_eq!(found, wrong("entry_point"));
    }
}

#[tokio::test]
async fn a_number_an_agent_or_a_token_that_webex_does_not_know_is_found() {
    assert_eq!(only_finding(|plan| plan.set("sites.acme.ani", "+15555550199")).await, wrong("ani"));
    assert_eq!(only_finding(|plan| plan.set("agents.grace.email", "gone@example.com")).await, wrong("agent"));
    let expired = findings(|plan| {
        public(plan);
        plan.set("webex.access_token", organization::EXPIRED_TOKEN);
    })
    .await;
    assert!(expired.iter().all(|(_, verdict)| verdict == "wrong") && expired.len() >= 4, "{expired:?}");
    let unreachable = findings(|plan| {
        public(plan);
        plan.set("webex.base_url", "http://127.0.0.1:1");
    })
    .await;
    assert_eq!(unreachable, [wrong("webex")]);
    let plain = findings(|plan| plan.set("server.public_url", "http://callback.example.com")).await;
    assert!(plain.contains(&wrong("public_address")), "{plain:?}");
}

#[tokio::test]
async fn a_subscription_is_made_once_mended_and_ended() {
    let mut house = House::without_service(|plan| {
        plan.unsubscribed();
        // Late enough that news can only have come by webhook.
        plan.set("delivery.quiet_s", 3600);
    })
    .await;
    let public_url = house.url().to_owned();
    let config = std::fs::read_to_string(house.config_file()).unwrap();
    let mut config: toml::Table = config.parse().unwrap();
    config["server"].as_table_mut().unwrap().insert("public_url".to_owned(), public_url.into());
    std::fs::write(house.config_file(), config.to_string()).unwrap();

    for _ in 0..2 {
        let (good, text) = run(&house, &["webex", "subscribe"]).await;
        assert!(good && text.contains("(V2)"), "{text}");
    }
    let (_, status) = run(&house, &["webex", "status"]).await;
    assert_eq!(status.lines().count(), 1, "{status}");
    assert!(status.contains("V2 active task:new"), "{status}");

    house.start().await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;

    let (good, _) = run(&house, &["webex", "unsubscribe"]).await;
    assert!(good);
    let (_, status) = run(&house, &["webex", "status"]).await;
    assert!(status.starts_with("no subscription sends its events to"), "{status}");
}
