//! Puts together the scripts of the widget: what their sources leave open is filled in here.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use oxc::span::SourceType;

use super::minify::minify;
use super::{locales, styles};

/// Where the loader's source names the folder of the assets.
pub(crate) const ASSETS_MARK: &str = "{assets}";
/// Where a source names its styles.
const STYLES_MARK: &str = "{styles}";
/// Where the loader's source names its labels.
const LABELS_MARK: &str = "{texts}";
/// Where the source of the plain form's frame names what its button is called that closes it.
const CLOSES_MARK: &str = "{closes}";
/// How the module's script gives itself to whoever imports it. Here that is the rest of the same file.
const GLUE_EXPORTS: &str = "export { initSync, __wbg_init as default };";

/// The loader, with a mark for the folder of the assets.
pub(crate) fn loader(root: &Path) -> Result<String> {
    let styles = styles(root, "launcher.css")?;
    let filled = [(STYLES_MARK, styles), (LABELS_MARK, texts(root, "loader.label")?)];
    let loader = made(root, "widget.js", "", &filled, SourceType::script())?;
    ensure!(loader.matches(ASSETS_MARK).count() == 1, "the loader must hold {ASSETS_MARK} once");
    Ok(loader)
}

/// The main script, behind that of the first module in one file.
pub(crate) fn main(root: &Path, glue: &str) -> Result<String> {
    made(root, "main.js", before(glue)?, &[], SourceType::mjs())
}

/// What begins the second module, behind its script in one file.
pub(crate) fn lazy(root: &Path, glue: &str) -> Result<String> {
    made(root, "lazy.js", before(glue)?, &[], SourceType::mjs())
}

/// The script of a module without what it gives to others.
fn before(glue: &str) -> Result<&str> {
    let Some(glue) = glue.trim_end().strip_suffix(GLUE_EXPORTS) else {
        bail!("the module's script does not end in {GLUE_EXPORTS}");
    };
    Ok(glue)
}

/// The script that shows the plain form in a frame.
pub(crate) fn plain(root: &Path) -> Result<String> {
    let styles = styles(root, "plain.css")?;
    let filled = [(STYLES_MARK, styles), (CLOSES_MARK, texts(root, "form.close")?)];
    made(root, "plain.js", "", &filled, SourceType::mjs())
}

/// The script of the self-test.
pub(crate) fn check(root: &Path) -> Result<String> {
    made(root, "check.js", "", &[(STYLES_MARK, styles(root, "check.css")?)], SourceType::mjs())
}

/// A script behind another one, filled in and made small. It holds each of the marks once.
fn made(
    root: &Path,
    name: &str,
    before: &str,
    filled: &[(&str, String)],
    kind: SourceType,
) -> Result<String> {
    let path = format!("widget/loader/{name}");
    let mut script = fs::read_to_string(root.join(&path)).with_context(|| path.clone())?;
    for (mark, content) in filled {
        ensure!(script.matches(mark).count() == 1, "{path} must hold {mark} once");
        script = script.replace(mark, content);
    }
    minify(&path, &format!("{before}\n{script}"), kind)
}

/// A style sheet as it stands in a script between double quotes.
fn styles(root: &Path, name: &str) -> Result<String> {
    let path = format!("widget/styles/{name}");
    let sheet = fs::read_to_string(root.join(&path)).context(path)?;
    Ok(styles::compact(&sheet).replace('"', "'"))
}

/// A text in every language, as an object of a script. Scripts know a language by its first part, which no two of ours share.
fn texts(root: &Path, key: &str) -> Result<String> {
    let mut texts = Vec::new();
    for (locale, all) in locales(&root.join("widget/locales"))? {
        let text = all.get(key).with_context(|| format!("{key} in {locale}"))?;
        let language = locale.split('-').next().unwrap_or_default();
        texts.push(format!("{language}:{}", serde_json::to_string(text)?));
    }
    Ok(format!("{{{}}}", texts.join(",")))
}
