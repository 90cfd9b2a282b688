//! Keeps wasm-bindgen from using reference types, which binaryen before its version 110 gets wrong: it cannot read
//! `table.fill`, and it writes the export of a second table as that of the first. Debian 12 has version 108.
//!
//! wasm-bindgen keeps the browser's objects in a second table where the module is compiled with `reference-types`, and in
//! an array of its script where it is not; the latter is also a little smaller. So the module is compiled without; but a
//! standard library as rustup ships it still puts the feature on the module's list, from where it is taken off here.

use anyhow::Result;
use wasmparser::{Parser, Payload};

/// The entry in the list of features (tool-conventions, Linking, "Target Features Section"), after its prefix.
const ENTRY: &[u8] = b"\x0freference-types";
const USED: u8 = b'+';
const NOT_USED: u8 = b'-';

/// Takes `reference-types` off the module's list of features.
pub(crate) fn avoid(module: &mut [u8]) -> Result<()> {
    let mut list = None;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload?
            && section.name() == "target_features"
        {
            let start = usize::try_from(section.data_offset())?;
            list = Some(start..start + section.data().len());
        }
    }
    let Some(list) = list.and_then(|range| module.get_mut(range)) else { return Ok(()) };
    let entry = list.windows(ENTRY.len()).position(|bytes| bytes == ENTRY);
    let prefix = entry.and_then(|at| at.checked_sub(1)).and_then(|at| list.get_mut(at));
    if let Some(prefix) = prefix
        && *prefix == USED
    {
        *prefix = NOT_USED;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_feature_is_taken_off_the_list() {
        let mut module =
            b"\0asm\x01\0\0\0\0\x2e\x0ftarget_features\x02+\x0freference-types+\x0asign-extxx".to_vec();
        avoid(&mut module).unwrap();
        assert!(module.ends_with(b"\x02-\x0freference-types+\x0asign-extxx"));
    }

    #[test]
    fn a_module_without_a_list_is_left_alone() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        avoid(&mut module).unwrap();
        assert_eq!(module, b"\0asm\x01\0\0\0");
    }
}
