//! The part of RSQL that the configuration's `filter` needs: `name==value`, `!=`, `=in=(…)`, joined by `;` or `and`.

use serde_json::Value;

use crate::envelope::Refusal;

/// Comparisons that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter(Vec<Comparison>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    member: String,
    wanted: Vec<String>,
    negated: bool,
}

/// Reads a filter.
pub(crate) fn parse(text: &str) -> Result<Filter, Refusal> {
    let comparisons: Vec<Comparison> =
        split_unquoted(text).iter().map(|part| comparison(part.trim())).collect::<Result<_, _>>()?;
    Ok(Filter(comparisons))
}

impl Filter {
    /// Whether an entity fits; a member that no such entity has is refused.
    pub(crate) fn matches(&self, entity: &Value) -> Result<bool, Refusal> {
        for comparison in &self.0 {
            let actual = match entity.get(&comparison.member) {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                // Entities leave out what they do not have.
                None if matches!(comparison.member.as_str(), "flowId" | "outdialQueueId") => String::new(),
                None => {
                    return Err(Refusal::bad(format!("filter: '{}' cannot be filtered.", comparison.member)));
                }
            };
            let found = comparison.wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(&actual));
            if found == comparison.negated {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn split_unquoted(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (None, ';') => {
                parts.push(String::new());
                continue;
            }
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    if quote.is_none() {
        parts = parts.iter().flat_map(|part| part.split(" and ").map(str::to_owned)).collect();
    }
    parts
}

fn comparison(text: &str) -> Result<Comparison, Refusal> {
    let malformed = || Refusal::bad(format!("filter: '{text}' is malformed."));
    let (member, operator, value) = ["=in=", "==", "!="]
        .iter()
        .find_map(|operator| {
            text.split_once(operator).map(|(member, value)| (member.trim(), *operator, value.trim()))
        })
        .ok_or_else(malformed)?;
    if member.is_empty() || value.is_empty() || !member.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(malformed());
    }
    let entries: Vec<&str> = if operator == "=in=" {
        let list = value.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(malformed)?;
        list.split(',').map(str::trim).collect()
    } else {
        vec![value]
    };
    let wanted: Option<Vec<String>> = entries.into_iter().map(unquoted).collect();
    Ok(Comparison {
        member: member.to_owned(),
        wanted: wanted.ok_or_else(malformed)?,
        negated: operator == "!=",
    })
}

/// An unquoted value must not hold what RSQL reserves.
fn unquoted(value: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return Some(inner.to_owned());
        }
    }
    let reserved =
        |character: char| matches!(character, '"' | '\'' | '(' | ')' | ';' | ',' | ' ' | '=' | '<' | '>');
    (!value.is_empty() && !value.contains(reserved)).then(|| value.to_owned())
}
