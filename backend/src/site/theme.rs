//! How a site's form looks.

use std::fmt::Write as _;

use ringback_contract::color::Color;
use ringback_contract::form::{self, Density, Preset};
use serde::Deserialize;

/// What text stands on in the form: its fields and boxes, in light and in dark. A colour that can be read there can be read on the
/// form's own ground too, which is lighter in light and darker in dark.
const GROUNDS: [Color; 2] = [Color::of(0x00f1_f4f9), Color::of(0x0027_2d38)];

/// How a site's form looks. What is empty or absent is as the preset has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// What the rest starts from.
    #[serde(default)]
    pub preset: Preset,
    /// The colour of buttons, links and marks.
    #[serde(default)]
    pub color: String,
    /// How round the corners are, in pixels.
    #[serde(default)]
    pub radius: Option<u8>,
    /// The font, as in CSS.
    #[serde(default)]
    pub font: String,
    /// How much room there is around things.
    #[serde(default)]
    pub density: Option<Density>,
}

impl Theme {
    /// Whether a font is one that can stand in a style sheet: names, with commas in between.
    pub fn is_font(font: &str) -> bool {
        let may_stand = |character: char| character.is_ascii_alphanumeric() || " ,'-".contains(character);
        font.len() <= 200 && font.chars().all(may_stand) && font.matches('\'').count().is_multiple_of(2)
    }

    /// What the browser is told. `color` is what the page asks for, and goes before the site's own.
    pub fn shown(&self, color: Option<Color>) -> form::Theme {
        let mut style = String::new();
        if let Some(color) = color.or_else(|| Color::parse(&self.color)) {
            let [light, dark] = GROUNDS.map(|ground| color.readable_on(ground));
            // Writing to a text does not fail.
            let _ = write!(style, "--c0:{color};--o0:{};--l0:{light};--k0:{dark};", color.text_on());
        }
        if let Some(radius) = self.radius {
            let _ = write!(style, "--r0:{radius}px;");
        }
        if !self.font.is_empty() {
            let _ = write!(style, "--f0:{};", self.font);
        }
        match self.density {
            Some(Density::Compact) => style.push_str("--d0:.7;"),
            Some(Density::Comfortable) => style.push_str("--d0:1;"),
            None => {}
        }
        form::Theme { preset: self.preset, style }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_comes_with_what_can_be_read_on_it_and_what_can_be_read_of_it() {
        let theme = Theme { color: "#ffcc00".to_owned(), ..Theme::default() };
        let style = theme.shown(None).style;
        assert!(style.starts_with("--c0:#ffcc00;--o0:#000000;--l0:#"), "{style}");
        // On a dark ground yellow is read as it is.
        assert!(style.ends_with("--k0:#ffcc00;"), "{style}");
        let page = theme.shown(Color::parse("#036")).style;
        assert!(page.starts_with("--c0:#003366;--o0:#ffffff;--l0:#003366;"), "{page}");
    }

    #[test]
    fn what_is_not_given_is_left_to_the_preset() {
        assert_eq!(Theme::default().shown(None), form::Theme::default());
        let theme = Theme { radius: Some(0), density: Some(Density::Compact), ..Theme::default() };
        assert_eq!(theme.shown(None).style, "--r0:0px;--d0:.7;");
    }

    #[test]
    fn a_font_cannot_end_its_declaration() {
        for font in ["Georgia, serif", "'Open Sans', sans-serif", ""] {
            assert!(Theme::is_font(font), "{font}");
        }
        for font in ["x;color:red", "x}", "url(//evil.example)", "'open", "\"x\"", "x\\3b"] {
            assert!(!Theme::is_font(font), "{font}");
        }
    }
}
