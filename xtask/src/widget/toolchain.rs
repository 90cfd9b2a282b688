//! Finds, or sets up, a tool chain that compiles for the browser.
//!
//! A distribution's compiler comes without the standard library for WASM but with its source, so the library is
//! built along; that also gives the smaller module, because it is then built for size and without panic messages.
//! A compiler of rustup that has the target but not the source gives a larger module that does the same.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{answer, install_packages, program, run};

/// The target of the browser.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// See [`super::references`].
const WITHOUT_REFERENCES: &str = "-Ctarget-feature=-reference-types";

/// The first minor version of Rust 1 whose `panic = "immediate-abort"` is known to work here.
const IMMEDIATE_ABORT_SINCE: u32 = 93;

/// What a Debian machine needs to build for the browser.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// A compiler and its cargo.
#[derive(Clone)]
struct Pair {
    cargo: OsString,
    rustc: OsString,
    /// The versions, the host and the commit, as `rustc -vV` prints them.
    version: String,
    sysroot: PathBuf,
}

/// A way to build for the browser.
pub(crate) struct Toolchain {
    pair: Pair,
    way: Way,
    /// The linker, where the compiler does not bring its own.
    linker: Option<PathBuf>,
}

/// How the standard library comes into the module.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Built from its source, for size and without panic messages.
    Small,
    /// Built from its source as rustup would ship it, to see what that costs where rustup does not.
    FromSource,
    /// As rustup ships it.
    Shipped,
}

/// Finds a tool chain, or sets one up.
pub(crate) fn find(plain: bool) -> Result<Toolchain> {
    if let Some(found) = installed(plain) {
        return Ok(found);
    }
    let mut tried = Vec::new();
    if std::env::var("RUSTUP_AUTO_INSTALL").as_deref() == Ok("0") {
        tried.push("rustup was not asked, because RUSTUP_AUTO_INSTALL=0 forbids it".to_owned());
    } else if program("rustup").is_some() {
        match add_to_active() {
            Ok(()) => {
                return installed(plain)
                    .context("rustup has added the target, and the compiler does not find it");
            }
            Err(error) => tried.push(format!("rustup could not add the target: {error:#}")),
        }
    } else {
        tried.push("rustup is not installed".to_owned());
    }
    match install_packages(&DEBIAN_PACKAGES) {
        Ok(()) => {
            return installed(plain)
                .context("Debian's packages are installed, and their compiler does not work");
        }
        Err(error) => tried.push(format!("Debian's packages could not be installed: {error:#}")),
    }
    bail!(
        "no tool chain that compiles for {TARGET}: {}\n\
         hint: run `rustup target add {TARGET}`, or `apt-get install --no-install-recommends {}`",
        tried.join("; "),
        DEBIAN_PACKAGES.join(" ")
    )
}

/// Adds the target to rustup's active tool chain, and the standard library's source, which makes the smaller module.
fn add_to_active() -> Result<()> {
    eprintln!("adding the target {TARGET} to the active tool chain");
    run(Command::new("rustup").args(["target", "add", TARGET]))?;
    if let Err(error) = run(Command::new("rustup").args(["component", "add", "rust-src"])) {
        eprintln!("warning: the module will be larger, the standard library's source is missing: {error:#}");
    }
    Ok(())
}

/// The best of what is installed: the active tool chain where it can, else the distribution's.
fn installed(plain: bool) -> Option<Toolchain> {
    let active = Pair::of("cargo".into(), "rustc".into());
    let distribution = Pair::of("/usr/bin/cargo".into(), "/usr/bin/rustc".into());
    let from_source = if plain { Way::FromSource } else { Way::Small };
    if let Some(pair) = active.clone().filter(Pair::has_target) {
        let way = if plain || !pair.has_source() { Way::Shipped } else { from_source };
        return Some(Toolchain { pair, way, linker: None });
    }
    let pair = [active.clone(), distribution].into_iter().flatten().find(Pair::has_source)?;
    let linker = (!pair.has_linker()).then(|| linker(active.as_ref())).flatten();
    if linker.is_none() && !pair.has_linker() {
        return None;
    }
    Some(Toolchain { pair, way: from_source, linker })
}

/// A linker for WASM that did not come with the compiler: the active tool chain's, else the system's, which is
/// installed where that is possible.
fn linker(active: Option<&Pair>) -> Option<PathBuf> {
    let of_active = active.map(Pair::linker_path).filter(|path| path.is_file());
    of_active.or_else(|| program("wasm-ld")).or_else(|| {
        install_packages(&["lld"]).ok()?;
        program("wasm-ld")
    })
}

impl Pair {
    fn of(cargo: OsString, rustc: OsString) -> Option<Self> {
        let version = answer(Command::new(&rustc).arg("-vV"))?;
        let sysroot = answer(Command::new(&rustc).args(["--print", "sysroot"]))?.into();
        answer(Command::new(&cargo).arg("--version"))?;
        Some(Self { cargo, rustc, version, sysroot })
    }

    fn value(&self, key: &str) -> &str {
        let line = self.version.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        line.unwrap_or_default()
    }

    fn minor(&self) -> u32 {
        let minor = self.value("release").split('.').nth(1);
        minor.and_then(|minor| minor.parse().ok()).unwrap_or_default()
    }

    fn has_target(&self) -> bool {
        let library = self.sysroot.join("lib/rustlib").join(TARGET).join("lib");
        std::fs::read_dir(library).is_ok_and(|mut files| files.next().is_some())
    }

    fn has_source(&self) -> bool {
        let source = self.sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml");
        source.is_file() && self.minor() >= IMMEDIATE_ABORT_SINCE
    }

    fn has_linker(&self) -> bool {
        self.linker_path().is_file()
    }

    fn linker_path(&self) -> PathBuf {
        let host = self.value("host");
        self.sysroot.join("lib/rustlib").join(host).join("bin/rust-lld")
    }
}

impl Toolchain {
    /// The cargo command that builds a package's library with one feature for the browser into `target_dir`.
    pub(crate) fn build(&self, package: &str, feature: &str, target_dir: &Path) -> Command {
        let mut command = Command::new(&self.pair.cargo);
        // What the user has set for native builds (-C target-cpu=native, a wrapper, a linker) must not reach this one,
        // or the same source would give another module on every machine.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_BUILD_RUSTFLAGS"] {
            command.env_remove(name);
        }
        command
            .env("RUSTC", &self.pair.rustc)
            .args(["build", "--package", package, "--lib", "--target", TARGET, "--profile", "widget"])
            .args(["--no-default-features", "--features", feature])
            .arg("--target-dir")
            .arg(target_dir);
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        // SHA-256 as a loop: a visitor pays for each byte, and seldom for a hash.
        let mut flags = vec![WITHOUT_REFERENCES, "--cfg=sha2_backend_soft=\"compact\""];
        if self.way != Way::Shipped {
            command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=std,panic_abort");
        }
        if self.way == Way::Small {
            flags.extend(["-Zlocation-detail=none", "-Zfmt-debug=none"]);
            let immediate_abort = r#"profile.widget.panic="immediate-abort""#;
            command.args(["-Zpanic-immediate-abort", "--config", immediate_abort]);
            command.arg("-Zbuild-std-features=optimize_for_size");
        }
        command.arg("--config").arg(format!("build.rustflags={flags:?}"));
        command
    }

    /// Whether this is the way that makes the module as small as it is handed out: the budgets are for that one.
    pub(crate) fn is_small(&self) -> bool {
        self.way == Way::Small
    }

    /// What tells one tool chain from another, for the fingerprint of the build.
    pub(crate) fn identity(&self) -> String {
        format!("{}\n{self}", self.pair.version)
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Small => "standard library built for size",
            Way::FromSource => "standard library built plainly",
            Way::Shipped => "standard library as shipped",
        };
        write!(formatter, "rustc {}, {way}", self.pair.value("release"))
    }
}
