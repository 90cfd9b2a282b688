//! `cargo xtask fuzz`: the parsers under libFuzzer, which learns from each input which way the next one should go.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::workspace::{root, run as run_program, target_dir};

/// Feeds every parser of what comes from outside with what nobody would write
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The parsers; all of them where none is named
    targets: Vec<String>,
    /// For how long each is fed, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// What has the compiler tell which ways an input has gone (the flags of the LLVM pass that libFuzzer reads).
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks";

pub(crate) fn run(options: &Options) -> Result<()> {
    let host = host()?;
    let folder = target_dir().join("fuzz");
    let mut build = Command::new("cargo");
    build.current_dir(root()).env("RUSTFLAGS", COVERAGE).env("CARGO_PROFILE_RELEASE_LTO", "off");
    build.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16").args([
        "build",
        "--release",
        "--package",
        "ringback-fuzz",
    ]);
    // With a target named, build scripts and macros are built without the flags.
    build.args(["--features", "libfuzzer", "--target", &host, "--target-dir"]).arg(&folder);
    run_program(&mut build)?;
    let program = folder.join(host).join("release").join("ringback-fuzz");
    let known = targets()?;
    for name in &options.targets {
        ensure!(known.contains(name), "there is no target {name:?}; there are {}", known.join(", "));
    }
    let chosen = known.iter().filter(|name| options.targets.is_empty() || options.targets.contains(name));
    for name in chosen {
        feed(name, &program, &folder, options.seconds)?;
    }
    Ok(())
}

/// The targets: each has a folder of inputs to begin with.
fn targets() -> Result<Vec<String>> {
    let folder = seeds();
    let entries = folder.read_dir().with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn seeds() -> PathBuf {
    root().join("fuzz").join("seeds")
}

fn feed(name: &str, program: &Path, folder: &Path, seconds: u32) -> Result<()> {
    let corpus = folder.join("corpus").join(name);
    std::fs::create_dir_all(&corpus).context("the corpus has no folder")?;
    println!("feeding {name} for {seconds} s");
    let mut feed = Command::new(program);
    // What is found new goes into the first folder.
    feed.env("RINGBACK_FUZZ", name).arg(&corpus).arg(seeds().join(name)).current_dir(folder);
    feed.args([
        format!("-max_total_time={seconds}"),
        "-timeout=5".to_owned(),
        "-rss_limit_mb=1024".to_owned(),
    ]);
    feed.args(["-max_len=4096", "-print_final_stats=1", "-verbosity=0"]);
    let status = feed.status().with_context(|| format!("`{}` could not be started", program.display()))?;
    ensure!(
        status.success(),
        "{name} found something; the input lies in {} as crash-… or timeout-…",
        folder.display()
    );
    Ok(())
}

fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc could not be started")?;
    let text = String::from_utf8(output.stdout).context("rustc did not say what it is")?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc did not say for which machine it builds")?.to_owned())
}
