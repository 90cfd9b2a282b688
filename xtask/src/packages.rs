//! What a fresh machine lacks for the tests, and how it is installed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::workspace::{answer, install_packages, program};

/// Something that the machine must have, and the Debian package that brings it.
struct Need {
    package: &'static str,
    is_met: fn() -> bool,
}

/// What the tests need: a browser, its driver and fonts, what the clients for CRMs are written in, a database server, one
/// that shares limits.
const TESTS: [Need; 12] = [
    Need { package: "chromium", is_met: || program("chromium").is_some() },
    Need { package: "chromium-driver", is_met: || program("chromedriver").is_some() },
    // Arabic, for the right-to-left form; other systems than Debian's kind bring their own fonts.
    Need {
        package: "fonts-noto-core",
        is_met: || program("apt-get").is_none() || has_font(Path::new("/usr/share/fonts"), "NotoSansArabic"),
    },
    // Chinese, Japanese and Korean.
    Need {
        package: "fonts-wqy-microhei",
        is_met: || program("apt-get").is_none() || has_font(Path::new("/usr/share/fonts"), "wqy-microhei"),
    },
    // The clients for CRMs.
    Need { package: "curl", is_met: || program("curl").is_some() },
    Need { package: "nodejs", is_met: || program("node").is_some() },
    // What holds the form against the guidelines comes from its registry, into a folder of its own. Some packages of Node.js bring this along.
    Need { package: "npm", is_met: || program("npm").is_some() },
    Need { package: "openssl", is_met: || program("openssl").is_some() },
    Need { package: "python3", is_met: || program("python3").is_some() },
    // What holds the service against its description comes from PyPI, into a folder of its own.
    Need {
        package: "python3-venv",
        is_met: || answer(Command::new("python3").args(["-c", "import ensurepip"])).is_some(),
    },
    Need { package: "redis-server", is_met: || program("redis-server").is_some() },
    Need { package: "postgresql", is_met: || program("initdb").is_some() || has_debian_postgres() },
];

/// Makes sure that what the tests need is there; installs what is not, where that is possible.
pub(crate) fn ensure_for_tests() -> Result<()> {
    let missing: Vec<_> = TESTS.iter().filter(|need| !(need.is_met)()).map(|need| need.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    install_packages(&missing).with_context(|| {
        format!(
            "the tests need {names}; hint: as root, `apt-get install --no-install-recommends {names}`, \
             or what your system calls them"
        )
    })
}

/// Whether a server lies where Debian keeps it, by version.
fn has_debian_postgres() -> bool {
    let versions = Path::new("/usr/lib/postgresql").read_dir();
    versions.into_iter().flatten().flatten().any(|version| version.path().join("bin/initdb").is_file())
}

/// Whether a font file of that name lies in the folder or below it.
fn has_font(folder: &Path, name: &str) -> bool {
    let Ok(entries) = folder.read_dir() else {
        return false;
    };
    entries.flatten().any(|entry| {
        let path = entry.path();
        entry.file_name().to_string_lossy().starts_with(name) || (path.is_dir() && has_font(&path, name))
    })
}
