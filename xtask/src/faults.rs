//! `cargo xtask faults`: the service under load while it is killed and everything around it fails.

use anyhow::Result;

use crate::packages;
use crate::workspace::become_program;

/// Kills the service under load while Webex fails, and compares what callers were told with whom Webex has rung
#[derive(clap::Args)]
pub(crate) struct Options {
    /// --seed N, --callbacks N, --kills N, --store sqlite|postgres, --instances N, --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.options.iter().any(|option| option == "postgres" || option == "--store=postgres") {
        packages::ensure_for_tests()?;
    }
    become_program("ringback-faults", false, &options.options)
}
