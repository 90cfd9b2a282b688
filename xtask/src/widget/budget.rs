//! What a visitor pays in bytes over the wire, and how much is allowed.

use std::fmt;

use anyhow::{Result, bail};

/// The loader, which every page view pays for.
const LOADER_MAX: usize = 2_000;
/// Everything that was fetched when the form is open, the loader among it.
const FORM_MAX: usize = 40_000;

/// What is fetched when a request is sent, while the service works on it: the live view.
const LAZY_MAX: usize = 30_000;

/// The bytes over the wire of each file, compressed with brotli.
pub(crate) struct Costs {
    /// `widget.js`.
    pub(crate) loader: usize,
    /// `main.js`, with the module's own script.
    pub(crate) main: usize,
    /// `ringback.wasm`, which holds the styles.
    pub(crate) module: usize,
    /// The name of the locale whose texts are largest, and their size.
    pub(crate) texts: (String, usize),
    /// `lazy.js` and `lazy.wasm`.
    pub(crate) lazy: usize,
    /// As for `texts`.
    pub(crate) lazy_texts: (String, usize),
    /// `plain.js`, which only those fetch for whom there is no module.
    pub(crate) plain: usize,
}

impl Costs {
    fn form(&self) -> usize {
        self.loader + self.main + self.module + self.texts.1
    }

    fn lazy(&self) -> usize {
        self.lazy + self.lazy_texts.1
    }

    /// Fails when a budget is exceeded.
    pub(crate) fn check(&self) -> Result<()> {
        if self.loader > LOADER_MAX {
            bail!("the loader costs {} bytes, and {LOADER_MAX} are allowed", self.loader);
        }
        if self.form() > FORM_MAX {
            bail!("opening the form costs {} bytes, and {FORM_MAX} are allowed", self.form());
        }
        if self.lazy() > LAZY_MAX {
            bail!("following a callback costs {} bytes, and {LAZY_MAX} are allowed", self.lazy());
        }
        Ok(())
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = |(locale, _): &(String, usize)| format!("  texts ({locale})");
        let (form, lazy) = (self.form(), self.lazy());
        writeln!(formatter, "{:<28}{:>8}{:>8}", "bytes, brotli", "cost", "budget")?;
        writeln!(formatter, "{:<28}{:>8}{LOADER_MAX:>8}", "page view: widget.js", self.loader)?;
        writeln!(formatter, "{:<28}{form:>8}{FORM_MAX:>8}", "form is open, in all")?;
        writeln!(formatter, "{:<28}{:>8}", "  ringback.wasm, with styles", self.module)?;
        writeln!(formatter, "{:<28}{:>8}", "  main.js", self.main)?;
        writeln!(formatter, "{:<28}{:>8}", texts(&self.texts), self.texts.1)?;
        writeln!(formatter, "{:<28}{lazy:>8}{LAZY_MAX:>8}", "request is sent")?;
        writeln!(formatter, "{:<28}{:>8}", "  lazy.wasm, lazy.js", self.lazy)?;
        writeln!(formatter, "{:<28}{:>8}", texts(&self.lazy_texts), self.lazy_texts.1)?;
        write!(formatter, "{:<28}{:>8}", "without WASM: plain.js", self.plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(loader: usize, module: usize, lazy: usize) -> Costs {
        let texts = ("en".to_owned(), 1_000);
        Costs { loader, main: 1_000, module, texts: texts.clone(), lazy, lazy_texts: texts, plain: 1_000 }
    }

    #[test]
    fn a_budget_may_be_used_up_and_not_exceeded() {
        assert!(costs(LOADER_MAX, FORM_MAX - LOADER_MAX - 2_000, LAZY_MAX - 1_000).check().is_ok());
        assert!(costs(LOADER_MAX + 1, 1_000, 1_000).check().is_err());
        assert!(costs(1_000, FORM_MAX - 2_999, 1_000).check().is_err());
        assert!(costs(1_000, 1_000, LAZY_MAX - 999).check().is_err());
    }
}
