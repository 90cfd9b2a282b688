//! Colours, and how well one can be read on another: WCAG 2.2, success criterion 1.4.3.

use std::fmt;

/// The contrast that text must have (WCAG 2.2, 1.4.3, level AA).
pub const READABLE: f64 = 4.5;

/// A colour of sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    red: u8,
    green: u8,
    blue: u8,
}

impl Color {
    /// Black.
    pub const BLACK: Self = Self::of(0);
    /// White.
    pub const WHITE: Self = Self::of(0x00ff_ffff);

    /// The colour of a number such as `0x1a56c4`.
    #[expect(clippy::cast_possible_truncation, reason = "each byte of the number is one part")]
    pub const fn of(number: u32) -> Self {
        Self { red: (number >> 16) as u8, green: (number >> 8) as u8, blue: number as u8 }
    }

    /// Reads `#1a56c4` or `#15c`; `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        match digits.len() {
            6 => Some(Self::of(number)),
            3 => {
                let double = |shift: u32| ((number >> shift) & 0xf) * 0x11;
                Some(Self::of(double(8) << 16 | double(4) << 8 | double(0)))
            }
            _ => None,
        }
    }

    /// The relative luminance: 0 for black, 1 for white.
    pub fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// The contrast between two colours: 1 where they are the same, 21 between black and white.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if one > two { one / two } else { two / one }
    }

    /// Black or white, whichever can be read better on this colour. One of them always has more than [`READABLE`].
    #[must_use]
    pub fn text_on(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::BLACK) { Self::WHITE } else { Self::BLACK }
    }

    /// This colour, darkened on a light ground or lightened on a dark one, by as little as makes it readable there.
    #[must_use]
    pub fn readable_on(self, ground: Self) -> Self {
        let end = ground.text_on();
        let shades = (0..=STEPS).map(|step| self.mixed(end, step));
        shades.into_iter().find(|shade| shade.contrast(ground) >= READABLE).unwrap_or(end)
    }

    /// The mixture of so many of [`STEPS`] parts of the other colour, and the rest of this one.
    fn mixed(self, other: Self, parts: u16) -> Self {
        let mix = |one: u8, two: u8| {
            let sum = u16::from(one) * (STEPS - parts) + u16::from(two) * parts;
            u8::try_from(sum / STEPS).unwrap_or(two)
        };
        Self {
            red: mix(self.red, other.red),
            green: mix(self.green, other.green),
            blue: mix(self.blue, other.blue),
        }
    }
}

/// In how many steps a colour becomes black or white.
const STEPS: u16 = 64;

impl fmt::Display for Color {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Colours all over the cube.
    fn every() -> impl Iterator<Item = Color> {
        let part = || (0..=255).step_by(17);
        part().flat_map(move |red| {
            part().flat_map(move |green| part().map(move |blue| Color::of(red << 16 | green << 8 | blue)))
        })
    }

    #[test]
    fn a_colour_is_read_as_pages_write_it() {
        assert_eq!(Color::parse("#1A56c4"), Some(Color::of(0x001a_56c4)));
        assert_eq!(Color::parse("#15c"), Some(Color::of(0x0011_55cc)));
        for wrong in ["", "#", "1a56c4", "#1a56c", "#1a56c4ff", "#+12345", "#12345g", "red", "#äöü"] {
            assert_eq!(Color::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Color::of(0x001a_56c4).to_string(), "#1a56c4");
    }

    #[test]
    fn contrasts_are_those_of_the_guidelines() {
        let near = |one: f64, two: f64| (one - two).abs() < 0.01;
        assert!(near(Color::BLACK.contrast(Color::WHITE), 21.0));
        assert!(near(Color::WHITE.contrast(Color::WHITE), 1.0));
        // The lightest grey that the guidelines' own calculators let pass on white.
        assert!(near(Color::of(0x0076_7676).contrast(Color::WHITE), 4.54));
        assert!(Color::of(0x0077_7777).contrast(Color::WHITE) < READABLE);
    }

    #[test]
    fn text_on_any_colour_can_be_read() {
        for color in every() {
            assert!(color.contrast(color.text_on()) >= READABLE, "{color}");
        }
    }

    #[test]
    fn any_colour_becomes_readable_on_light_and_dark_and_a_readable_one_stays() {
        for ground in [Color::WHITE, Color::of(0x00f1_f4f9), Color::of(0x001b_1f27), Color::of(0x0027_2d38)] {
            for color in every() {
                let shade = color.readable_on(ground);
                assert!(shade.contrast(ground) >= READABLE, "{color} on {ground}: {shade}");
                if color.contrast(ground) >= READABLE {
                    assert_eq!(shade, color);
                }
            }
        }
    }

    #[test]
    fn a_corrected_colour_keeps_its_hue() {
        let yellow = Color::of(0x00ff_cc00).readable_on(Color::WHITE);
        assert!(yellow.red > yellow.green && yellow.green > yellow.blue, "{yellow}");
    }
}
