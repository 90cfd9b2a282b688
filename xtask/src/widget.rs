//! `cargo xtask widget`: from Rust and a script to the files that the service hands out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use wasm_bindgen_cli_support::{Bindgen, Output};

mod budget;
mod compress;
mod fingerprint;
mod minify;
mod names;
mod optimize;
mod references;
mod scripts;
#[path = "../../widget/styles/compact.rs"]
mod styles;
mod table;
mod toolchain;

use ringback_contract::texts::Part;

use crate::workspace::{root, run as run_program};
use budget::Costs;
use names::Names;
use optimize::Optimizer;

/// What TypeScript needs to know of the widget.
const TYPES: &str = "widget/ringback.d.ts";

/// Builds the widget into target/widget/dist, and weighs it
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Use the standard library as rustup ships it, even where a smaller module could be built
    #[arg(long)]
    plain: bool,
    /// Build even if nothing has changed
    #[arg(long)]
    force: bool,
}

/// Builds and prints what the widget costs.
pub(crate) fn run(options: &Options) -> Result<()> {
    let built = make(options.plain, options.force)?;
    println!("{}", built.costs);
    built.check()
}

/// Makes sure that the widget is built and within its budget: for the commands that need it. Prints to standard error
/// only.
pub(crate) fn ensure() -> Result<()> {
    make(false, false)?.check()
}

struct Built {
    costs: Costs,
    /// Whether every tool that makes it small was there.
    small: bool,
}

impl Built {
    /// Fails when a budget is exceeded. What lacks a tool may be larger: it works the same, and is not handed out.
    fn check(&self) -> Result<()> {
        match self.costs.check() {
            Err(error) if !self.small => {
                eprintln!("warning: {error:#}");
                eprintln!(
                    "hint: a release needs the standard library's source (`rustup component add rust-src`)"
                );
                eprintln!("      and wasm-opt (Debian's or npm's package binaryen)");
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Every place that the build reads or writes.
struct Places {
    root: PathBuf,
    /// Everything of the widget's build.
    work: PathBuf,
    /// The finished files.
    dist: PathBuf,
    /// The fingerprint of the inputs that `dist` was made from.
    stamp: PathBuf,
}

fn make(plain: bool, force: bool) -> Result<Built> {
    let root = root();
    let work = root.join("target/widget");
    let places = Places { dist: work.join("dist"), stamp: work.join("inputs"), work, root };
    fs::create_dir_all(&places.work)?;
    // Two builds at a time would take each other's files away.
    let lock = fs::File::create(places.work.join("lock"))?;
    lock.lock()?;

    let toolchain = toolchain::find(plain)?;
    let optimizer = Optimizer::find(&places.root);
    let tools = [toolchain.identity(), optimizer.as_ref().map(Optimizer::identity).unwrap_or_default()];
    let inputs = fingerprint::of(&places.root, &tools)?;
    let unchanged = fs::read_to_string(&places.stamp).is_ok_and(|stamp| stamp == inputs);
    if unchanged && !force && places.dist.join("hash").is_file() {
        eprintln!("the widget is up to date");
    } else {
        eprintln!("building the widget ({toolchain})");
        let [form, lazy] =
            ["form", "lazy"].map(|feature| compile(&places, feature, &toolchain, optimizer.as_ref()));
        publish(&places, &form?, &lazy?)?;
        fs::write(&places.stamp, inputs)?;
    }
    let small = toolchain.is_small() && optimizer.is_some();
    Ok(Built { costs: weigh(&places)?, small })
}

/// A module and the script that belongs to it.
struct Module {
    wasm: Vec<u8>,
    glue: String,
}

/// Makes the module of a feature.
fn compile(
    places: &Places,
    feature: &str,
    toolchain: &toolchain::Toolchain,
    optimizer: Option<&Optimizer>,
) -> Result<Module> {
    let target_dir = places.work.join("build");
    run_program(toolchain.build("ringback-widget", feature, &target_dir).current_dir(&places.root))?;
    let compiled = target_dir.join(toolchain::TARGET).join("widget/ringback_widget.wasm");

    let mut compiled = fs::read(&compiled).with_context(|| compiled.display().to_string())?;
    references::avoid(&mut compiled)?;

    let mut output = Bindgen::new()
        .input_bytes("ringback", compiled)
        .out_name("ringback")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .context("wasm-bindgen refused the module")?;
    // A crate may bring script files of its own; they are dead weight unless the module's script names them.
    if output.js().contains("snippets/") {
        bail!("the module wants script files of its own, which are not served");
    }
    table::trim(output.wasm_mut());
    let (mut wasm, glue) = with_short_names(&mut output);
    if let Some(optimizer) = optimizer {
        let (before, after) = (places.work.join("bound.wasm"), places.work.join("optimized.wasm"));
        fs::write(&before, &wasm)?;
        optimizer.run(&before, &after)?;
        wasm = fs::read(&after)?;
    }
    optimize::validate(&wasm)?;
    Ok(Module { wasm, glue })
}

/// A module and its script, which know each other by short names.
fn with_short_names(output: &mut Output) -> (Vec<u8>, String) {
    let mut names = Names::default();
    for import in output.wasm_mut().imports.iter_mut() {
        import.name = names.shorten(&import.name);
    }
    for export in output.wasm_mut().exports.iter_mut() {
        // The other exports have short names already, and `memory` is a name of the script too.
        if export.name.starts_with("__") || export.name.starts_with("wasm_bindgen_") {
            export.name = names.shorten(&export.name);
        }
    }
    let script = names.apply(output.js());
    (output.wasm_mut().emit_wasm(), script)
}

/// Writes the finished files beside the present ones, and then puts them in their place: whoever reads them meanwhile
/// finds a whole set. An unchanged set is left alone, so that the service is not built again for nothing.
fn publish(places: &Places, form: &Module, lazy: &Module) -> Result<()> {
    let root = &places.root;
    let loader = scripts::loader(root)?;
    let assets = [
        ("main.js", scripts::main(root, &form.glue)?.into_bytes()),
        ("lazy.js", scripts::lazy(root, &lazy.glue)?.into_bytes()),
        ("plain.js", scripts::plain(root)?.into_bytes()),
        ("check.js", scripts::check(root)?.into_bytes()),
        ("ringback.wasm", form.wasm.clone()),
        ("lazy.wasm", lazy.wasm.clone()),
    ];
    let types = fs::read(root.join(TYPES)).context(TYPES)?;
    let parts: Vec<&[u8]> =
        assets.iter().map(|(_, content)| &content[..]).chain([loader.as_bytes(), &types]).collect();
    let hash = fingerprint::content_hash(&parts);
    if fs::read_to_string(places.dist.join("hash")).is_ok_and(|present| present == hash) {
        return Ok(());
    }
    let loader = loader.replace(scripts::ASSETS_MARK, &format!("/widget/{hash}/"));

    let (next, last) = (places.work.join("dist.next"), places.work.join("dist.last"));
    for left_over in [&next, &last] {
        if left_over.exists() {
            fs::remove_dir_all(left_over)?;
        }
    }
    fs::create_dir_all(next.join("assets"))?;
    fs::write(next.join("hash"), &hash)?;
    write_with_packed(&next.join("widget.js"), loader.as_bytes())?;
    write_with_packed(&next.join("ringback.d.ts"), &types)?;
    for (name, content) in &assets {
        write_with_packed(&next.join("assets").join(name), content)?;
    }
    if places.dist.exists() {
        fs::rename(&places.dist, &last)?;
    }
    fs::rename(&next, &places.dist)?;
    if last.exists() {
        fs::remove_dir_all(&last)?;
    }
    Ok(())
}

fn write_with_packed(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content)?;
    fs::write(packed(path, "br"), compress::brotli(content)?)?;
    fs::write(packed(path, "gz"), compress::gzip(content)?)?;
    Ok(())
}

fn packed(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    name.into()
}

fn weigh(places: &Places) -> Result<Costs> {
    let size = |name: &str| -> Result<usize> {
        let path = packed(&places.dist.join(name), "br");
        let length = fs::metadata(&path).with_context(|| path.display().to_string())?.len();
        Ok(usize::try_from(length)?)
    };
    Ok(Costs {
        loader: size("widget.js")?,
        main: size("assets/main.js")?,
        module: size("assets/ringback.wasm")?,
        texts: largest_texts(&places.root.join("widget/locales"), Part::Form)?,
        lazy: size("assets/lazy.js")? + size("assets/lazy.wasm")?,
        lazy_texts: largest_texts(&places.root.join("widget/locales"), Part::Live)?,
        plain: size("assets/plain.js")?,
    })
}

/// The locale whose texts of a part cost most, and what they cost: the service packs them when it sends them.
fn largest_texts(folder: &Path, part: Part) -> Result<(String, usize)> {
    let mut largest = (String::new(), 0);
    for (locale, mut texts) in locales(folder)? {
        texts.retain(|key, _| Part::of(key) == part);
        let cost = compress::brotli_on_the_fly(serde_json::to_string(&texts)?.as_bytes())?.len();
        if cost > largest.1 {
            largest = (locale, cost);
        }
    }
    Ok(largest)
}

/// The texts of every locale, by key, in the order of the locales' names.
fn locales(folder: &Path) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let mut locales = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(locale) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let texts = serde_json::from_slice(&fs::read(&path)?).with_context(|| path.display().to_string())?;
        locales.insert(locale.to_owned(), texts);
    }
    Ok(locales)
}
