//! Every link from one file of the documentation to another leads somewhere.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{files, judge};
use crate::workspace::root;

pub(super) fn check() -> Result<()> {
    let mut findings = Vec::new();
    for name in files(".md")? {
        let text = fs::read_to_string(root().join(&name)).with_context(|| name.clone())?;
        let folder = Path::new(&name).parent().unwrap_or(Path::new(""));
        for link in links(&text) {
            let Some(path) = within_repository(link) else {
                continue;
            };
            let target = match path.strip_prefix('/') {
                Some(from_root) => root().join(from_root),
                None => root().join(folder).join(path),
            };
            if !target.exists() {
                findings.push(format!("{name} links to {link}, which does not exist"));
            }
        }
    }
    judge(&findings)
}

/// The targets of Markdown's `[text](target)` and of HTML's `href="target"` and `src="target"`, outside of code.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // Every second piece stands between backticks.
        for piece in line.split('`').step_by(2) {
            for (start, end) in [("](", ')'), ("href=\"", '"'), ("src=\"", '"')] {
                let targets = piece.split(start).skip(1).filter_map(|rest| rest.split_once(end));
                found.extend(targets.filter_map(|(target, _)| target.split_whitespace().next()));
            }
        }
    }
    found
}

/// The path of a link to a file of the repository.
fn within_repository(link: &str) -> Option<&str> {
    let path = link.split(['#', '?']).next()?;
    (!path.is_empty() && !link.contains("://") && !link.starts_with("mailto:")).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let text = "See [a](a.md), ![b](b.png \"B\") and <img src=\"c.png\">.\n```\n[d](d.md)\n```\n`[e](e.md)` [f](f.md#g)";
        assert_eq!(links(text), ["a.md", "b.png", "c.png", "f.md#g"]);
    }

    #[test]
    fn links_to_elsewhere_are_left_alone() {
        assert_eq!(within_repository("docs/api.md#errors"), Some("docs/api.md"));
        for link in ["https://example.com/x", "mailto:ann@example.com", "#here"] {
            assert_eq!(within_repository(link), None, "{link}");
        }
    }
}
