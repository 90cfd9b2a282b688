//! What the service makes of every documented failure, in every envelope: a callback ends as the policy says, and nobody's phone
//! rings twice. The expectations are written here from Webex's documents.

use ringback_contract::callback::{Accepted, State};
use ringback_tests::house::House;
use ringback_tests::plan::API_KEY;
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::{Effect, Envelope, Failure, Fault, Operation};

pub(crate) const BY_WEBEX: [Envelope; 5] = [
    Envelope::Runtime,
    Envelope::Subscription,
    Envelope::Configuration,
    Envelope::Journey,
    Envelope::Identity,
];
const BY_SOMETHING_BETWEEN: [Envelope; 3] = [Envelope::Empty, Envelope::Text, Envelope::Html];

fn envelopes() -> impl Iterator<Item = Envelope> {
    BY_WEBEX.into_iter().chain(BY_SOMETHING_BETWEEN)
}

fn failure(status: u16, envelope: Envelope) -> Failure {
    Failure {
        envelope: Some(envelope),
        description: Some("The moon is full".to_owned()),
        ..Failure::status(status)
    }
}

/// A callback to each number of its own, with a fault that only calls about this number meet.
struct Case {
    name: String,
    number: String,
    accepted: Accepted,
}

async fn cases(
    house: &House,
    effects: impl Iterator<Item = (String, Vec<(Operation, Effect)>)>,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, (name, effects)) in effects.enumerate() {
        let number = format!("+1202555{:04}", 100 + index);
        house.private.add(&number[2..]);
        for (operation, effect) in effects {
            let fault = Fault::new(operation, effect).containing(&number);
            house.control().fault(&fault).await.unwrap();
        }
        let accepted = ask(house, &number).await;
        // A call that goes well between those that do not, so that Webex is not taken to be down.
        let other = format!("+1303555{:04}", 100 + index);
        house.private.add(&other[2..]);
        ask(house, &other).await;
        cases.push(Case { name, number, accepted });
    }
    cases
}

async fn ask(house: &House, number: &str) -> Accepted {
    let request = visitor::request_with(json!({ "phone": number }));
    house.send(house.post(&request)).await.accepted()
}

/// Each status in every envelope.
fn failures(statuses: &[u16]) -> Vec<(u16, Envelope)> {
    envelopes().flat_map(|envelope| statuses.iter().map(move |status| (*status, envelope))).collect()
}

impl Case {
    /// The requests to Webex, as the CRM may read them.
    async fn requests(&self, house: &House) -> Vec<Value> {
        house.requests_of(&self.accepted.id).await
    }

    /// It was called, once, after so many requests to make a task; gives the requests.
    async fn completes(&self, house: &House, sent: usize) -> Vec<Value> {
        house.until(&self.accepted.id, State::Completed).await;
        assert_eq!(house.control().rings(&self.number).await.unwrap(), 1, "{}", self.name);
        assert_eq!(house.control().tasks_to(&self.number).await.unwrap().len(), 1, "{}", self.name);
        let requests = self.requests(house).await;
        assert_eq!(made(&requests, "create_task").len(), sent, "{}: {requests:#?}", self.name);
        requests
    }
}

fn made<'a>(requests: &'a [Value], operation: &str) -> Vec<&'a Value> {
    requests.iter().filter(|request| request["operation"] == operation).collect()
}

/// The attempt says what support needs.
fn tells(request: &Value, status: u16, envelope: Envelope, name: &str) {
    assert_eq!(request["status"], status, "{name}: {request}");
    assert!(request["tracking_id"].as_str().unwrap().starts_with("RINGBACK_"), "{name}: {request}");
    let outcome = request["outcome"].as_str().unwrap();
    assert_eq!(outcome.contains("The moon is full"), envelope != Envelope::Empty, "{name}: {outcome}");
}

async fn house() -> House {
    House::with(|plan| {
        plan.set("delivery.concurrency", 3);
        plan.set("delivery.lease_s", 10);
    })
    .await
}

#[tokio::test]
async fn each_failure_of_a_new_task_leads_where_its_policy_says() {
    let house = house().await;
    let failures = failures(&[400, 401, 403, 429, 500, 503]);
    let cases = cases(
        &house,
        failures.iter().map(|(status, envelope)| {
            let effect = Effect::Status(failure(*status, *envelope));
            (format!("{status} {envelope:?}"), vec![(Operation::CreateTask, effect)])
        }),
    )
    .await;
    for (case, (status, envelope)) in cases.iter().zip(failures) {
        let requests = match status {
            400 | 403 => {
                let record = house.until(&case.accepted.id, State::Failed).await;
                assert_eq!(record["failure"], "refused", "{}", case.name);
                assert!(house.control().tasks_to(&case.number).await.unwrap().is_empty(), "{}", case.name);
                let requests = case.requests(&house).await;
                assert_eq!(requests.len(), 1, "{}: {requests:#?}", case.name);
                requests
            }
            _ => case.completes(&house, 2).await,
        };
        tells(&requests[0], status, envelope, &case.name);
        // Looked up before it was sent again, where it may have been done.
        let ambiguous = status == 500 || status == 503 && BY_SOMETHING_BETWEEN.contains(&envelope);
        assert_eq!(!made(&requests, "search_task").is_empty(), ambiguous, "{}: {requests:#?}", case.name);
    }
}

#[tokio::test]
async fn a_task_that_was_made_in_spite_of_a_failure_is_not_made_again() {
    let house = house().await;
    let after = |status: u16, envelope| Effect::StatusAfter(failure(status, envelope));
    let effects = envelopes()
        .map(|envelope| (format!("500 {envelope:?}"), after(500, envelope)))
        .chain(BY_SOMETHING_BETWEEN.map(|envelope| (format!("503 {envelope:?}"), after(503, envelope))))
        .chain([302, 408, 502, 504].map(|status| (status.to_string(), after(status, Envelope::Html))))
        .chain([("cut".to_owned(), Effect::CutAfter), ("malformed".to_owned(), Effect::MalformedBody)]);
    let effects = effects.map(|(name, effect)| (name, vec![(Operation::CreateTask, effect)]));
    for case in cases(&house, effects).await {
        let requests = case.completes(&house, 1).await;
        assert!(requests[0]["tracking_id"].as_str().unwrap().starts_with("RINGBACK_"), "{requests:#?}");
    }
}

#[tokio::test]
async fn a_search_that_fails_however_leads_to_no_second_call() {
    let house = house().await;
    let failures = failures(&[400, 401, 403, 404, 409, 413, 422, 429, 500, 503]);
    let effects = failures.iter().map(|(status, envelope)| {
        let search = Effect::Status(failure(*status, *envelope));
        let lost = (Operation::CreateTask, Effect::CutAfter);
        (format!("{status} {envelope:?}"), vec![lost, (Operation::Search, search)])
    });
    let cases = cases(&house, effects).await;
    for (case, (status, envelope)) in cases.iter().zip(failures) {
        let requests = case.completes(&house, 1).await;
        let searches = made(&requests, "search_task");
        tells(searches[0], status, envelope, &case.name);
        assert_eq!(searches.last().unwrap()["outcome"], "found", "{}: {searches:#?}", case.name);
    }
}

#[tokio::test]
async fn a_search_that_may_work_again_is_waited_for_though_the_operator_prefers_to_send_again() {
    let house = House::with(|plan| {
        plan.set("delivery.when_unsearchable", "resend");
        plan.set("delivery.search_grace_s", 1);
    })
    .await;
    let times = Fault::status(Operation::Search, 500).times(3);
    house.control().fault(&times).await.unwrap();
    house.control().fault(&Fault::new(Operation::CreateTask, Effect::CutAfter)).await.unwrap();
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
    assert_eq!(house.control().requests_for(Operation::CreateTask).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_of_tasks_that_fails_is_asked_for_again() {
    let house = House::with(|plan| {
        plan.unsubscribed();
        plan.set("delivery.quiet_s", 1);
    })
    .await;
    // What is refused is asked for again after a minute, which is too long for a test.
    let failures =
        [(401, Envelope::Html), (429, Envelope::Empty), (500, Envelope::Text), (503, Envelope::Runtime)];
    for (status, envelope) in failures {
        let fault = Fault::new(Operation::ListTasks, Effect::Status(failure(status, envelope)));
        house.control().fault(&fault).await.unwrap();
    }
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    assert!(house.control().faults().await.unwrap().is_empty());
    let path = format!("/v1/callbacks/{}?include=requests", accepted.id);
    let record = house.send(house.request(reqwest::Method::GET, &path).bearer_auth(API_KEY)).await.ok();
    let requests = record["requests"].as_array().unwrap();
    let told = made(requests, "list_tasks");
    assert_eq!(told.len(), failures.len(), "{requests:#?}");
    for (request, (status, envelope)) in told.into_iter().zip(failures) {
        tells(request, status, envelope, "list of tasks");
    }
}
