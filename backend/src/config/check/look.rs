//! The words and the look of a site's form.

use ringback_contract::color::Color;

use super::Findings;
use crate::locale;
use crate::site::{EVERY, Site, Texts, Theme};

/// How long a text may be, in characters: it stands on a small screen.
const TEXT_MAX: usize = 500;
/// The largest radius, in pixels.
const RADIUS_MAX: u8 = 40;
/// The start of the keys of texts that are no site's: the loader is the same for all, and a language is what it is.
const NOT_OF_A_SITE: [&str; 2] = ["loader.", "meta."];

pub(super) fn check(key: &str, site: &Site, found: &mut Findings) {
    texts(&format!("{key}.texts"), &site.texts, found);
    theme(&format!("{key}.theme"), &site.theme, found);
}

fn theme(key: &str, theme: &Theme, found: &mut Findings) {
    found.require(
        theme.color.is_empty() || Color::parse(&theme.color).is_some(),
        format!("{key}.color"),
        format!("{:?} is not a colour", theme.color),
        "write it in hexadecimal digits, such as #1a56c4",
    );
    found.require(
        theme.radius.is_none_or(|radius| radius <= RADIUS_MAX),
        format!("{key}.radius"),
        "fields would be rounder than they are high",
        format!("use {RADIUS_MAX} at most"),
    );
    found.require(
        Theme::is_font(&theme.font),
        format!("{key}.font"),
        format!("{:?} is not a list of fonts", theme.font),
        "write names with commas in between, and single quotes where a name has spaces: 'Open Sans', sans-serif",
    );
}

fn texts(key: &str, texts: &Texts, found: &mut Findings) {
    // English has every text; a test holds every other language to that.
    let Some(english) = locale::exact("en") else { return };
    let is_own = |name: &&String| !NOT_OF_A_SITE.iter().any(|start| name.starts_with(start));
    for (language, words) in texts.given() {
        let key = format!("{key}.{language}");
        found.require(
            language == EVERY || locale::exact(language).is_some(),
            &key,
            format!("there are no texts for {language:?}"),
            format!("use {EVERY}, or one of {}", locale::names().join(", ")),
        );
        for (name, text) in words {
            let key = format!("{key}.{name}");
            let Some(original) = english.texts.get(name).filter(|_| is_own(&name)) else {
                let known = english.texts.keys().filter(is_own);
                let nearest = known.min_by_key(|known| distance(known, name)).map_or("", String::as_str);
                found.add(key, "the form has no such text", format!("the nearest is {nearest:?}"));
                continue;
            };
            found.require(
                (1..=TEXT_MAX).contains(&text.trim().chars().count()),
                &key,
                "the text is empty or too long",
                format!("give 1 to {TEXT_MAX} characters"),
            );
            found.require(
                !text.chars().any(char::is_control),
                &key,
                "the text holds control characters",
                "write it on one line",
            );
            let (own, ours) = (marks(text), marks(original));
            found.require(
                own == ours,
                &key,
                format!("the text has the marks {own:?}"),
                format!("use exactly {ours:?}, which stand for what is filled in"),
            );
        }
    }
}

/// The marks of a text, such as `{agent}`, and braces that are none.
fn marks(text: &str) -> Vec<&str> {
    let parts = text.match_indices(['{', '}']);
    let mut starts = parts.clone().filter(|(_, brace)| *brace == "{").map(|(at, _)| at);
    let ends = parts.filter(|(_, brace)| *brace == "}").map(|(at, _)| at);
    let mut marks: Vec<&str> =
        ends.map(|end| starts.next().and_then(|start| text.get(start..=end)).unwrap_or("}")).collect();
    marks.extend(starts.map(|_| "{"));
    marks
}

/// How many letters must be put in, taken out or changed to make one word of the other (Levenshtein).
fn distance(one: &str, two: &str) -> usize {
    let mut row: Vec<usize> = (0..=two.chars().count()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], above + 1);
        for (at, other) in two.chars().enumerate() {
            let changed = corner + usize::from(letter != other);
            corner = row[at + 1];
            row[at + 1] = changed.min(corner + 1).min(row[at] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_words_is_the_number_of_changes() {
        for (one, two, changes) in
            [("", "", 0), ("form", "form", 0), ("form", "from", 2), ("", "abc", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!((distance(one, two), distance(two, one)), (changes, changes), "{one} {two}");
        }
    }

    #[test]
    fn the_marks_of_a_text_are_found_and_stray_braces_too() {
        assert_eq!(marks("{agent} calls"), ["{agent}"]);
        assert_eq!(marks("no mark"), Vec::<&str>::new());
        assert_eq!(marks("open {"), ["{"]);
        assert_eq!(marks("closed }"), ["}"]);
        assert_eq!(marks("} {"), ["}"]);
    }
}
