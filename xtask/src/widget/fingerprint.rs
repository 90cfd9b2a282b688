//! Tells whether anything that goes into the widget has changed.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// What the widget is made of, seen from the root of the workspace. The build itself is part of it.
const INPUTS: [&str; 8] = [
    "Cargo.toml",
    "Cargo.lock",
    "contract/Cargo.toml",
    "contract/src",
    "widget",
    "xtask/Cargo.toml",
    "xtask/src/widget",
    "xtask/src/widget.rs",
];

/// A fingerprint of every input file, and of the tools.
pub(crate) fn of(root: &Path, tools: &[String]) -> Result<String> {
    let mut files = Vec::new();
    for input in INPUTS {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut digest = Sha256::new();
    for tool in tools {
        add(&mut digest, tool.as_bytes());
    }
    for file in files {
        let content = std::fs::read(&file).with_context(|| file.display().to_string())?;
        let name = file.strip_prefix(root).unwrap_or(&file);
        add(&mut digest, name.as_os_str().as_encoded_bytes());
        add(&mut digest, &content);
    }
    Ok(hex::encode(digest.finalize()))
}

/// The name under which browsers cache what these parts make: 16 hexadecimal digits.
pub(crate) fn content_hash(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        add(&mut digest, part);
    }
    hex::encode(&digest.finalize()[..8])
}

/// Adds a part with its length, so that no two lists of parts give the same digest.
fn add(digest: &mut Sha256, part: &[u8]) {
    digest.update((part.len() as u64).to_le_bytes());
    digest.update(part);
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_hash_depends_on_where_a_part_ends() {
        assert_eq!(content_hash(&[b"ab", b"c"]).len(), 16);
        assert_ne!(content_hash(&[b"ab", b"c"]), content_hash(&[b"a", b"bc"]));
    }

    #[test]
    fn the_fingerprint_depends_on_the_tools() {
        let root = crate::workspace::root();
        let with = |tool: &str| of(&root, &[tool.to_owned()]).unwrap();
        assert_eq!(with("one"), with("one"));
        assert_ne!(with("one"), with("two"));
    }
}
