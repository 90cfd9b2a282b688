//! `cargo xtask demo`: the website of a customer, the service and a simulated Webex on this machine.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::widget;
use crate::workspace::{root, run as run_program, target_dir};

/// Runs a customer's website, the service and a simulated Webex; needs nothing else
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build for speed, as for production
    #[arg(long)]
    release: bool,
    /// What the demo itself takes: --json, --website-port, --service-port, --ops-port, --simulator-port, --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<String>,
}

/// Builds, and becomes the demo: what ends this process ends it.
pub(crate) fn run(options: &Options) -> Result<()> {
    // Also where it stands behind an option of the demo.
    let release = options.release || options.options.iter().any(|option| option == "--release");
    let for_demo = options.options.iter().filter(|option| *option != "--release");
    widget::ensure()?;
    let mut build = Command::new("cargo");
    build.current_dir(root()).args(["build", "--package", "ringback-demo"]);
    if release {
        build.arg("--release");
    }
    run_program(&mut build)?;
    let folder = if release { "release" } else { "debug" };
    let program = target_dir().join(folder).join("ringback-demo");
    let failed = Command::new(&program).args(for_demo).exec();
    Err(failed).with_context(|| format!("`{}` could not be started", program.display()))
}
