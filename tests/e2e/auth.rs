//! The organisation is connected by OAuth, and stays so.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Output, Stdio};

use futures_util::future::join_all;
use reqwest::Url;
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::figures::Figures;
use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, ORIGIN, Plan};
use ringback_tests::{service, visitor};
use serde_json::{Value, json};
use webex_simulator::{Effect, Failure, Fault, Operation, organization};

/// A house whose service keeps its tokens by itself, and is not connected yet.
async fn unconnected(change: impl FnOnce(&mut Plan)) -> House {
    House::with(|plan| {
        plan.oauth();
        change(plan);
    })
    .await
}

/// The tokens of a service app; the access token is about to end.
fn app_tokens(access_s: u64) -> Value {
    json!({
        "access_token": organization::ACCESS_TOKEN,
        "expires_in": access_s,
        "refresh_token": organization::REFRESH_TOKEN,
        "refresh_token_expires_in": 7_776_000,
        "token_type": "Bearer",
    })
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn failed(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn status(house: &House) -> Value {
    let output = succeeded(&house.command_with(&["auth", "status", "--json"], ""));
    serde_json::from_str(&output).expect("one line of JSON")
}

/// Begins `auth login`; gives the process and the address that it prints.
fn begin_login(house: &House) -> (Child, Url) {
    let mut command = service::command(&["auth", "login", "--config"]);
    command.arg(house.config_file()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.as_mut().expect("a pipe")).lines();
    let address = lines.find_map(|line| Url::parse(&line.expect("a line")).ok()).expect("an address");
    (child, address)
}

/// What a browser does: goes on until there is a page.
async fn browse(house: &House, address: Url) -> (u16, String) {
    let mut address = address;
    loop {
        let response = house.http.get(address.clone()).send().await.expect("an answer");
        match response.headers().get("location") {
            Some(next) => address = address.join(next.to_str().expect("text")).expect("an address"),
            None => return (response.status().as_u16(), response.text().await.expect("a page")),
        }
    }
}

async fn create_requests(house: &House) -> Vec<Option<u16>> {
    let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
    requests.iter().map(|request| request.status).collect()
}

#[tokio::test]
async fn an_administrator_logs_in_with_a_browser_and_callbacks_are_made() {
    let house = unconnected(|_| {}).await;
    let accepted = house.ask().await;
    let ready = house.get_ops("/readyz").await;
    assert_eq!(ready.status.as_u16(), 503);
    assert!(ready.text().contains("ringback auth login"), "{}", ready.text());
    let (login, address) = begin_login(&house);
    // An answer to another login is none to this one, and does not end it.
    let forged = format!("http://127.0.0.1:{}/auth/webex/callback?code=1&state=00", redirect_port(&address));
    let (refused, page) = browse(&house, forged.parse().unwrap()).await;
    assert!(refused == 400 && page.contains("belongs to no login"), "{page}");
    let (shown, page) = browse(&house, address).await;
    assert!(shown == 200 && page.contains("Connected") && page.contains(organization::ORG_ID), "{page}");
    succeeded(&login.wait_with_output().expect("its end"));
    assert_eq!(status(&house)["organization"], organization::ORG_ID);
    // The running service finds the tokens by itself.
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.get_ops("/readyz").await.status.as_u16(), 200);
    // After this, a new process has none again.
    succeeded(&house.command_with(&["auth", "logout"], ""));
    assert!(failed(&house.command_with(&["auth", "status"], "")).contains("is not connected"));
}

fn redirect_port(address: &Url) -> u16 {
    let redirect = address.query_pairs().find(|(name, _)| name == "redirect_uri").expect("a redirect").1;
    Url::parse(&redirect).expect("an address").port().expect("a port")
}

#[tokio::test]
async fn an_administrator_who_says_no_and_one_of_another_organisation_are_told_what_to_do() {
    let house = unconnected(|_| {}).await;
    house.control().patch(json!({ "deny_authorization": true })).await.unwrap();
    let (login, address) = begin_login(&house);
    let (_, page) = browse(&house, address).await;
    assert!(page.contains("Not connected") && page.contains("access_denied"), "{page}");
    let told = failed(&login.wait_with_output().expect("its end"));
    assert!(told.contains("access_denied") && told.contains("hint:"), "{told}");
    let other = unconnected(|plan| {
        plan.set("webex.organization_id", "00000000-0000-4000-8000-000000000000");
    })
    .await;
    let told = failed(&other.import(&app_tokens(3600)));
    assert!(told.contains(organization::ORG_ID) && told.contains("webex.organization_id"), "{told}");
    assert!(failed(&other.command_with(&["auth", "status"], "")).contains("is not connected"));
}

#[tokio::test]
async fn a_browser_on_another_machine_logs_in_at_the_service_by_a_start_address_alone() {
    let house = unconnected(|plan| {
        let port = ringback_test_postgres::free_port();
        plan.set("server.listen", format!("127.0.0.1:{port}"));
        plan.set("server.ops_listen", format!("127.0.0.1:{}", ringback_test_postgres::free_port()));
        plan.set("server.public_url", format!("http://127.0.0.1:{port}"));
    })
    .await;
    for path in ["/auth/webex/start", "/auth/webex/start?token=rbs_0.AAAA.AAAA"] {
        house.get(path).await.problem(Kind::Unauthorized);
    }
    let address = succeeded(&house.command_with(&["auth", "login", "--hosted"], ""));
    let token = address.trim().rsplit('=').next().expect("a token").to_owned();
    house.private.add(&token);
    let (shown, page) = browse(&house, address.trim().parse().unwrap()).await;
    assert!(shown == 200 && page.contains("Connected"), "{page}");
    // Who may make calls in whose name is worth a line in the record.
    let deeds = house.command(&["audit"]);
    let told: Vec<_> = deeds.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    let told: Vec<_> = told.iter().map(|deed| (deed["actor"].as_str(), deed["action"].as_str())).collect();
    assert_eq!(told.len(), 2, "{deeds}");
    assert!(told[0].0.is_some_and(|actor| actor.starts_with("operator:")) && told[0].1 == Some("auth.start"));
    assert_eq!(told[1], (Some("browser:administrator"), Some("auth.login")));
    assert!(!deeds.contains(&token), "{deeds}");
    // What another purpose's token would open, this one does not.
    let wrong = house.agent_token("acme", "grace", "1h").replace("rba_", "rbs_");
    house.get(&format!("/auth/webex/start?token={wrong}")).await.problem(Kind::Unauthorized);
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
}

#[tokio::test]
async fn tokens_are_sealed_in_the_database_and_open_with_their_key_alone() {
    let mut house = unconnected(|_| {}).await;
    succeeded(&house.import(&app_tokens(3600)));
    house.stop().await;
    let folder = house.config_file().parent().expect("a folder").to_owned();
    for entry in folder.read_dir().expect("the folder").flatten() {
        let name = entry.file_name();
        if name != "ringback.toml" {
            let bytes = std::fs::read(entry.path()).expect("a file");
            for token in [organization::ACCESS_TOKEN, organization::REFRESH_TOKEN] {
                let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
                assert!(!found, "{name:?} holds a token in clear");
            }
        }
    }
    let text = std::fs::read_to_string(house.config_file()).expect("the file");
    let other = text.replace(ringback_tests::plan::ENCRYPTION_KEY, &"ab".repeat(32));
    std::fs::write(house.config_file(), other).expect("the file");
    let told = failed(&house.command_with(&["auth", "status"], ""));
    assert!(told.contains("store.encryption_key") && told.contains("hint:"), "{told}");
}

#[tokio::test]
async fn what_is_no_pair_of_tokens_is_refused_without_being_repeated() {
    let house = unconnected(|_| {}).await;
    let secret = "a-token-that-was-pasted-in-the-wrong-place";
    for input in [secret.to_owned(), json!({ "access_token": secret }).to_string(), String::new()] {
        let told = failed(&house.command_with(&["auth", "import"], &input));
        assert!(told.contains("refresh_token") && !told.contains(secret), "{told}");
    }
}

#[tokio::test]
async fn a_token_that_webex_has_ended_is_renewed_once_and_the_call_repeated() {
    let house = unconnected(|_| {}).await;
    succeeded(&house.import(&app_tokens(3600)));
    let first = house.ask().await;
    house.until(&first.id, State::Completed).await;
    // Old enough for a refusal to mean that the token has ended.
    house.control().end_access_tokens().await.unwrap();
    let asking = (0..8).map(|index| {
        let request = visitor::request_with(json!({ "phone": format!("+1202555011{index}") }));
        let house = &house;
        async move { house.send(house.post(&request)).await.accepted() }
    });
    for accepted in join_all(asking).await {
        house.until(&accepted.id, State::Completed).await;
    }
    let statuses = create_requests(&house).await;
    let made = statuses.iter().filter(|status| **status == Some(201)).count();
    assert_eq!(made, 9, "{statuses:?}");
    assert_eq!(house.control().requests_for(Operation::IssueToken).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_refresh_token_is_loud_and_a_new_login_heals_it() {
    let house = unconnected(|_| {}).await;
    succeeded(&house.import(&app_tokens(1)));
    house.control().end_refresh_tokens().await.unwrap();
    let accepted = house.ask().await;
    let text = eventually("the service is not ready", async || {
        let answer = house.get_ops("/readyz").await;
        (answer.status.as_u16() == 503 && answer.text().contains("refused")).then(|| answer.text())
    })
    .await;
    assert!(text.contains("ringback auth login"), "{text}");
    let good = "ringback_webex_authorization_good";
    assert_eq!(Figures::of(&house).await.sum(good, &[]), Some(0.0));
    let (login, address) = begin_login(&house);
    browse(&house, address).await;
    succeeded(&login.wait_with_output().expect("its end"));
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.get_ops("/readyz").await.status.as_u16(), 200);
    assert_eq!(Figures::of(&house).await.sum(good, &[]), Some(1.0));
    assert!(house.log().contains("the refresh token is refused"));
}

#[tokio::test]
async fn webex_may_be_away_while_tokens_are_renewed_and_nothing_is_lost() {
    let house = unconnected(|_| {}).await;
    let away = Fault::new(Operation::IssueToken, Effect::Status(Failure::status(503)));
    house.control().fault(&away.times(4)).await.unwrap();
    succeeded(&house.import(&app_tokens(1)));
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    house.until_tasks(1).await;
}

#[tokio::test]
async fn a_kill_while_tokens_are_renewed_costs_nothing() {
    let mut house = unconnected(|plan| plan.token_lifetimes_s(2, 3600)).await;
    succeeded(&house.import(&app_tokens(1)));
    for index in 0..4 {
        let effect = if index % 2 == 0 { Effect::CutBefore } else { Effect::CutAfter };
        house.control().fault(&Fault::new(Operation::IssueToken, effect)).await.unwrap();
        let request = visitor::request_with(json!({ "phone": format!("+1202555012{index}") }));
        let accepted = house.send(house.post(&request)).await.accepted();
        house.kill().await;
        house.start().await;
        house.until(&accepted.id, State::Completed).await;
    }
}

#[tokio::test]
async fn four_services_share_short_lived_tokens_through_a_thousand_callbacks() {
    // Seconds that an access token lives.
    const LIFE_S: i64 = 6;
    let house = House::without_service(|plan| {
        plan.oauth();
        plan.postgres();
        plan.token_lifetimes_s(LIFE_S, 3600);
        plan.set("delivery.join_s", 0);
        plan.set("log.level", "warn");
    })
    .await;
    house.control().patch(json!({ "rotate_refresh_token": true })).await.unwrap();
    succeeded(&house.import(&app_tokens(u64::try_from(LIFE_S).unwrap())));
    let services = join_all((0..4).map(|_| house.start_beside())).await;
    let mut asked = Vec::new();
    for batch in 0..10 {
        let asking = (0..100).map(|index| {
            let body = visitor::request_with(json!({ "phone": format!("+12025550{}", 100 + index) }));
            house.private.add_from(&body);
            let url = format!("{}/v1/sites/acme/callbacks", services[(batch + index) % 4].url);
            // A connection that the service has just closed for being idle must not count as an answer.
            let request =
                house.http.post(url).header("Origin", ORIGIN).header("Connection", "close").json(&body);
            async move { Answer::of(request.send().await.expect("an answer")).await.accepted() }
        });
        asked.extend(join_all(asking).await);
        house.until_tasks((batch + 1) * 100).await;
        // So that the whole spans several lives of a token.
        tokio::time::sleep(std::time::Duration::from_millis(1800)).await;
    }
    let requests = house.control().requests().await.unwrap().entries;
    let made = requests.iter().filter(|request| request.operation == Some(Operation::CreateTask));
    assert_eq!(made.filter(|request| request.status == Some(201)).count(), 1000);
    // A token that ends on its way is replaced within the same call: none fails for want of one.
    for accepted in &asked {
        let url = format!("{}/v1/callbacks/{}?include=requests", services[0].url, accepted.id);
        let record: Value =
            house.http.get(url).bearer_auth(API_KEY).send().await.unwrap().json().await.unwrap();
        let calls = record["requests"].as_array().expect("the calls to Webex");
        assert!(!calls.is_empty() && calls.iter().all(|call| call["status"] != 401), "{record}");
    }
    let renewals: Vec<i64> = requests
        .iter()
        .filter(|request| request.operation == Some(Operation::IssueToken))
        .map(|request| request.at)
        .collect();
    // Nobody renews what another has renewed: the next renewal comes when three quarters of a life are over, less what
    // the answer of the one before took.
    assert!(renewals.len() >= 3, "{renewals:?}");
    let soonest = renewals.windows(2).map(|pair| pair[1] - pair[0]).min().expect("two renewals");
    assert!(soonest >= LIFE_S * 600, "{renewals:?}");
    let unauthorized = requests.iter().filter(|request| request.status == Some(401)).count();
    println!(
        "{} renewals, {soonest} ms apart at least; {unauthorized} calls refused with 401",
        renewals.len()
    );
    for service in services {
        assert_eq!(service.stop().await.code(), Some(0));
    }
}
