use serde_json::json;
use webex_simulator::organization::{DEFAULT_ANI, GRACE_EMAIL, GRACE_ID, MIA_EMAIL, OMAR_ID, SUPPORT_QUEUE};
use webex_simulator::{Outcome, Pace, Task, TaskState};

use crate::house::{CUSTOMER, DEADLINE, House, Received, Receiver, but, callback, flow};

async fn played(outcome: Outcome, webhooks: usize) -> (Task, Vec<Received>) {
    let house = House::quick().await;
    let inbox = Receiver::open();
    house.subscribe(&inbox).await;
    house.control.set_outcome(outcome).await.unwrap();
    let id = house.make(&callback()).await;
    let received = inbox.wait_for(webhooks).await;
    let task = house.control.task(&id).await.unwrap();
    assert_eq!(inbox.received().len(), webhooks);
    (task, received)
}

fn kinds(received: &[Received]) -> Vec<&str> {
    received.iter().map(Received::kind).collect()
}

#[tokio::test]
async fn a_callback_goes_from_new_to_ended() {
    let (task, received) = played(Outcome::Connected, 5).await;
    assert_eq!(kinds(&received), ["task:new", "task:parked", "task:connect", "task:connected", "task:ended"]);
    assert_eq!((task.state, task.rings), (TaskState::Ended, 1));
    for one in &received {
        let data = &one.body["data"];
        assert_eq!(data["taskId"], task.id);
        assert_eq!(data["channelType"], "telephony");
        assert_eq!(data["origin"], DEFAULT_ANI);
        assert_eq!(data["destination"], CUSTOMER);
        assert_eq!(data["direction"], "OUTBOUND");
        assert_eq!(data["outboundType"], "CALLBACK");
        assert!(data["createdTime"].as_i64().unwrap() >= task.created_time);
    }
    assert!(received[0].body["data"].get("queueId").is_none());
    assert!(received[0].body["data"]["workflowManager"].is_null());
    assert_eq!(received[1].body["data"]["queueId"], SUPPORT_QUEUE);
    assert!(received[1].body["data"].get("agentId").is_none());
    assert_eq!(received[2].body["data"]["agentId"], GRACE_ID);
    assert_eq!(received[4].body["data"]["reason"], "Customer Left");
    assert_eq!(received[4].body["data"]["terminatingParty"], "Customer");
}

#[tokio::test]
async fn an_agent_who_lets_it_ring_gives_an_end_that_is_none_and_the_customer_hears_one_ring() {
    let (task, received) = played(Outcome::Rona, 8).await;
    assert_eq!(
        kinds(&received),
        [
            "task:new",
            "task:parked",
            "task:connect",
            "task:ended",
            "task:parked",
            "task:connect",
            "task:connected",
            "task:ended"
        ]
    );
    assert_eq!(received[3].body["data"]["reason"], "RONA Timer Expired");
    assert_eq!(received[3].body["data"]["terminatingParty"], "System");
    assert_eq!(received[3].body["data"]["agentId"], GRACE_ID);
    assert_eq!(received[5].body["data"]["agentId"], OMAR_ID, "somebody else is offered the call");
    assert_eq!(task.rings, 1);
}

#[tokio::test]
async fn a_customer_who_does_not_answer_hears_a_ring() {
    for (outcome, reason) in
        [(Outcome::NoAnswer, "NO_ANSWER_FROM_CUSTOMER"), (Outcome::Busy, "CUSTOMER_BUSY")]
    {
        let (task, received) = played(outcome, 4).await;
        assert_eq!(kinds(&received)[3], "task:ended");
        assert_eq!(received[3].body["data"]["reason"], reason);
        assert_eq!((task.state, task.rings), (TaskState::Ended, 1));
    }
}

#[tokio::test]
async fn a_call_can_be_ended_by_the_agent() {
    let (_, received) = played(Outcome::AgentLeft, 5).await;
    assert_eq!(received[4].body["data"]["reason"], "Agent Left");
    assert_eq!(received[4].body["data"]["terminatingParty"], "Agent");
}

#[tokio::test]
async fn a_call_that_is_not_admitted_fails_without_a_ring() {
    let (task, received) = played(Outcome::Failed, 1).await;
    assert_eq!(kinds(&received), ["task:failed"]);
    let data = &received[0].body["data"];
    for member in ["taskId", "reason", "errorMessage", "failureType", "channel", "mediaMgr"] {
        assert!(data[member].is_string(), "{member}");
    }
    assert_eq!((task.state, task.rings), (TaskState::Failed, 0));
}

#[tokio::test]
async fn a_queue_can_time_out() {
    let (task, received) = played(Outcome::QueueTimeout, 3).await;
    assert_eq!(received[2].body["data"]["reason"], "Queue Timeout");
    assert_eq!(received[2].body["data"]["terminatingParty"], "System");
    assert_eq!(task.rings, 0);
}

#[tokio::test]
async fn a_call_can_stay_parked() {
    let (task, received) = played(Outcome::StaysParked, 2).await;
    assert_eq!(kinds(&received), ["task:new", "task:parked"]);
    assert_eq!((task.state, task.steps.len()), (TaskState::Queued, 0));
}

#[tokio::test]
async fn a_task_can_stay_without_any_event() {
    let (task, _) = played(Outcome::Silent, 0).await;
    assert_eq!((task.state, task.steps.len()), (TaskState::Requested, 0));
}

#[tokio::test]
async fn a_flow_reaches_the_agent_that_it_names_by_address_or_id() {
    let house = House::still().await;
    for name in [GRACE_EMAIL, OMAR_ID] {
        let id = house.make(&flow(name)).await;
        let task = house.control.advance_to(&id, TaskState::Connected).await.unwrap();
        assert_eq!(task.agent_id, task.preferred_agent_id);
    }
    let other_variable =
        but(flow(GRACE_EMAIL), "attributes", json!({ "agentEmail": "omar.haddad@example.com" }));
    let id = house.make(&other_variable).await;
    let task = house.control.advance_to(&id, TaskState::Offered).await.unwrap();
    assert_eq!(task.agent_id.as_deref(), Some(OMAR_ID));
}

#[tokio::test]
async fn a_flow_for_an_agent_who_is_unknown_or_away_falls_to_the_queue() {
    let house = House::still().await;
    for name in ["nobody@example.com", MIA_EMAIL] {
        let id = house.make(&flow(name)).await;
        let task = house.control.advance_to(&id, TaskState::Offered).await.unwrap();
        assert_eq!(task.agent_id.as_deref(), Some(GRACE_ID));
        assert_eq!(task.queue_id.as_deref(), Some(SUPPORT_QUEUE));
    }
    // The name of a variable counts to the letter.
    let id = house.make(&but(flow(GRACE_EMAIL), "attributes", json!({ "preferredagent": OMAR_ID }))).await;
    assert_eq!(house.control.task(&id).await.unwrap().preferred_agent_id, None);
}

#[tokio::test]
async fn outcomes_are_planned_for_the_next_calls_and_for_one_number() {
    let house = House::still().await;
    house.control.plan(Outcome::Busy, 1, Some("+15555550102")).await.unwrap();
    house.control.plan(Outcome::Failed, 2, None).await.unwrap();
    let mut outcomes = Vec::new();
    for destination in [CUSTOMER, "+15555550102", "+15555550102", CUSTOMER] {
        let id = house.make(&but(callback(), "destination", json!(destination))).await;
        outcomes.push(house.control.task(&id).await.unwrap().outcome);
    }
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Busy, Outcome::Failed, Outcome::Connected]);
}

#[tokio::test]
async fn a_test_can_take_every_step_itself() {
    let house = House::still().await;
    let id = house.make(&callback()).await;
    let mut states = Vec::new();
    for _ in 0..5 {
        states.push(house.control.advance(&id).await.unwrap().state);
    }
    let expected =
        [TaskState::Created, TaskState::Queued, TaskState::Offered, TaskState::Connected, TaskState::Ended];
    assert_eq!(states, expected);
    assert!(house.control.advance(&id).await.is_err(), "no step is left");
    assert_eq!(house.control.rings(CUSTOMER).await.unwrap(), 1);
}

#[tokio::test]
async fn a_new_pace_moves_the_calls_that_are_under_way() {
    let house = House::still().await;
    house.make(&callback()).await;
    house.control.set_pace(Pace::instant()).await.unwrap();
    let ended = |task: &Task| task.state == TaskState::Ended;
    house.control.wait_for_task(CUSTOMER, DEADLINE, ended).await.unwrap();
}
