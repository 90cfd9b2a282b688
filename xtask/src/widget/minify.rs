//! Makes a script small: what is not used, comments and white space go, and what it declares for itself alone gets short names.

use anyhow::{Result, bail};
use oxc::allocator::Allocator;
use oxc::codegen::{Codegen, CodegenOptions};
use oxc::minifier::{Minifier, MinifierOptions};
use oxc::parser::Parser;
use oxc::span::SourceType;

/// The script, made small. `path` is what an error names.
pub(crate) fn minify(path: &str, script: &str, kind: SourceType) -> Result<String> {
    let memory = Allocator::default();
    let parsed = Parser::new(&memory, script, kind).parse();
    if parsed.panicked || !parsed.diagnostics.is_empty() {
        let errors: Vec<_> = parsed.diagnostics.iter().map(ToString::to_string).collect();
        bail!("{path} is no script: {}", errors.join("; "));
    }
    let mut program = parsed.program;
    let minified = Minifier::new(MinifierOptions::default()).minify(&memory, &mut program);
    let written = Codegen::new()
        .with_options(CodegenOptions::minify())
        .with_scoping(minified.scoping)
        .with_private_member_mappings(minified.class_private_mappings)
        .build(&program);
    Ok(written.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(script: &str) -> String {
        minify("a test", script, SourceType::mjs()).unwrap()
    }

    #[test]
    fn what_is_unused_goes_and_what_is_its_own_is_short() {
        let script = "// why\nfunction unused() {}\nexport const open = (element, reason) => {\n  element.ask(reason);\n};";
        assert_eq!(small(script), "export const open=(e,t)=>{e.ask(t)};");
    }

    #[test]
    fn a_script_with_a_fault_is_named() {
        let error = minify("widget/loader/x.js", "let = ;", SourceType::mjs()).unwrap_err();
        assert!(error.to_string().starts_with("widget/loader/x.js is no script"), "{error}");
    }
}
