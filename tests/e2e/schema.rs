//! The service against its own OpenAPI description: Schemathesis makes requests up, sound ones and others.

use std::process::Command;

use ringback_tests::house::House;
use ringback_tests::plan::{API_KEY, ORIGIN};
use ringback_tests::service::tool;

#[tokio::test]
async fn whatever_is_sent_is_answered_as_the_description_says() {
    let house = House::with(|plan| {
        plan.set("log.level", "warn");
        plan.set("server.workers", 2);
        // As long as an operator would let it, so that waiting for Webex ends no request early.
        plan.set("delivery.join_s", 0);
    })
    .await;
    let examples = std::env::var("RINGBACK_SCHEMA_EXAMPLES").unwrap_or_else(|_| "40".to_owned());
    let mut command = Command::new(tool("schemathesis/bin/schemathesis"));
    command
        .current_dir(house.folder())
        .args(["run", &format!("{}/v1/openapi.json", house.url())])
        .args([
            "--header",
            &format!("Authorization: Bearer {API_KEY}"),
            "--header",
            &format!("Origin: {ORIGIN}"),
        ])
        .args(["--max-examples", &examples, "--workers", "1", "--seed", "1", "--no-color"])
        // A stream of events ends with the callback, which may be hours away.
        .args(["--exclude-operation-id", "followCallback"])
        // A request of the right shape may still be for a site, a day or an agent that is not there: no schema knows.
        .args(["--exclude-checks", "positive_data_acceptance"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).replace(API_KEY, "…");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    println!("{text}");
}
