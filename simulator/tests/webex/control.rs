use reqwest::Method;
use serde_json::json;
use webex_simulator::organization::ACCESS_TOKEN;
use webex_simulator::{Control, ControlError, Operation, Options, Pace, Settings, Simulator};

use crate::house::{CUSTOMER, House, callback, send};

#[tokio::test]
async fn everything_that_arrives_is_remembered_but_the_control_door() {
    let house = House::still().await;
    house.make(&callback()).await;
    send(house.bare(Method::GET, "/nowhere?a=b")).await;
    let requests = house.control.requests().await.unwrap();
    assert_eq!((requests.dropped, requests.entries.len()), (0, 2));
    let first = &requests.entries[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("POST", "/v1/tasks"));
    assert_eq!((first.operation, first.status), (Some(Operation::CreateTask), Some(201)));
    assert!(first.body.contains(CUSTOMER));
    let token = ("authorization".to_owned(), format!("Bearer {ACCESS_TOKEN}"));
    assert!(first.headers.contains(&token));
    let second = &requests.entries[1];
    assert_eq!((second.query.as_str(), second.operation, second.status), ("a=b", None, Some(404)));
}

#[tokio::test]
async fn old_records_are_forgotten_and_counted() {
    let house = House::with(|options| {
        options.settings.pace = Pace::Manual;
        options.keep_requests = 2;
        options.keep_tasks = 2;
    })
    .await;
    for _ in 0..5 {
        house.make(&callback()).await;
    }
    let requests = house.control.requests().await.unwrap();
    assert_eq!((requests.dropped, requests.entries.len()), (3, 2));
    assert_eq!((requests.entries[0].number, requests.entries[1].status), (3, Some(201)));
    let summary = house.control.summary().await.unwrap();
    assert_eq!((summary.requests, summary.dropped_requests, summary.dropped_tasks), (5, 3, 3));
    assert_eq!(summary.repeated_destinations[CUSTOMER], 2);
}

#[tokio::test]
async fn a_reset_forgets_everything() {
    let house = House::still().await;
    house.make(&callback()).await;
    house.control.set_pace(Pace::every(5)).await.unwrap();
    house.control.end_access_tokens().await.unwrap();
    house.control.reset().await.unwrap();
    let summary = house.control.summary().await.unwrap();
    assert_eq!((summary.requests, summary.tasks.len()), (0, 0));
    assert_eq!(house.control.settings().await.unwrap().pace, Pace::Manual);
    house.make(&callback()).await;
}

#[tokio::test]
async fn a_wrong_order_is_refused_with_its_reason() {
    let house = House::still().await;
    let refused = house.control.patch(json!({ "colour": "red" })).await.unwrap_err();
    assert!(matches!(&refused, ControlError::Refused { status: 400, body } if body.contains("colour")));
    let refused = house.control.patch(json!({ "pace": "slow" })).await.unwrap_err();
    assert!(matches!(&refused, ControlError::Refused { status: 400, body } if body.contains("slow")));
    let nowhere = send(house.bare(Method::GET, "/_control/nowhere")).await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn settings_are_read_and_replaced_as_a_whole() {
    let house = House::still().await;
    let settings = Settings { search_lag_ms: 5, ..Settings::default() };
    house.control.set(&settings).await.unwrap();
    assert_eq!(house.control.settings().await.unwrap(), settings);
}

#[tokio::test]
async fn a_simulator_that_is_stopped_or_dropped_leaves_its_address() {
    let house = House::still().await;
    let address = house.simulator.address();
    house.simulator.stop().await;
    let again = Simulator::start(Options { listen: address, ..Options::default() }).await.unwrap();
    let control = Control::new(&again.base_url()).unwrap();
    control.summary().await.unwrap();
    drop(again);
    crate::house::eventually("the end of the server", || async {
        matches!(control.summary().await, Err(ControlError::Unreachable(_))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_taken_address_is_told_by_name() {
    let house = House::still().await;
    let listen = house.simulator.address();
    let error = Simulator::start(Options { listen, ..Options::default() }).await.err().unwrap();
    assert!(error.to_string().contains(&listen.to_string()));
}
