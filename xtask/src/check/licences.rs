//! Every dependency's licence lets the product be given out under `MIT OR Apache-2.0`.

use std::process::Command;

use anyhow::{Context as _, Result};

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

pub(super) fn check() -> Result<()> {
    // The packages of other platforms are not built, and not downloaded to be looked at.
    let version = answer(Command::new("rustc").arg("-vV")).context("`rustc -vV` failed")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["metadata", "--format-version", "1"]);
    for platform in [host.context("`rustc -vV` names no host")?, "wasm32-unknown-unknown"] {
        cargo.args(["--filter-platform", platform]);
    }
    let metadata = answer(&mut cargo).context("`cargo metadata` failed")?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        match package["license"].as_str() {
            Some(expression) if fits(expression) => {}
            Some(expression) => findings.push(format!("{name} is under {expression}")),
            None => findings.push(format!("{name} names no licence")),
        }
    }
    judge(&findings)
}

/// Whether an SPDX expression can be met by allowed licences alone. `/` stands for `OR`, as old packages write it.
fn fits(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let fits = any(&mut words);
    fits && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `AND` binds more tightly than `OR` (SPDX specification, annex on expressions).
fn any(words: &mut Words<'_>) -> bool {
    let mut fits = all(words);
    while words.next_if_eq(&"OR").is_some() {
        fits |= all(words);
    }
    fits
}

fn all(words: &mut Words<'_>) -> bool {
    let mut fits = one(words);
    while words.next_if_eq(&"AND").is_some() {
        fits &= one(words);
    }
    fits
}

fn one(words: &mut Words<'_>) -> bool {
    let fits = match words.next() {
        Some("(") => any(words) & (words.next() == Some(")")),
        Some(licence) => ALLOWED.contains(&licence),
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
