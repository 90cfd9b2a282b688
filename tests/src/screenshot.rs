//! Pictures of every state, for people to look at: `target/screenshots`.

use std::path::PathBuf;

use crate::browser::{Browser, Look};

/// Where the pictures lie.
pub fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test program");
    // target/<profile>/deps/e2e-…
    let target = test.ancestors().nth(3).expect("the target folder");
    target.join("screenshots")
}

/// Takes a picture under that name, such as `form` or `form-rtl`.
pub async fn take(browser: &Browser, name: &str, look: Look) {
    let picture = browser.picture().await;
    let folder = folder();
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{name}-{}.png", look.name()));
    std::fs::write(&file, picture).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
