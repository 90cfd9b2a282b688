use reqwest::Method;
use serde_json::{Value, json};
use webex_simulator::organization::{
    CALLBACK_ENTRY_POINT, GRACE_EMAIL, GRACE_ID, ORG_ID, TOKEN_WITHOUT_READ,
};
use webex_simulator::{Outcome, TaskState};

use crate::house::{Answer, CUSTOMER, House, but, callback, flow, send};

const FROM: i64 = 60_000;

async fn search_with(house: &House, query: &str, variables: Value) -> Answer {
    let body = json!({ "query": query, "variables": variables });
    house.post(&format!("/search?orgId={ORG_ID}"), &body).await
}

/// Searches around now, with this filter and selection; gives the tasks.
async fn find(house: &House, filter: &str, selection: &str) -> Vec<Value> {
    let answer = search(house, filter, selection).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.body.get("errors").is_none(), "{}", answer.text);
    answer.body["data"]["taskDetails"]["tasks"].as_array().unwrap().clone()
}

async fn search(house: &House, filter: &str, selection: &str) -> Answer {
    let query = format!(
        "query Find($from: Long!, $to: Long!) {{ taskDetails(from: $from, to: $to, filter: {{ {filter} }}) \
         {{ tasks {{ {selection} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    search_with(house, &query, span(house).await).await
}

/// A minute around the first task.
async fn span(house: &House) -> Value {
    let created = house
        .control
        .tasks()
        .await
        .unwrap()
        .entries
        .first()
        .map_or(2_000_000_000_000, |task| task.created_time);
    json!({ "from": created - FROM, "to": created + FROM })
}

fn message(answer: &Answer) -> &str {
    answer.body["errors"][0]["message"].as_str().unwrap()
}

async fn house_with_three_tasks() -> (House, [String; 3]) {
    let house = House::still().await;
    let first = house.make(&callback()).await;
    let other = but(callback(), "attributes", json!({ "RingbackRef": "ref-2", "Name": "Bob Example" }));
    let second = house.make(&but(other, "destination", json!("+15555550102"))).await;
    let third = house.make(&flow(GRACE_EMAIL)).await;
    house.control.advance_to(&second, TaskState::Queued).await.unwrap();
    house.control.advance_to(&third, TaskState::Ended).await.unwrap();
    (house, [first, second, third])
}

#[tokio::test]
async fn every_documented_filter_finds_its_tasks_and_no_others() {
    let (house, [first, second, third]) = house_with_three_tasks().await;
    for (filter, expected) in [
        (format!("id: {{ equals: \"{first}\" }}"), vec![&first]),
        ("destination: { equals: \"+15555550102\" }".to_owned(), vec![&second]),
        ("destination: { equals: \"+15555550101\" }".to_owned(), vec![&first, &third]),
        ("origin: { equals: \"+15555550190\" }".to_owned(), vec![&first, &second, &third]),
        ("origin: { equals: \"+15555550191\" }".to_owned(), vec![]),
        ("channelType: { equals: telephony }".to_owned(), vec![&first, &second, &third]),
        ("channelType: { equals: chat }".to_owned(), vec![]),
        ("status: { equals: \"parked\" }".to_owned(), vec![&second]),
        ("isActive: { equals: true }".to_owned(), vec![&first, &second]),
        ("isActive: { equals: false }".to_owned(), vec![&third]),
        ("callbackData: { equals: { callbackNumber: \"+15555550101\" } }".to_owned(), vec![&first]),
        (
            "stringGlobalVariables: { name: { equals: \"RingbackRef\" }, value: { equals: \"ref-2\" } }"
                .to_owned(),
            vec![&second],
        ),
        ("destination: { equals: \"+15555550101\" }, isActive: { equals: true }".to_owned(), vec![&first]),
        (
            "or: [{ status: { equals: \"parked\" } }, { status: { equals: \"ended\" } }]".to_owned(),
            vec![&second, &third],
        ),
        (
            "and: [{ isActive: { equals: true } }, { status: { equals: \"created\" } }]".to_owned(),
            vec![&first],
        ),
    ] {
        let ids: Vec<Value> =
            find(&house, &filter, "id").await.into_iter().map(|task| task["id"].clone()).collect();
        let expected: Vec<Value> = expected.into_iter().map(|id| json!(id)).collect();
        assert_eq!(ids, expected, "{filter}");
    }
}

#[tokio::test]
async fn a_variable_that_is_not_reportable_is_neither_found_nor_shown() {
    let (house, _) = house_with_three_tasks().await;
    let filter = "stringGlobalVariables: { name: { equals: \"Name\" }, value: { equals: \"Bob Example\" } }";
    assert!(find(&house, filter, "id").await.is_empty());
    let selection = "name: stringGlobalVariables(name: \"Name\") { value } \
                     ref: stringGlobalVariables(name: \"RingbackRef\") { name value }";
    let tasks = find(&house, "destination: { equals: \"+15555550102\" }", selection).await;
    assert_eq!(tasks, [json!({ "name": null, "ref": { "name": "RingbackRef", "value": "ref-2" } })]);
}

#[tokio::test]
async fn the_documented_selection_is_answered_and_aliases_count() {
    let (house, [first, ..]) = house_with_three_tasks().await;
    house.control.advance_to(&first, TaskState::Connected).await.unwrap();
    let selection = "key: id status isActive channelType direction outdialType isCallback origin destination \
        createdTime endedTime callbackData { callbackRequestTime callbackConnectTime callbackNumber \
        callbackStatus callbackOrigin callbackType callbackQueueName callbackAgentName callbackTeamName \
        callbackRetryCount } lastQueue { id name } lastAgent { id name signInId } \
        lastEntryPoint { id label: name } terminationType terminationReason terminatingEnd abandonedType \
        contactHandleType connectedDuration queueDuration ringingDuration lastWrapupCodeName captureRequested \
        isHandledByPreferredAgent preferredAgentSystemId preferredAgentName";
    let filter = format!("id: {{ equals: \"{first}\" }}");
    let tasks = find(&house, &filter, selection).await;
    assert_eq!(tasks[0]["key"], first);
    assert_eq!(tasks[0]["status"], "connected");
    assert_eq!(tasks[0]["callbackData"]["callbackStatus"], "Success");
    assert_eq!(tasks[0]["callbackData"]["callbackOrigin"], "web");
    assert_eq!(tasks[0]["callbackData"]["callbackNumber"], CUSTOMER);
    assert_eq!(tasks[0]["lastAgent"]["signInId"], GRACE_EMAIL);
    assert_eq!(
        tasks[0]["lastEntryPoint"],
        json!({ "id": CALLBACK_ENTRY_POINT, "label": "Website Callback" })
    );
}

#[tokio::test]
async fn a_callback_that_waits_has_no_connect_time() {
    let (house, [_, second, _]) = house_with_three_tasks().await;
    let filter = format!("id: {{ equals: \"{second}\" }}");
    let tasks = find(&house, &filter, "callbackData { callbackConnectTime callbackStatus }").await;
    let expected = json!({ "callbackConnectTime": -1, "callbackStatus": "Not Processed" });
    assert_eq!(tasks[0]["callbackData"], expected);
}

#[tokio::test]
async fn how_a_call_ended_is_shown() {
    let house = House::quick().await;
    house.control.set_outcome(Outcome::NoAnswer).await.unwrap();
    house.make(&flow(GRACE_EMAIL)).await;
    let ended = |task: &webex_simulator::Task| task.state.is_final();
    house.control.wait_for_task(CUSTOMER, crate::house::DEADLINE, ended).await.unwrap();
    let selection =
        "terminationReason terminatingEnd isActive preferredAgentSystemId callbackData { callbackNumber }";
    let tasks = find(&house, "", selection).await;
    assert_eq!(
        tasks[0],
        json!({
            "terminationReason": "NO_ANSWER_FROM_CUSTOMER", "terminatingEnd": "System", "isActive": false,
            "preferredAgentSystemId": GRACE_ID, "callbackData": null,
        })
    );
}

#[tokio::test]
async fn pages_of_250_follow_one_another() {
    let house = House::still().await;
    for _ in 0..251 {
        house.make(&callback()).await;
    }
    let query = "query Page($from: Long!, $to: Long!, $cursor: String) { \
        page: taskDetails(from: $from, to: $to, pagination: { cursor: $cursor }) { \
        tasks { id } pageInfo { hasNextPage endCursor } } }";
    let mut variables = span(&house).await;
    for first in ["NA", "0", ""] {
        variables["cursor"] = json!(first);
        let page = search_with(&house, query, variables.clone()).await.body;
        assert_eq!(page["data"]["page"]["tasks"].as_array().unwrap().len(), 250);
        assert_eq!(page["data"]["page"]["pageInfo"]["hasNextPage"], true);
        variables["cursor"] = page["data"]["page"]["pageInfo"]["endCursor"].clone();
        let last = search_with(&house, query, variables.clone()).await.body;
        assert_eq!(last["data"]["page"]["tasks"].as_array().unwrap().len(), 1);
        assert_eq!(last["data"]["page"]["pageInfo"], json!({ "hasNextPage": false, "endCursor": "NA" }));
    }
    variables["cursor"] = json!("unknown");
    assert!(message(&search_with(&house, query, variables).await).contains("cursor"));
}

#[tokio::test]
async fn seconds_instead_of_milliseconds_find_nothing_in_silence() {
    let house = House::still().await;
    house.make(&callback()).await;
    let variables = span(&house).await;
    let seconds = |name: &str| json!(variables[name].as_i64().unwrap() / 1000);
    let query = "query Q($from: Long!, $to: Long!) { taskDetails(from: $from, to: $to) { tasks { id } } }";
    let answer = search_with(&house, query, json!({ "from": seconds("from"), "to": seconds("to") })).await;
    assert_eq!(answer.body, json!({ "data": { "taskDetails": { "tasks": [] } } }));
}

#[tokio::test]
async fn a_span_of_more_than_a_year_is_an_error() {
    let house = House::still().await;
    house.make(&callback()).await;
    let mut variables = span(&house).await;
    variables["from"] = json!(variables["from"].as_i64().unwrap() - 400 * 86_400_000);
    let query = "query Q($from: Long!, $to: Long!) { taskDetails(from: $from, to: $to) { tasks { id } } }";
    assert!(message(&search_with(&house, query, variables).await).contains("span"));
}

#[tokio::test]
async fn a_query_that_does_not_fit_is_told_in_errors() {
    let house = House::still().await;
    for (filter, selection, words) in [
        ("", "id colour", "Field 'colour'"),
        ("", "id { value }", "Sub-selection not allowed"),
        ("", "lastQueue", "Sub-selection required"),
        ("", "lastQueue { colour }", "Field 'colour'"),
        ("", "stringGlobalVariables { value }", "argument name"),
        ("createdTime: { gt: 1 }", "id", "createdTime"),
        ("colour: { equals: \"red\" }", "id", "colour"),
        ("channelType: { equals: \"telephony\" }", "id", "enumeration"),
        ("status: { equals: parked }", "id", "not an enumeration"),
        ("id: \"1\"", "id", "comparison"),
        ("id: { sounds: \"1\" }", "id", "sounds"),
        ("callbackData: { equals: { colour: \"red\" } }", "id", "colour"),
        ("stringGlobalVariables: { colour: { equals: \"red\" } }", "id", "colour"),
    ] {
        let answer = search(&house, filter, selection).await;
        assert_eq!(answer.status, 200);
        assert!(message(&answer).contains(words), "{words}: {}", answer.text);
        assert_eq!(answer.body["data"], Value::Null);
    }
    for (query, words) in [
        ("{ taskDetails(to: 1) { tasks { id } } }", "'from'"),
        ("{ taskDetails(from: 1, to: 2, colour: 3) { tasks { id } } }", "'colour'"),
        ("{ taskDetails(from: 1, to: 2) { rows { id } } }", "'rows'"),
        ("{ taskDetails(from: $from, to: 2) { tasks { id } } }", "Variable 'from'"),
        ("{ agentSession(from: 1, to: 2) { agentSessions { id } } }", "agentSession"),
    ] {
        let answer = search_with(&house, query, json!({})).await;
        assert!(message(&answer).contains(words), "{words}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_a_bad_request() {
    let house = House::still().await;
    let answer = search_with(&house, "{ taskDetails(from: 1", json!({})).await;
    assert_eq!(answer.status, 400);
    assert!(message(&answer).contains("Invalid Syntax"));
    house.post("/search", &json!({})).await.is_refused(400, "query is mandatory");
    house.post("/search", &json!({ "query": "{ a }", "colour": 1 })).await.is_refused(400, "Unknown member");
}

#[tokio::test]
async fn a_new_task_is_found_after_the_lag_that_is_set() {
    let house = House::still().await;
    let id = house.make(&callback()).await;
    house.control.patch(json!({ "search_lag_ms": 3_600_000 })).await.unwrap();
    assert!(find(&house, "", "id").await.is_empty());
    house.control.patch(json!({ "search_lag_ms": 0 })).await.unwrap();
    assert_eq!(find(&house, "", "id").await, [json!({ "id": id })]);
}

#[tokio::test]
async fn the_search_needs_a_scope_and_its_own_organization() {
    let house = House::still().await;
    let body = json!({ "query": "{ taskDetails(from: 1, to: 2) { tasks { id } } }" });
    let request = house.bare(Method::POST, "/search").bearer_auth(TOKEN_WITHOUT_READ).json(&body);
    send(request).await.is_refused(403, "cjp:config_read");
    house.post("/search?orgId=another", &body).await.is_refused(403, "another organization");
}
