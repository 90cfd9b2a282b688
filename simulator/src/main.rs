//! The simulator as a program.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Parser;
use webex_simulator::{Options, Outcome, Pace, Settings, Simulator, organization};

/// A local Webex Contact Center, with faults on demand
#[derive(Debug, Parser)]
#[command(name = "webex-simulator", version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// How fast calls go: manual, instant, demo, the ms of every step, or five numbers of ms
    #[arg(long, default_value = "demo")]
    pace: Pace,
    /// How calls go, by the name of the outcome
    #[arg(long, default_value = "connected", value_parser = outcome)]
    outcome: Outcome,
    /// Take webhook destinations that Webex would not: plain http, any port, this machine
    #[arg(long)]
    accept_local_webhooks: bool,
    /// Calls a minute for each client; Webex allows 300 [default: no limit]
    #[arg(long)]
    rate_limit: Option<u32>,
    /// Print one line of JSON and nothing else
    #[arg(long)]
    json: bool,
}

fn outcome(name: &str) -> Result<Outcome, String> {
    serde_json::from_value(name.into()).map_err(|error| error.to_string())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let simulator = Simulator::start(Options {
        listen: arguments.listen,
        accept_local_webhooks: arguments.accept_local_webhooks,
        settings: Settings {
            pace: arguments.pace,
            outcome: arguments.outcome,
            rate_limit_per_minute: arguments.rate_limit,
            ..Settings::default()
        },
        ..Options::default()
    })
    .await?;

    let base_url = simulator.base_url();
    let line = if arguments.json {
        serde_json::json!({
            "base_url": base_url,
            "address": simulator.address().to_string(),
            "control_url": format!("{base_url}/_control"),
            "org_id": organization::ORG_ID,
            "access_token": organization::ACCESS_TOKEN,
        })
        .to_string()
    } else {
        format!("webex-simulator listens on {base_url}")
    };
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")?;

    asked_to_stop().await?;
    simulator.stop().await;
    Ok(())
}

#[cfg(unix)]
async fn asked_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("cannot listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() -> anyhow::Result<()> {
    tokio::signal::ctrl_c().await.context("cannot listen for Ctrl-C")
}
