//! What every documented failure of every call means, in every envelope. The expectations are written here from Webex's
//! documents, and not taken from the table under test.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ringback::callback::{Callback, Request};
use ringback::clock::{SharedClock, SystemClock};
use ringback::config::Config;
use ringback::door::Door;
use ringback::personal::Personal;
use ringback::phone::PhoneNumber;
use ringback::schedule::Window;
use ringback::webex::client::Client;
use ringback::webex::error::WebexError;
use ringback::webex::oauth::{NotIssued, OAuth};
use ringback::webex::policy::{Operation as Call, Policy};
use ringback::webex::schedule::ScheduleRequest;
use ringback::webex::subscription::{Subscription, Version};
use ringback::webex::task::CreateTask;
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::visitor;
use ringback_tests::window::window;
use secrecy::SecretString;
use webex_simulator::{Effect, Envelope, Failure, Fault, Operation, organization};

use crate::policy::BY_WEBEX;

const DESTINATION: &str = "https://callback.example.com/webhooks/webex";

const ENVELOPES: [Envelope; 8] = [
    Envelope::Runtime,
    Envelope::Subscription,
    Envelope::Configuration,
    Envelope::Journey,
    Envelope::Identity,
    Envelope::Empty,
    Envelope::Text,
    Envelope::Html,
];

/// A call, how the simulator names it, and the failures that Webex documents for it (`429` belongs to each).
const CALLS: [(Call, Operation, &[u16]); 15] = [
    (Call::CreateTask, Operation::CreateTask, &[400, 401, 403, 429, 500, 503]),
    (Call::ListTasks, Operation::ListTasks, &[400, 401, 403, 413, 422, 429, 500, 503]),
    (Call::Search, Operation::Search, &[400, 401, 403, 404, 409, 413, 422, 429, 500, 503]),
    (Call::EstimateWait, Operation::EstimateWait, &[400, 401, 403, 422, 429, 500, 503]),
    (Call::CreateScheduledCallback, Operation::CreateScheduledCallback, &[400, 401, 403, 429, 500, 503]),
    (Call::ListScheduledCallbacks, Operation::ListScheduledCallbacks, &[400, 401, 403, 429, 500, 503]),
    (Call::ReadScheduledCallback, Operation::ReadScheduledCallback, &[401, 403, 404, 429, 500, 503]),
    (Call::UpdateScheduledCallback, Operation::UpdateScheduledCallback, &[400, 401, 403, 404, 429, 500, 503]),
    (Call::DeleteScheduledCallback, Operation::DeleteScheduledCallback, &[401, 403, 404, 429, 500, 503]),
    (Call::CreateSubscription, Operation::CreateSubscription, &[400, 401, 403, 429, 500]),
    (Call::ListSubscriptions, Operation::ListSubscriptions, &[400, 401, 403, 429, 500]),
    (Call::UpdateSubscription, Operation::UpdateSubscription, &[400, 401, 403, 429, 500]),
    (Call::DeleteSubscription, Operation::DeleteSubscription, &[400, 401, 403, 429, 500]),
    (Call::ListEventTypes, Operation::ListEventTypes, &[400, 401, 403, 429, 500]),
    (Call::ReadConfiguration, Operation::ReadConfiguration, &[400, 401, 403, 404, 429, 500]),
];

/// Calls of which a second one would do a second thing.
fn makes(call: Call) -> bool {
    matches!(call, Call::CreateTask | Call::CreateSubscription | Call::CreateScheduledCallback)
}

/// Calls about a scheduled callback of which it is an answer, and no failure, that Webex has none of that id.
fn asks_for_one(call: Call) -> bool {
    matches!(
        call,
        Call::ReadScheduledCallback | Call::UpdateScheduledCallback | Call::DeleteScheduledCallback
    )
}

fn expected(call: Call, status: u16, envelope: Envelope) -> Policy {
    let by_webex = BY_WEBEX.contains(&envelope);
    match status {
        401 => Policy::Refresh,
        429 => Policy::Wait,
        503 if by_webex || !makes(call) => Policy::Wait,
        500 | 503 if makes(call) => Policy::Ambiguous,
        500 => Policy::Repeat,
        404 if !by_webex => Policy::Repeat,
        _ => Policy::GiveUp,
    }
}

struct Subject {
    house: House,
    webex: Client,
    oauth: OAuth,
    task: CreateTask,
    schedule: ScheduleRequest,
    scheduled: String,
}

impl Subject {
    async fn new(change: impl FnOnce(&mut Plan)) -> Self {
        let house = House::without_service(|plan| {
            plan.unsubscribed();
            change(plan);
        })
        .await;
        let config = Config::load(Some(&house.config_file()), std::iter::empty()).unwrap();
        // Where the tokens are, for who signs in.
        drop(ringback::store::make(&config.store).await.unwrap());
        let clock: SharedClock = Arc::new(SystemClock);
        let (webex, _) = ringback::app::client(&config, &clock).await.unwrap();
        let request = Request {
            site: "acme".to_owned(),
            door: Door::Site,
            phone: PhoneNumber::from_e164(visitor::PHONE_E164).unwrap(),
            name: Personal::new(visitor::NAME),
            email: Personal::new(visitor::EMAIL),
            reason: String::new(),
            message: Personal::default(),
            page: String::new(),
            locale: "en".to_owned(),
            agent: None,
            reference: None,
            consent_version: None,
            attributes: std::collections::BTreeMap::new(),
            fields: std::collections::BTreeMap::new(),
        };
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let callback = Callback::accept(request, now, now).unwrap();
        let task = CreateTask::new(&callback, &config.sites["acme"], None);
        let window = window(86_400, 7200);
        let part = |name: &str| window[name].as_str().unwrap().to_owned();
        let window = Window::parse(&format!(
            "{}T{}/{}[{}]",
            part("date"),
            part("start"),
            part("end"),
            part("timezone")
        ));
        let offer = "through = \"webex\"\ntimezone = \"UTC\"";
        let schedule = ScheduleRequest::new(
            &callback,
            &window.unwrap(),
            &toml::from_str(offer).unwrap(),
            organization::SUPPORT_QUEUE,
            "A bill".to_owned(),
            None,
        );
        let mut config = config;
        config.webex.oauth.base_url = house.webex.base_url();
        let oauth = OAuth::new(&config.webex, clock).unwrap();
        Self { house, webex, oauth, task, schedule, scheduled: uuid::Uuid::nil().to_string() }
    }

    async fn make(&self, call: Call) -> Result<(), WebexError> {
        let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let secret = SecretString::from("a secret of more than 32 characters".to_owned());
        match call {
            Call::CreateTask => self.webex.create_task(&self.task).await.map(drop),
            Call::ListTasks => self.webex.task_statuses(HashMap::from([("t1", from)]), from).await.map(drop),
            Call::Search => {
                let number = PhoneNumber::from_e164(visitor::PHONE_E164).unwrap();
                self.webex.tasks_to(&number, from, from, "RingbackRef").await.map(drop)
            }
            Call::EstimateWait => {
                let source = toml::from_str(&format!("queue = {:?}", organization::SUPPORT_QUEUE)).unwrap();
                self.webex.estimated_wait(&source).await.map(drop)
            }
            Call::CreateScheduledCallback => self.webex.create_schedule(&self.schedule).await.map(drop),
            Call::ListScheduledCallbacks => {
                let number = PhoneNumber::from_e164(visitor::PHONE_E164).unwrap();
                self.webex.schedules_of(&number).await.map(drop)
            }
            Call::ReadScheduledCallback => self.webex.schedule(&self.scheduled).await.map(drop),
            Call::UpdateScheduledCallback => {
                self.webex.change_schedule(&self.scheduled, &self.schedule).await.map(drop)
            }
            Call::DeleteScheduledCallback => self.webex.delete_schedule(&self.scheduled).await.map(drop),
            Call::CreateSubscription => {
                // Each time another, so that there is none to be changed.
                let destination = format!("{DESTINATION}/{}", uuid::Uuid::new_v4());
                self.webex.subscribe(&destination, &secret).await.map(drop)
            }
            Call::ListSubscriptions => self.webex.subscriptions_to(DESTINATION).await.map(drop),
            Call::UpdateSubscription => self.webex.subscribe(DESTINATION, &secret).await.map(drop),
            Call::DeleteSubscription => {
                let subscription = Subscription {
                    id: "10000000-0000-4000-8000-000000000001".to_owned(),
                    version: Version::V2,
                    destination_url: DESTINATION.to_owned(),
                    active: true,
                    event_types: Vec::new(),
                };
                self.webex.unsubscribe(&subscription).await
            }
            Call::ListEventTypes => self.webex.event_types().await.map(drop),
            Call::ReadConfiguration => self.webex.outdial_anis().await.map(drop),
            Call::IssueToken => panic!("it is tested where it is made"),
        }
    }

    async fn error_after(&self, call: Call, fault: &Fault) -> WebexError {
        self.house.control().fault(fault).await.unwrap();
        let error = self.make(call).await.expect_err("the call meets its fault");
        self.house.control().clear_faults().await.unwrap();
        error
    }
}

/// An organisation with many subscriptions refuses more, so each test of them begins anew.
async fn each_call() -> Vec<(Subject, Call, Operation, &'static [u16])> {
    let mut calls = Vec::new();
    for (call, operation, failures) in CALLS {
        let mut subject = Subject::new(|_| {}).await;
        if call == Call::UpdateSubscription {
            subject.make(call).await.unwrap();
        }
        if asks_for_one(call) {
            subject.scheduled = subject.webex.create_schedule(&subject.schedule).await.unwrap().id;
        }
        calls.push((subject, call, operation, failures));
    }
    calls
}

#[tokio::test]
async fn each_documented_failure_of_each_call_has_its_policy_in_every_envelope() {
    for (subject, call, operation, failures) in each_call().await {
        let mut known: Vec<u16> = call.failures().collect();
        known.sort_unstable();
        assert_eq!(known, failures, "{call:?}");
        for &status in failures {
            for envelope in ENVELOPES {
                let failure = Failure {
                    envelope: Some(envelope),
                    description: Some("The moon is full".to_owned()),
                    ..Failure::status(status)
                };
                // Where version 2 of the subscriptions is refused, version 1 is asked for.
                let fault = Fault::new(operation, Effect::Status(failure)).times(2);
                if status == 404 && asks_for_one(call) && BY_WEBEX.contains(&envelope) {
                    subject.house.control().fault(&fault).await.unwrap();
                    subject.make(call).await.expect("there is none, which is an answer");
                    subject.house.control().clear_faults().await.unwrap();
                    continue;
                }
                let error = subject.error_after(call, &fault).await;
                let case = format!("{call:?} {status} {envelope:?}: {error}");
                assert_eq!(error.policy, expected(call, status, envelope), "{case}");
                assert_eq!((error.operation, error.status), (call, Some(status)), "{case}");
                assert_eq!(error.message.contains("The moon is full"), envelope != Envelope::Empty, "{case}");
                let sent = subject.house.control().requests_for(operation).await.unwrap();
                let (_, ours) =
                    sent.last().unwrap().headers.iter().find(|(name, _)| name == "trackingid").unwrap();
                assert!(ours.starts_with("RINGBACK_"), "{ours}");
                assert_eq!(&error.tracking_id, ours, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_refresh_token_is_dead_only_where_webex_says_so() {
    let subject = Subject::new(Plan::oauth).await;
    let statuses = [400, 401, 429, 500];
    let mut known: Vec<u16> = Call::IssueToken.failures().collect();
    known.sort_unstable();
    assert_eq!(known, statuses);
    let token = SecretString::from(organization::REFRESH_TOKEN.to_owned());
    // 404 and 403 are a proxy's, or Webex's own word.
    for status in statuses.into_iter().chain([403, 404, 408, 502, 503, 504]) {
        for envelope in ENVELOPES {
            let failure = Failure { envelope: Some(envelope), ..Failure::status(status) };
            let fault = Fault::new(Operation::IssueToken, Effect::Status(failure));
            subject.house.control().fault(&fault).await.unwrap();
            let error = subject.oauth.refresh(&token).await.unwrap_err();
            let by_webex = BY_WEBEX.contains(&envelope);
            let dead = matches!(status, 400 | 401) || matches!(status, 403 | 404) && by_webex;
            assert_eq!(matches!(error, NotIssued::Refused(_)), dead, "{status} {envelope:?}: {error}");
            assert!(error.to_string().contains("tracking id RINGBACK_"), "{error}");
        }
    }
    for effect in [Effect::CutBefore, Effect::CutAfter, Effect::MalformedBody] {
        subject.house.control().fault(&Fault::new(Operation::IssueToken, effect)).await.unwrap();
        let error = subject.oauth.refresh(&token).await.unwrap_err();
        assert!(matches!(error, NotIssued::Unavailable(_)), "{error}");
    }
}

#[tokio::test]
async fn webexs_own_tracking_id_is_found_in_the_body_where_the_header_lacks_it() {
    let subject = Subject::new(|_| {}).await;
    for envelope in ENVELOPES {
        let failure = Failure {
            envelope: Some(envelope),
            tracking_id: Some("ccconfig_1b2c".to_owned()),
            ..Failure::status(400)
        };
        let fault = Fault::new(Operation::CreateTask, Effect::Status(failure));
        let error = subject.error_after(Call::CreateTask, &fault).await;
        match envelope {
            Envelope::Empty | Envelope::Text | Envelope::Html => {
                assert!(error.tracking_id.starts_with("RINGBACK_"), "{envelope:?} {error}");
            }
            _ => assert_eq!(error.tracking_id, "ccconfig_1b2c", "{envelope:?}"),
        }
    }
}

#[tokio::test]
async fn without_an_answer_only_what_makes_something_is_ambiguous() {
    for (subject, call, operation, _) in each_call().await {
        let lost = if makes(call) { Policy::Ambiguous } else { Policy::Repeat };
        for effect in [Effect::CutBefore, Effect::CutAfter] {
            let error = subject.error_after(call, &Fault::new(operation, effect.clone())).await;
            assert_eq!((error.policy, error.status), (lost, None), "{call:?} {effect:?}");
            assert!(error.tracking_id.starts_with("RINGBACK_"), "{error}");
        }
        for status in [302, 408, 502, 504] {
            let error = subject.error_after(call, &Fault::status(operation, status)).await;
            assert_eq!((error.policy, error.status), (lost, Some(status)), "{call:?}");
        }
        // Nothing is read of the answers to these.
        if !matches!(
            call,
            Call::DeleteSubscription
                | Call::UpdateSubscription
                | Call::CreateSubscription
                | Call::UpdateScheduledCallback
                | Call::DeleteScheduledCallback
        ) {
            let error = subject.error_after(call, &Fault::new(operation, Effect::MalformedBody)).await;
            assert_eq!(error.policy, lost, "{call:?}");
            assert!(error.status.is_some_and(|status| (200..300).contains(&status)), "{error}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_no_answer() {
    let subject = Subject::new(|plan| plan.set("webex.request_timeout_ms", 100)).await;
    for (call, policy) in [(Call::CreateTask, Policy::Ambiguous), (Call::Search, Policy::Repeat)] {
        let (_, operation, _) = CALLS.into_iter().find(|(known, ..)| *known == call).unwrap();
        let late = Fault::new(operation, Effect::Delay).answered_late(5000);
        let error = subject.error_after(call, &late).await;
        assert_eq!((error.policy, error.status), (policy, None), "{error}");
    }
}

#[tokio::test]
async fn what_did_not_leave_can_be_repeated_whatever_it_is() {
    let unreachable = Subject::new(|plan| plan.set("webex.base_url", "http://127.0.0.1:1")).await;
    let tokenless = Subject::new(|plan| {
        let file = std::env::temp_dir().join(format!("ringback-empty-{}", uuid::Uuid::new_v4()));
        std::fs::write(&file, "").unwrap();
        plan.set("webex.access_token", "");
        plan.set("webex.access_token_file", file.to_str().unwrap());
    })
    .await;
    for (call, ..) in CALLS {
        for subject in [&unreachable, &tokenless] {
            let error = subject.make(call).await.unwrap_err();
            assert_eq!((error.policy, error.status), (Policy::Repeat, None), "{call:?}");
        }
    }
}

#[tokio::test]
async fn webex_says_how_long_to_wait() {
    let subject = Subject::new(|_| {}).await;
    // 429 stops every call of the process, so only the answer with 503 is followed by others here.
    for status in [503, 429] {
        let failure =
            Failure { retry_after: Some(7), envelope: Some(Envelope::Empty), ..Failure::status(status) };
        let fault = Fault::new(Operation::CreateTask, Effect::Status(failure));
        let error = subject.error_after(Call::CreateTask, &fault).await;
        // Also without a body: what names a time has not processed the call.
        assert_eq!((error.policy, error.retry_after), (Policy::Wait, Some(Duration::from_secs(7))));
    }
    assert!(subject.webex.pace().paused_until().is_some());
}

#[tokio::test]
async fn what_webex_refuses_of_itself_is_read_as_a_fault_would_be() {
    let subject = Subject::new(|plan| plan.set("webex.access_token", organization::EXPIRED_TOKEN)).await;
    for (call, ..) in CALLS {
        assert_eq!(subject.make(call).await.unwrap_err().policy, Policy::Refresh, "{call:?}");
    }
    let subject = Subject::new(|plan| plan.set("webex.access_token", organization::TOKEN_WITHOUT_READ)).await;
    for call in [Call::Search, Call::ListEventTypes, Call::ReadConfiguration, Call::ListSubscriptions] {
        assert_eq!(subject.make(call).await.unwrap_err().policy, Policy::GiveUp, "{call:?}");
    }
}
