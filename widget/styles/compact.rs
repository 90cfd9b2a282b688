//! Makes a style sheet small. Shared by this crate's build script (the form's styles) and by `xtask` (the launcher's).

/// The style sheet without comments and needless white space. Written for our own sheet: it knows no strings that hold
/// signs of CSS.
pub(crate) fn compact(styles: &str) -> String {
    let mut plain = String::new();
    let mut rest = styles;
    while let Some((before, comment)) = rest.split_once("/*") {
        plain.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    plain.push_str(rest);

    let mut compact = String::new();
    for word in plain.split_whitespace() {
        let joins = compact.ends_with(['{', '}', ';', ',', '>']) || word.starts_with(['{', '}', ',', '>']);
        // A colon ends a property's name; before a colon, a space selects descendants.
        let after_property = compact.ends_with(':');
        if !(compact.is_empty() || joins || after_property) {
            compact.push(' ');
        }
        if word.starts_with('}') && compact.ends_with(';') {
            compact.pop();
        }
        compact.push_str(word);
    }
    compact
}
