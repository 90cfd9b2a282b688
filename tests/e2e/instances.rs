//! Several services on one PostgreSQL database.

use futures_util::future::join_all;
use reqwest::Method;
use ringback_contract::callback::{Accepted, State};
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::follower::Follower;
use ringback_tests::house::House;
use ringback_tests::plan::ORIGIN;
use ringback_tests::service::Service;
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::{Effect, Failure, Fault, Operation};

/// A visitor with that number posts to a service.
async fn ask_at(house: &House, url: &str, number: &str) -> Accepted {
    let body = visitor::request_with(json!({ "phone": number }));
    house.private.add_from(&body);
    let request = house.http.post(format!("{url}/v1/sites/acme/callbacks")).header("Origin", ORIGIN);
    Answer::of(request.json(&body).send().await.expect("an answer")).await.accepted()
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("+12025550{}", 100 + index)).collect()
}

#[tokio::test]
async fn what_many_services_take_in_is_called_once_each_whoever_sends_it() {
    let house = House::with(ringback_tests::plan::Plan::postgres).await;
    let others: Vec<Service> = join_all((0..3).map(|_| house.start_beside())).await;
    let urls: Vec<&str> = others.iter().map(|other| other.url.as_str()).chain([house.url()]).collect();
    let numbers = numbers(60);
    let asking = numbers.iter().enumerate().map(|(index, number)| ask_at(&house, urls[index % 4], number));
    let asked = join_all(asking).await;
    for (accepted, number) in asked.iter().zip(&numbers) {
        house.until(&accepted.id, State::Completed).await;
        assert_eq!(house.control().rings(number).await.unwrap(), 1, "{number}");
    }
    assert_eq!(house.control().requests_for(Operation::CreateTask).await.unwrap().len(), numbers.len());
    for other in others {
        assert_eq!(other.stop().await.code(), Some(0), "{}", house.log());
    }
}

#[tokio::test]
async fn a_callback_can_be_followed_and_called_off_at_another_service_than_took_it_in() {
    let house = House::with(|plan| {
        plan.postgres();
        plan.outcome(webex_simulator::Outcome::StaysParked);
    })
    .await;
    let other = house.start_beside().await;
    // Webex takes nothing yet, so that both are still to be sent.
    house.control().fault(&Fault::status(Operation::CreateTask, 503).times(1000)).await.unwrap();
    let accepted = ask_at(&house, &other.url, visitor::PHONE).await;
    let mut follower: Follower = house.follow(&accepted).await;
    follower.until(State::Accepted).await;
    let path = format!("{}/v1/callbacks/{}", other.url, accepted.id);
    // Not while Webex is being asked.
    eventually("it can be called off", async || {
        let request = house.http.request(Method::DELETE, &path).bearer_auth(&accepted.follow);
        request.send().await.expect("an answer").status().is_success().then_some(())
    })
    .await;
    follower.until(State::Cancelled).await;
    // Webhooks go to the house's own service; the follower sits at the other.
    house.control().clear_faults().await.unwrap();
    let accepted = house.ask().await;
    let url = format!("{}/v1/callbacks/{}/events", other.url, accepted.id);
    let request = house.http.get(url).bearer_auth(&accepted.follow);
    Follower::of(request.send().await.expect("an answer")).until(State::Queued).await;
}

#[tokio::test]
async fn what_a_killed_service_was_sending_is_looked_up_and_finished_by_another() {
    let mut house = House::with(|plan| {
        plan.postgres();
        plan.set("delivery.search_grace_s", 3);
        // Webhooks go to the one that is killed.
        plan.set("delivery.quiet_s", 1);
    })
    .await;
    // Done at once and answered late: the process is gone before the answer comes.
    let late = Fault::new(Operation::CreateTask, Effect::Delay).answered_late(1500);
    house.control().fault(&late.times(3)).await.unwrap();
    let numbers = numbers(3);
    let mut asked = Vec::new();
    for number in &numbers {
        asked.push(ask_at(&house, house.url(), number).await);
    }
    house.until_tasks(3).await;
    house.kill().await;
    let other = house.start_beside().await;
    for (accepted, number) in asked.iter().zip(&numbers) {
        let url = format!("{}/v1/callbacks/{}/events", other.url, accepted.id);
        let request = house.http.get(url).bearer_auth(&accepted.follow);
        Follower::of(request.send().await.expect("an answer")).until(State::Completed).await;
        assert_eq!(house.control().rings(number).await.unwrap(), 1, "{number}");
    }
    assert_eq!(house.control().requests_for(Operation::CreateTask).await.unwrap().len(), 3);
}

#[tokio::test]
async fn together_services_stay_within_what_webex_allows() {
    let house = House::with(|plan| {
        plan.postgres();
        plan.webex_rate_limit(100);
        plan.set("webex.requests_per_minute", 100);
    })
    .await;
    let other = house.start_beside().await;
    let numbers = numbers(30);
    let urls = [house.url(), other.url.as_str()];
    let asking = numbers.iter().enumerate().map(|(index, number)| ask_at(&house, urls[index % 2], number));
    for accepted in join_all(asking).await {
        house.until(&accepted.id, State::Completed).await;
    }
    let requests = house.control().requests().await.unwrap().entries;
    let made = requests.iter().filter(|request| request.operation == Some(Operation::CreateTask)).count();
    assert_eq!(made, numbers.len());
    assert!(requests.iter().all(|request| request.status != Some(429)), "{requests:#?}");
}

#[tokio::test]
async fn what_webex_asks_of_one_service_all_obey() {
    let house = House::with(|plan| {
        plan.postgres();
        plan.set("delivery.concurrency", 1);
    })
    .await;
    let other = house.start_beside().await;
    let refusal = Failure { retry_after: Some(4), ..Failure::status(429) };
    let fault = Fault::new(Operation::CreateTask, Effect::Status(refusal));
    house.control().fault(&fault).await.unwrap();
    let first = ask_at(&house, house.url(), "+12025550101").await;
    // Each service says so once.
    eventually("both services know of the pause", async || {
        (house.log().matches("Webex is not asked until then").count() == 2).then_some(())
    })
    .await;
    let second = ask_at(&house, &other.url, "+12025550102").await;
    for accepted in [&first, &second] {
        house.until(&accepted.id, State::Completed).await;
    }
    let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].status, Some(429));
    assert!(requests[1..].iter().all(|request| request.at - requests[0].at >= 4000), "{requests:#?}");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_named_at_the_start_without_its_password() {
    let mut house = House::without_service(|plan| {
        plan.set("store.url", "postgres://ringback:a-secret-word@127.0.0.1:9/ringback");
    })
    .await;
    house.private.add("a-secret-word");
    let ended = house.try_start().await.unwrap_err();
    assert_eq!(ended.code(), Some(1));
    for told in ["store.url (127.0.0.1:9, database ringback)", "refused", "hint: "] {
        assert!(house.log().contains(told), "{}", house.log());
    }
}
