//! The demo: one command, everything on this machine, and nothing left behind.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use reqwest::Client;
use ringback_demo::gallery::scenes;
use ringback_tests::eventually::eventually;
use ringback_tests::service;
use serde_json::{Value, json};

#[tokio::test]
async fn the_demo_tells_where_everything_is_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let ports = ["--json", "--website-port=0", "--service-port=0", "--ops-port=0", "--simulator-port=0"];
    let mut demo = service::command_of("ringback-demo", &ports)
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(demo.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let addresses: Value = serde_json::from_str(&line).unwrap();
    let address = |name: &str| addresses[name].as_str().unwrap_or_else(|| panic!("{name}: {line}"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let http = Client::builder().no_proxy().build().unwrap();
    let get = async |address: &str| {
        let answer = http.get(address).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for name in ["website", "website_strict", "website_rtl"] {
        let (status, page) = get(address(name)).await;
        assert_eq!(status, 200, "{name}");
        assert!(page.contains(&format!("src=\"{}/widget.js\"", address("service"))), "{page}");
    }
    let (status, page) = get(address("website_examples")).await;
    assert_eq!(status, 200);
    assert!(page.contains("data-ringback-open") && !page.contains("{service}"), "{page}");
    let (status, page) = get(address("website_gallery")).await;
    assert_eq!(status, 200);
    for scene in scenes::ALL {
        assert!(page.contains(&format!("/gallery/frame?state={}&amp;", scene.name)), "{}", scene.name);
    }
    assert_eq!(get(address("agent_link")).await.0, 200);
    for door in ["readyz", "metrics"] {
        assert_eq!(get(&format!("{}/{door}", address("ops"))).await.0, 200, "{door}");
    }
    assert_eq!(get(&format!("{}/_control/tasks", address("simulator"))).await.0, 200);

    // What the printed command does.
    assert!(address("curl").contains(address("api_key")));
    let callbacks = format!("{}/v1/callbacks", address("service"));
    let body = json!({ "site": "acme", "name": "Ann Example", "phone": "+1 202 555 0142" });
    let asked = http.post(&callbacks).bearer_auth(address("api_key")).json(&body).send().await.unwrap();
    assert_eq!(asked.status().as_u16(), 202);
    let id = asked.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    // The simulator's events reach the service.
    eventually("the call is queued", async || {
        let request = http.get(format!("{callbacks}/{id}")).bearer_auth(address("api_key"));
        let record: Value = request.send().await.unwrap().json().await.unwrap();
        (record["state"] == "queued").then_some(())
    })
    .await;

    service::signal(&demo, "TERM");
    let status = eventually("the demo ends", async || demo.try_wait().unwrap()).await;
    assert_eq!(status.code(), Some(0));
    let mut rest = String::new();
    output.read_line(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
