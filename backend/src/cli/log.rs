//! The log, on the standard error output.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts the log. The libraries' own words below a warning are left out whatever the level: they may hold what a
/// visitor typed. `actix_http` tells of requests that it cannot parse, which anybody can send by the thousand.
pub(super) fn start(config: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("warn,actix_http=off,ringback={}", config.level.as_str()))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
