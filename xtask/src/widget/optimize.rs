//! Runs the optimizer of binaryen over the module, and makes sure that a browser will take the result.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use wasmparser::{Validator, WasmFeatures};

use crate::workspace::{answer, install_packages, program, run};

/// What the module may use: each is in every browser since 2022. Named one by one, because `--all-features` would also
/// let the optimizer write what browsers do not know.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-mutable-globals",
];

/// How to make it small. Flat code put together anew is 2 % smaller than what the compiler had put together. Addresses
/// below 1024 are unused: the linker keeps them free.
const PASSES: [&str; 9] = [
    "--low-memory-unused",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--converge",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

/// The optimizer.
pub(crate) struct Optimizer {
    path: PathBuf,
    version: String,
}

impl Optimizer {
    /// Finds the optimizer, or installs it where that is possible. Without one the build goes on: the module does the
    /// same, and is larger; the budget says whether that is still good.
    pub(crate) fn find(root: &Path) -> Option<Self> {
        let npm = root.join("node_modules/.bin/wasm-opt");
        let path = program("wasm-opt").or_else(|| npm.is_file().then_some(npm)).or_else(|| {
            install_packages(&["binaryen"])
                .inspect_err(|error| {
                    eprintln!("warning: the module is not optimized, wasm-opt is missing: {error:#}");
                    eprintln!("hint: install Debian's or npm's package binaryen");
                })
                .ok()?;
            program("wasm-opt")
        })?;
        let version = answer(Command::new(&path).arg("--version"))?;
        Some(Self { path, version })
    }

    /// What tells one optimizer from another, for the fingerprint of the build.
    pub(crate) fn identity(&self) -> String {
        self.version.clone()
    }

    /// Makes the module smaller.
    pub(crate) fn run(&self, input: &Path, output: &Path) -> Result<()> {
        let mut command = Command::new(&self.path);
        command.args(FEATURES).args(PASSES);
        run(command.arg(input).arg("--output").arg(output))
    }
}

/// Refuses a module that asks for more than [`FEATURES`].
pub(crate) fn validate(module: &[u8]) -> Result<()> {
    let features = WasmFeatures::WASM1
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::MUTABLE_GLOBAL;
    let mut validator = Validator::new_with_features(features);
    validator
        .validate_all(module)
        .context("the module is not valid WASM of the features that browsers have")?;
    Ok(())
}
