//! The clients in `examples/crm`, run against the service as their users run them.

use std::path::Path;
use std::process::Stdio;

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::API_KEY;
use ringback_tests::receiver::Receiver;
use ringback_tests::visitor;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use webex_simulator::{Fault, Operation};

const SECRET: &str = "whsec_c2VjcmV0LW9mLXRoZS1leGFtcGxlcy0wMTIzNDU2Nzg=";

/// What a client has printed, and whether it was content.
struct Done {
    text: String,
    said: String,
    is_well: bool,
}

impl Done {
    #[track_caller]
    fn lines(&self) -> Vec<Value> {
        assert!(self.is_well, "{}", self.said);
        self.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

async fn client(house: &House, name: &str, arguments: &[&str], input: &str) -> Done {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/crm").join(name);
    let mut child = Command::new(program)
        .args(arguments)
        .env("RINGBACK_URL", house.url())
        .env("RINGBACK_KEY", API_KEY)
        .env("RINGBACK_WEBHOOK_SECRET", SECRET)
        .env("NO_PROXY", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    // A client that does not read its input has closed it.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    Done {
        text: String::from_utf8(output.stdout).unwrap(),
        said: String::from_utf8(output.stderr).unwrap(),
        is_well: output.status.success(),
    }
}

/// Everything that a client can do.
async fn does_its_job(name: &str) {
    let receiver = Receiver::start().await;
    let house = House::with(|plan| {
        plan.set("webhooks.crm.url", receiver.url.as_str());
        plan.set("webhooks.crm.secrets", vec![SECRET]);
        plan.set("webhook_delivery.allowed_networks", vec!["127.0.0.1"]);
    })
    .await;
    house.private.add(SECRET);

    // Waits for what comes of it; again under the same key, it is the same.
    let body = visitor::crm_request_with(json!({ "name": "Ann \"O'Neil\" $HOME", "another": true }));
    house.private.add_from(&body);
    let created =
        client(&house, name, &["create", "case-1", "30"], &body.to_string()).await.lines().remove(0);
    house.private.add(created["follow"].as_str().unwrap());
    assert_eq!(created["callback"]["reference"], "case 4711/17", "{name}");
    let id = created["id"].as_str().unwrap();
    let again = client(&house, name, &["create", "case-1"], &body.to_string()).await.lines().remove(0);
    assert_eq!(again["id"], id);
    house.until(id, State::Completed).await;
    assert_eq!(client(&house, name, &["show", id], "").await.lines()[0]["state"], "completed");
    assert_eq!(house.tasks().await.len(), 1);

    // Every page of the list.
    for _ in 0..2 {
        house.send(house.crm_post(&visitor::crm_request_with(json!({ "another": true })))).await.accepted();
    }
    let pages = client(&house, name, &["list", "limit=1"], "").await.lines();
    let count: usize = pages.iter().map(|page| page["callbacks"].as_array().unwrap().len()).sum();
    assert_eq!((pages.len(), count), (3, 3), "{name}");

    // Called off while Webex takes nothing.
    house.until_tasks(3).await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let held = client(&house, name, &["create", "case-2"], &body.to_string()).await.lines().remove(0);
    house.private.add(held["follow"].as_str().unwrap());
    let held = held["id"].as_str().unwrap();
    eventually("it is called off", async || {
        let done = client(&house, name, &["cancel", held], "").await;
        done.is_well.then(|| assert_eq!(done.lines()[0]["state"], "cancelled"))
    })
    .await;

    // A refusal ends the client with the problem.
    let refused = client(&house, name, &["create", "case-3"], r#"{"site":"acme","phone":"1"}"#).await;
    assert!(!refused.is_well && refused.said.contains("phone_too_short"), "{name}: {}", refused.said);

    // A message is believed as it came, and in no other way.
    let message = eventually("a message", async || receiver.received().pop()).await;
    let header = |name: &str| message.headers[name].as_str();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let signatures = format!("v1,AAAA {}", header("webhook-signature"));
    let verified = async |timestamp: &str, signatures: &str, body: &str| {
        client(&house, name, &["verify", id, timestamp, signatures], body).await.is_well
    };
    assert!(verified(timestamp, &signatures, &message.body).await, "{name}");
    assert!(!verified(timestamp, "v1,AAAA", &message.body).await, "{name}");
    assert!(!verified(timestamp, &signatures, &format!("{} ", message.body)).await, "{name}");
    let old = (timestamp.parse::<i64>().unwrap() - 400).to_string();
    assert!(!verified(&old, &signatures, &message.body).await, "{name}");
}

#[tokio::test]
async fn the_client_in_shell_does_its_job() {
    does_its_job("ringback.sh").await;
}

#[tokio::test]
async fn the_client_in_python_does_its_job() {
    does_its_job("ringback.py").await;
}

#[tokio::test]
async fn the_client_in_node_does_its_job() {
    does_its_job("ringback.mjs").await;
}

#[tokio::test]
async fn the_description_of_the_api_fits_the_addresses_that_there_are() {
    // A site without a time to choose has no slots to list.
    let house = House::with(|plan| {
        plan.set("sites.acme.schedule.through", "store");
        plan.set("sites.acme.schedule.timezone", "America/New_York");
    })
    .await;
    let answer = house.get("/v1/openapi.json").await;
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let document = answer.ok();
    for (path, item) in document["paths"].as_object().unwrap() {
        let address = path.replace("{site}", "acme").replace("{id}", "019b7a4c-6f00-7a33-9d0e-5b1c2f3a4d5e");
        for method in item.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = house.send(house.request(method.clone(), &address)).await;
            // Not "there is nothing here", not "not by this method": the handler itself has answered.
            assert!(![404, 405, 500].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.text());
            let status = answer.status.as_u16().to_string();
            let told = &item[method.as_str().to_lowercase()]["responses"];
            assert!(told.get(&status).is_some(), "{method} {path}: {status} is not told");
        }
    }
}
