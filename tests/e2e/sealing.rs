//! With a key, nothing in the database tells who a visitor is.

use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::Pace;

const KEY: &str = "6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b";

/// What must not be found, and in which forms a number might be. The page stands in the ledger of consents, beside a keyed hash of
/// the number.
const PERSONAL: [&str; 5] =
    [visitor::NAME, visitor::PHONE_E164, "2025550142", visitor::EMAIL, visitor::MESSAGE];

fn found_in(house: &House) -> Vec<&'static str> {
    let files = std::fs::read_dir(house.folder()).unwrap().map(|entry| entry.unwrap().path());
    let of_store = files.filter(|path| path.to_string_lossy().contains("ringback.db"));
    let bytes: Vec<u8> = of_store.flat_map(|path| std::fs::read(path).unwrap()).collect();
    let holds = |text: &&&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    PERSONAL.iter().filter(holds).copied().collect()
}

/// What tokens and links are signed with, as it lies in the database.
fn signing_key(house: &House) -> Vec<u8> {
    let connection = rusqlite::Connection::open(house.folder().join("ringback.db")).unwrap();
    connection.query_row("SELECT secret FROM signing_key", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_copy_of_the_database_tells_nobody_who_asked_to_be_called() {
    let house = House::with(|plan| {
        plan.pace(Pace::Manual);
        plan.set("store.encryption_key", KEY);
    })
    .await;
    let first = house.ask_with_key("once").await;
    // A repeated post, a second request for the number, and the call itself are what they are without a key.
    assert_eq!(house.ask_with_key("once").await.id, first.id);
    assert_eq!(house.ask().await.id, first.id);
    assert_eq!(house.until_tasks(1).await[0].destination, visitor::PHONE_E164);
    house.until(&first.id, State::Requested).await;
    assert_eq!(found_in(&house), [""; 0]);
    // Whoever has the copy can forge no token and no link.
    assert!(signing_key(&house).len() > 32);
    let other = visitor::request_with(json!({ "phone": "+1 202 555 0199", "name": "Bea Example" }));
    house.send(house.post(&other)).await.accepted();
    let told = house.command_with(&["forget", "--phone", visitor::PHONE_E164], "");
    assert!(String::from_utf8_lossy(&told.stderr).contains("1 callbacks are left"), "{told:?}");
}

#[tokio::test]
async fn what_was_kept_in_clear_is_sealed_once_there_is_a_key() {
    let mut house = House::with(|plan| plan.pace(Pace::every(5))).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(found_in(&house).len(), PERSONAL.len());
    let signed_with = signing_key(&house);
    house
        .restart_with(|config| {
            let store = config["store"].as_table_mut().unwrap();
            store.insert("encryption_key".to_owned(), KEY.into());
        })
        .await;
    eventually("it is sealed", async || {
        house.log().contains("what the store held in clear is sealed").then_some(())
    })
    .await;
    assert_eq!(house.record(&accepted.id).await["state"], "completed");
    // What was signed before is known again, though the key that signed it cannot be read any more.
    assert_eq!(house.view(&accepted).await["state"], "completed");
    assert!(
        !signing_key(&house).windows(16).any(|window| signed_with.windows(16).any(|clear| clear == window))
    );
    eventually("the log is emptied", async || found_in(&house).is_empty().then_some(())).await;
    house.stop().await;
    // Without the key, nothing is read, and what is missing is said.
    let file = std::fs::read_to_string(house.config_file()).unwrap();
    std::fs::write(house.config_file(), file.replace(KEY, "")).unwrap();
    let told = house.command_with(&["callbacks", "list"], "");
    assert!(String::from_utf8_lossy(&told.stderr).contains("hint: set it to the key"), "{told:?}");
}
