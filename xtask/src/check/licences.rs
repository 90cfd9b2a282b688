//! Every dependency's licence lets the product be given out under `MIT OR Apache-2.0`, it comes from the public registry, and none
//! of those comes in that another was chosen instead of.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::judge;
use crate::workspace::{answer, root};

/// The licences that ask for no more than to name the author and keep their text (SPDX identifiers).
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// What is good enough beside those for what only runs here and is not given out: changes to the licensed files
/// themselves must be published, and there are none.
const ALLOWED_IN_TESTS: [&str; 1] = ["MPL-2.0"];

/// Where packages may come from: the public registry; those of this workspace have no source.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What must not come in unnoticed: a second way to TLS, which would bring its own bugs and its own trust.
const BANNED: [&str; 4] = ["native-tls", "openssl", "openssl-sys", "security-framework-sys"];

/// The members that are not given out.
const NOT_GIVEN_OUT: [&str; 3] = ["ringback-test-postgres", "ringback-tests", "xtask"];

pub(super) fn check() -> Result<()> {
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    let given_out = given_out(&metadata);
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let is_given_out = given_out.contains(package["id"].as_str().unwrap_or_default());
        let is_allowed = |licence: &str| {
            ALLOWED.contains(&licence) || !is_given_out && ALLOWED_IN_TESTS.contains(&licence)
        };
        match package["license"].as_str() {
            Some(expression) if fits(expression, &is_allowed) => {}
            Some(expression) => findings.push(format!("{name} is under {expression}")),
            None => findings.push(format!("{name} names no licence")),
        }
        if package["source"].as_str().is_some_and(|source| source != REGISTRY) {
            findings.push(format!("{name} does not come from the public registry"));
        }
        if BANNED.contains(&name) {
            findings.push(format!("{name} is banned; hint: `cargo tree -i {name}` says who brings it"));
        }
    }
    judge(&findings)
}

fn metadata() -> Result<Value> {
    // The packages of other platforms are not built, and not downloaded to be looked at.
    let version = answer(Command::new("rustc").arg("-vV")).context("`rustc -vV` failed")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["metadata", "--format-version", "1"]);
    for platform in [host.context("`rustc -vV` names no host")?, "wasm32-unknown-unknown"] {
        cargo.args(["--filter-platform", platform]);
    }
    let metadata = answer(&mut cargo).context("`cargo metadata` failed")?;
    Ok(serde_json::from_str(&metadata)?)
}

/// The ids of the members that are given out, and of everything that is built into them or builds them.
fn given_out(metadata: &Value) -> HashSet<&str> {
    let nodes: HashMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let kept_here: HashSet<&str> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| package["name"].as_str().is_some_and(|name| NOT_GIVEN_OUT.contains(&name)))
        .filter_map(|package| package["id"].as_str())
        .collect();
    let members = metadata["workspace_members"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut waiting: Vec<&str> = members.filter(|id| !kept_here.contains(id)).collect();
    let mut found = HashSet::new();
    while let Some(id) = waiting.pop() {
        if !found.insert(id) {
            continue;
        }
        let dependencies = nodes.get(id).and_then(|node| node["deps"].as_array()).into_iter().flatten();
        let built_in = dependencies.filter(|dependency| {
            dependency["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"] != "dev")
        });
        waiting.extend(built_in.filter_map(|dependency| dependency["pkg"].as_str()));
    }
    found
}

/// Whether an SPDX expression can be met by allowed licences alone. `/` stands for `OR`, as old packages write it.
fn fits(expression: &str, is_allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let fits = any(&mut words, is_allowed);
    fits && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `AND` binds more tightly than `OR` (SPDX specification, annex on expressions).
fn any(words: &mut Words<'_>, is_allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut fits = all(words, is_allowed);
    while words.next_if_eq(&"OR").is_some() {
        fits |= all(words, is_allowed);
    }
    fits
}

fn all(words: &mut Words<'_>, is_allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut fits = one(words, is_allowed);
    while words.next_if_eq(&"AND").is_some() {
        fits &= one(words, is_allowed);
    }
    fits
}

fn one(words: &mut Words<'_>, is_allowed: &dyn Fn(&str) -> bool) -> bool {
    let fits = match words.next() {
        Some("(") => any(words, is_allowed) & (words.next() == Some(")")),
        Some(licence) => is_allowed(licence),
        None => false,
    };
    if words.next_if_eq(&"WITH").is_some() {
        // An exception gives more freedom, never less.
        words.next();
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(expression: &str) -> bool {
        super::fits(expression, &|licence| ALLOWED.contains(&licence))
    }

    #[test]
    fn one_allowed_choice_is_enough() {
        for good in [
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
        ] {
            assert!(fits(good), "{good}");
        }
    }

    #[test]
    fn every_demanded_licence_must_be_allowed() {
        for bad in
            ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND LGPL-3.0", "", "(MIT", "MIT Apache-2.0"]
        {
            assert!(!fits(bad), "{bad}");
        }
    }
}
