//! `cargo xtask schema`: does the running service answer as its OpenAPI description says, whatever it is sent?

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{answer, root, run as run_program, target_dir};
use crate::{packages, widget};

/// Sends generated requests to the service and holds the answers against its OpenAPI description
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many requests are made up for each operation
    #[arg(long, default_value_t = 500)]
    examples: u32,
}

/// Runs the test of the suite with so many examples.
pub(crate) fn run(options: &Options) -> Result<()> {
    packages::ensure_for_tests()?;
    ensure()?;
    widget::ensure()?;
    run_program(Command::new("cargo").current_dir(root()).args([
        "build",
        "--workspace",
        "--lib",
        "--bins",
        "--tests",
    ]))?;
    run_program(
        Command::new("cargo")
            .current_dir(root())
            .args(["test", "--package", "ringback-tests", "--test", "e2e", "--", "--nocapture", "schema::"])
            .env("RINGBACK_SCHEMA_EXAMPLES", options.examples.to_string()),
    )
}

/// Installs Schemathesis from its public registry, where it is not there in this version yet.
pub(crate) fn ensure() -> Result<()> {
    let requirements = root().join("tests/schemathesis.txt");
    let wanted = std::fs::read_to_string(&requirements).context("tests/schemathesis.txt")?;
    let version =
        wanted.lines().find_map(|line| line.strip_prefix("schemathesis==")).context("its version")?;
    let folder = folder();
    let there = answer(Command::new(folder.join("bin/schemathesis")).arg("--version"));
    if there.is_some_and(|there| there.ends_with(version)) {
        return Ok(());
    }
    eprintln!("installing Schemathesis {version}");
    run_program(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut install = Command::new(folder.join("bin/pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(requirements);
    run_program(&mut install)
}

/// Where it lies: the tests look for it there.
fn folder() -> PathBuf {
    target_dir().join("schemathesis")
}
