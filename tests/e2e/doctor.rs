//! `ringback doctor` and `ringback webex`: what an operator runs against the organisation.

use std::os::unix::fs::PermissionsExt as _;

use ringback_contract::callback::State;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::service;
use serde_json::{Value, json};
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
    findings_in(&House::without_service(change).await).await
}

async fn findings_in(house: &House) -> Vec<(String, String)> {
    let (good, text) = run(house, &["doctor", "--json"]).await;
    let found: Vec<Value> =
        serde_json::from_str(text.lines().next().unwrap()).unwrap_or_else(|_| panic!("no findings: {text}"));
    for finding in &found {
        let good = finding["verdict"] == "good";
        assert_eq!(finding["remedy"].is_null(), good, "{finding}");
    }
    assert_eq!(good, found.iter().all(|finding| finding["verdict"] != "wrong"), "{text}");
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

/// The finding of a check, where that is the only one beside those of a subscription and an address that these houses do
/// not have.
async fn only_finding(change: impl FnOnce(&mut Plan)) -> (String, String) {
    let mut found = findings(|plan| {
        public(plan);
        change(plan);
    })
    .await;
    found.retain(|(check, _)| check != "webhooks" && check != "webhook_address");
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn wrong(check: &str) -> (String, String) {
    (check.to_owned(), "wrong".to_owned())
}

fn doubtful(check: &str) -> (String, String) {
    (check.to_owned(), "doubtful".to_owned())
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
async fn a_database_that_everybody_on_the_machine_may_read_is_found() {
    let house = House::with(public).await;
    let rights = |mode| {
        let file = house.folder().join("ringback.db");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    assert!(!findings_in(&house).await.contains(&doubtful("database_rights")));
    rights(0o644);
    assert!(findings_in(&house).await.contains(&doubtful("database_rights")));
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
    assert!(expired.contains(&wrong("scope")), "{expired:?}");
    let unreachable = findings(|plan| {
        public(plan);
        plan.set("webex.base_url", "http://127.0.0.1:1");
    })
    .await;
    assert_eq!(unreachable, [doubtful("webhook_address"), wrong("webex")]);
}

#[tokio::test]
async fn an_agent_who_has_left_or_has_another_id_is_found() {
    let left = only_finding(|plan| plan.set("agents.grace.email", organization::LEA_EMAIL)).await;
    assert_eq!(left, wrong("agent"));
    let other = only_finding(|plan| plan.set("agents.grace.id", organization::OMAR_ID)).await;
    assert_eq!(other, wrong("agent"));
}

#[tokio::test]
async fn a_token_that_may_not_do_what_is_needed_is_found() {
    for token in [organization::TOKEN_WITHOUT_USER, organization::TOKEN_WITHOUT_READ] {
        assert_eq!(only_finding(|plan| plan.set("webex.access_token", token)).await, wrong("scope"));
    }
    let other = findings(|plan| {
        public(plan);
        plan.set("webex.organization_id", "5f1e0c2a-7b3d-4c19-9a64-00000000dead");
    })
    .await;
    assert!(other.contains(&doubtful("organization")) && other.contains(&wrong("scope")), "{other:?}");
    let not_connected = findings(|plan| {
        public(plan);
        plan.oauth();
    })
    .await;
    assert!(not_connected.contains(&wrong("authorization")), "{not_connected:?}");
}

#[tokio::test]
async fn a_queue_or_a_variable_that_is_not_there_is_found() {
    let gone = "55555555-0000-4000-8000-00000000dead";
    let queue = only_finding(|plan| plan.set("sites.acme.wait_time.queue", gone)).await;
    assert_eq!(queue, wrong("queue"));
    let misspelt =
        only_finding(|plan| plan.set("sites.acme.preferred_agent.variable", "prefferedAgent")).await;
    assert_eq!(misspelt, doubtful("variable"));
    let unknown = only_finding(|plan| {
        plan.set("sites.acme.attributes.RingbackRef", "{callback_id}");
        plan.set("sites.acme.attributes.Nonsense", "{name}");
    })
    .await;
    assert_eq!(unknown, doubtful("variable"));
    let not_reportable = only_finding(|plan| {
        plan.set("sites.acme.attributes.Page", "{callback_id}");
        plan.set("sites.acme.reference_variable", "Page");
    })
    .await;
    assert_eq!(not_reportable, doubtful("variable"));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_found() {
    let house = House::without_service(public).await;
    house.control().patch(json!({ "clock_ahead_s": -3600 })).await.unwrap();
    assert!(findings_in(&house).await.contains(&wrong("clock")));
    house.control().patch(json!({ "clock_ahead_s": 30 })).await.unwrap();
    assert!(!findings_in(&house).await.contains(&wrong("clock")));
}

#[tokio::test]
async fn a_database_that_cannot_be_is_found() {
    let nowhere = only_finding(|plan| plan.set("store.path", "/nowhere/ringback.db")).await;
    assert_eq!(nowhere, wrong("database"));
    let house = House::without_service(public).await;
    std::fs::write(house.folder().join("ringback.db"), "this is no database, however long it may be")
        .unwrap();
    assert!(findings_in(&house).await.contains(&wrong("database")));
    let away = only_finding(|plan| plan.set("store.url", "postgres://ringback@127.0.0.1:1/ringback")).await;
    assert_eq!(away, wrong("database"));
    // Where the tokens are kept in it, no more than that can be said.
    let with_tokens = findings(|plan| {
        public(plan);
        plan.oauth();
        plan.set("store.path", "/nowhere/ringback.db");
    })
    .await;
    assert!(
        with_tokens.contains(&wrong("database")) && with_tokens.contains(&wrong("authorization")),
        "{with_tokens:?}"
    );
    // Looking makes none.
    let untouched = House::without_service(public).await;
    assert!(findings_in(&untouched).await.iter().all(|(check, _)| check != "database"));
    assert!(!untouched.folder().join("ringback.db").exists());
}

#[tokio::test]
async fn an_address_that_webhooks_cannot_reach_is_found() {
    for address in ["http://callback.example.com", "https://callback.example.com:8443", "https://10.1.2.3"] {
        let found = only_finding(|plan| plan.set("server.public_url", address)).await;
        assert_eq!(found, wrong("public_address"), "{address}");
    }
    let nobody = findings(public).await;
    assert!(nobody.contains(&doubtful("webhook_address")), "{nobody:?}");
    // Another server than this service, and then the service.
    let mut house = House::without_service(|_| {}).await;
    set_public_url(&house, &house.webex.base_url());
    assert!(findings_in(&house).await.contains(&wrong("webhook_address")));
    set_public_url(&house, house.url());
    house.start().await;
    let found = findings_in(&house).await;
    assert!(!found.iter().any(|(check, _)| check == "webhook_address"), "{found:?}");
}

fn set_public_url(house: &House, public_url: &str) {
    let config = std::fs::read_to_string(house.config_file()).unwrap();
    let mut config: toml::Table = config.parse().unwrap();
    config["server"].as_table_mut().unwrap().insert("public_url".to_owned(), public_url.into());
    std::fs::write(house.config_file(), config.to_string()).unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_the_subscription_is_found() {
    let without_secret = findings(|plan| {
        public(plan);
        plan.unset("webex.webhook_secrets");
    })
    .await;
    assert!(without_secret.contains(&doubtful("webhooks")), "{without_secret:?}");
    let house = House::without_service(public).await;
    assert!(findings_in(&house).await.contains(&doubtful("webhooks")));
    assert!(run(&house, &["webex", "subscribe"]).await.0);
    let found = findings_in(&house).await;
    assert!(!found.iter().any(|(check, _)| check == "webhooks"), "{found:?}");
    // Somebody else changes it, or Webex ends it.
    let subscriptions = format!("{}/v2/subscriptions", house.webex.base_url());
    let token = organization::ACCESS_TOKEN;
    let listed = house.http.get(&subscriptions).bearer_auth(token).send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    let ours =
        |one: &&Value| one["destinationUrl"].as_str().unwrap().starts_with("https://callback.example.com");
    let id = listed["data"].as_array().unwrap().iter().find(ours).unwrap()["id"].as_str().unwrap();
    for (change, finding) in [
        (json!({ "eventTypes": ["task:new", "task:ended"] }), doubtful("webhooks")),
        (json!({ "eventTypes": ["task:new"], "status": "inactive" }), wrong("webhooks")),
    ] {
        let changed = house.http.patch(format!("{subscriptions}/{id}")).bearer_auth(token).json(&change);
        assert_eq!(changed.send().await.unwrap().status(), 200);
        assert!(findings_in(&house).await.contains(&finding), "{change}");
    }
    assert!(run(&house, &["webex", "subscribe"]).await.0);
    let found = findings_in(&house).await;
    assert!(!found.iter().any(|(check, _)| check == "webhooks"), "{found:?}");
}

#[tokio::test]
async fn a_subscription_is_made_once_mended_and_ended() {
    let mut house = House::without_service(|plan| {
        plan.unsubscribed();
        // Late enough that news can only have come by webhook.
        plan.set("delivery.quiet_s", 3600);
    })
    .await;
    set_public_url(&house, house.url());

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
    let deeds = house.command(&["audit"]);
    assert_eq!(
        (deeds.matches("webex.subscribe").count(), deeds.matches("webex.unsubscribe").count()),
        (2, 1)
    );
}
