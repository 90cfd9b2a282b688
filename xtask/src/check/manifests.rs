//! Every member takes its lints, its dependency versions and its package data from the workspace.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::judge;
use crate::workspace::root;

/// What `[package]` inherits.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

pub(super) fn check() -> Result<()> {
    let workspace = read(Path::new("Cargo.toml"))?;
    let members = workspace["workspace"]["members"].as_array().context("Cargo.toml lists no members")?;
    let mut findings = Vec::new();
    for member in members.iter().filter_map(Value::as_str) {
        let manifest = read(&Path::new(member).join("Cargo.toml"))?;
        findings.extend(
            of_manifest(&manifest).into_iter().map(|finding| format!("{member}/Cargo.toml: {finding}")),
        );
    }
    judge(&findings)
}

fn read(path: &Path) -> Result<Table> {
    let text = fs::read_to_string(root().join(path)).with_context(|| path.display().to_string())?;
    text.parse().with_context(|| path.display().to_string())
}

/// What is wrong with the manifest of a member.
fn of_manifest(manifest: &Table) -> Vec<String> {
    let mut findings = Vec::new();
    if !is_inherited(manifest.get("lints")) {
        findings.push("the lints are not the workspace's; hint: [lints] workspace = true".to_owned());
    }
    for key in INHERITED {
        if !is_inherited(manifest.get("package").and_then(|package| package.get(key))) {
            findings.push(format!("package.{key} is not the workspace's; hint: {key}.workspace = true"));
        }
    }
    let mut tables = vec![manifest];
    let targets = manifest.get("target").and_then(Value::as_table);
    tables.extend(targets.into_iter().flat_map(Table::values).filter_map(Value::as_table));
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let dependencies = table.get(kind).and_then(Value::as_table);
            for (name, dependency) in dependencies.into_iter().flatten() {
                if !is_inherited(Some(dependency)) {
                    findings.push(format!(
                        "{kind}.{name} has a version of its own; hint: list it in the workspace and write {name}.workspace = true"
                    ));
                }
            }
        }
    }
    findings
}

fn is_inherited(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_has_of_its_own_is_found() {
        let good = "package = { version.workspace = true, edition.workspace = true, rust-version.workspace = true, \
                    license.workspace = true, publish.workspace = true }\nlints.workspace = true\n";
        let found = |more: &str| of_manifest(&format!("{good}{more}").parse().unwrap()).len();
        assert_eq!(found(""), 0);
        assert_eq!(found("dependencies.serde.workspace = true"), 0);
        assert_eq!(found("dependencies.serde = { workspace = true, features = ['rc'] }"), 0);
        assert_eq!(found("dependencies.serde = '1'"), 1);
        assert_eq!(found("dev-dependencies.serde = { path = '../serde' }"), 1);
        assert_eq!(found("target.'cfg(unix)'.build-dependencies.cc = '1'"), 1);
        assert_eq!(of_manifest(&Table::new()).len(), 1 + INHERITED.len());
    }
}
