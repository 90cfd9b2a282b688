//! `cargo xtask bench`: how fast the service is, and how much memory it takes.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::packages;
use crate::workspace::{root, run as run_program, target_dir};

/// Measures the release build: intake, delivery, several processes, followers
#[derive(clap::Args)]
pub(crate) struct Options {
    /// intake, delivery, followers, --seconds N, --rounds N, --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<String>,
}

/// Builds, and becomes the program that measures: what ends this process ends it.
pub(crate) fn run(options: &Options) -> Result<()> {
    packages::ensure_for_tests()?;
    let mut build = Command::new("cargo");
    build.current_dir(root()).args([
        "build",
        "--release",
        "--package",
        "ringback",
        "--package",
        "ringback-tests",
        "--bins",
    ]);
    run_program(&mut build)?;
    let program = target_dir().join("release").join("ringback-bench");
    let failed = Command::new(&program).args(&options.options).exec();
    Err(failed).with_context(|| format!("`{}` could not be started", program.display()))
}
