//! Attributes of a task: templates of the operator, filled with what a callback holds.

use ringback_contract::field;

/// Most attributes that a task takes (Webex OpenAPI, `CreateTaskRequest.attributes`).
pub const PAIRS_MAX: usize = 30;
/// Longest key of an attribute, in bytes.
pub const KEY_MAX: usize = field::ATTRIBUTE_KEY_MAX;
/// Longest value of an attribute, in bytes.
pub const VALUE_MAX: usize = field::ATTRIBUTE_VALUE_MAX;

/// What may stand in braces.
pub const PLACEHOLDERS: [&str; 12] = [
    "name",
    "email",
    "reason",
    "reason_id",
    "message",
    "page",
    "site",
    "locale",
    "agent",
    "reference",
    "consent_version",
    "callback_id",
];

/// Replaces each `{placeholder}` by what `value_of` gives for it. Braces that hold none stay as they are.
pub fn render<'a>(template: &str, mut value_of: impl FnMut(&str) -> Option<&'a str>) -> String {
    let mut rendered = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        rendered.push_str(before);
        if let Some((name, behind)) = after.split_once('}')
            && let Some(value) = value_of(name)
        {
            rendered.push_str(value);
            rest = behind;
        } else {
            rendered.push('{');
            rest = after;
        }
    }
    rendered.push_str(rest);
    rendered
}

/// What the placeholder of a field of the operator's own begins with; its id follows.
pub const OF_FIELD: &str = "field.";

/// The names in braces that are not placeholders, where the operator's own fields have those ids.
pub fn unknown_placeholders(template: &str, fields: &[&str]) -> Vec<String> {
    let mut unknown = Vec::new();
    render(template, |name| {
        let is_of_field = name.strip_prefix(OF_FIELD).is_some_and(|id| fields.contains(&id));
        if !PLACEHOLDERS.contains(&name) && !is_of_field {
            unknown.push(name.to_owned());
        }
        Some("")
    });
    unknown
}

/// The value as Webex takes it: without control characters and invisible marks, line ends as spaces, at most
/// [`VALUE_MAX`] bytes, cut at a character boundary.
pub fn value(text: &str) -> String {
    let visible = text.chars().filter_map(|character| match character {
        '\n' | '\t' => Some(' '),
        _ if field::is_hidden(character) => None,
        _ => Some(character),
    });
    let mut value = String::new();
    for character in visible {
        if value.len() + character.len_utf8() > VALUE_MAX {
            break;
        }
        value.push(character);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_once() {
        let values = |name: &str| match name {
            "name" => Some("{email}"),
            "email" => Some("ann@example.com"),
            _ => None,
        };
        assert_eq!(render("{name} <{email}>", values), "{email} <ann@example.com>");
        assert_eq!(render("{nobody} {", values), "{nobody} {");
        assert_eq!(render("{{name}}", values), "{{email}}");
        assert_eq!(render("", values), "");
    }

    #[test]
    fn a_misspelt_placeholder_is_found() {
        assert_eq!(unknown_placeholders("{name} {nmae}", &[]), ["nmae"]);
        assert!(unknown_placeholders("{callback_id}", &[]).is_empty());
        assert!(unknown_placeholders("{field.size}", &["colour", "size"]).is_empty());
        assert_eq!(unknown_placeholders("{field.szie}{size}", &["size"]), ["field.szie", "size"]);
    }

    #[test]
    fn a_value_is_visible_text_of_at_most_so_many_bytes() {
        assert_eq!(value("First\r\nsecond\u{202e}\0"), "First second");
        assert_eq!(value(&"ü".repeat(1000)).len(), VALUE_MAX);
        assert_eq!(value(&format!("x{}", "ü".repeat(1000))).len(), VALUE_MAX - 1);
    }
}
