//! Makes the styles small: they travel inside the modules.

use std::path::Path;
use std::{env, fs, io};

#[path = "styles/compact.rs"]
mod styles;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=styles");
    let output = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    for name in ["form.css", "lazy.css"] {
        let sheet = fs::read_to_string(Path::new("styles").join(name))?;
        fs::write(Path::new(&output).join(name), styles::compact(&sheet))?;
    }
    Ok(())
}
