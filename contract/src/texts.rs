//! The texts of the widget: which part of it says which, and the answer of `GET /v1/sites/{site}/texts`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the live view of a callback says: the answer of `GET /v1/sites/{site}/texts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Texts {
    /// The language that they are in.
    pub locale: String,
    /// The texts by key, beside those of the form.
    pub texts: BTreeMap<String, String>,
}

/// What says a text. A visitor fetches the texts of a part with the part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The form, as it opens.
    Form,
    /// The live view of a callback, which comes when a request is sent.
    Live,
    /// The picker of a time.
    Slots,
    /// None of these: the loader, which has its own built in, or the service itself.
    Elsewhere,
}

/// The start of the keys of each part; the first that fits counts, and all other keys are the form's.
const STARTS: [(&str, Part); 17] = [
    // Said by the form in any case, and nothing more where the live view cannot be fetched.
    ("state.accepted", Part::Form),
    ("state.", Part::Live),
    ("step.", Part::Live),
    ("follow.page", Part::Form),
    ("follow.", Part::Live),
    ("failure.", Part::Live),
    ("slots.", Part::Slots),
    ("error.window_", Part::Slots),
    ("error.time", Part::Slots),
    ("error.date_", Part::Slots),
    ("error.slot_", Part::Slots),
    ("error.outside_", Part::Slots),
    ("error.schedule_", Part::Slots),
    ("calendar.", Part::Elsewhere),
    ("loader.", Part::Elsewhere),
    ("meta.", Part::Elsewhere),
    ("page.", Part::Elsewhere),
];

impl Part {
    /// What says the text of a key.
    pub fn of(key: &str) -> Self {
        let part = STARTS.iter().find(|(start, _)| key.starts_with(start));
        part.map_or(Self::Form, |(_, part)| *part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::{Failure, State};
    use crate::field::Code;

    #[test]
    fn the_live_view_has_a_text_for_every_state_that_the_form_leaves_to_it() {
        for state in State::ALL {
            let expected = if state == State::Accepted { Part::Form } else { Part::Live };
            assert_eq!(Part::of(&format!("state.{}", state.as_str())), expected);
            assert_eq!(Part::of(&format!("state.{}.detail", state.as_str())), expected);
        }
        for failure in Failure::ALL {
            assert_eq!(Part::of(&format!("failure.{}", failure.as_str())), Part::Live);
        }
    }

    #[test]
    fn what_is_wrong_with_a_time_is_said_by_the_picker_alone() {
        let of = |code: Code| Part::of(&format!("error.{code}"));
        for code in
            [Code::TimeSkipped, Code::TimezoneUnknown, Code::SlotFull, Code::WindowSoon, Code::OutsideHours]
        {
            assert_eq!(of(code), Part::Slots, "{code}");
        }
        for code in [Code::Required, Code::PhoneTooShort, Code::WrongType] {
            assert_eq!(of(code), Part::Form, "{code}");
        }
    }
}
