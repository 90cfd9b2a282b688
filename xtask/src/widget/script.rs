//! Takes comments and needless white space out of a script.
//!
//! Names stay as they are: brotli makes up for most of what a renaming minifier saves, and what the visitor's browser
//! runs stays readable in its developer tools.

/// Characters after which a line end never ends a statement. `+` and `-` are missing because of `a++`.
const CONTINUES: &str = "{([,;:=?&|<!*%^~";
/// Characters before which a line end never ends a statement.
const CONTINUED: &str = "})],;:.?=&|>*%^";

/// The script without comments and needless white space.
pub(crate) fn compact(script: &str) -> String {
    let mut out = Compact { out: String::with_capacity(script.len()), gap: Gap::None };
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            let length = rest.find("*/").map_or(rest.len(), |end| end + 2);
            out.gap(rest[..length].contains('\n'));
            length
        } else if first.is_whitespace() {
            out.gap(first == '\n');
            first.len_utf8()
        } else if matches!(first, '"' | '\'' | '`') || (first == '/' && out.expects_operand()) {
            let length = literal(rest, first);
            out.push(&rest[..length]);
            length
        } else {
            out.push(&rest[..first.len_utf8()]);
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    out.out
}

/// The white space that was read and not yet written.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    None,
    Space,
    Line,
}

struct Compact {
    out: String,
    gap: Gap,
}

impl Compact {
    fn gap(&mut self, line: bool) {
        if line {
            self.gap = Gap::Line;
        } else if self.gap == Gap::None {
            self.gap = Gap::Space;
        }
    }

    fn push(&mut self, piece: &str) {
        let last = self.out.chars().next_back();
        let next = piece.chars().next();
        if let (Some(last), Some(next)) = (last, next) {
            let joins = is_word(last) && is_word(next) || last == next && matches!(last, '+' | '-');
            // The end of a block ends its last statement, unless that one is the empty body of a loop or condition.
            if (last, next) == (';', '}') && !self.out.ends_with(");") {
                self.out.pop();
            }
            match self.gap {
                Gap::Line if !CONTINUES.contains(last) && !CONTINUED.contains(next) => self.out.push('\n'),
                Gap::Line | Gap::Space if joins => self.out.push(' '),
                _ => {}
            }
        }
        self.gap = Gap::None;
        self.out.push_str(piece);
    }

    /// Whether a `/` here begins a regular expression, and is not a division.
    fn expects_operand(&self) -> bool {
        let word = self.out.rsplit(|character| !is_word(character)).next().unwrap_or_default();
        match self.out.chars().next_back() {
            None => true,
            Some(last) => {
                matches!(word, "return" | "typeof" | "case") || "(,=:[!&|?{};+-*%<>~^".contains(last)
            }
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$') || !character.is_ascii()
}

/// The length of the literal at the start, from its opening to its closing `quote`.
pub(super) fn literal(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let mut in_class = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' if quote == '/' => in_class = true,
            ']' if quote == '/' => in_class = false,
            _ if character == quote && !in_class => return at + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn comments_and_indentation_go() {
        let script = "/* a\n b */\nlet one = 1; // why\n\n  if (one) {\n    two();\n  }\n";
        assert_eq!(compact(script), "let one=1;if(one){two();}");
    }

    #[test]
    fn a_line_end_that_ends_a_statement_stays() {
        assert_eq!(compact("let a = b\nlet c = a++\nd()"), "let a=b\nlet c=a++\nd()");
        assert_eq!(compact("a = b\n  .then(c)"), "a=b.then(c)");
    }

    #[test]
    fn the_last_statement_of_a_block_needs_no_sign() {
        assert_eq!(compact("{ a = b;\n c = d; }"), "{a=b;c=d}");
        assert_eq!(compact("{ while (a()); }"), "{while(a());}");
    }

    #[test]
    fn literals_stay_as_they_are() {
        let script = r#"x = "//  no"; y = 'it\'s  '; z = `a  ${b}  c`; r = /[/"]  \/ /.test(s)"#;
        assert_eq!(compact(script), r#"x="//  no";y='it\'s  ';z=`a  ${b}  c`;r=/[/"]  \/ /.test(s)"#);
    }

    #[test]
    fn words_and_signs_stay_apart() {
        assert_eq!(compact("return  x + +y - -z in w"), "return x+ +y- -z in w");
        assert_eq!(compact("a / b / c"), "a/b/c");
    }
}
