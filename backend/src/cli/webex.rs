//! `ringback webex subscribe | unsubscribe | status`.

use std::sync::Arc;

use anyhow::Context as _;
use clap::Subcommand;

use super::audit::record;
use super::{ConfigFile, first_store, print};
use crate::app;
use crate::clock::SystemClock;
use crate::config::Config;

/// Have Webex tell this service of its tasks.
#[derive(Debug, Subcommand)]
pub(super) enum Webex {
    /// Subscribe to the events of tasks, or mend the subscription there is.
    Subscribe(ConfigFile),
    /// End every subscription that sends its events here.
    Unsubscribe(ConfigFile),
    /// Print the subscriptions that send their events here.
    Status(ConfigFile),
}

impl Webex {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (Self::Subscribe(file) | Self::Unsubscribe(file) | Self::Status(file)) = &self;
        let config = file.load()?;
        let (webex, _) = app::client(&config, &(Arc::new(SystemClock) as _)).await?;
        let destination = destination(&config)?;
        match self {
            Self::Subscribe(_) => {
                let secret = config.webex.webhook_secrets.first().context(
                    "webex.webhook_secrets is empty\n  hint: put the output of `openssl rand -hex 32` there, restart the service, then subscribe",
                )?;
                let version = webex.subscribe(&destination, secret).await?;
                written(&config, "webex.subscribe", &destination).await?;
                print(&format!("subscribed {destination} ({version:?})"))
            }
            Self::Unsubscribe(_) => {
                for subscription in webex.subscriptions_to(&destination).await? {
                    webex.unsubscribe(&subscription).await?;
                    written(&config, "webex.unsubscribe", &subscription.id).await?;
                    print(&format!("unsubscribed {}", subscription.id))?;
                }
                Ok(())
            }
            Self::Status(_) => {
                let all = webex.subscriptions_to(&destination).await?;
                if all.is_empty() {
                    print(&format!("no subscription sends its events to {destination}"))?;
                }
                for subscription in all {
                    let status = if subscription.active { "active" } else { "INACTIVE" };
                    let events = subscription.event_types.join(" ");
                    print(&format!("{} {:?} {status} {events}", subscription.id, subscription.version))?;
                }
                Ok(())
            }
        }
    }
}

/// Writes down what was done at Webex.
async fn written(config: &Config, action: &'static str, subject: &str) -> anyhow::Result<()> {
    let store = first_store(&config.store).await?;
    record(&*store, action, subject, "").await
}

/// Where Webex sends its events.
fn destination(config: &Config) -> anyhow::Result<String> {
    let public_url = &config.server.public_url;
    anyhow::ensure!(
        !public_url.is_empty(),
        "server.public_url is empty\n  hint: Webex sends webhooks to a public https address; set it"
    );
    Ok(format!("{public_url}{}", crate::http::WEBHOOK_PATH))
}
