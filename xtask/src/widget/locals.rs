//! Shortens the names that a script uses for itself alone: each comes often enough to matter after compression too.
//!
//! There is no analysis of scopes: a word gets the same short name wherever it stands, so what meant the same still does.
//! Left alone is every word that is also a property, a member of an object or part of a text.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{is_word, name};
use super::script;

/// The words that begin a declaration.
const DECLARES: [&str; 4] = ["const", "let", "class", "function"];
/// Words of the language that are as short as a short name.
const RESERVED: [&str; 5] = ["as", "do", "if", "in", "of"];

/// A compact script with short names for what it declares.
pub(crate) fn shorten(script: &str) -> String {
    let pieces = pieces(script);
    let mut declared = BTreeMap::<&str, usize>::new();
    let mut kept = BTreeSet::new();
    let mut brackets = Vec::new();
    // Where the parameters of the last function stand.
    let (mut opens, mut closes) = (None, 0);
    for (at, piece) in pieces.iter().enumerate() {
        let before = at.checked_sub(1).map_or("", |before| pieces[before]);
        let after = pieces.get(at + 1).copied().unwrap_or_default();
        match *piece {
            "{" | "(" | "[" => brackets.push(*piece),
            "}" | ")" | "]" => drop(brackets.pop()),
            text if text.starts_with(['"', '\'', '`', '/']) => kept.extend(words(text)),
            word if is_name(word) => {
                let is_spread =
                    before == "." && at.checked_sub(2).is_some_and(|before| pieces[before] == ".");
                let is_property = before == "." && !is_spread || after == ":";
                let is_short_for_member = matches!(before, "{" | ",")
                    && matches!(after, "," | "}" | "=")
                    && brackets.last() == Some(&"{");
                let is_function = before == " " && at >= 2 && pieces[at - 2] == "function";
                let is_method = !is_function && has_body(&pieces[at + 1..]);
                let is_exported = at >= 4 && pieces[at - 4] == "export";
                if is_property || is_short_for_member || is_exported || is_method {
                    kept.insert(word);
                }
                let is_declared = before == " "
                    && at.checked_sub(2).is_some_and(|before| DECLARES.contains(&pieces[before]));
                // `(a, b) =>` and `a =>`
                let is_parameter = pieces[at + 1..].starts_with(&["=", ">"])
                    || matches!(before, "(" | ",") && ends_parameters(&pieces[at + 1..]);
                if is_declared || is_parameter || opens.is_some_and(|opens| opens < at && at < closes) {
                    declared.entry(word).or_default();
                }
                if word == "function" {
                    let find = |sign: &str| pieces[at..].iter().position(|piece| *piece == sign);
                    opens = find("(").map(|opens| at + opens);
                    closes = at + find(")").unwrap_or_default();
                }
                if let Some(uses) = declared.get_mut(word) {
                    *uses += 1;
                }
            }
            _ => {}
        }
    }
    let mut used: Vec<_> = declared.into_iter().filter(|(word, _)| !kept.contains(word)).collect();
    used.sort_by_key(|(word, uses)| (std::cmp::Reverse(*uses), *word));
    let every: BTreeSet<&str> = pieces.iter().copied().collect();
    let mut numbers = (0..).map(|number| name(number).trim_start_matches('$').to_owned());
    let mut short = BTreeMap::new();
    for (word, _) in used {
        let free =
            numbers.find(|short| !every.contains(short.as_str()) && !RESERVED.contains(&short.as_str()));
        let Some(free) = free else { break };
        short.insert(word, free);
    }
    pieces.iter().map(|piece| short.get(piece).map_or(*piece, String::as_str)).collect()
}

/// Whether these pieces go on with parameters up to their end and an arrow.
fn ends_parameters(pieces: &[&str]) -> bool {
    let end = pieces.iter().position(|piece| *piece == ")").unwrap_or(pieces.len());
    let is_list = pieces[..end].iter().all(|piece| is_name(piece) || matches!(*piece, "," | "." | "=" | "0"));
    is_list && pieces.get(end..).is_some_and(|rest| rest.starts_with(&[")", "=", ">"]))
}

/// Whether these pieces begin with parameters and a body, as a method does after its name.
fn has_body(pieces: &[&str]) -> bool {
    let mut depth = 0;
    for (at, piece) in pieces.iter().enumerate() {
        match *piece {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at > 0 && pieces.get(at + 1) == Some(&"{");
        }
    }
    false
}

fn is_name(piece: &str) -> bool {
    piece.starts_with(|first: char| is_word(first) && !first.is_ascii_digit())
}

/// The words inside a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_word(character))
}

/// Words, texts, and single other signs.
fn pieces(script: &str) -> Vec<&str> {
    let mut pieces = Vec::<&str>::new();
    let mut rest = script;
    while let Some(first) = rest.chars().next() {
        let is_text = matches!(first, '"' | '\'' | '`')
            // A compact script has no comments; a division here would need an operand before it.
            || first == '/' && pieces.last().is_some_and(|last| matches!(*last, "(" | "," | "=" | "|" | "&" | "?" | ":" | "!"));
        let length = if is_text {
            script::literal(rest, first)
        } else if is_word(first) {
            rest.find(|character| !is_word(character)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        pieces.push(&rest[..length]);
        rest = &rest[length..];
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn what_a_script_declares_gets_short_names() {
        assert_eq!(
            shorten("const page=document;let tries=0;class Form{}page.f(tries++,page,Form)"),
            "const a=document;let c=0;class b{}a.f(c++,a,b)"
        );
        assert_eq!(
            shorten("function go(first,...rest){first(rest)}x=function(only){}"),
            "function c(a,...b){a(b)}x=function(d){}"
        );
        assert_eq!(
            shorten("x=(element,reason)=>go(element,reason);y=answer=>answer.ok"),
            "x=(b,c)=>go(b,c);y=a=>a.ok"
        );
    }

    #[test]
    fn what_others_see_keeps_its_name() {
        for script in [
            // A property, a member of an object, a part of a text, and what is not declared here.
            "const note=1;x.note=note",
            "const label=1;f({label})",
            "const label=1;f({label:2},label)",
            "const site=1;f(`/c/${site}`,site)",
            "const button=1;f(\"button\",button)",
            "let{size=1}=x;size",
            "const open=1;x={open(one){},y:open}",
            "export const start=1;start",
            "fetch(undeclared)",
        ] {
            assert_eq!(shorten(script), script);
        }
    }

    #[test]
    fn a_short_name_is_one_that_the_script_does_not_use() {
        assert_eq!(shorten("const page=a;b.c(page)"), "const d=a;b.c(d)");
    }
}
