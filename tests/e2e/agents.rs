//! A preferred agent who cannot be had: the next free one calls where the site says so, and nobody's phone rings twice.

use ringback_contract::callback::{Accepted, State};
use ringback_contract::problem::Kind;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::{Effect, Fault, Operation, OutboundType, Task, organization};

/// Agents are looked up in Webex; two of the configuration are not there, or not any more.
fn looked_up(plan: &mut Plan) {
    plan.set("sites.acme.preferred_agent.agents_from", "webex");
    for (handle, email) in [("lea", organization::LEA_EMAIL), ("nobody", "nobody@example.com")] {
        plan.set(&format!("agents.{handle}.name"), "Lea Novak");
        plan.set(&format!("agents.{handle}.email"), email);
    }
}

async fn asked_for(house: &House, agent: &str) -> Accepted {
    house.send(house.crm_post(&visitor::crm_request_with(json!({ "agent": agent })))).await.accepted()
}

/// Waits for the end of the call, which rang once. Gives what the CRM sees, and the task.
async fn completed(house: &House, callback: &Accepted) -> (Value, Task) {
    let record = house.until(&callback.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
    let mut tasks = house.tasks().await;
    assert_eq!(tasks.len(), 1, "{tasks:#?}");
    (record, tasks.remove(0))
}

async fn types_asked_for(house: &House) -> Vec<String> {
    let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
    let kind = |body: &str| serde_json::from_str::<Value>(body).unwrap()["outboundType"].to_string();
    requests.iter().map(|request| kind(&request.body).replace('"', "")).collect()
}

async fn look_ups(house: &House) -> usize {
    let requests = house.control().requests_for(Operation::ReadConfiguration).await.unwrap();
    requests.iter().filter(|request| request.path.ends_with("/v2/user")).count()
}

#[tokio::test]
async fn a_flow_that_webex_refuses_becomes_a_callback_by_the_next_free_agent() {
    for status in [400, 403, 404] {
        let house = House::open().await;
        house.control().fault(&Fault::status(Operation::CreateTask, status)).await.unwrap();
        let token = house.agent_token("acme", "grace", "30d");
        let posted = visitor::request_with(json!({ "agent": token }));
        let accepted = house.send(house.post(&posted)).await.accepted();
        let (record, task) = completed(&house, &accepted).await;
        assert_eq!(task.outbound_type, OutboundType::Callback);
        assert!(!task.attributes.contains_key("preferredAgent"));
        assert_eq!(types_asked_for(&house).await, ["EXECUTE_FLOW", "CALLBACK"], "{status}");
        assert_eq!(record["fallback"], "agent_refused");
        assert!(record["fallback_detail"].as_str().unwrap().contains(&status.to_string()), "{record}");
        assert_eq!(record["attempts"], 2);
        // No agent is named who will not call.
        let view = house.view(&accepted).await;
        assert_eq!((view.get("agent"), view["fell_back"].as_bool()), (None, Some(true)), "{view}");
        assert!(view.get("fallback").is_none() && view.get("fallback_detail").is_none(), "{view}");
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_no_refusal() {
    for effect in [Effect::CutAfter, Effect::StatusAfter(webex_simulator::Failure::status(500))] {
        let house = House::open().await;
        house.control().fault(&Fault::new(Operation::CreateTask, effect)).await.unwrap();
        let accepted = asked_for(&house, "grace").await;
        let (record, task) = completed(&house, &accepted).await;
        assert_eq!(task.outbound_type, OutboundType::ExecuteFlow);
        assert_eq!(types_asked_for(&house).await, ["EXECUTE_FLOW"]);
        assert_eq!(record.get("fallback"), None);
        assert_eq!(record["agent"], "Grace Loh");
    }
}

#[tokio::test]
async fn a_busy_webex_is_no_refusal() {
    for status in [401, 429, 503] {
        let house = House::open().await;
        house.control().fault(&Fault::status(Operation::CreateTask, status)).await.unwrap();
        let accepted = asked_for(&house, "grace").await;
        let (record, _) = completed(&house, &accepted).await;
        assert_eq!(types_asked_for(&house).await, ["EXECUTE_FLOW", "EXECUTE_FLOW"], "{status}");
        assert_eq!(record.get("fallback"), None);
    }
}

#[tokio::test]
async fn where_the_site_says_so_nobody_else_calls() {
    let house = House::with(|plan| {
        looked_up(plan);
        plan.set("sites.acme.preferred_agent.fallback", "fail");
    })
    .await;
    let accepted = asked_for(&house, "lea").await;
    let record = house.until(&accepted.id, State::Failed).await;
    assert_eq!(record["failure"], "agent_unavailable");
    assert!(types_asked_for(&house).await.is_empty());
    house.control().fault(&Fault::status(Operation::CreateTask, 400)).await.unwrap();
    let accepted = asked_for(&house, "grace").await;
    let record = house.until(&accepted.id, State::Failed).await;
    assert_eq!(record["failure"], "refused");
    assert_eq!(types_asked_for(&house).await, ["EXECUTE_FLOW"]);
}

#[tokio::test]
async fn an_agent_whom_webex_does_not_know_or_who_has_left_is_not_asked_for() {
    for (agent, reason) in [("nobody", "agent_unknown"), ("lea", "agent_inactive")] {
        let house = House::with(looked_up).await;
        let accepted = asked_for(&house, agent).await;
        let (record, task) = completed(&house, &accepted).await;
        assert_eq!(record["fallback"], reason);
        assert_eq!(task.outbound_type, OutboundType::Callback);
        assert_eq!(types_asked_for(&house).await, ["CALLBACK"]);
        assert_eq!(record["attempts"], 1);
    }
}

#[tokio::test]
async fn a_link_of_an_agent_who_has_left_says_so_once_that_is_known() {
    let house = House::with(looked_up).await;
    let token = house.agent_token("acme", "lea", "30d");
    ringback_tests::eventually::eventually("it is known", async || {
        let form = house.get(&format!("/v1/sites/acme/form?agent={token}")).await.ok();
        (form["agent"] == json!({ "status": "unavailable" })).then_some(())
    })
    .await;
    let page = house.get(&format!("/a/{token}")).await;
    assert_eq!(page.status.as_u16(), 410);
    assert!(page.text().contains("no longer takes calls"), "{}", page.text());
    // However often the form is opened.
    assert_eq!(look_ups(&house).await, 1);
}

#[tokio::test]
async fn a_link_of_an_agent_who_was_taken_out_of_the_configuration_falls_back_as_the_site_says() {
    let mut house = House::open().await;
    let token = house.agent_token("acme", "grace", "30d");
    house.restart_with(|config| drop(config["agents"].as_table_mut().unwrap().remove("grace"))).await;
    let form = house.get(&format!("/v1/sites/acme/form?agent={token}")).await.ok();
    assert_eq!(form["agent"], json!({ "status": "unavailable" }));
    let posted = visitor::request_with(json!({ "agent": token }));
    let accepted = house.send(house.post(&posted)).await.accepted();
    let (record, _) = completed(&house, &accepted).await;
    assert_eq!(record["fallback"], "agent_not_configured");
    house
        .restart_with(|config| {
            let preferred = &mut config["sites"]["acme"]["preferred_agent"];
            preferred.as_table_mut().unwrap().insert("fallback".to_owned(), "fail".into());
        })
        .await;
    let refused = house.send(house.post(&posted)).await.refused_fields(Kind::Validation);
    assert_eq!(refused, [("/agent".to_owned(), "agent_unavailable".to_owned())]);
}

#[tokio::test]
async fn an_agent_who_was_taken_out_while_a_callback_waited_is_not_asked_for() {
    let mut house = House::open().await;
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = asked_for(&house, "grace").await;
    house.restart_with(|config| drop(config["agents"].as_table_mut().unwrap().remove("grace"))).await;
    house.control().clear_faults().await.unwrap();
    let (record, task) = completed(&house, &accepted).await;
    assert_eq!(record["fallback"], "agent_not_configured");
    assert_eq!(task.outbound_type, OutboundType::Callback);
}

#[tokio::test]
async fn a_crm_names_an_agent_by_address_where_the_site_looks_agents_up() {
    let house = House::with(|plan| {
        looked_up(plan);
        plan.set("sites.acme.preferred_agent.identify_by", "id");
    })
    .await;
    let accepted = asked_for(&house, organization::MIA_EMAIL).await;
    let (record, task) = completed(&house, &accepted).await;
    assert_eq!(record.get("fallback"), None);
    assert_eq!(task.attributes["preferredAgent"], organization::MIA_ID);
    // The address goes to nobody.
    assert!(!record.to_string().contains(organization::MIA_EMAIL), "{record}");
    for (name, code) in [("mia brandt@example.com", "agent_unknown"), ("mia\"@example.com", "agent_unknown")]
    {
        let posted = visitor::crm_request_with(json!({ "agent": name }));
        let refused = house.send(house.crm_post(&posted)).await.refused_fields(Kind::Validation);
        assert_eq!(refused, [("/agent".to_owned(), code.to_owned())]);
    }
    let house = House::open().await;
    let posted = visitor::crm_request_with(json!({ "agent": organization::MIA_EMAIL }));
    let refused = house.send(house.crm_post(&posted)).await.refused_fields(Kind::Validation);
    assert_eq!(refused, [("/agent".to_owned(), "agent_unknown".to_owned())]);
}

#[tokio::test]
async fn a_look_up_that_fails_for_now_is_made_again_before_anything_is_sent() {
    for status in [401, 429, 500, 503] {
        let house = House::with(looked_up).await;
        house.control().fault(&Fault::status(Operation::ReadConfiguration, status)).await.unwrap();
        let accepted = asked_for(&house, "lea").await;
        let (record, _) = completed(&house, &accepted).await;
        assert_eq!(record["fallback"], "agent_inactive", "{status}");
        assert_eq!(look_ups(&house).await, 2, "{status}");
        assert_eq!(types_asked_for(&house).await, ["CALLBACK"]);
    }
}

#[tokio::test]
async fn a_look_up_that_webex_refuses_leaves_the_configuration_to_be_believed() {
    for status in [400, 403, 404] {
        let house = House::with(looked_up).await;
        house.control().fault(&Fault::status(Operation::ReadConfiguration, status).times(9)).await.unwrap();
        let accepted = asked_for(&house, "grace").await;
        let (record, task) = completed(&house, &accepted).await;
        assert_eq!(record.get("fallback"), None, "{status}");
        assert_eq!(task.attributes["preferredAgent"], organization::GRACE_EMAIL);
    }
}

#[tokio::test]
async fn an_agent_is_looked_up_once_for_many_callbacks() {
    let house = House::with(looked_up).await;
    let accepted = asked_for(&house, "grace").await;
    house.until(&accepted.id, State::Completed).await;
    let mut all = Vec::new();
    for _ in 0..20 {
        let posted = visitor::crm_request_with(json!({ "agent": "grace", "another": true }));
        all.push(house.send(house.crm_post(&posted)).await.accepted());
    }
    for accepted in &all {
        house.until(&accepted.id, State::Completed).await;
    }
    assert_eq!(look_ups(&house).await, 1);
}
