//! No source file grows beyond what can be read at one go.

use std::fs;

use anyhow::{Context as _, Result};

use super::{files, judge};
use crate::workspace::root;

/// Most lines of a source file, its tests included.
const LINES_MAX: usize = 600;

pub(super) fn check() -> Result<()> {
    let mut findings = Vec::new();
    for name in files(".rs")? {
        let lines = fs::read_to_string(root().join(&name)).with_context(|| name.clone())?.lines().count();
        if lines > LINES_MAX {
            findings.push(format!("{name} has {lines} lines; hint: split it, {LINES_MAX} are the most"));
        }
    }
    judge(&findings)
}
