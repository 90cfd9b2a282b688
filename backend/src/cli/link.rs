//! `ringback link`.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::{ConfigFile, print};
use crate::app;
use crate::clock::{SharedClock, SystemClock};
use crate::config::Config;
use crate::store::{self, Use};

/// Print a preferred-agent link.
#[derive(Debug, clap::Args)]
pub(super) struct Link {
    #[command(flatten)]
    config: ConfigFile,
    /// The site that the link is for.
    #[arg(long)]
    site: String,
    /// The agent's handle.
    #[arg(long)]
    agent: String,
    /// How long the link lives, such as 12h, 30d or 1y.
    #[arg(long, default_value = "30d", value_parser = lifetime)]
    expires: SignedDuration,
    /// The service's public address, where it is not in the configuration.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

impl Link {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let base_url = self.base_url.clone().map_or_else(|| public_url(&config), Ok)?;
        let clock: SharedClock = Arc::new(SystemClock);
        let store = store::open(&config.store, Use::Command).await?;
        let signer = app::signer(&*store, &clock).await?;
        let link =
            app::agent_link(&config, &signer, &clock, &base_url, &self.site, &self.agent, self.expires)?;
        print(&link)
    }
}

fn public_url(config: &Config) -> anyhow::Result<String> {
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
