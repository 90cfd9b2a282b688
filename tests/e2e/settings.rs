//! The configuration: what is wrong stops the start and is told with key, problem and remedy.

use std::process::Stdio;

use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::service;
use toml::{Table, Value};

type Change = Box<dyn FnOnce(&mut Plan)>;

fn set(key: &'static str, value: impl Into<Value> + 'static) -> Change {
    Box::new(move |plan| plan.set(key, value))
}

#[tokio::test]
async fn a_value_that_cannot_be_used_stops_the_start_with_key_problem_and_remedy() {
    let wrong: Vec<(&str, Change)> = vec![
        ("server.listen", set("server.listen", "localhost")),
        ("server.public_url", set("server.public_url", "https://call.example.com/path")),
        ("server.trusted_proxies", set("server.trusted_proxies", vec!["10.0.0.0/33"])),
        ("webex.region", set("webex.region", "mars1")),
        ("webex.base_url", set("webex.base_url", "ftp://x")),
        ("webex.access_token", set("webex.access_token", "")),
        ("webex.access_token_file", set("webex.access_token_file", "/nonexistent/token")),
        ("webex.webhook_secrets_file", set("webex.webhook_secrets_file", "/nonexistent/secrets")),
        ("webex.webhook_secrets", set("webex.webhook_secrets", vec!["short"])),
        ("webex.request_timeout_ms", set("webex.request_timeout_ms", 0)),
        ("delivery.lease_s", set("delivery.lease_s", 1)),
        ("delivery.retry_s", set("delivery.retry_s", Vec::<i64>::new())),
        ("delivery.concurrency", set("delivery.concurrency", 0)),
        ("delivery.search_grace_s", set("delivery.search_grace_s", 0)),
        ("delivery.deadline_s", set("delivery.deadline_s", 0)),
        ("delivery.deadline_s", set("delivery.deadline_s", "two hours")),
        ("delivery.when_unsearchable", set("delivery.when_unsearchable", "guess")),
        ("limits.address", Box::new(|plan| plan.limit("address", 0, 1))),
        ("limits.body_bytes", set("limits.body_bytes", 10)),
        ("log.level", set("log.level", "loud")),
        ("sites.acme.origins", set("sites.acme.origins", vec!["www.acme.example"])),
        ("sites.acme.origins", set("sites.acme.origins", vec!["https://*"])),
        ("sites.acme.origins", set("sites.acme.origins", vec!["https://www.*.example"])),
        ("sites.acme.entry_point", set("sites.acme.entry_point", "")),
        ("sites.acme.countries", set("sites.acme.countries", vec!["XX"])),
        ("sites.acme.ani", set("sites.acme.ani", "2025550100")),
        ("sites.acme.locale", set("sites.acme.locale", "xx")),
        ("sites.acme.theme.color", set("sites.acme.theme.color", "blue")),
        ("the nearest is \"step.queue\"", set("sites.acme.texts.en.queue", "x")),
        (
            "sites.acme.attributes",
            set("sites.acme.attributes", Table::from_iter([("A".to_owned(), Value::from("{nmae}"))])),
        ),
        ("sites.acme.reference_variable", set("sites.acme.reference_variable", "Nothing")),
        ("sites.acme.preferred_agent.ani", set("sites.acme.preferred_agent.ani", "x")),
        (
            "sites.UPPER",
            Box::new(|plan| {
                plan.set("sites.UPPER.name", "x");
                plan.set("sites.UPPER.entry_point", "x");
            }),
        ),
        ("agents.grace.email", set("agents.grace.email", "")),
        ("agents.grace.sites", set("agents.grace.sites", vec!["nobody"])),
        ("api_keys.crm.key", set("api_keys.crm.key", "short")),
        ("api_keys.crm.key_file", set("api_keys.crm.key_file", "/nonexistent/key")),
        ("servre", set("servre.listen", "127.0.0.1:0")),
        ("listne", set("server.listne", "127.0.0.1:0")),
        (
            "sites",
            Box::new(|plan| {
                plan.unset("sites");
                plan.unset("agents");
                plan.unset("api_keys");
            }),
        ),
    ];
    for (key, change) in wrong {
        let mut house = House::without_service(change).await;
        let status = house.try_start().await.expect_err(key);
        assert_eq!(status.code(), Some(1), "{key}");
        let log = house.log();
        assert!(log.contains(key), "{key} is not named:\n{log}");
        assert!(log.contains("hint: "), "{key} has no remedy:\n{log}");
        assert!(!log.contains("panicked"), "{key}:\n{log}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_one_start() {
    let mut house = House::without_service(|plan| {
        plan.set("webex.region", "mars1");
        plan.set("delivery.deadline_s", 0);
        plan.set("api_keys.crm.key", "short");
    })
    .await;
    house.try_start().await.expect_err("it must not start");
    let log = house.log();
    for key in ["webex.region", "delivery.deadline_s", "api_keys.crm.key"] {
        assert!(log.contains(key), "{key}:\n{log}");
    }
}

#[tokio::test]
async fn a_secret_of_the_wrong_type_is_not_told() {
    const SECRET: &str = "a-secret-that-is-no-list-0123456789";
    let mut house = House::without_service(|plan| plan.set("webex.webhook_secrets", SECRET)).await;
    house.private.add(SECRET);
    house.try_start().await.expect_err("it must not start");
    assert!(house.log().contains("webex.webhook_secrets"), "{}", house.log());
}

#[tokio::test]
async fn the_environment_overrides_the_file() {
    let mut house = House::without_service(|plan| {
        plan.set("sites.acme.name", "From the file");
        plan.environment("RINGBACK__SITES__ACME__NAME", "From the environment");
        plan.environment("RINGBACK__SITES__ACME__COUNTRIES", "[\"DE\"]");
        plan.environment("RINGBACK__LIMITS__READS", "{ requests = 2, per_s = 600 }");
    })
    .await;
    house.start().await;
    let form = house.get("/v1/sites/acme/form").await.ok();
    assert_eq!(form["name"], "From the environment");
    let countries = form["countries"].as_array().unwrap();
    assert_eq!((&countries[0]["code"], countries.len()), (&"DE".into(), 1));
    house.get("/v1/sites/acme/form").await.ok();
    assert_eq!(house.get("/v1/sites/acme/form").await.status.as_u16(), 429);
}

#[tokio::test]
async fn a_wrong_variable_is_named() {
    for (name, value) in [
        ("RINGBACK__DELIVERY__DEADLINE_S", "soon"),
        ("RINGBACK__SERVER__LISTNE", "127.0.0.1:0"),
        ("RINGBACK__NONSENSE", "1"),
    ] {
        let mut house = House::without_service(|plan| plan.environment(name, value)).await;
        house.try_start().await.expect_err(name);
        assert!(house.log().contains(name), "{name}:\n{}", house.log());
    }
}

#[tokio::test]
async fn a_file_that_is_missing_or_no_toml_is_named() {
    let output = service::output(&["serve", "--config", "/nonexistent/ringback.toml"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("/nonexistent/ringback.toml") && error.contains("hint: "), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.toml");
    std::fs::write(&file, "[webex]\naccess_token = \"secret-in-a-broken-line\n").unwrap();
    let output = service::output(&["serve", "--config", file.to_str().unwrap()]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("broken.toml line 2") && error.contains("hint: "), "{error}");
    assert!(!error.contains("secret-in"), "{error}");
}

#[test]
fn the_default_file_can_be_printed_and_is_a_whole_configuration() {
    let output = service::output(&["config"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let table: Table = text.parse().unwrap();
    for section in ["server", "store", "webex", "delivery", "limits", "log"] {
        assert!(table.contains_key(section), "{section}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_once_and_with_the_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut house = House::without_service(|plan| plan.set("server.listen", address.as_str())).await;
    house.try_start().await.expect_err("it must not start");
    let log = house.log();
    assert!(log.contains("(server.listen)") && log.contains("hint: "), "{log}");
    assert_eq!(log.matches("Address already in use").count(), 1, "{log}");
}

#[test]
fn who_reads_no_further_has_got_what_was_asked_for() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = service::command(&["config"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
}

#[test]
fn a_command_that_does_not_exist_is_told() {
    let output = service::output(&["srve"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}
