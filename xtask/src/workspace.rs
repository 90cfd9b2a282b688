//! Where things lie, and how other programs are started.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The root folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into)
}

/// Runs a program to its end, with its output on standard error, so that standard output holds only what
/// `xtask` itself has to say.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("`{name}` could not be started"))?;
    if !status.success() {
        bail!("`{name}` failed ({status})");
    }
    Ok(())
}

/// Builds the service and the programs that try it, and becomes the one of that name: what ends this process ends it.
pub(crate) fn become_program(name: &str, is_release: bool, arguments: &[String]) -> Result<()> {
    let mut build = Command::new("cargo");
    build.current_dir(root()).args([
        "build",
        "--package",
        "ringback",
        "--package",
        "ringback-tests",
        "--bins",
    ]);
    if is_release {
        build.arg("--release");
    }
    run(&mut build)?;
    let program = target_dir().join(if is_release { "release" } else { "debug" }).join(name);
    let failed = Command::new(&program).args(arguments).exec();
    Err(failed).with_context(|| format!("`{}` could not be started", program.display()))
}

/// What a program prints, without white space at its ends; `None` if it does not exist or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The program of that name in `PATH`.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Installs Debian packages, if this is a Debian-like machine and we are root.
pub(crate) fn install_packages(packages: &[&str]) -> Result<()> {
    if program("apt-get").is_none() {
        bail!("this is not a Debian-like system");
    }
    if answer(Command::new("id").arg("-u")).as_deref() != Some("0") {
        bail!("packages can be installed by root only");
    }
    eprintln!("installing {}", packages.join(" "));
    let install = || {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages);
        run(&mut command)
    };
    // The package lists of a fresh container are empty: they are fetched only when the first try shows the need.
    install().or_else(|_| {
        run(Command::new("apt-get").arg("update"))?;
        install()
    })
}
