use reqwest::Method;
use serde_json::{Value, json};
use url::Url;
use webex_simulator::organization::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, CLUSTER, ORG_ID, REFRESH_TOKEN};

use crate::house::{Answer, House, but, callback, send};

const REDIRECT: &str = "https://callbacks.example.com/auth/webex/callback";

fn refresh_with(token: &str) -> Value {
    json!({
        "grant_type": "refresh_token",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": token,
    })
}

async fn by_form(house: &House, members: &Value) -> Answer {
    send(house.bare(Method::POST, "/v1/access_token").form(members)).await
}

async fn by_json(house: &House, members: &Value) -> Answer {
    send(house.bare(Method::POST, "/v1/access_token").json(members)).await
}

async fn authorize(house: &House, query: &[(&str, &str)]) -> Answer {
    send(house.bare(Method::GET, "/v1/authorize").query(query)).await
}

const CONSENT: [(&str, &str); 5] = [
    ("response_type", "code"),
    ("client_id", CLIENT_ID),
    ("redirect_uri", REDIRECT),
    ("scope", "cjp:user cjp:config_read"),
    ("state", "state of mine & more"),
];

fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let location = Url::parse(answer.location.as_deref().unwrap()).unwrap();
    location.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn code(house: &House) -> String {
    let answer = authorize(house, &CONSENT).await;
    assert_eq!(answer.status, 302);
    assert!(answer.location.as_deref().unwrap().starts_with(REDIRECT));
    assert_eq!(parameter(&answer, "state").as_deref(), Some("state of mine & more"));
    parameter(&answer, "code").unwrap()
}

fn exchange_of(code: &str) -> Value {
    json!({
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "code": code,
        "redirect_uri": REDIRECT,
    })
}

async fn works(house: &House, token: &str) -> u16 {
    send(house.bare(Method::POST, "/v1/tasks").bearer_auth(token).json(&callback())).await.status
}

#[tokio::test]
async fn a_refresh_gives_a_working_token_by_form_and_by_json() {
    let house = House::still().await;
    for answer in [
        by_form(&house, &refresh_with(REFRESH_TOKEN)).await,
        by_json(&house, &refresh_with(REFRESH_TOKEN)).await,
    ] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.body["token_type"], "Bearer");
        assert_eq!(answer.body["expires_in"], 43_199);
        assert_eq!(answer.body["refresh_token"], REFRESH_TOKEN);
        let token = answer.body["access_token"].as_str().unwrap();
        assert!(token.ends_with(&format!("_{CLUSTER}_{ORG_ID}")), "{token}");
        assert_eq!(works(&house, token).await, 201);
    }
}

#[tokio::test]
async fn a_code_is_exchanged_once_for_a_token_with_the_scopes_of_the_consent() {
    let house = House::still().await;
    let code = code(&house).await;
    let answer = by_form(&house, &exchange_of(&code)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let token = answer.body["access_token"].as_str().unwrap();
    assert_eq!(works(&house, token).await, 201);
    let subscribe = house.bare(Method::POST, "/v1/subscriptions").bearer_auth(token).json(&json!({}));
    assert_eq!(send(subscribe).await.status, 403, "cjp:config_write was not consented to");
    assert_eq!(by_form(&house, &exchange_of(&code)).await.status, 400);

    let refresh_token = answer.body["refresh_token"].as_str().unwrap();
    let refreshed = by_form(&house, &refresh_with(refresh_token)).await;
    let remaining = refreshed.body["refresh_token_expires_in"].as_i64().unwrap();
    assert!(remaining <= 5_184_000, "the remaining time counts down");
}

#[tokio::test]
async fn a_code_is_bound_to_its_redirect_uri() {
    let house = House::still().await;
    let code = code(&house).await;
    let elsewhere = but(exchange_of(&code), "redirect_uri", json!("https://elsewhere.example.com/"));
    assert_eq!(by_form(&house, &elsewhere).await.status, 400);
}

#[tokio::test]
async fn a_grant_with_a_wrong_client_token_or_type_is_refused_in_the_form_of_the_identity_service() {
    let house = House::still().await;
    let answer = by_form(&house, &but(refresh_with(REFRESH_TOKEN), "client_secret", json!("wrong"))).await;
    assert_eq!(answer.status, 401);
    assert!(answer.body["message"].is_string() && answer.body["trackingId"].is_string());
    assert!(answer.body["errors"][0]["description"].is_string());
    assert_eq!(by_form(&house, &refresh_with("unknown")).await.status, 400);
    let grant = but(refresh_with(REFRESH_TOKEN), "grant_type", json!("client_credentials"));
    assert_eq!(by_form(&house, &grant).await.status, 400);
    let text = house.bare(Method::POST, "/v1/access_token").header("Content-Type", "text/plain").body("x");
    assert_eq!(send(text).await.status, 415);
}

#[tokio::test]
async fn consent_can_be_refused_and_asked_for_wrongly() {
    let house = House::still().await;
    house.control.patch(json!({ "deny_authorization": true })).await.unwrap();
    let denied = authorize(&house, &CONSENT).await;
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&denied, "state").as_deref(), Some("state of mine & more"));
    assert_eq!(parameter(&denied, "code"), None);
    let mut unknown_scope = CONSENT;
    unknown_scope[3].1 = "spark:everything";
    let answer = authorize(&house, &unknown_scope).await;
    assert_eq!(parameter(&answer, "error").as_deref(), Some("invalid_scope"));
    let mut stranger = CONSENT;
    stranger[1].1 = "stranger";
    assert_eq!(authorize(&house, &stranger).await.status, 400);
}

#[tokio::test]
async fn a_refresh_token_rotates_when_it_is_set_to() {
    let house = House::still().await;
    house.control.patch(json!({ "rotate_refresh_token": true })).await.unwrap();
    let first = by_form(&house, &refresh_with(REFRESH_TOKEN)).await;
    let next = first.body["refresh_token"].as_str().unwrap();
    assert_ne!(next, REFRESH_TOKEN);
    assert_eq!(by_form(&house, &refresh_with(REFRESH_TOKEN)).await.status, 400, "the old one is over");
    assert_eq!(by_form(&house, &refresh_with(next)).await.status, 200);
}

#[tokio::test]
async fn lifetimes_are_what_they_are_set_to() {
    let house = House::still().await;
    let settings = json!({ "access_token_lifetime_s": 0, "refresh_token_lifetime_s": 77 });
    house.control.patch(settings).await.unwrap();
    let answer = by_form(&house, &refresh_with(REFRESH_TOKEN)).await;
    assert_eq!(answer.body["expires_in"], 0);
    assert_eq!(answer.body["refresh_token_expires_in"], 77);
    assert_eq!(works(&house, answer.body["access_token"].as_str().unwrap()).await, 401);
}

#[tokio::test]
async fn tokens_can_be_ended_to_see_who_refreshes() {
    let house = House::still().await;
    house.control.end_access_tokens().await.unwrap();
    assert_eq!(works(&house, ACCESS_TOKEN).await, 401);
    assert_eq!(by_form(&house, &refresh_with(REFRESH_TOKEN)).await.status, 200);
    house.control.end_refresh_tokens().await.unwrap();
    assert_eq!(by_form(&house, &refresh_with(REFRESH_TOKEN)).await.status, 400);
}
