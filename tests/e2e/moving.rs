//! A whole store goes from one database to another, and its schema is looked at before anything else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY_FOR_ALL, Plan};
use ringback_tests::visitor;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use webex_simulator::{Effect, Fault, Operation, Pace, TaskState};

/// The rows of a file, by table, without the order of the columns.
fn rows(file: &Path) -> BTreeMap<String, Vec<Value>> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if let (Some(table), row) = (line["table"].as_str(), &line["row"]) {
            // Each move is written down where it was made.
            if table == "audit" && row["action"].as_str().is_some_and(|action| action.starts_with("store.")) {
                continue;
            }
            let flags = ["applied", "joined", "given", "at_opening"];
            let row = row.as_object().unwrap().iter().map(|(name, value)| match value.as_bool() {
                // SQLite has no kind of its own for these.
                Some(flag) if flags.contains(&name.as_str()) => (name.clone(), json!(i64::from(flag))),
                _ => (name.clone(), value.clone()),
            });
            rows.entry(table.to_owned()).or_default().push(row.collect());
        }
    }
    rows
}

fn file(house: &House, name: &str) -> PathBuf {
    house.folder().join(name)
}

fn moved(house: &House, command: &str, file: &Path) -> String {
    house.command(&[command, file.to_str().unwrap()])
}

fn refused(house: &House, command: &str, file: &Path) -> String {
    let output = house.command_with(&[command, file.to_str().unwrap()], "");
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// A house that knows the same Webex as the other, and another database.
async fn at_the_same_webex(other: &House, change: impl FnOnce(&mut Plan)) -> House {
    House::without_service(|plan| {
        plan.set("webex.base_url", other.webex.base_url());
        plan.set("delivery.quiet_s", 1);
        change(plan);
    })
    .await
}

fn other_number(number: u32) -> Value {
    visitor::request_with(json!({ "phone": format!("+1 202 555 0{number}") }))
}

/// Callbacks in many states, events, keys, links that were taken back, messages; then a stop.
async fn lived_in() -> House {
    let mut house = House::with(|plan| {
        plan.pace(Pace::Manual);
        plan.set("webhooks.crm.url", "http://127.0.0.1:9/");
        plan.set("webhooks.crm.secrets", vec!["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="]);
        plan.set("webhook_delivery.allowed_networks", vec!["127.0.0.1"]);
    })
    .await;
    let control = house.control();
    let completed = house.ask_with_key("once").await;
    let task = house.until_tasks(1).await.remove(0);
    control.advance_to(&task.id, TaskState::Ended).await.unwrap();
    house.until(&completed.id, State::Completed).await;
    let requested = house.send(house.post(&other_number(101))).await.accepted();
    house.until(&requested.id, State::Requested).await;
    house.key(&["--site", "acme", "--name", "The CRM"]);
    house.command(&["link", "revoke", "--agent", "omar"]);
    house.command(&["secret", "rotate"]);
    // Webex fails from now on, so that the rest waits.
    let away = Fault::new(Operation::CreateTask, Effect::Status(webex_simulator::Failure::status(503)));
    control.fault(&away.times(u32::MAX)).await.unwrap();
    for number in 102..106 {
        house.send(house.post(&other_number(number))).await.accepted();
    }
    let cancelled = house.send(house.post(&other_number(106))).await.accepted();
    let path = format!("/v1/callbacks/{}", cancelled.id);
    // It is called off between two attempts.
    eventually("it is called off", async || {
        let request = house.request(reqwest::Method::DELETE, &path).bearer_auth(&cancelled.follow);
        (house.send(request).await.status.as_u16() == 200).then_some(())
    })
    .await;
    house.stop().await;
    house
}

#[tokio::test]
async fn a_store_goes_to_postgresql_and_back_and_nobody_is_rung_twice() {
    let house = lived_in().await;
    let first = file(&house, "first.jsonl");
    assert!(moved(&house, "export", &first).contains("7 of callback"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&first).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = rows(&first);
    for table in [
        "idempotency",
        "attempt",
        "task_event",
        "signing_key",
        "revoked_link",
        "api_key",
        "outgoing_message",
        "consent",
        "consent_text",
        "audit",
    ] {
        assert!(before.contains_key(table), "there is no {table} to move");
    }
    let mut beyond = at_the_same_webex(&house, Plan::postgres).await;
    moved(&beyond, "import", &first);
    let second = file(&beyond, "second.jsonl");
    moved(&beyond, "export", &second);
    assert_eq!(rows(&second), before);
    let back = at_the_same_webex(&house, |_| {}).await;
    moved(&back, "import", &second);
    let third = file(&back, "third.jsonl");
    moved(&back, "export", &third);
    assert_eq!(rows(&third), before);
    // A service on the imported store goes on with what was waiting.
    house.control().clear_faults().await.unwrap();
    house.control().set_pace(Pace::every(10)).await.unwrap();
    beyond.start().await;
    let tasks = house.until_tasks(6).await;
    let destinations: std::collections::BTreeSet<_> = tasks.iter().map(|task| &task.destination).collect();
    assert_eq!(destinations.len(), 6);
    let path = "/v1/callbacks?limit=200";
    let list =
        beyond.send(beyond.request(reqwest::Method::GET, path).bearer_auth(API_KEY_FOR_ALL)).await.ok();
    assert_eq!(list["callbacks"].as_array().unwrap().len(), 7);
    // The key of a request is known there too.
    let again = beyond.post(&visitor::request()).header("Idempotency-Key", "once");
    beyond.send(again).await.accepted();
    assert_eq!(house.tasks().await.len(), 6);
}

#[tokio::test]
async fn what_is_not_a_whole_store_is_refused_and_changes_nothing() {
    let house = lived_in().await;
    let whole = file(&house, "whole.jsonl");
    moved(&house, "export", &whole);
    let text = std::fs::read_to_string(&whole).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let write = |name: &str, lines: &[&str]| {
        let path = file(&house, name);
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        path
    };
    let schema: Value = serde_json::from_str(lines[0]).unwrap();
    let newer = lines[0].replace(&schema["schema"].to_string(), "9999");
    let stranger = lines[1].replace("\"agent\":", "\"agent; DROP TABLE callback\":");
    assert_ne!(stranger, lines[1]);
    let last = lines.len() - 1;
    let wrongs = [
        (write("cut", &lines[..last]), "it was cut short"),
        (write("less", &[&lines[..last - 1], &lines[last..]].concat()), "rows are missing"),
        (write("more", &[&lines[..], &lines[last..]].concat()), "more behind the end"),
        (write("newer", &[&[newer.as_str()], &lines[1..]].concat()), "schema 9999"),
        (write("stranger", &[&lines[..1], &[stranger.as_str()], &lines[2..]].concat()), "has no column"),
        (write("nonsense", &["nonsense"]), "line 1"),
        (write("empty", &[]), "line 1"),
        (file(&house, "none"), "No such file"),
    ];
    for change in [|_: &mut Plan| {}, Plan::postgres] {
        let empty = at_the_same_webex(&house, change).await;
        for (path, what) in &wrongs {
            let told = refused(&empty, "import", path);
            assert!(told.contains(what), "{}: {told}", path.display());
            assert!(!told.contains("555"), "{told}");
        }
        moved(&empty, "import", &whole);
        assert!(refused(&empty, "import", &whole).contains("new"));
        assert!(refused(&empty, "export", &whole).contains("there already"));
    }
}

#[tokio::test]
async fn nothing_is_moved_while_a_service_runs() {
    for change in [|_: &mut Plan| {}, Plan::postgres] {
        let mut house = House::with(change).await;
        house.ask().await;
        let path = file(&house, "store.jsonl");
        for command in ["export", "import"] {
            std::fs::write(file(&house, "header"), "{\"ringback_store\":1,\"schema\":1}\n").unwrap();
            let path = if command == "export" { path.clone() } else { file(&house, "header") };
            assert!(refused(&house, command, &path).contains("a service runs"), "{command}");
        }
        assert!(!path.exists());
        house.stop().await;
        // A service that stopped in good order has taken leave.
        moved(&house, "export", &path);
    }
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused_by_every_command() {
    const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                         VALUES (9999, 'later', TRUE, ''{}, 0)";
    let mut house = House::open().await;
    assert!(house.command(&["migrate"]).ends_with("nothing to do"));
    house.stop().await;
    let database = rusqlite::Connection::open(house.folder().join("ringback.db")).unwrap();
    database.execute(&NEWER.replace("{}", ""), []).unwrap();
    drop(database);
    newer_is_refused(&mut house).await;

    let mut house = House::with(Plan::postgres).await;
    house.stop().await;
    let config: toml::Table = std::fs::read_to_string(house.config_file()).unwrap().parse().unwrap();
    let mut connection = PgConnection::connect(config["store"]["url"].as_str().unwrap()).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(NEWER.replace("{}", "::bytea"))).execute(&mut connection).await.unwrap();
    newer_is_refused(&mut house).await;
}

async fn newer_is_refused(house: &mut House) {
    assert!(house.try_start().await.is_err());
    for arguments in [&["migrate"][..], &["callbacks", "list"], &["export", "/nowhere/at/all"]] {
        let output = house.command_with(arguments, "");
        assert!(!output.status.success(), "{arguments:?}");
    }
    let output = house.command_with(&["migrate"], "");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("the store has schema 9999") && told.contains("hint: install the newer version"),
        "{told}"
    );
}

#[tokio::test]
async fn migrate_makes_a_schema_and_says_which() {
    for change in [|_: &mut Plan| {}, Plan::postgres] {
        let mut house = House::without_service(change).await;
        assert!(house.command(&["migrate"]).ends_with("made anew"));
        assert!(house.command(&["migrate"]).ends_with("nothing to do"));
        house.start().await;
        house.ask().await;
    }
}

#[tokio::test]
async fn a_copy_that_is_taken_under_load_holds_every_callback_accepted_before() {
    let mut house = House::with(|plan| plan.pace(Pace::every(5))).await;
    let mut before = Vec::new();
    for number in 100..140 {
        before.push(house.send(house.post(&other_number(number))).await.accepted().id);
    }
    let copy = house.folder().join("copy.db");
    let path = house.folder().join("ringback.db");
    let target = copy.clone();
    let backup = tokio::task::spawn_blocking(move || {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.execute("VACUUM INTO ?", [target.to_str().unwrap()]).unwrap();
    });
    let mut number = 140;
    while !backup.is_finished() {
        house.send(house.post(&other_number(number % 100 + 100))).await.accepted();
        number += 1;
    }
    backup.await.unwrap();
    house.stop().await;
    let restored = at_the_same_webex(&house, |plan| plan.set("store.path", copy.to_str().unwrap())).await;
    for id in before {
        restored.command(&["callbacks", "show", &id]);
    }
    let check: String = rusqlite::Connection::open(copy)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}
