//! `cargo xtask faults`: the service under load while it is killed and everything around it fails.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::packages;
use crate::workspace::{root, run as run_program, target_dir};

/// Kills the service under load while Webex fails, and compares what callers were told with whom Webex has rung
#[derive(clap::Args)]
pub(crate) struct Options {
    /// --seed N, --callbacks N, --kills N, --store sqlite|postgres, --instances N, --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<String>,
}

/// Builds, and becomes the conductor: what ends this process ends it.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.options.iter().any(|option| option == "postgres" || option == "--store=postgres") {
        packages::ensure_for_tests()?;
    }
    let mut build = Command::new("cargo");
    build.current_dir(root()).args([
        "build",
        "--package",
        "ringback",
        "--package",
        "ringback-tests",
        "--bins",
    ]);
    run_program(&mut build)?;
    let program = target_dir().join("debug").join("ringback-faults");
    let failed = Command::new(&program).args(&options.options).exec();
    Err(failed).with_context(|| format!("`{}` could not be started", program.display()))
}
