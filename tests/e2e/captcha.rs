//! A captcha of others, where the site has one.

use reqwest::RequestBuilder;
use ringback_contract::captcha::CAPTCHA;
use ringback_contract::problem::Kind;
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_tests::browser::Browser;
use ringback_tests::captcha::{Provider, SECRET};
use ringback_tests::house::House;
use ringback_tests::plan::Plan;
use ringback_tests::visitor;
use serde_json::json;
use webex_simulator::Pace;

fn with_captcha(plan: &mut Plan, provider: &Provider, when: &str, secret: &str) {
    plan.set("sites.acme.captcha.provider", "turnstile");
    plan.set("sites.acme.captcha.site_key", "key-of-acme");
    plan.set("sites.acme.captcha.secret", secret);
    plan.set("sites.acme.captcha.when", when);
    plan.set("sites.acme.captcha.verify_url", format!("{}/siteverify", provider.url));
    plan.set("sites.acme.captcha.script_url", format!("{}/api.js", provider.url));
}

fn post_for(house: &House, number: usize) -> RequestBuilder {
    house.post(&visitor::request_with(json!({ "phone": format!("+1 202 555 0{number}") })))
}

#[tokio::test]
async fn where_everybody_is_asked_a_token_is_good_once_and_a_crm_needs_none() {
    let provider = Provider::start();
    let house = House::with(|plan| with_captcha(plan, &provider, "always", SECRET)).await;
    let form = house.get("/v1/sites/acme/form").await.ok();
    assert_eq!(form["captcha"]["site_key"], "key-of-acme");
    assert!(!form.to_string().contains(SECRET));
    let with = |number, token: &str| post_for(&house, number).header(CAPTCHA, token.to_owned());
    house.send(post_for(&house, 100)).await.problem(Kind::CaptchaRequired);
    house.send(with(100, "bad")).await.problem(Kind::CaptchaRequired);
    house.send(with(100, &"x".repeat(3000))).await.problem(Kind::CaptchaRequired);
    let first = house.send(with(100, "good-1").header(IDEMPOTENCY_KEY, "once")).await.accepted();
    // The same request again is answered as before, and nobody is asked about it.
    let asked = provider.asked().len();
    let again = house.send(with(100, "good-1").header(IDEMPOTENCY_KEY, "once")).await.accepted();
    assert_eq!((again.id, provider.asked().len()), (first.id, asked));
    house.send(with(101, "good-1")).await.problem(Kind::CaptchaRequired);
    house.send(with(101, "good-2")).await.accepted();
    house
        .send(house.crm_post(&visitor::crm_request_with(json!({ "phone": "+1 202 555 0102" }))))
        .await
        .accepted();
    assert_eq!(house.until_tasks(3).await.len(), 3);
    // Nothing too long to be a token leaves the house.
    assert!(provider.asked().iter().all(|asked| asked["response"].as_str().unwrap().len() < 3000));
}

#[tokio::test]
async fn a_pressed_site_takes_a_captcha_or_work() {
    let provider = Provider::start();
    let house = House::with(|plan| {
        with_captcha(plan, &provider, "pressed", SECRET);
        plan.set("proof.calm_per_minute", 2);
        plan.set("proof.least_bits", 8);
        plan.set("proof.most_bits", 8);
    })
    .await;
    assert!(house.get("/v1/sites/acme/form").await.ok()["captcha"].is_null());
    for number in 100..102 {
        house.send(post_for(&house, number)).await.accepted();
    }
    house.send(post_for(&house, 102)).await.problem(Kind::ProofRequired);
    let form = house.get("/v1/sites/acme/form").await.ok();
    assert!(form["captcha"]["script"].is_string() && form["proof"]["challenge"].is_string());
    house.send(post_for(&house, 102).header(CAPTCHA, "good-1")).await.accepted();
    house.send(post_for(&house, 103).header(CAPTCHA, "bad")).await.problem(Kind::ProofRequired);
}

#[tokio::test]
async fn a_provider_that_is_away_or_a_wrong_secret_turns_nobody_away() {
    let provider = Provider::start();
    let house =
        House::with(|plan| with_captcha(plan, &provider, "always", "wrong-secret-of-the-captcha-0123")).await;
    house.send(post_for(&house, 100).header(CAPTCHA, "good-1")).await.accepted();
    assert!(house.log().contains("hint: compare it with the provider's console"));
    drop(provider);
    house.send(post_for(&house, 101).header(CAPTCHA, "good-2")).await.accepted();
}

#[tokio::test]
async fn a_visitor_passes_the_captcha_in_the_form() {
    let provider = Provider::start();
    let house = House::with(|plan| {
        with_captcha(plan, &provider, "always", SECRET);
        plan.pace(Pace::Manual);
    })
    .await;
    let browser = Browser::open().await;
    browser.goto(&format!("{}/c/acme", house.url())).await;
    let page = browser.page();
    page.until_inline().await;
    page.fill_in().await;
    page.send().await;
    page.until_text(".alert", "Please confirm that you are a person").await;
    let passed =
        "return document.querySelector('#person')?.click(), document.querySelector('#person')?.textContent";
    assert_eq!(browser.script(passed, vec![]).await, "I am a person (key-of-acme)");
    page.send().await;
    page.until_phase("following").await;
    house.until_tasks(1).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}
