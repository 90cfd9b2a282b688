//! Puts together the scripts of the widget: what their sources leave open is filled in here.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{locales, locals, script, styles};

/// Where the loader's source names the folder of the assets.
pub(crate) const ASSETS_MARK: &str = "{assets}";
/// Where a source names its styles.
const STYLES_MARK: &str = "{styles}";
/// Where the loader's source names its labels.
const LABELS_MARK: &str = "{texts}";
/// Where the source of the plain form's frame names what its button is called that closes it.
const CLOSES_MARK: &str = "{closes}";
/// How the module's script gives itself to whoever imports it. Here that is the rest of the same file.
const GLUE_EXPORTS: &str = "export{initSync,__wbg_init as default};";

/// Where what nobody calls begins and ends in the module's script: starting the module without waiting.
const GLUE_UNUSED: (&str, &str) = ("function initSync(", "let __wbg_init_promise");

/// The loader, with a mark for the folder of the assets.
pub(crate) fn loader(root: &Path) -> Result<String> {
    let source = source(root, "widget.js", &[ASSETS_MARK, STYLES_MARK, LABELS_MARK])?;
    let source = source.replace(LABELS_MARK, &texts(root, "loader.label")?);
    Ok(locals::shorten(&source.replace(STYLES_MARK, &styles(root, "launcher.css")?)))
}

/// The main script, behind that of the first module in one file.
pub(crate) fn main(root: &Path, glue: &str) -> Result<String> {
    behind(root, glue, "main.js")
}

/// What begins the second module, behind its script in one file.
pub(crate) fn lazy(root: &Path, glue: &str) -> Result<String> {
    behind(root, glue, "lazy.js")
}

fn behind(root: &Path, glue: &str, name: &str) -> Result<String> {
    let Some(glue) = glue.strip_suffix(GLUE_EXPORTS) else {
        bail!("the module's script does not end in {GLUE_EXPORTS}");
    };
    let glue = without(glue, GLUE_UNUSED).context("the module's script has changed its shape")?;
    Ok(locals::shorten(&format!("{glue}\n{}", source(root, name, &[])?)))
}

/// The script that shows the plain form in a frame.
pub(crate) fn plain(root: &Path) -> Result<String> {
    let source = source(root, "plain.js", &[CLOSES_MARK, STYLES_MARK])?;
    let source = source.replace(CLOSES_MARK, &texts(root, "form.close")?);
    Ok(source.replace(STYLES_MARK, &styles(root, "plain.css")?))
}

/// The script of the self-test.
pub(crate) fn check(root: &Path) -> Result<String> {
    let source = source(root, "check.js", &[STYLES_MARK])?;
    Ok(source.replace(STYLES_MARK, &styles(root, "check.css")?))
}

/// A text without what stands from one mark up to the other.
fn without(text: &str, (from, to): (&str, &str)) -> Option<String> {
    let (before, rest) = text.split_once(from)?;
    let (_, after) = rest.split_once(to)?;
    Some([before, to, after].concat())
}

/// A script without comments and needless white space, which holds each of the marks.
fn source(root: &Path, name: &str, marks: &[&str]) -> Result<String> {
    let path = format!("widget/loader/{name}");
    let script = script::compact(&fs::read_to_string(root.join(&path)).with_context(|| path.clone())?);
    for mark in marks {
        if script.matches(mark).count() != 1 {
            bail!("{path} must hold {mark} once");
        }
    }
    Ok(script)
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
