//! What a fresh machine lacks for the tests in a browser, and how it is installed.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::workspace::{install_packages, program};

/// Something that the machine must have, and the Debian package that brings it.
struct Need {
    package: &'static str,
    is_met: fn() -> bool,
}

/// What the tests in a browser need.
const BROWSER: [Need; 3] = [
    Need { package: "chromium", is_met: || program("chromium").is_some() },
    Need { package: "chromium-driver", is_met: || program("chromedriver").is_some() },
    // Arabic, for the right-to-left form; other systems than Debian's kind bring their own fonts.
    Need {
        package: "fonts-noto-core",
        is_met: || program("apt-get").is_none() || has_font(Path::new("/usr/share/fonts"), "NotoSansArabic"),
    },
];

/// Makes sure that a browser, its driver and fonts are there; installs what is not, where that is possible.
pub(crate) fn ensure_browser() -> Result<()> {
    let missing: Vec<_> = BROWSER.iter().filter(|need| !(need.is_met)()).map(|need| need.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    install_packages(&missing).with_context(|| {
        format!(
            "the tests in a browser need {names}; hint: as root, `apt-get install --no-install-recommends {names}`, \
             or what your system calls them"
        )
    })
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
