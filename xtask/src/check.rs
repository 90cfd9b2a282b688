//! `cargo xtask check`: everything about the source that a program can judge without running it.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

mod length;
mod licences;
mod links;
mod manifests;

use crate::workspace::{answer, root, run as run_program};

/// Checks format, lints, manifests, licences and links
#[derive(clap::Args)]
pub(crate) struct Options {}

type Check = fn() -> Result<()>;

/// Runs every check, also after one has failed, so that one run tells it all.
pub(crate) fn run(_options: &Options) -> Result<()> {
    let checks: [(&str, Check); 6] = [
        ("manifests", manifests::check),
        ("length of files", length::check),
        ("links", links::check),
        ("format", || cargo(&["fmt", "--all", "--check"])),
        ("licences", licences::check),
        ("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        eprintln!("checking {name}");
        if let Err(error) = check() {
            eprintln!("{name}: {error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("these checks failed: {}", failed.join(", "));
    }
    println!("all checks passed");
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    run_program(Command::new("cargo").current_dir(root()).args(arguments))
}

/// The files of the repository, with those that are new and not ignored, whose name ends so.
fn files(end: &str) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let names = answer(&mut git).context("`git ls-files` failed; is this a clone of the repository?")?;
    let files = names.lines().filter(|name| name.ends_with(end));
    // A file may be gone from the folder and still be in the index.
    Ok(files.filter(|name| root().join(name).is_file()).map(str::to_owned).collect())
}

/// Fails with one line for each finding.
fn judge(findings: &[String]) -> Result<()> {
    if findings.is_empty() { Ok(()) } else { bail!("\n  {}", findings.join("\n  ")) }
}
