//! What operators see: health, stops, a second process, memory.

use ringback_contract::callback::State;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::log::Captured;
use ringback_tests::service::Service;
use webex_simulator::organization;

#[tokio::test]
async fn the_service_says_that_it_lives_and_that_it_is_ready() {
    let house = House::open().await;
    assert_eq!(house.get_ops("/healthz").await.ok()["status"], "alive");
    let ready = house.get_ops("/readyz").await.ok();
    assert_eq!(ready["status"], "ready");
    let checks = ready["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["name"] == "store"));
    assert!(checks.iter().all(|check| check["ok"] == true));
    // The public does not see the operators' door.
    assert_eq!(house.get("/healthz").await.status.as_u16(), 404);
    assert_eq!(house.get("/readyz").await.status.as_u16(), 404);
}

#[tokio::test]
async fn the_service_is_not_ready_without_a_token_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, organization::ACCESS_TOKEN).unwrap();
    let house = House::with(|plan| {
        plan.set("webex.access_token", "");
        plan.set("webex.access_token_file", file.to_str().unwrap());
    })
    .await;
    house.get_ops("/readyz").await.ok();
    std::fs::remove_file(&file).unwrap();
    let answer = house.get_ops("/readyz").await;
    assert_eq!(answer.status.as_u16(), 503);
    let checks = answer.json()["checks"].clone();
    let failed: Vec<_> = checks.as_array().unwrap().iter().filter(|check| check["ok"] == false).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["name"], "webex_token");
    assert!(!failed[0]["detail"].as_str().unwrap().is_empty());
    house.get_ops("/healthz").await.ok();
}

#[tokio::test]
async fn both_signals_stop_the_service_in_good_order() {
    for signal in ["TERM", "INT"] {
        let mut house = House::open().await;
        let accepted = house.ask().await;
        let service = house.take_service();
        service.signal(signal);
        assert_eq!(service.ended().await.code(), Some(0), "{signal}: {}", house.log());
        house.start().await;
        house.until(&accepted.id, State::Completed).await;
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_database_is_refused() {
    let house = House::open().await;
    let log = Captured::default();
    let elsewhere =
        [("RINGBACK__SERVER__LISTEN", "127.0.0.1:0"), ("RINGBACK__SERVER__OPS_LISTEN", "127.0.0.1:0")];
    let elsewhere = elsewhere.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let status = Service::start(&house.config_file(), &elsewhere, &log).await.expect_err("it must not start");
    assert!(!status.success());
    assert!(log.text().contains("ringback.db") && log.text().contains("hint"), "{}", log.text());
    // The first goes on.
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_its_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut house = House::without_service(|_| {}).await;
    let mut config: toml::Table = std::fs::read_to_string(house.config_file()).unwrap().parse().unwrap();
    config["server"]["ops_listen"] = address.clone().into();
    std::fs::write(house.config_file(), config.to_string()).unwrap();
    let status = house.try_start().await.expect_err("it must not start");
    assert!(!status.success());
    let log = house.log();
    assert!(log.contains(&address) && log.contains("server.ops_listen") && log.contains("hint"), "{log}");
}

#[tokio::test]
async fn an_idle_service_is_small() {
    let mut house = House::with(|plan| plan.set("log.level", "info")).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    let bytes = house.service().resident_bytes();
    // What operators run has a quarter of the code of a build for debugging.
    let most = if cfg!(debug_assertions) { 60_000_000 } else { 25_000_000 };
    assert!(bytes < most, "{bytes} bytes are resident");
}

#[tokio::test]
async fn the_log_tells_the_life_of_a_callback_by_its_id() {
    let house = House::with(|plan| plan.set("log.format", "json")).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    eventually("the log has caught up", async || house.log().contains("\"completed\"").then_some(())).await;
    let log = house.log();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_callback = |message: &str| {
        lines.iter().any(|line| line["callback"] == accepted.id && line["message"] == message)
    };
    assert!(of_callback("callback accepted"), "{log}");
    assert!(of_callback("callback moved"), "{log}");
}
