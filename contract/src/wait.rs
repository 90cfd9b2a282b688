//! How long a wait is said to be: rounded, and in the unit in which people say it. The words are for the language.

/// A unit in which people say how long they wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Second,
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
}

impl Unit {
    /// What the browser's `Intl` calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }
}

/// A duration in the unit in which people say it, rounded up: coming back too early only costs a refusal.
pub fn rounded(seconds: u32) -> (u32, Unit) {
    match seconds {
        0..90 => (seconds.max(1), Unit::Second),
        90..5400 => (seconds.div_ceil(60), Unit::Minute),
        _ => (seconds.div_ceil(3600), Unit::Hour),
    }
}

/// A wait in minutes, as people tell it: rounded up, and from ten on to whole fives. It is an estimate, and who is
/// called sooner does not mind.
pub fn minutes(seconds: f64) -> u32 {
    let minutes = (seconds / 60.0).ceil().max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates, and 1 is the least"
    )]
    let minutes = minutes as u32;
    if minutes > 10 { minutes.div_ceil(5).saturating_mul(5) } else { minutes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_an_agent_is_rounded_up_to_what_people_say() {
        for (seconds, told) in
            [(0.0, 1), (1.0, 1), (60.0, 1), (60.1, 2), (73.5, 2), (600.0, 10), (601.0, 15), (3600.0, 60)]
        {
            assert_eq!(minutes(seconds), told, "{seconds}");
        }
        assert_eq!(minutes(f64::NAN), 1);
        assert_eq!(minutes(f64::INFINITY), u32::MAX);
    }

    #[test]
    fn a_wait_is_told_in_the_unit_in_which_people_say_it() {
        assert_eq!(rounded(0), (1, Unit::Second));
        assert_eq!(rounded(45), (45, Unit::Second));
        assert_eq!(rounded(90), (2, Unit::Minute));
        assert_eq!(rounded(600), (10, Unit::Minute));
        assert_eq!(rounded(5400), (2, Unit::Hour));
    }
}
