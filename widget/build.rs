//! Makes the form's styles small: they travel inside the module.

use std::path::Path;
use std::{env, fs, io};

#[path = "styles/compact.rs"]
mod styles;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=styles");
    let form = fs::read_to_string("styles/form.css")?;
    let output = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&output).join("form.css"), styles::compact(&form))
}
