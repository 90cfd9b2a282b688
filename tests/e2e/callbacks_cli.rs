//! What the operator sees of callbacks on the command line, and says of those whose request got no answer.

use std::time::Duration;

use ringback_contract::callback::{Accepted, State};
use ringback_tests::eventually::{eventually, never};
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::visitor;
use serde_json::Value;
use webex_simulator::{Effect, Fault, Operation, organization};

/// A token that may make tasks and may not search, so that a lost answer is held.
fn unsearchable(plan: &mut Plan) {
    plan.set("webex.access_token", organization::TOKEN_WITHOUT_READ);
    plan.set("webex.request_timeout_ms", 500);
    plan.set("delivery.lease_s", 1);
}

/// A callback that is held: whether Webex made a task of it is for the operator to find out.
async fn held(house: &House, effect: Effect) -> Accepted {
    house.private.add(organization::TOKEN_WITHOUT_READ);
    house.control().fault(&Fault::new(Operation::CreateTask, effect)).await.unwrap();
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Unconfirmed).await;
    accepted
}

/// Says what became of it, at a moment at which it is not looked up.
async fn resolve(house: &House, id: &str, decision: &[&str]) {
    eventually("it is not being looked up", async || {
        let output = house.command_with(&[&["callbacks", "resolve", id], decision].concat(), "");
        let told = String::from_utf8(output.stderr).unwrap();
        // Whichever of the two was faster.
        let is_looked_up =
            told.contains("try again in some seconds") || told.contains("has changed meanwhile");
        assert!(output.status.success() || is_looked_up, "{told}");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(printed.starts_with(id), output.status.success(), "{printed}");
        output.status.success().then_some(())
    })
    .await;
}

fn refusal(house: &House, arguments: &[&str]) -> String {
    let output = house.command_with(&[&["callbacks", "resolve"], arguments].concat(), "");
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn decisions(house: &House, id: &str) -> Vec<Value> {
    let shown = house.command(&["callbacks", "show", id, "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let requests = shown["requests"].as_array().unwrap();
    requests.iter().filter(|request| request["operation"] == "decide").cloned().collect()
}

async fn what_webex_never_got_is_sent_again(change: impl FnOnce(&mut Plan)) {
    let house = House::with(|plan| {
        unsearchable(plan);
        change(plan);
    })
    .await;
    let accepted = held(&house, Effect::CutBefore).await;
    resolve(&house, &accepted.id, &["--resend"]).await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
    let decisions = decisions(&house, &accepted.id);
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0]["outcome"], "the operator says: not sent; now accepted");
    let told = refusal(&house, &[&accepted.id, "--resend"]);
    assert!(told.contains("is completed and not unconfirmed; nothing was changed"), "{told}");
}

#[tokio::test]
async fn what_the_operator_found_not_to_be_at_webex_is_sent_again_by_the_running_service() {
    what_webex_never_got_is_sent_again(|_| {}).await;
}

#[tokio::test]
async fn the_same_on_postgresql() {
    what_webex_never_got_is_sent_again(Plan::postgres).await;
}

#[tokio::test]
async fn a_task_that_the_operator_names_is_followed_and_belongs_to_one_callback() {
    let house = House::with(|plan| {
        unsearchable(plan);
        plan.set("delivery.join_s", 0);
        plan.pace(webex_simulator::Pace::Manual);
    })
    .await;
    let first = held(&house, Effect::CutAfter).await;
    let task = house.until_tasks(1).await.remove(0);
    let second = held(&house, Effect::CutBefore).await;
    resolve(&house, &first.id, &["--sent", &task.id]).await;
    let record = house.until(&first.id, State::Requested).await;
    assert_eq!(record["task_id"], task.id);
    let told = refusal(&house, &[&second.id, "--sent", &task.id]);
    assert!(told.contains(&format!("is that of the callback {}", first.id)), "{told}");
    resolve(&house, &second.id, &["--failed"]).await;
    let record = house.until(&second.id, State::Failed).await;
    assert_eq!(record["failure"], "given_up");
    never("a second task", Duration::from_secs(1), async || house.tasks().await.len() > 1).await;
}

#[tokio::test]
async fn a_decision_is_kept_while_the_service_does_not_run() {
    let mut house = House::with(unsearchable).await;
    let accepted = held(&house, Effect::CutAfter).await;
    house.kill().await;
    resolve(&house, &accepted.id, &["--sent"]).await;
    house.start().await;
    house.until(&accepted.id, State::Untraced).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn a_decision_is_taken_while_nothing_is_looked_up_though_a_look_up_is_near() {
    let house = House::with(|plan| {
        unsearchable(plan);
        // As an operator has them: each look-up comes sooner than a lease would end.
        plan.set("delivery.lease_s", 600);
        plan.set("delivery.search_grace_s", 600);
    })
    .await;
    let accepted = held(&house, Effect::CutBefore).await;
    resolve(&house, &accepted.id, &["--failed"]).await;
    let record = house.until(&accepted.id, State::Failed).await;
    assert_eq!(record["failure"], "given_up");
}

#[tokio::test]
async fn whoever_looks_into_a_database_that_is_not_there_is_told_and_makes_none() {
    let house =
        House::without_service(|plan| plan.set("store.path", "/nonexistent-by-a-slip/ringback.db")).await;
    let missing = House::without_service(|_| {}).await;
    for arguments in [
        &["callbacks", "list"][..],
        &["webhooks", "list"],
        &["key", "list"],
        &["audit"],
        &["consent", "list"],
        &["secret", "list"],
        &["forget", "--phone", visitor::PHONE_E164],
        &["export", "/nonexistent-by-a-slip/all.jsonl"],
    ] {
        for house in [&house, &missing] {
            let before = std::fs::read_dir(house.folder()).unwrap().count();
            let output = house.command_with(arguments, "");
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "{arguments:?}");
            assert!(told.contains("store.path /") && told.matches("hint: ").count() == 1, "{told}");
            assert_eq!(std::fs::read_dir(house.folder()).unwrap().count(), before, "{arguments:?}");
        }
    }
}

#[tokio::test]
async fn what_is_done_before_the_first_start_makes_the_database_and_says_so() {
    let house = House::without_service(|_| {}).await;
    let create = ["key", "create", "--site", "acme"];
    for is_new in [true, false] {
        let output = house.command_with(&create, "");
        let told = String::from_utf8(output.stderr).unwrap();
        house.private.add(String::from_utf8(output.stdout).unwrap().trim());
        assert!(output.status.success() && told.contains("is new: ") == is_new, "{told}");
    }
}

#[tokio::test]
async fn callbacks_are_listed_by_state_and_site_without_telling_who_asked() {
    let house = House::with(unsearchable).await;
    let accepted = held(&house, Effect::CutAfter).await;
    let listed = |arguments: &[&str]| {
        let text = house.command(&[&["callbacks", "list"], arguments].concat());
        assert!(house.private.found_in(&text).is_empty(), "{text}");
        text
    };
    assert!(listed(&["--state", "unconfirmed"]).starts_with(&accepted.id));
    assert!(listed(&["--site", "acme"]).contains(" unconfirmed +12…42 "));
    for nothing in [["--state", "completed"], ["--site", "other"]] {
        assert_eq!(listed(&nothing), "");
    }
    let told = |arguments: &[&str]| {
        let output = house.command_with(&[&["callbacks", "list"], arguments].concat(), "");
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(told(&["--site", "other"]), (true, "there is no such callback\n".to_owned()));
    let (good, text) = told(&["--site", "nope"]);
    assert!(!good && text.contains("there is no site \"nope\"") && text.contains("hint: "), "{text}");
    let json: Value = serde_json::from_str(&listed(&["--json"])).unwrap();
    assert_eq!((&json[0]["id"], json.as_array().unwrap().len()), (&accepted.id.clone().into(), 1));
    let shown = house.command(&["callbacks", "show", &accepted.id]);
    assert!(shown.contains("create_task"), "{shown}");
    assert!(house.private.found_in(&shown).is_empty(), "{shown}");
    assert!(!house.command_with(&["callbacks", "resolve", accepted.id.as_str()], "").status.success());
    assert!(!house.command_with(&["callbacks", "show", "nobody"], "").status.success());
    let unknown = "00000000-0000-7000-8000-000000000000";
    assert!(refusal(&house, &[unknown, "--failed"]).contains("there is no callback"));
}
