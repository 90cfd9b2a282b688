//! axe-core, which the tests hold every state of the form against: installed from npm, and no part of anything that is built.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{root, run, target_dir};

/// What says which version it is, and what it must consist of.
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs axe-core from its public registry, where it is not there in this version yet.
pub(crate) fn ensure() -> Result<()> {
    let (wanted, folder) = (root().join("tests/axe"), target_dir().join("axe"));
    let is_same = |name: &str| {
        let there = fs::read(folder.join(name)).ok();
        there.is_some() && there == fs::read(wanted.join(name)).ok()
    };
    if folder.join("node_modules/axe-core/axe.min.js").is_file() && FILES.into_iter().all(is_same) {
        return Ok(());
    }
    eprintln!("installing axe-core");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for name in FILES {
        fs::copy(wanted.join(name), folder.join(name)).with_context(|| format!("tests/axe/{name}"))?;
    }
    let mut install = Command::new("npm");
    install.arg("ci").args(["--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix"]);
    run(install.arg(&folder))
}
