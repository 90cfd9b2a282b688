//! The parts together.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use jiff::SignedDuration;
use ringback::app::App;
use ringback::config::Config;
use serde::Serialize;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use webex_simulator::{Pace, Settings, Simulator};

use crate::organization::{self, AGENT, Run, SITE};
use crate::website::Website;

/// How long the demo's preferred-agent link lives.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A customer's website, the service and a simulated Webex Contact Center in one process
#[derive(Clone, Debug, Default, clap::Parser)]
#[command(name = "ringback-demo", bin_name = "cargo xtask demo")]
pub struct Options {
    /// Print one line of JSON with every address, and nothing else on standard output
    #[arg(long)]
    pub json: bool,
    /// The website's port; 0 takes a free one [default: 4000, or a free one]
    #[arg(long, value_name = "PORT")]
    pub website_port: Option<u16>,
    /// The service's port; 0 takes a free one [default: 4001, or a free one]
    #[arg(long, value_name = "PORT")]
    pub service_port: Option<u16>,
    /// The port of the service's operators' door; 0 takes a free one [default: 4002, or a free one]
    #[arg(long, value_name = "PORT")]
    pub ops_port: Option<u16>,
    /// The simulator's port; 0 takes a free one [default: 4003, or a free one]
    #[arg(long, value_name = "PORT")]
    pub simulator_port: Option<u16>,
}

/// Where everything is.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// The customer's website.
    pub website: String,
    /// The same page under a strict content security policy.
    pub website_strict: String,
    /// The same page from right to left.
    pub website_rtl: String,
    /// A page with the ways in which the form is put on a page.
    pub website_examples: String,
    /// Every state of the form, in every language and look.
    pub website_gallery: String,
    /// The service.
    pub service: String,
    /// The service's operators' door.
    pub ops: String,
    /// The Webex side.
    pub simulator: String,
    /// A preferred-agent link.
    pub agent_link: String,
    /// The key for the REST door.
    pub api_key: String,
    /// A command that asks for a callback through the REST door.
    pub curl: String,
}

impl fmt::Display for Addresses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "A website with the form:\n  {}", self.website)?;
        writeln!(formatter, "Every way to put it on a page, to try:\n  {}", self.website_examples)?;
        writeln!(formatter, "Every state, language and look of it:\n  {}", self.website_gallery)?;
        writeln!(formatter, "A link to one agent:\n  {}", self.agent_link)?;
        writeln!(formatter, "The REST door:\n  {}", self.curl)?;
        writeln!(formatter, "What operators see:\n  {0}/metrics\n  {0}/readyz", self.ops)?;
        writeln!(
            formatter,
            "The simulated Webex, and what went on there:\n  {}/_control/tasks",
            self.simulator
        )?;
        write!(formatter, "Ctrl-C stops everything and leaves nothing behind.")
    }
}

/// The demo, ready and answering.
pub struct Demo {
    /// Where everything is.
    pub addresses: Addresses,
    parts: JoinSet<Result<()>>,
    simulator: Simulator,
    folder: TempDir,
}

/// Starts every part, and comes back when all answer.
pub async fn start(options: &Options, stop: &CancellationToken) -> Result<Demo> {
    let folder = tempfile::Builder::new().prefix("ringback-demo-").tempdir()?;
    let website = Website::bind(port(options.website_port, 4000)).context("the website cannot listen")?;
    let simulator = Simulator::start(webex_simulator::Options {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port(options.simulator_port, 4003))),
        accept_local_webhooks: true,
        settings: Settings { pace: Pace::demo(), ..Settings::default() },
        ..webex_simulator::Options::default()
    })
    .await
    .context("the simulator cannot start")?;
    let (webhook_secret, api_key) = (random_text()?, random_text()?);
    let app = service(
        folder.path(),
        &Run {
            folder: folder.path(),
            service_port: port(options.service_port, 4001),
            ops_port: port(options.ops_port, 4002),
            webex: &simulator.base_url(),
            webhook_secret: &webhook_secret,
            api_key: &api_key,
            origins: &website.origins(),
        },
    )
    .await?;

    let service = app.url().to_owned();
    let addresses = Addresses {
        website: website.url(),
        website_strict: format!("{}/strict", website.url()),
        website_rtl: format!("{}/rtl", website.url()),
        website_examples: format!("{}/examples", website.url()),
        website_gallery: format!("{}/gallery", website.url()),
        ops: app.ops_url().to_owned(),
        simulator: simulator.base_url(),
        agent_link: app.agent_link(SITE, AGENT, LINK_LIFETIME)?,
        curl: curl(&service, &api_key),
        service: service.clone(),
        api_key,
    };
    let mut parts = JoinSet::new();
    let (of_app, of_website) = (stop.clone(), stop.clone());
    parts.spawn(async move { Ok(app.run(of_app).await?) });
    parts.spawn(async move { Ok(website.serve(&service, of_website).await?) });
    subscribe(&addresses, &webhook_secret).await?;
    let demo = Demo { addresses, parts, simulator, folder };
    demo.until_all_answer().await?;
    Ok(demo)
}

impl Demo {
    async fn until_all_answer(&self) -> Result<()> {
        for address in [&format!("{}/readyz", self.addresses.ops), &self.addresses.website] {
            let answer =
                http().get(address).send().await.with_context(|| format!("{address} does not answer"))?;
            let status = answer.status();
            if !status.is_success() {
                bail!("{address} is not ready ({status}): {}", answer.text().await?);
            }
        }
        Ok(())
    }

    /// Runs until `stop`, or until a part fails; then ends the others and removes the folder.
    pub async fn run(mut self, stop: CancellationToken) -> Result<()> {
        let mut outcome = Ok(());
        while let Some(ended) = self.parts.join_next().await {
            let ended = ended.context("a part of the demo has failed").and_then(|result| result);
            stop.cancel();
            outcome = outcome.and(ended);
        }
        self.simulator.stop().await;
        self.folder.close()?;
        outcome
    }
}

/// The service, with its configuration read from a file as in the field.
async fn service(folder: &Path, run: &Run<'_>) -> Result<App> {
    let file = folder.join("ringback.toml");
    std::fs::write(&file, organization::configuration(run)?)?;
    let config = Config::load(Some(&file), std::env::vars())?;
    App::build(config).await.context("the service cannot start")
}

/// Tells the Webex side where to send its events, as an administrator would.
async fn subscribe(addresses: &Addresses, secret: &str) -> Result<()> {
    let body = json!({
        "name": "ringback",
        "eventTypes": ["task:new", "task:parked", "task:connect", "task:connected", "task:ended", "task:failed"],
        "destinationUrl": format!("{}/webhooks/webex", addresses.service),
        "secret": secret,
    });
    let request = http()
        .post(format!("{}/v1/subscriptions", addresses.simulator))
        .bearer_auth(webex_simulator::organization::ACCESS_TOKEN)
        .json(&body);
    let answer = request.send().await?;
    let status = answer.status();
    if !status.is_success() {
        bail!("the webhook subscription was refused ({status}): {}", answer.text().await?);
    }
    Ok(())
}

fn curl(service: &str, api_key: &str) -> String {
    let body = json!({
        "site": SITE,
        "name": "Ann Example",
        "phone": "+1 202 555 0142",
        "reason": "orders",
        "reference": "case-4711",
    });
    format!(
        "curl {service}/v1/callbacks -H 'Authorization: Bearer {api_key}' -H 'Content-Type: application/json' -d '{body}'"
    )
}

/// Only ever talks to this machine.
pub(crate) fn http() -> reqwest::Client {
    // The service has chosen a provider for TLS by now; without one there would be no client.
    reqwest::Client::builder().no_proxy().build().unwrap_or_default()
}

/// The port that was asked for; else the usual one, or a free one where that is taken.
fn port(asked: Option<u16>, usual: u16) -> u16 {
    asked.unwrap_or_else(|| TcpListener::bind((Ipv4Addr::LOCALHOST, usual)).map_or(0, |_| usual))
}

fn random_text() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_door_is_printed() {
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let addresses = Addresses {
            website: at(4000),
            website_strict: String::new(),
            website_rtl: String::new(),
            website_examples: at(4000) + "/examples",
            website_gallery: at(4000) + "/gallery",
            service: at(4001),
            ops: at(4002),
            simulator: at(4003),
            agent_link: at(4001) + "/a/x",
            api_key: String::new(),
            curl: curl(&at(4001), "key"),
        };
        let told = addresses.to_string();
        for door in [at(4000), at(4001), at(4002) + "/metrics", at(4003) + "/_control/"] {
            assert!(told.contains(&door), "{door}: {told}");
        }
    }
}
