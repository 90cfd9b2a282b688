//! `ringback link`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::audit::record;
use super::{ConfigFile, first_store, print};
use crate::agent::Revoked;
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::intake;
use crate::store::{self, Use};
use crate::token::Purpose;
use crate::trust::Trust;

/// Print a preferred-agent link, or take links back.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Link {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    config: ConfigFile,
    /// The site that the link is for.
    #[arg(long, required = true)]
    site: Option<String>,
    /// The agent's handle.
    #[arg(long, required = true)]
    agent: Option<String>,
    /// How long the link lives, such as 12h, 30d or 1y.
    #[arg(long, default_value = "30d", value_parser = lifetime)]
    expires: SignedDuration,
    /// The service's public address, where it is not in the configuration.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Take links back. Running services know of it within seconds.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
struct Revoke {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Every link of this agent that was made so far.
    #[arg(long)]
    agent: Option<String>,
    /// One link, or its token.
    #[arg(long)]
    link: Option<String>,
}

impl Link {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if let Some(Action::Revoke(revoke)) = self.action {
            return revoke.run().await;
        }
        let config = self.config.load()?;
        let base_url = self.base_url.clone().map_or_else(|| public_url(&config), Ok)?;
        let now = SystemClock.now();
        let store = first_store(&config.store).await?;
        let signer = Trust::load(&*store, now).await?.signer;
        let (site, agent) = (self.site.unwrap_or_default(), self.agent.unwrap_or_default());
        let link = intake::agent_link(&config, &signer, now, &base_url, &site, &agent, self.expires)?;
        record(&*store, "link.create", format!("{site} {agent}"), "").await?;
        print(&link)
    }
}

impl Revoke {
    async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let store = store::open(&config.store, Use::Command).await?;
        let now = SystemClock.now();
        let (revoked, what) = match (&self.which.agent, &self.which.link) {
            (Some(agent), _) => {
                // One who is in the configuration no more may have links all the same; a slip of the hand would do nothing.
                if !config.agents.contains_key(agent) {
                    print(&format!(
                        "there is no agent {agent:?} in the configuration; their links are taken back all the same"
                    ))?;
                }
                (Revoked::agent(agent, now), format!("every link of {agent} that was made so far"))
            }
            (None, link) => {
                let link = link.as_deref().unwrap_or_default();
                let token = link.rsplit('/').next().unwrap_or_default();
                let signer = Trust::load(&*store, now).await?.signer;
                signer.open(Purpose::AgentLink, token).context(
                    "that is no link of this service\n  hint: give the whole link as it was printed",
                )?;
                (Revoked::link(token, now), "the link".to_owned())
            }
        };
        store.revoke_links(&revoked).await?;
        record(&*store, "link.revoke", &revoked.subject, "").await?;
        print(&format!("{what} is worth nothing any more; running services know within seconds"))
    }
}

/// Where the public reaches the service.
pub(super) fn public_url(config: &Config) -> anyhow::Result<String> {
    match (config.server.public_url.as_str(), config.server.listen) {
        ("", listen) if listen.port() == 0 => {
            anyhow::bail!(
                "the public address is not known\n  hint: set server.public_url, or give --base-url"
            )
        }
        ("", listen) => Ok(format!("http://{listen}")),
        (url, _) => Ok(url.to_owned()),
    }
}

/// How long a link or a key lives.
pub(super) fn lifetime(text: &str) -> anyhow::Result<SignedDuration> {
    let days = SpanRelativeTo::days_are_24_hours();
    let span: Span = text.parse().context("write it as 12h, 30d or 1y")?;
    // A year of a link need not be a calendar's.
    let (years, months) = (i64::from(span.get_years()), i64::from(span.get_months()));
    let rest = span.years(0).months(0).to_duration(days).context("write it as 12h, 30d or 1y")?;
    let lifetime = rest.checked_add(SignedDuration::from_hours(24 * (365 * years + 30 * months)));
    let lifetime = lifetime.context("that is too long")?;
    anyhow::ensure!(lifetime > SignedDuration::ZERO, "a lifetime must be longer than nothing");
    Ok(lifetime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_written_with_its_unit() {
        let hours = |text: &str| lifetime(text).map(|lifetime| lifetime.as_hours()).ok();
        assert_eq!(hours("12h"), Some(12));
        assert_eq!(hours("30d"), Some(720));
        assert_eq!(hours("2w"), Some(336));
        assert_eq!(hours("1y"), Some(8760));
        for bad in ["", "30", "-1d", "0s", "soon", "9999999y"] {
            assert_eq!(hours(bad), None, "{bad}");
        }
    }
}
