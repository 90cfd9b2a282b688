//! With a key, nothing in the database tells who a visitor is.

use reqwest::Method;
use ringback_contract::callback::{Accepted, State};
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, Plan};
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::{Fault, Operation, Pace, organization};

const KEY: &str = "6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b";

/// What must not be found, and in which forms a number might be. The page stands in the ledger of consents, beside a keyed hash of
/// the number.
const PERSONAL: [&str; 5] =
    [visitor::NAME, visitor::PHONE_E164, "2025550142", visitor::EMAIL, visitor::MESSAGE];

/// What else a CRM's request can tell of people: whose case it is, and who was asked for.
const OF_CRM: [&str; 2] = ["case 4711/17", organization::MIA_EMAIL];

fn found_in(house: &House) -> Vec<&'static str> {
    found(house, &PERSONAL)
}

/// Which of these texts stand in the files of the database.
fn found(house: &House, texts: &[&'static str]) -> Vec<&'static str> {
    let files = std::fs::read_dir(house.folder()).unwrap().map(|entry| entry.unwrap().path());
    let of_store = files.filter(|path| path.to_string_lossy().contains("ringback.db"));
    let bytes: Vec<u8> = of_store.flat_map(|path| std::fs::read(path).unwrap()).collect();
    let holds = |text: &&&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    texts.iter().filter(holds).copied().collect()
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

/// A CRM whose webhook is away, so that what it is to be told waits.
fn with_crm(plan: &mut Plan) {
    plan.set("sites.acme.preferred_agent.agents_from", "webex");
    plan.set("webhooks.crm.url", "http://127.0.0.1:9/");
    plan.set("webhooks.crm.secrets", vec!["whsec_bmV3LXNlY3JldC1vZi10aGUtdGVzdHMtMDEyMzQ1Njc="]);
    plan.set("webhook_delivery.allowed_networks", vec!["127.0.0.1"]);
    plan.set("webhook_delivery.retry_s", vec![1, 600]);
}

async fn ask_for_mia(house: &House) -> Accepted {
    house.private.add(organization::MIA_EMAIL);
    let body = json!({ "agent": organization::MIA_EMAIL, "phone": "+12025550143" });
    house.send(house.crm_post(&visitor::crm_request_with(body))).await.accepted()
}

#[tokio::test]
async fn a_copy_of_the_database_tells_neither_whose_case_it_is_nor_who_was_asked_for() {
    let house = House::with(|plan| {
        with_crm(plan);
        plan.set("store.encryption_key", KEY);
    })
    .await;
    house.control().fault(&Fault::status(Operation::CreateTask, 429).times(u32::MAX)).await.unwrap();
    let accepted = ask_for_mia(&house).await;
    let path = format!("/v1/callbacks/{}", accepted.id);
    eventually("another number is taken", async || {
        let change = house.request(Method::PATCH, &path).bearer_auth(API_KEY);
        house.send(change.json(&json!({ "phone": "+12025550144" }))).await.status.is_success().then_some(())
    })
    .await;
    house.control().clear_faults().await.unwrap();
    assert_eq!(house.until(&accepted.id, State::Completed).await["reference"], OF_CRM[0]);
    assert_eq!(found(&house, &OF_CRM), [""; 0]);
    // What waits is told as it was meant, and so says the operator's list.
    let told: Value = serde_json::from_str(&house.command(&["webhooks", "list", "--json"])).unwrap();
    assert!(told.as_array().is_some_and(|messages| !messages.is_empty()), "{told}");
}

#[tokio::test]
async fn what_was_kept_in_clear_is_sealed_once_there_is_a_key() {
    let mut house = House::with(|plan| {
        plan.pace(Pace::every(5));
        plan.set("sites.acme.preferred_agent.agents_from", "webex");
    })
    .await;
    let accepted = house.ask().await;
    let of_crm = ask_for_mia(&house).await;
    house.until(&of_crm.id, State::Completed).await;
    assert_eq!(found(&house, &OF_CRM), OF_CRM);
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
    assert_eq!(found(&house, &OF_CRM), [""; 0]);
    assert_eq!(house.record(&of_crm.id).await["reference"], OF_CRM[0]);
    // An earlier version has left these beside what it had sealed.
    house.stop().await;
    let connection = rusqlite::Connection::open(house.folder().join("ringback.db")).unwrap();
    connection
        .execute(
            "UPDATE callback SET reference = ?1, agent = ?2 WHERE id = ?3",
            (OF_CRM[0], OF_CRM[1], &of_crm.id),
        )
        .unwrap();
    drop(connection);
    house.start().await;
    eventually("these are sealed, too", async || found(&house, &OF_CRM).is_empty().then_some(())).await;
    assert_eq!(house.record(&of_crm.id).await["reference"], OF_CRM[0]);
    house.stop().await;
    // Without the key, nothing is read, and what is missing is said.
    let file = std::fs::read_to_string(house.config_file()).unwrap();
    std::fs::write(house.config_file(), file.replace(KEY, "")).unwrap();
    let told = house.command_with(&["callbacks", "list"], "");
    assert!(String::from_utf8_lossy(&told.stderr).contains("hint: set it to the key"), "{told:?}");
}
