//! Whoever asked can watch, and nobody else.

use std::time::Duration;

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_tests::eventually::eventually;
use ringback_tests::follower::Piece;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, API_KEY_OF_OTHER};
use webex_simulator::{Pace, TaskState};

#[tokio::test]
async fn every_change_is_told_in_order_and_the_stream_ends_with_the_last() {
    let house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    let mut follower = house.follow(&accepted).await;
    let mut seen = Vec::new();
    let mut revisions = Vec::new();
    for (step, state) in [
        (None, State::Requested),
        (Some(TaskState::Queued), State::Queued),
        (Some(TaskState::Offered), State::Offered),
        (Some(TaskState::Connected), State::Connected),
        (Some(TaskState::Ended), State::Completed),
    ] {
        if let Some(step) = step {
            let task = house.until_tasks(1).await.remove(0);
            house.control().advance_to(&task.id, step).await.unwrap();
        }
        loop {
            let piece = follower.next().await.expect("the stream ended too early");
            let Piece::State(view) = piece else { continue };
            seen.push(view["state"].as_str().unwrap().to_owned());
            revisions.push(view["revision"].as_u64().unwrap());
            if view["state"] == state.as_str() {
                break;
            }
        }
    }
    assert_eq!(follower.next().await, None);
    assert!(seen.is_sorted_by_key(|state| State::parse(state)), "{seen:?}");
    assert!(revisions.is_sorted(), "{revisions:?}");
    let mut once = seen.clone();
    once.dedup();
    assert_eq!(once, seen);
}

#[tokio::test]
async fn who_comes_late_is_told_the_end_at_once() {
    let house = House::open().await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.follow(&accepted).await.states().await, ["completed"]);
}

#[tokio::test]
async fn a_stream_shows_that_it_is_alive_while_nothing_changes() {
    let house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Requested).await;
    let mut follower = house.follow(&accepted).await;
    assert!(matches!(follower.next().await, Some(Piece::State(_))));
    assert!(matches!(follower.next().await, Some(Piece::Comment(_))));
}

#[tokio::test]
async fn who_follows_learns_that_the_service_stops_and_goes_on_after_it() {
    let mut house = House::with(|plan| plan.pace(Pace::Manual)).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Requested).await;
    let mut follower = house.follow(&accepted).await;
    assert!(matches!(follower.next().await, Some(Piece::State(_))));
    let service = house.take_service();
    let (ended, last) = tokio::join!(service.stop(), follower.next());
    assert_eq!((ended.code(), last), (Some(0), None), "{}", house.log());
    house.start().await;
    let task = house.until_tasks(1).await.remove(0);
    house.control().advance_to(&task.id, TaskState::Ended).await.unwrap();
    let states = house.follow(&accepted).await.states().await;
    assert_eq!(states.last().map(String::as_str), Some("completed"));
}

#[tokio::test]
async fn polling_shows_the_same_as_the_stream() {
    let house = House::open().await;
    let accepted = house.ask().await;
    let mut seen = vec![];
    eventually("it is completed", async || {
        let view = house.view(&accepted).await;
        let state = view["state"].as_str().unwrap().to_owned();
        assert_eq!(view["id"], accepted.id);
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        (view["state"] == "completed").then_some(())
    })
    .await;
    assert!(seen.is_sorted_by_key(|state| State::parse(state)), "{seen:?}");
}

#[tokio::test]
async fn a_follow_token_opens_its_own_callback_alone() {
    let house = House::with(|plan| plan.set("delivery.join_s", 0)).await;
    let (one, two) = (house.ask().await, house.ask().await);
    let read =
        |id: &str, token: &str| house.request(Method::GET, &format!("/v1/callbacks/{id}")).bearer_auth(token);
    house.send(read(&one.id, &one.follow)).await.ok();
    house.send(read(&one.id, &two.follow)).await.problem(Kind::NotFound);
    let events = house.request(Method::GET, &format!("/v1/callbacks/{}/events", one.id));
    house.send(events.bearer_auth(&two.follow)).await.problem(Kind::NotFound);
    let delete = house.request(Method::DELETE, &format!("/v1/callbacks/{}", one.id));
    house.send(delete.bearer_auth(&two.follow)).await.problem(Kind::NotFound);

    // A token is no key, and no token of another kind is a follow token.
    let link = house.agent_token("acme", "grace", "1d");
    let mut tampered = one.follow.clone().into_bytes();
    let middle = tampered.len() / 2;
    tampered[middle] = if tampered[middle] == b'A' { b'B' } else { b'A' };
    let tampered = String::from_utf8(tampered).unwrap();
    for token in ["", "x", &tampered, &link, &one.follow[..one.follow.len() - 1]] {
        house.send(read(&one.id, token)).await.problem(Kind::Unauthorized);
    }
    let bare = house.request(Method::GET, &format!("/v1/callbacks/{}", one.id));
    house.send(bare).await.problem(Kind::Unauthorized);
    let crm = house.request(Method::POST, "/v1/callbacks").bearer_auth(&one.follow);
    house.send(crm.json(&ringback_tests::visitor::crm_request())).await.problem(Kind::Unauthorized);
}

#[tokio::test]
async fn a_key_shows_the_callbacks_of_its_sites_alone() {
    let house = House::open().await;
    let accepted = house.ask().await;
    let path = format!("/v1/callbacks/{}", accepted.id);
    house.send(house.request(Method::GET, &path).bearer_auth(API_KEY)).await.ok();
    let other = house.request(Method::GET, &path).bearer_auth(API_KEY_OF_OTHER);
    house.send(other).await.problem(Kind::NotFound);
    for id in ["01a206c1-f181-7c7a-9ac7-98bc97d32847", "nonsense", "%00"] {
        let request = house.request(Method::GET, &format!("/v1/callbacks/{id}")).bearer_auth(API_KEY);
        house.send(request).await.problem(Kind::NotFound);
    }
}

#[tokio::test]
async fn one_address_takes_no_more_than_its_places() {
    let house = House::with(|plan| {
        plan.pace(Pace::Manual);
        plan.set("limits.followers_per_address", 1);
        plan.set("server.trusted_proxies", vec!["127.0.0.1"]);
    })
    .await;
    let accepted = house.ask().await;
    let path = format!("/v1/callbacks/{}/events", accepted.id);
    let from = |address: &str| {
        let request = house.request(Method::GET, &path).bearer_auth(&accepted.follow);
        request.header("X-Forwarded-For", address)
    };
    let first = from("198.51.100.7").send().await.unwrap();
    assert_eq!(first.status().as_u16(), 200);
    let refused = house.send(from("198.51.100.7")).await.problem(Kind::FollowersFull);
    assert!(refused.detail.contains("this address"), "{}", refused.detail);
    assert_eq!(from("198.51.100.8").send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn followers_beyond_the_limit_are_told_to_poll() {
    let house = House::with(|plan| {
        plan.pace(Pace::Manual);
        plan.set("limits.followers", 1);
    })
    .await;
    let accepted = house.ask().await;
    let mut follower = house.follow(&accepted).await;
    assert!(follower.next().await.is_some());
    let path = format!("/v1/callbacks/{}/events", accepted.id);
    let full = house.request(Method::GET, &path).bearer_auth(&accepted.follow);
    house.send(full).await.problem(Kind::FollowersFull);
    drop(follower);
    // The place is free again once the service notices that nobody reads any more.
    let task = house.until_tasks(1).await.remove(0);
    house.control().advance_to(&task.id, TaskState::Ended).await.unwrap();
    house.until(&accepted.id, State::Completed).await;
    eventually("the place is free", async || {
        let request = house.request(Method::GET, &path).bearer_auth(&accepted.follow);
        let answer = tokio::time::timeout(Duration::from_secs(5), house.send(request)).await.ok()?;
        (answer.status.as_u16() == 200).then_some(())
    })
    .await;
}
