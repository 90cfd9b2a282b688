//! Personal data goes when its time is over, or when the person asks for it.

use std::os::unix::fs::PermissionsExt as _;

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, Plan};
use ringback_tests::visitor;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use webex_simulator::{Effect, Failure, Fault, Operation, Pace, TaskState, organization};

/// Everything that tells who the visitor is. The page stays in the ledger of consents, beside a hash of the number.
const PERSONAL: [&str; 4] = [visitor::NAME, visitor::PHONE_E164, visitor::EMAIL, visitor::MESSAGE];

/// Lets a month and a day go by, for what the database knows.
async fn a_month_passes(house: &House) {
    let sql = "UPDATE callback SET ended_at = ended_at - 2678400000, updated_at = updated_at - 2678400000";
    let config: toml::Table = std::fs::read_to_string(house.config_file()).unwrap().parse().unwrap();
    let url = config["store"].get("url").and_then(toml::Value::as_str).filter(|url| !url.is_empty());
    if let Some(url) = url {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    } else {
        let connection = rusqlite::Connection::open(house.folder().join("ringback.db")).unwrap();
        connection.execute(sql, []).unwrap();
    }
}

async fn completed(house: &House) -> String {
    let accepted = house.ask_with_key("once").await;
    house.until(&accepted.id, State::Completed).await;
    accepted.id
}

async fn what_ended_long_ago_is_erased(change: fn(&mut Plan)) {
    let mut house = House::with(|plan| {
        plan.pace(Pace::every(5));
        change(plan);
    })
    .await;
    let ended = completed(&house).await;
    house.control().set_pace(Pace::Manual).await.unwrap();
    let other = visitor::request_with(json!({ "phone": "+1 202 555 0199", "name": "Bea Example" }));
    let running = house.send(house.post(&other)).await.accepted();
    house.until(&running.id, State::Requested).await;
    house.stop().await;
    a_month_passes(&house).await;
    house.start().await;
    let record = eventually("it is erased", async || {
        Some(house.record(&ended).await).filter(|record| record["erased_at"].is_string())
    })
    .await;
    assert_eq!(record["state"], "completed");
    assert!(record["task_id"].is_string());
    assert_eq!(record["reference"], Value::Null);
    eventually("it is logged", async || {
        house.log().contains("personal data of ended callbacks erased").then_some(())
    })
    .await;
    // It is in every list, and its requests are still told.
    assert_eq!(house.requests_of(&ended).await.len(), 1);
    let list = house.send(house.request(Method::GET, "/v1/callbacks").bearer_auth(API_KEY)).await.ok();
    assert_eq!(list["callbacks"].as_array().unwrap().len(), 2);
    house.command(&["callbacks", "list"]);
    // What has not ended stays whole, and goes on.
    let task = house.tasks().await.into_iter().find(|task| task.destination == "+12025550199").unwrap();
    house.control().advance_to(&task.id, TaskState::Ended).await.unwrap();
    assert_eq!(house.until(&running.id, State::Completed).await["erased_at"], Value::Null);
    // A key is good for as long as what it stands for.
    assert_ne!(house.ask_with_key("once").await.id, ended);
}

#[tokio::test]
async fn what_ended_long_ago_is_erased_on_sqlite() {
    what_ended_long_ago_is_erased(|_| {}).await;
}

#[tokio::test]
async fn what_ended_long_ago_is_erased_on_postgresql() {
    what_ended_long_ago_is_erased(Plan::postgres).await;
}

#[tokio::test]
async fn what_is_never_found_out_is_let_go_and_erased() {
    // A token that may make tasks and may not search.
    let mut house =
        House::with(|plan| plan.set("webex.access_token", organization::TOKEN_WITHOUT_READ)).await;
    house.private.add(organization::TOKEN_WITHOUT_READ);
    house.control().fault(&Fault::new(Operation::CreateTask, Effect::CutAfter)).await.unwrap();
    let held = house.ask().await;
    house.until(&held.id, State::Unconfirmed).await;
    house.stop().await;
    let looks = async |house: &House| house.control().requests_for(Operation::Search).await.unwrap().len();
    let before = looks(&house).await;
    let connection = rusqlite::Connection::open(house.folder().join("ringback.db")).unwrap();
    // The last day of its month.
    let sql = "UPDATE callback SET updated_at = updated_at - 2505600000, deadline = deadline - 2505600000, due_at = 0";
    connection.execute(sql, []).unwrap();
    house.start().await;
    eventually("it is looked up again", async || (looks(&house).await > before).then_some(())).await;
    assert_eq!(house.record(&held.id).await["state"], "unconfirmed");
    house.stop().await;
    connection.execute("UPDATE callback SET updated_at = updated_at - 172800000, deadline = deadline - 172800000, due_at = 0", []).unwrap();
    house.start().await;
    house.until(&held.id, State::Untraced).await;
    // The house is kept once a minute, and at a start.
    house.stop().await;
    house.start().await;
    let erased = async || Some(house.record(&held.id).await).filter(|record| record["erased_at"].is_string());
    assert_eq!(eventually("it is erased", erased).await["state"], "untraced");
    drop(connection);
    assert_eq!(found_in_files(&house), [""; 0]);
}

/// What of a person stands in the files of the database as they lie there, the log among them.
fn found_in_files(house: &House) -> Vec<&'static str> {
    let files = std::fs::read_dir(house.folder()).unwrap().map(|entry| entry.unwrap().path());
    let of_store = files.filter(|path| path.to_string_lossy().contains("ringback.db"));
    let bytes: Vec<u8> = of_store.flat_map(|path| std::fs::read(path).unwrap()).collect();
    let holds = |text: &&&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    PERSONAL.iter().filter(holds).copied().collect()
}

#[tokio::test]
async fn nothing_that_tells_who_it_was_is_left_in_the_files_while_the_service_runs() {
    let house = House::with(|plan| plan.pace(Pace::every(5))).await;
    completed(&house).await;
    // Neighbours on the same pages, before and after, with texts that need pages of their own.
    for number in 100..140 {
        let changes = json!({ "phone": format!("+1 202 555 0{number}"), "name": "Bea", "message": "ä".repeat(900), "email": "" });
        house.send(house.post(&visitor::request_with(changes))).await.accepted();
    }
    assert_eq!(found_in_files(&house), PERSONAL);
    let told = house.command(&["forget", "--phone", "+1 202 555 0142"]);
    assert!(told.contains("1 callbacks to +12…42 erased"), "{told}");
    assert_eq!(found_in_files(&house), [""; 0]);
}

#[tokio::test]
async fn the_files_of_the_database_are_for_their_owner_alone() {
    let house = House::open().await;
    house.ask().await;
    let files: Vec<_> = std::fs::read_dir(house.folder()).unwrap().map(|entry| entry.unwrap()).collect();
    let of_store =
        files.iter().filter(|entry| entry.file_name().to_string_lossy().starts_with("ringback.db"));
    let with_data: Vec<_> = of_store.filter(|entry| entry.metadata().unwrap().len() > 0).collect();
    assert!(with_data.len() >= 2, "{files:?}");
    for entry in with_data {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
}

#[tokio::test]
async fn a_person_is_forgotten_as_far_as_webex_lets_us() {
    let house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let control = house.control();
    let ended = house.ask().await;
    let task = house.until_tasks(1).await.remove(0);
    control.advance_to(&task.id, TaskState::Ended).await.unwrap();
    house.until(&ended.id, State::Completed).await;
    let at_webex = house.ask().await;
    house.until(&at_webex.id, State::Requested).await;
    let other = house
        .send(house.post(&visitor::request_with(json!({ "phone": "+1 202 555 0143" }))))
        .await
        .accepted();
    let output = house.command_with(&["forget", "--phone", visitor::PHONE_E164, "--json"], "");
    assert!(!output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["erased"], 1);
    assert_eq!(told["left"], json!([{ "id": at_webex.id, "state": "requested" }]));
    assert!(String::from_utf8(output.stderr).unwrap().contains("run this again"));
    assert!(house.record(&ended.id).await["erased_at"].is_string());
    let task = house.tasks().await.into_iter().rfind(|task| task.destination == visitor::PHONE_E164).unwrap();
    control.advance_to(&task.id, TaskState::Ended).await.unwrap();
    house.until(&at_webex.id, State::Completed).await;
    assert!(house.command(&["forget", "--phone", visitor::PHONE_E164]).starts_with("1 callbacks"));
    assert!(house.command(&["forget", "--phone", visitor::PHONE_E164]).starts_with("0 callbacks"));
    assert_eq!(house.record(&other.id).await["erased_at"], Value::Null);
    for wrong in ["+0000", "2025550142", "x"] {
        assert!(!house.command_with(&["forget", "--phone", wrong], "").status.success(), "{wrong}");
    }
}

#[tokio::test]
async fn what_was_not_sent_is_called_off_and_erased() {
    let mut house = House::open().await;
    let away = Fault::new(Operation::CreateTask, Effect::Status(Failure::status(503)));
    house.control().fault(&away.times(u32::MAX)).await.unwrap();
    let first = house
        .send(house.post(&visitor::request_with(json!({ "phone": "+1 202 555 0143" }))))
        .await
        .accepted();
    let waiting = house.ask().await;
    house.stop().await;
    let told = house.command(&["forget", "--phone", visitor::PHONE_E164]);
    assert!(told.contains("1 callbacks") && told.contains("1 of which were called off first"), "{told}");
    house.control().clear_faults().await.unwrap();
    house.start().await;
    house.until_tasks(1).await;
    let record = house.record(&waiting.id).await;
    assert_eq!(record["state"], "cancelled");
    assert!(record["erased_at"].is_string());
    assert_ne!(house.record(&first.id).await["state"], "cancelled");
    assert!(house.tasks().await.iter().all(|task| task.destination != visitor::PHONE_E164));
}
