//! Work that forms must prove while a site is pressed.

use reqwest::RequestBuilder;
use ringback_contract::problem::{Kind, Problem};
use ringback_contract::proof::{Challenge, PROOF, Puzzle, header};
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plan::{ORIGIN, Plan};
use ringback_tests::visitor;
use serde_json::json;

/// A house that is calm for three posts a minute.
fn soon_pressed(plan: &mut Plan) {
    plan.set("proof.calm_per_minute", 3);
    plan.set("proof.least_bits", 8);
    plan.set("proof.most_bits", 10);
}

fn post_for(house: &House, number: usize) -> RequestBuilder {
    house.post(&visitor::request_with(json!({ "phone": format!("+1 202 555 0{number}") })))
}

fn solve(challenge: &Challenge) -> String {
    let number = Puzzle::new(&challenge.challenge, challenge.bits).search(0, 1 << 24).unwrap();
    header(&challenge.challenge, number)
}

/// The challenge of an answer that asks for one.
#[track_caller]
fn asked(answer: &Answer) -> Challenge {
    let problem: Problem = answer.problem(Kind::ProofRequired);
    problem.proof.expect("a challenge")
}

#[tokio::test]
async fn a_pressed_site_asks_each_form_for_work_and_takes_each_piece_once() {
    let house = House::with(soon_pressed).await;
    assert!(house.get("/v1/sites/acme/form").await.ok()["proof"].is_null());
    for number in 100..103 {
        house.send(post_for(&house, number)).await.accepted();
    }
    let challenge = asked(&house.send(post_for(&house, 103)).await);
    assert!((8..=10).contains(&challenge.bits));
    // The form comes with one of its own.
    assert!(house.get("/v1/sites/acme/form").await.ok()["proof"]["challenge"].is_string());
    let proof = solve(&challenge);
    for bad in ["", "x", "rbw_x:1", &format!("{}:0x1", challenge.challenge), &proof.replace("rbw_", "rbf_")] {
        asked(&house.send(post_for(&house, 103).header(PROOF, bad)).await);
    }
    let with_key = |number| post_for(&house, number).header(IDEMPOTENCY_KEY, "once");
    let accepted = house.send(with_key(103).header(PROOF, &proof)).await.accepted();
    // The same request again is answered as before, without any proof.
    assert_eq!(house.send(with_key(103)).await.accepted().id, accepted.id);
    // Another request needs another one.
    let challenge = asked(&house.send(post_for(&house, 104).header(PROOF, &proof)).await);
    house.send(post_for(&house, 104).header(PROOF, solve(&challenge))).await.accepted();
    // A CRM has a key, and another site is not pressed.
    house
        .send(house.crm_post(&visitor::crm_request_with(json!({ "phone": "+1 202 555 0105" }))))
        .await
        .accepted();
    let of_other = house.request(reqwest::Method::POST, "/v1/sites/other/callbacks");
    let of_other = of_other.header("Origin", "https://www.other.example");
    house.send(of_other.json(&json!({ "name": "Ann", "phone": "+1 202 555 0106" }))).await.accepted();
    assert_eq!(house.until_tasks(7).await.len(), 7);
}

#[tokio::test]
async fn a_challenge_is_good_once_for_all_processes_and_for_its_site_alone() {
    let house = House::with(|plan| {
        soon_pressed(plan);
        plan.postgres();
        plan.set("proof.calm_per_minute", 0);
        plan.set("sites.other.origins", vec![ORIGIN]);
        plan.set("sites.other.countries", vec!["US"]);
    })
    .await;
    let other = house.start_beside().await;
    let proof = solve(&asked(&house.send(post_for(&house, 100)).await));
    let beside = |path: &str, number: usize| {
        let body = visitor::request_with(json!({ "phone": format!("+1 202 555 0{number}") }));
        house
            .http
            .post(format!("{}{path}", other.url))
            .header("Origin", ORIGIN)
            .header(PROOF, &proof)
            .json(&body)
    };
    let elsewhere = json!({ "name": "Ann", "phone": "+1 202 555 0107" });
    let elsewhere = beside("/v1/sites/other/callbacks", 107).json(&elsewhere);
    asked(&house.send(elsewhere).await);
    let mut taken = 0;
    for number in 100..110 {
        let request = if number % 2 == 0 {
            beside("/v1/sites/acme/callbacks", number)
        } else {
            post_for(&house, number).header(PROOF, &proof)
        };
        let answer = house.send(request).await;
        if answer.status.as_u16() == 202 {
            taken += 1;
        } else {
            asked(&answer);
        }
    }
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn whoever_proves_nothing_uses_up_nobody_elses_limit() {
    let house = House::with(|plan| {
        soon_pressed(plan);
        plan.set("proof.calm_per_minute", 0);
        plan.limit("number", 1, 600);
        plan.limit("site", 1, 600);
    })
    .await;
    let mut last = None;
    for _ in 0..20 {
        last = Some(asked(&house.send(post_for(&house, 100)).await));
    }
    house.send(post_for(&house, 100).header(PROOF, solve(&last.unwrap()))).await.accepted();
}
