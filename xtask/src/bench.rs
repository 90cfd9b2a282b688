//! `cargo xtask bench`: how fast the service is, and how much memory it takes.

use anyhow::Result;

use crate::packages;
use crate::workspace::become_program;

/// Measures the release build: how fast it is, how much memory it takes, and how it stands a flood
#[derive(clap::Args)]
pub(crate) struct Options {
    /// intake, delivery, processes, followers, callers, flood, forged, proof, widget, --seconds N, --rounds N, --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    packages::ensure_for_tests()?;
    become_program("ringback-bench", true, &options.options)
}
