//! `cargo xtask test`: every test of the workspace, and one line that says how many there were.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

mod tally;

use self::tally::Tally;
use crate::workspace::{root, run as run_program};
use crate::{axe, packages, schema, widget};

/// Runs every test of the workspace, in a real browser too
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only the tests whose name contains this
    filter: Option<String>,
    /// Run only the tests of this package
    #[arg(long, short)]
    package: Option<String>,
}

/// Builds what the tests start, runs them, and counts.
pub(crate) fn run(options: &Options) -> Result<()> {
    packages::ensure_for_tests()?;
    axe::ensure()?;
    schema::ensure()?;
    widget::ensure()?;
    // The tests start the service's own binary, which `cargo test` alone does not build. One command for the binaries
    // and the tests, so that both see the same features and nothing is compiled twice.
    run_program(&mut cargo(&["build", "--workspace", "--lib", "--bins", "--tests"]))?;

    let mut command = cargo(&["test", "--no-fail-fast"]);
    match &options.package {
        Some(package) => command.args(["--package", package]),
        None => command.arg("--workspace"),
    };
    command.args(&options.filter);
    let (tally, ended_well) = watch(&mut command)?;

    let mut output = std::io::stdout().lock();
    writeln!(output, "\n{}\n{}", tally.table(), tally.sum())?;
    if tally.sum().ran() == 0 {
        bail!("no test ran");
    }
    if tally.sum().failed > 0 {
        bail!("tests failed");
    }
    if tally.sum().skipped > 0 {
        bail!("tests were skipped; a test that cannot run must fail");
    }
    if !ended_well {
        bail!("a test program ended before it told its result; its last lines above say why");
    }
    Ok(())
}

/// Cargo, as every step here needs it.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments).env("CARGO_TERM_COLOR", "never");
    // Most of these tests wait for another process; more of them than processors can do that at the same time.
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        command.env("RUST_TEST_THREADS", (3 * processors).to_string());
    }
    command
}

/// Runs the tests with their output shown as it comes, and counts their results. Also gives whether cargo was content.
fn watch(command: &mut Command) -> Result<(Tally, bool)> {
    // One pipe for both outputs: cargo names the suites on one of them, and the suites tell their results on the other.
    let (reader, writer) = std::io::pipe()?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .context("cargo could not be started")?;
    // The command holds our ends of the pipe, which would never close.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut tally = Tally::default();
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        std::io::stdout().write_all(&line)?;
        tally.read(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok((tally, child.wait()?.success()))
}
