//! What the CRM is told by webhook.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, Plan};
use ringback_tests::receiver::{Answer, Received, Receiver};
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::{Fault, Operation};

const OLD: &str = "whsec_b2xkLXNlY3JldC1vZi10aGUtdGVzdHMtMDEyMzQ1Njc=";
const NEW: &str = "whsec_bmV3LXNlY3JldC1vZi10aGUtdGVzdHMtMDEyMzQ1Njc=";

/// Has the service tell the receiver.
fn told_to(plan: &mut Plan, url: &str) {
    plan.set("webhooks.crm.url", url);
    plan.set("webhooks.crm.secrets", vec![NEW, OLD]);
    plan.set("webhook_delivery.allowed_networks", vec!["127.0.0.1"]);
    plan.set("webhook_delivery.timeout_ms", 1000);
    plan.set("webhook_delivery.retry_s", vec![1, 1, 1, 1]);
}

async fn house_with(receiver: &Receiver, change: impl FnOnce(&mut Plan)) -> House {
    let house = House::with(|plan| {
        told_to(plan, &receiver.url);
        change(plan);
    })
    .await;
    house.private.add(NEW);
    house.private.add(OLD);
    house
}

async fn ask(house: &House) -> String {
    house.send(house.crm_post(&visitor::crm_request_with(json!({ "another": true })))).await.accepted().id
}

/// Waits until the receiver has taken that state of the callback; gives everything it has got of it.
async fn until_told(receiver: &Receiver, id: &str, state: State) -> Vec<Received> {
    eventually(&format!("{id} is told as {}", state.as_str()), async || {
        let all = receiver.received().into_iter();
        let of_it: Vec<_> = all.filter(|told| told.event()["data"]["id"] == id).collect();
        let told = |told: &Received| told.status == 200 && told.state() == state.as_str();
        of_it.iter().any(told).then_some(of_it)
    })
    .await
}

fn listed(house: &House, arguments: &[&str]) -> Vec<Value> {
    serde_json::from_str(&house.command(&[&["webhooks"], arguments, &["--json"]].concat())).unwrap()
}

#[tokio::test]
async fn every_state_is_told_once_signed_by_each_secret_and_says_nothing_of_the_person() {
    for change in [|_: &mut Plan| {}, Plan::postgres] {
        let receiver = Receiver::start().await;
        let house = house_with(&receiver, change).await;
        let id = ask(&house).await;
        house.until(&id, State::Completed).await;
        let told = until_told(&receiver, &id, State::Completed).await;
        let record = house.record(&id).await;
        let mut by_revision = BTreeMap::new();
        for message in &told {
            let event = message.event();
            assert!(message.is_signed_by(NEW) && message.is_signed_by(OLD), "{message:?}");
            assert!(!message.is_signed_by("whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldCAwMTIzNDU="));
            assert_eq!(event["type"], format!("callback.{}", message.state()));
            assert_eq!(event["data"]["reference"], "case 4711/17");
            assert_eq!(event["data"]["created_at"], record["created_at"]);
            for private in [visitor::NAME, visitor::PHONE_E164, visitor::EMAIL, visitor::MESSAGE] {
                assert!(!message.body.contains(private));
            }
            let revision = event["data"]["revision"].as_u64().unwrap();
            let told_before = by_revision.insert(revision, message.state());
            assert_eq!(told_before, None, "told twice: {message:?}");
        }
        let states: Vec<_> = by_revision.into_values().collect();
        assert_eq!((states[0].as_str(), states[1].as_str()), ("accepted", "sending"));
        assert_eq!(states.last().map(String::as_str), Some("completed"));
        // The receiver can tell the end from the number alone.
        let last = told.iter().find(|message| message.state() == "completed").unwrap();
        assert_eq!(last.event()["data"]["revision"], record["revision"]);
    }
}

#[tokio::test]
async fn a_webhook_hears_of_its_sites_and_states_alone() {
    let receiver = Receiver::start().await;
    let house = house_with(&receiver, |plan| {
        plan.set("webhooks.crm.sites", vec!["acme"]);
        plan.set("webhooks.crm.states", vec!["completed"]);
        plan.set("webhooks.elsewhere.url", receiver.url.as_str());
        plan.set("webhooks.elsewhere.secrets", vec![OLD]);
        plan.set("webhooks.elsewhere.sites", vec!["other"]);
    })
    .await;
    let id = ask(&house).await;
    house.until(&id, State::Completed).await;
    until_told(&receiver, &id, State::Completed).await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn what_fails_is_tried_again_under_the_same_id_and_every_attempt_is_kept() {
    let receiver = Receiver::start().await;
    let house = house_with(&receiver, |plan| plan.set("webhooks.crm.states", vec!["completed"])).await;
    // A redirect is not followed, a silent receiver is not waited for longer than a second.
    receiver.answer_next([
        Answer::Status(500, ""),
        Answer::Status(302, "location: http://127.0.0.1:9/\r\n"),
        Answer::Silence,
        Answer::Status(429, "retry-after: 2\r\n"),
    ]);
    let id = ask(&house).await;
    let told = until_told(&receiver, &id, State::Completed).await;
    let ids: BTreeSet<_> = told.iter().map(Received::id).collect();
    assert_eq!((ids.len(), told.len()), (1, 5));
    assert!(told.iter().all(|message| message.body == told[0].body && message.is_signed_by(NEW)));
    let message = ids.into_iter().next().unwrap();
    let attempts = eventually("the last attempt is written", async || {
        let attempts = listed(&house, &["show", "crm", message]);
        (attempts.len() == 5).then_some(attempts)
    })
    .await;
    let statuses: Vec<_> = attempts.iter().map(|attempt| attempt["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(500), Some(302), None, Some(429), Some(200)]);
    assert_eq!(listed(&house, &["list", "--status", "delivered"]).len(), 1);
}

#[tokio::test]
async fn what_fails_to_the_last_or_is_unwanted_is_parked_and_can_be_tried_again() {
    let receiver = Receiver::start().await;
    let house = house_with(&receiver, |plan| {
        plan.set("webhooks.crm.states", vec!["completed"]);
        plan.set("webhook_delivery.retry_s", vec![1]);
    })
    .await;
    receiver.answer_next([Answer::Status(500, ""), Answer::Status(500, ""), Answer::Status(410, "")]);
    let parked = async |count: usize| {
        eventually("it is parked", async || {
            let parked = listed(&house, &["list", "--status", "parked"]);
            (parked.len() == count).then_some(parked)
        })
        .await
    };
    let id = ask(&house).await;
    assert_eq!(parked(1).await[0]["attempts"], 2);
    // 410: the receiver wants no more of these.
    ask(&house).await;
    assert!(parked(2).await.iter().any(|message| message["attempts"] == 1));
    let is_told = async || house.log().contains("hint: when the receiver works").then_some(());
    eventually("it is told", is_told).await;
    for nothing in [&["nope"][..], &["--webhook", "nope"]] {
        let output = house.command_with(&[&["webhooks", "retry"], nothing].concat(), "");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains("\"nope\"") && told.contains("hint: "), "{told}");
    }
    assert_eq!(house.command(&["webhooks", "retry", "--all"]), "2 parked messages are tried again");
    until_told(&receiver, &id, State::Completed).await;
    parked(0).await;
}

#[tokio::test]
async fn no_message_is_lost_when_the_service_is_killed_again_and_again() {
    let port = ringback_test_postgres::free_port();
    let url = format!("http://127.0.0.1:{port}/hook");
    // Nobody listens there yet.
    let mut house = House::with(|plan| {
        told_to(plan, &url);
        plan.set("webhook_delivery.retry_s", vec![1; 60]);
    })
    .await;
    let mut ids = Vec::new();
    for round in 0..4 {
        let asked = join_all((0..5).map(|_| ask(&house))).await;
        house.until(&asked[round], State::Completed).await;
        ids.extend(asked);
        house.kill().await;
        house.start().await;
    }
    for id in &ids {
        house.until(id, State::Completed).await;
    }
    let receiver = Receiver::at(port).await;
    house.kill().await;
    house.start().await;
    for id in &ids {
        let told = until_told(&receiver, id, State::Completed).await;
        let revision = house.record(id).await["revision"].as_u64().unwrap();
        let newest = told.iter().map(|message| message.event()["data"]["revision"].as_u64().unwrap()).max();
        assert_eq!(newest, Some(revision));
        // From the first on: what became of it before any kill is told as well.
        eventually("the first state is told", async || {
            let all = receiver.received();
            all.iter()
                .any(|message| message.event()["data"]["id"] == id.as_str() && message.state() == "accepted")
                .then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn four_services_on_one_database_deliver_each_message_once() {
    let receiver = Receiver::start().await;
    let house = house_with(&receiver, Plan::postgres).await;
    let others = join_all((0..3).map(|_| house.start_beside())).await;
    let urls: Vec<&str> = others.iter().map(|other| other.url.as_str()).chain([house.url()]).collect();
    let ids = join_all((0..40).map(async |index: usize| {
        let body = visitor::crm_request_with(json!({ "another": true }));
        house.private.add_from(&body);
        let request = house.http.post(format!("{}/v1/callbacks", urls[index % urls.len()]));
        house.send(request.bearer_auth(API_KEY).json(&body)).await.accepted().id
    }))
    .await;
    for id in &ids {
        until_told(&receiver, id, State::Completed).await;
    }
    eventually("everything is delivered", async || {
        listed(&house, &["list", "--status", "waiting"]).is_empty().then_some(())
    })
    .await;
    let told = receiver.received();
    let distinct: BTreeSet<_> = told.iter().map(|message| message.id().to_owned()).collect();
    assert_eq!(distinct.len(), told.len());
}

#[tokio::test]
async fn nothing_goes_to_an_address_that_is_not_public() {
    let receiver = Receiver::start().await;
    let port = receiver.url.rsplit(':').next().unwrap().to_owned();
    for url in [
        receiver.url.clone(),
        format!("https://127.0.0.1:{port}"),
        format!("https://2130706433:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        format!("http://localhost:{port}"),
        "ftp://crm.example.com/".to_owned(),
        "crm.example.com".to_owned(),
    ] {
        let mut house = House::without_service(|plan| {
            told_to(plan, &url);
            plan.set("webhook_delivery.allowed_networks", Vec::<String>::new());
        })
        .await;
        house.try_start().await.expect_err(&url);
        assert!(
            house.log().contains("webhooks.crm.url") && house.log().contains("hint: "),
            "{}",
            house.log()
        );
    }
    // What a name leads to shows when it is used only.
    for (url, allowed) in [
        (format!("https://localhost:{port}"), vec![]),
        (format!("http://localhost:{port}"), vec!["10.0.0.0/8"]),
    ] {
        let house = House::with(|plan| {
            told_to(plan, &url);
            plan.set("webhook_delivery.allowed_networks", allowed);
            plan.set("webhook_delivery.retry_s", Vec::<i64>::new());
            plan.set("webhooks.crm.states", vec!["accepted"]);
        })
        .await;
        ask(&house).await;
        let parked =
            eventually("it is parked", async || listed(&house, &["list", "--status", "parked"]).pop()).await;
        let attempts = listed(&house, &["show", "crm", parked["id"].as_str().unwrap()]);
        let outcome = attempts[0]["outcome"].as_str().unwrap();
        assert!(outcome.contains("no address that webhooks may go to"), "{outcome}");
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn a_receiver_that_is_away_holds_up_no_call() {
    let receiver = Receiver::start().await;
    let house = house_with(&receiver, |plan| plan.set("webhook_delivery.concurrency", 1)).await;
    receiver.answer_next((0..100).map(|_| Answer::Silence));
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1)).await.unwrap();
    let id = ask(&house).await;
    house.until(&id, State::Completed).await;
}

#[tokio::test]
async fn secrets_can_stand_in_a_file() {
    let receiver = Receiver::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{NEW}\n{OLD}\n")).unwrap();
    let house = house_with(&receiver, |plan| {
        plan.unset("webhooks.crm.secrets");
        plan.set("webhooks.crm.secrets_file", file.path().to_str().unwrap());
    })
    .await;
    let id = ask(&house).await;
    let told = until_told(&receiver, &id, State::Completed).await;
    assert!(told[0].is_signed_by(NEW) && told[0].is_signed_by(OLD));
}
