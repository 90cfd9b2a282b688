//! The log, on the standard error output.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// Starts the log. The libraries' own words below a warning are left out whatever the level: they may hold what a
/// visitor typed. `actix_http` tells of requests that it cannot parse, which anybody can send by the thousand.
pub(super) fn start(config: &Log) -> anyhow::Result<()> {
    // A filter by variables of the environment would look at each step into each request and out of it.
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("actix_http", LevelFilter::OFF)
        .with_target("ringback", config.level.as_str().parse::<LevelFilter>()?);
    let subscriber = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            subscriber.with(lines.with_ansi(is_terminal)).try_init()
        }
        LogFormat::Json => subscriber.with(lines.json().flatten_event(true)).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
