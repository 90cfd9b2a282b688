//! Who agreed to what, and what operators and keys did: written down, and never changed.

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, Plan};
use ringback_tests::visitor;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use webex_simulator::{Effect, Failure, Fault, Operation, Pace};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A house whose callbacks wait long after Webex has refused them once.
async fn waiting_house() -> House {
    let house = House::with(|plan| {
        plan.pace(Pace::Manual);
        plan.set("delivery.retry_s", vec![3600]);
    })
    .await;
    let away = Fault::new(Operation::CreateTask, Effect::Status(Failure::status(429))).times(u32::MAX);
    house.control().fault(&away).await.unwrap();
    house
}

async fn until_refused(house: &House, id: &str) {
    eventually("Webex has refused it", async || {
        let record = house.record(id).await;
        (record["attempts"] == 1 && record["state"] == "accepted").then_some(())
    })
    .await;
}

async fn consents_are_kept_apart(change: fn(&mut Plan)) {
    let house = House::with(|plan| {
        plan.pace(Pace::every(5));
        change(plan);
    })
    .await;
    let accepted = house.ask_with_key("once").await;
    // A repeated post is no second consent; a request that joins is one.
    house.ask_with_key("once").await;
    house.until(&accepted.id, State::Completed).await;
    house.command(&["forget", "--phone", visitor::PHONE_E164]);
    let text = house.command(&["consent", "list"]);
    let all = lines(&text);
    assert_eq!(all.len(), 1, "{text}");
    assert!(!text.contains("2025550142"));
    let given = &all[0];
    for (member, value) in [("site", "acme"), ("page", "https://www.acme.example/tents"), ("language", "en")]
    {
        assert_eq!(given[member], value);
    }
    assert_eq!((&given["given"], &given["callback"]), (&json!(true), &json!(accepted.id)));
    // The text that is kept is the one that the form showed.
    let form = house.get("/v1/sites/acme/form").await.ok();
    assert_eq!(form["consent"]["version"], given["version"]);
    let shown = house.command(&["consent", "text", given["text_hash"].as_str().unwrap()]);
    assert_eq!(form["consent"]["text"], shown.as_str());
    // Taking it back is an entry of its own, once.
    let told = house.command(&["consent", "revoke", "--phone", visitor::PHONE_E164]);
    assert!(told.starts_with("taken back at 1 sites"), "{told}");
    let told = house.command_with(&["consent", "revoke", "--phone", visitor::PHONE_E164], "");
    assert!(String::from_utf8_lossy(&told.stderr).contains("nothing that is not taken back"), "{told:?}");
    let of_person = lines(&house.command(&["consent", "list", "--phone", visitor::PHONE_E164]));
    assert_eq!(
        of_person.iter().map(|entry| entry["given"].as_bool()).collect::<Vec<_>>(),
        [Some(true), Some(false)]
    );
    assert_eq!(of_person[0]["person"], of_person[1]["person"]);
    assert!(house.command(&["consent", "list", "--phone", "+12025550143"]).is_empty());
    // The database itself refuses to change or to delete an entry.
    let statements = [
        "UPDATE consent SET version = 'other'",
        "DELETE FROM consent",
        "UPDATE audit SET actor = ''",
        "DELETE FROM audit",
        "UPDATE consent_text SET text = 'other'",
        "DELETE FROM consent_text",
    ];
    let of_sqlite = [
        "REPLACE INTO audit (rowid, at, actor, action, subject, detail) SELECT rowid, at, '', action, subject, detail FROM audit",
        "REPLACE INTO consent (rowid, person, given, site, text_hash, version, language, page, callback_id, at) \
         SELECT rowid, person, 0, site, text_hash, version, language, page, callback_id, at FROM consent",
    ];
    let config: toml::Table = std::fs::read_to_string(house.config_file()).unwrap().parse().unwrap();
    let url = config["store"].get("url").and_then(toml::Value::as_str).filter(|url| !url.is_empty());
    let of_sqlite = of_sqlite.iter().filter(|_| url.is_none());
    for statement in statements.iter().chain(of_sqlite).copied() {
        let refused = if let Some(url) = url {
            let mut connection = PgConnection::connect(url).await.unwrap();
            sqlx::query(statement).execute(&mut connection).await.unwrap_err().to_string()
        } else {
            let connection = rusqlite::Connection::open(house.folder().join("ringback.db")).unwrap();
            connection.execute(statement, []).unwrap_err().to_string()
        };
        assert!(refused.contains("append-only"), "{statement}: {refused}");
    }
    if url.is_none() {
        let connection = rusqlite::Connection::open(house.folder().join("ringback.db")).unwrap();
        let replaced =
            "REPLACE INTO consent_text SELECT hash, 'other', policy_url, first_at FROM consent_text";
        assert_eq!(connection.execute(replaced, []).unwrap(), 0);
    }
}

#[tokio::test]
async fn consents_are_kept_apart_on_sqlite() {
    consents_are_kept_apart(|_| {}).await;
}

#[tokio::test]
async fn consents_are_kept_apart_on_postgresql() {
    consents_are_kept_apart(Plan::postgres).await;
}

#[tokio::test]
async fn who_takes_a_consent_back_is_not_called() {
    let house = waiting_house().await;
    let accepted = house.ask().await;
    // Who joins agrees as well.
    assert_eq!(house.ask().await.id, accepted.id);
    assert_eq!(lines(&house.command(&["consent", "list"])).len(), 2);
    until_refused(&house, &accepted.id).await;
    let told = house.command(&["consent", "revoke", "--phone", visitor::PHONE_E164, "--site", "acme"]);
    assert_eq!(told, "taken back at 1 sites; 1 callbacks called off; `ringback forget` erases the rest");
    assert_eq!(house.record(&accepted.id).await["state"], "cancelled");
}

#[tokio::test]
async fn what_operators_and_keys_do_is_written_down() {
    let house = waiting_house().await;
    let posted =
        house.send(house.crm_post(&json!({ "site": "acme", "phone": visitor::PHONE }))).await.accepted();
    until_refused(&house, &posted.id).await;
    let path = format!("/v1/callbacks/{}", posted.id);
    house.send(house.request(Method::GET, &path).bearer_auth(API_KEY)).await.ok();
    house.send(house.request(Method::DELETE, &path).bearer_auth(API_KEY)).await.ok();
    let link = json!({ "site": "acme", "agent": "grace" });
    let minted =
        house.send(house.request(Method::POST, "/v1/agent-links").bearer_auth(API_KEY).json(&link)).await;
    assert_eq!(minted.status.as_u16(), 201);
    let key = house.key(&["--name", "CRM of the tests", "--site", "acme"]);
    house.command(&["secret", "rotate"]);
    house.command(&["link", "revoke", "--agent", "grace"]);
    house.command(&["forget", "--phone", visitor::PHONE_E164]);
    let text = house.command(&["audit"]);
    // Nothing that opens a door stands in there, and nobody's number.
    assert!(!text.contains(&key) && !text.contains("2025550142"), "{text}");
    let deeds = lines(&text);
    let told: Vec<_> = deeds.iter().map(|deed| deed["action"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        [
            "callback.create",
            "callback.cancel",
            "link.create",
            "key.create",
            "secret.rotate",
            "link.revoke",
            "person.forget"
        ]
    );
    assert_eq!(deeds[0]["subject"], posted.id.as_str());
    for (deed, actor) in
        deeds.iter().zip(["key:", "key:", "key:", "operator:", "operator:", "operator:", "operator:"])
    {
        assert!(deed["actor"].as_str().unwrap().starts_with(actor), "{deed}");
    }
    assert!(house.command(&["audit", "--since", "2100-01-01T00:00:00Z"]).is_empty());
}
