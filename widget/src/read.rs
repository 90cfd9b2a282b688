//! From the service's answers to the types of the contract.

use ringback_contract::callback::{Failure, State};

use crate::json::Json;

/// What the live view needs of a [`ringback_contract::callback::CallbackView`].
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the answer")]
pub(crate) struct Progress {
    pub(crate) state: State,
    pub(crate) agent: Option<String>,
    /// Whether an agent was asked for, and the next free one calls instead.
    pub(crate) fell_back: bool,
    /// How long people wait, in seconds, where there is a figure.
    pub(crate) wait_time: Option<f64>,
    /// When the person wants to be called: start and end, where that is not as soon as possible.
    pub(crate) window: Option<(String, String)>,
    pub(crate) failure: Option<Failure>,
    pub(crate) cancellable: bool,
    /// Whether it was asked for as soon as possible while the site was closed.
    pub(crate) at_opening: bool,
    /// Whether it can be moved to another time.
    pub(crate) changeable: bool,
    pub(crate) number_changeable: bool,
    /// The number that the call comes from, where it is known.
    pub(crate) calls_from: Option<String>,
    /// Rises with each change; JSON's numbers are exact to 2^53.
    pub(crate) revision: f64,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            state: State::Accepted,
            agent: None,
            fell_back: false,
            wait_time: None,
            window: None,
            failure: None,
            cancellable: false,
            at_opening: false,
            changeable: false,
            number_changeable: false,
            calls_from: None,
            revision: 0.0,
        }
    }
}

/// A callback's progress; `None` also for a state that this module does not know.
pub(crate) fn progress(json: &Json) -> Option<Progress> {
    let state = State::parse(&json.string("state"))?;
    let window = json.get("schedule");
    Some(Progress {
        state,
        agent: json.text("agent"),
        fell_back: json.flag("fell_back"),
        wait_time: json.optional_number("wait_time_s"),
        window: window.text("starts_at").zip(window.text("ends_at")),
        failure: Failure::parse(&json.string("failure")),
        cancellable: json.flag("cancellable"),
        at_opening: json.flag("at_opening"),
        changeable: json.flag("changeable"),
        number_changeable: json.flag("number_changeable"),
        calls_from: json.text("calls_from"),
        revision: json.number("revision"),
    })
}
