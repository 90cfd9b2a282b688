//! Embeds the widget that `cargo xtask widget` has built, and the widget's texts, into the service.
//!
//! Swagger UI, which draws the description of the API at `/docs`, comes out of a crate that holds its release, so that no
//! build downloads anything.
//!
//! Its own pages need no script, and are there without a built widget too; their styles are those of the form.
//!
//! Without a built widget the service still builds, so that `cargo check` needs no WASM tool chain; it then answers
//! `/widget.js` with a problem that says how to build one.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

#[path = "../widget/styles/compact.rs"]
mod styles;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    let output = PathBuf::from(env::var("OUT_DIR")?);
    let built = workspace.join("target/widget/dist");
    let locales = workspace.join("widget/locales");
    println!("cargo:rerun-if-changed={}", built.display());
    println!("cargo:rerun-if-changed={}", locales.display());

    let hash = fs::read_to_string(built.join("hash")).map_or(String::new(), |hash| hash.trim().to_owned());
    let mut code =
        format!("pub(super) const HASH: &str = {hash:?};\npub(super) static FILES: &[Embedded] = &[\n");
    if !hash.is_empty() {
        for (name, media_type) in [
            ("widget.js", "text/javascript; charset=utf-8"),
            // There is no media type for TypeScript; developers look at it too.
            ("ringback.d.ts", "text/plain; charset=utf-8"),
            ("assets/main.js", "text/javascript; charset=utf-8"),
            ("assets/lazy.js", "text/javascript; charset=utf-8"),
            ("assets/plain.js", "text/javascript; charset=utf-8"),
            ("assets/check.js", "text/javascript; charset=utf-8"),
            ("assets/ringback.wasm", "application/wasm"),
            ("assets/lazy.wasm", "application/wasm"),
        ] {
            let path = built.join(name);
            let public = name.trim_start_matches("assets/");
            writeln!(
                code,
                "Embedded {{ name: {public:?}, media_type: {media_type:?}, plain: {}, brotli: {}, gzip: {} }},",
                include(&path)?,
                include(&suffixed(&path, "br"))?,
                include(&suffixed(&path, "gz"))?,
            )?;
        }
    }
    code.push_str("];\n");
    fs::write(output.join("widget.rs"), code)?;

    let mut code = String::from("pub(crate) static LOCALES: &[(&str, &str)] = &[\n");
    let mut files: Vec<_> = fs::read_dir(&locales)?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let path = file.path();
        println!("cargo:rerun-if-changed={}", path.display());
        let (Some(stem), Some("json")) =
            (path.file_stem().and_then(|stem| stem.to_str()), path.extension().and_then(|end| end.to_str()))
        else {
            continue;
        };
        writeln!(code, "({stem:?}, include_str!({:?})),", path.display().to_string())?;
    }
    code.push_str("];\n");
    fs::write(output.join("locales.rs"), code)?;
    pages(&workspace, &output)?;
    unpack_swagger_ui(&output)
}

/// The styles and the script of the pages that the service shows itself, each also compressed. The styles are those of the form and
/// what pages have beside: what is said of the host of a shadow root there is said of the root of the page here.
fn pages(workspace: &Path, output: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let read = |path: PathBuf| {
        println!("cargo:rerun-if-changed={}", path.display());
        fs::read_to_string(path)
    };
    let own = workspace.join("backend/src/http/pages");
    let mut styles = String::new();
    for name in ["form.css", "lazy.css"] {
        styles += &of_page(&read(workspace.join("widget/styles").join(name))?);
    }
    let styles = styles::compact(&(styles + &read(own.join("plain.css"))?));
    let script = read(own.join("plain.js"))?;
    let hash = hex::encode(&Sha256::digest([styles.as_bytes(), script.as_bytes()].concat())[..8]);
    let mut code =
        format!("pub(super) const HASH: &str = {hash:?};\npub(super) static FILES: &[Embedded] = &[\n");
    for (name, media_type, content) in [
        ("plain.css", "text/css; charset=utf-8", styles),
        ("plain.js", "text/javascript; charset=utf-8", script),
    ] {
        let path = output.join(name);
        fs::write(&path, &content)?;
        let mut gzip = GzEncoder::new(fs::File::create(suffixed(&path, "gz"))?, Compression::best());
        gzip.write_all(content.as_bytes())?;
        gzip.finish()?;
        let mut smallest = fs::File::create(suffixed(&path, "br"))?;
        brotli::BrotliCompress(&mut content.as_bytes(), &mut smallest, &BrotliEncoderParams::default())?;
        writeln!(
            code,
            "Embedded {{ name: {name:?}, media_type: {media_type:?}, plain: {}, brotli: {}, gzip: {} }},",
            include(&path)?,
            include(&suffixed(&path, "br"))?,
            include(&suffixed(&path, "gz"))?,
        )?;
    }
    code.push_str("];\n");
    fs::write(output.join("pages.rs"), code)?;
    Ok(())
}

/// Styles of a shadow root as those of a page: `:host` is `:root`, and `:host(…)` is `:root…`.
fn of_page(styles: &str) -> String {
    let mut page = String::new();
    let mut rest = styles;
    while let Some((before, after)) = rest.split_once(":host") {
        page.push_str(before);
        page.push_str(":root");
        rest = after;
        if let Some(inside) = after.strip_prefix('(') {
            let mut depth = 1;
            let end = inside.find(|character| {
                depth += match character {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
                depth == 0
            });
            let (inside, after) = inside.split_at(end.unwrap_or(inside.len()));
            page.push_str(inside);
            rest = after.strip_prefix(')').unwrap_or(after);
        }
    }
    page + rest
}

/// The files of Swagger UI that the page at `/docs` needs, each in gzip, which every browser takes.
fn unpack_swagger_ui(output: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED))?;
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    for wanted in ["/dist/swagger-ui-bundle.js", "/dist/swagger-ui.css", "/LICENSE", "/NOTICE"] {
        // Below one folder, which names the version.
        let is_wanted = |name: &&String| {
            name.ends_with(wanted) && name.matches('/').count() == wanted.matches('/').count()
        };
        let name = names.iter().find(is_wanted).ok_or_else(|| format!("Swagger UI has no {wanted}"))?;
        let mut file = archive.by_name(name)?;
        let short = wanted.rsplit('/').next().unwrap_or(wanted);
        let target = fs::File::create(output.join(format!("{short}.gz")))?;
        let mut packed = GzEncoder::new(target, Compression::best());
        std::io::copy(&mut file, &mut packed)?;
        packed.finish()?;
    }
    Ok(())
}

fn suffixed(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    name.into()
}

fn include(path: &Path) -> Result<String, Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={}", path.display());
    let path = path
        .canonicalize()
        .map_err(|error| format!("{}: {error}; hint: run `cargo xtask widget` again", path.display()))?;
    Ok(format!("include_bytes!({:?})", path.display().to_string()))
}
