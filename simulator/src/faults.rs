//! What goes wrong on purpose with the next calls of an operation.

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::call::Call;
use crate::envelope::{Envelope, Refusal};
use crate::route::Operation;

/// A fault, and for which calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which operation meets it; `None` is every one.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// A text that the query or the body must hold, such as a number; without one, any call.
    #[serde(default)]
    pub containing: Option<String>,
    /// How many calls pass before it begins.
    #[serde(default)]
    pub skip: u32,
    /// How many calls meet it.
    #[serde(default = "once")]
    pub times: u32,
    /// Milliseconds to wait before anything is done.
    #[serde(default)]
    pub delay_ms: u64,
    /// Milliseconds to wait after the call was done and before it is answered.
    #[serde(default)]
    pub delay_after_ms: u64,
    /// What happens.
    #[serde(default)]
    pub effect: Effect,
}

const fn once() -> u32 {
    1
}

/// What a fault does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Effect {
    /// Nothing but the delays.
    #[default]
    Delay,
    /// The call is not done, and answered with this status.
    Status(Failure),
    /// The call is done, and answered with this status all the same.
    StatusAfter(Failure),
    /// The connection is closed without an answer, and the call is not done.
    CutBefore,
    /// The call is done, and the connection is closed without an answer.
    CutAfter,
    /// The call is done, and the answer's JSON breaks off.
    MalformedBody,
}

/// A failing answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The status.
    pub status: u16,
    /// How the body is written; without one, as the operation writes its own errors.
    #[serde(default)]
    pub envelope: Option<Envelope>,
    /// Seconds, for `Retry-After`.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// What the body says.
    #[serde(default)]
    pub description: Option<String>,
    /// An id of Webex's own for the call, which stands in the body alone; without one, the call's, in the header too.
    #[serde(default)]
    pub tracking_id: Option<String>,
}

impl Failure {
    /// A status, in the operation's own envelope.
    pub const fn status(status: u16) -> Self {
        Self { status, envelope: None, retry_after: None, description: None, tracking_id: None }
    }

    pub(crate) fn answer(&self, own: Envelope, tracking_id: &str) -> Answer {
        let description =
            self.description.clone().unwrap_or_else(|| "A fault that was asked for.".to_owned());
        let refusal = Refusal { status: self.status, description, retry_after: self.retry_after };
        let envelope = self.envelope.unwrap_or(own);
        match &self.tracking_id {
            Some(in_body) => refusal.answer(envelope, in_body).without_tracking_id(),
            None => refusal.answer(envelope, tracking_id),
        }
    }
}

impl Fault {
    /// This effect on the next call of an operation.
    pub const fn new(operation: Operation, effect: Effect) -> Self {
        Self {
            operation: Some(operation),
            containing: None,
            skip: 0,
            times: 1,
            delay_ms: 0,
            delay_after_ms: 0,
            effect,
        }
    }

    /// The next call of an operation is answered with this status, and not done.
    pub const fn status(operation: Operation, status: u16) -> Self {
        Self::new(operation, Effect::Status(Failure::status(status)))
    }

    /// For that many calls.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// For calls whose query or body holds that text.
    #[must_use]
    pub fn containing(mut self, text: impl Into<String>) -> Self {
        self.containing = Some(text.into());
        self
    }

    /// With a wait before anything is done.
    #[must_use]
    pub const fn delayed(mut self, ms: u64) -> Self {
        self.delay_ms = ms;
        self
    }

    /// With a wait between doing and answering.
    #[must_use]
    pub const fn answered_late(mut self, ms: u64) -> Self {
        self.delay_after_ms = ms;
        self
    }
}

impl Effect {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Status(_) => "status",
            Self::StatusAfter(_) => "status-after",
            Self::CutBefore => "cut-before",
            Self::CutAfter => "cut-after",
            Self::MalformedBody => "malformed-body",
        }
    }
}

/// Takes the fault that this call meets, if any.
pub(crate) fn take(faults: &mut Vec<Fault>, operation: Operation, call: &Call) -> Option<Fault> {
    let position = faults.iter().position(|fault| {
        fault.operation.is_none_or(|wanted| wanted == operation)
            && fault.containing.as_deref().is_none_or(|text| call.holds(text))
    })?;
    let fault = faults.get_mut(position)?;
    if fault.skip > 0 {
        fault.skip -= 1;
        return None;
    }
    fault.times = fault.times.saturating_sub(1);
    let met = fault.clone();
    if fault.times == 0 {
        faults.remove(position);
    }
    Some(met)
}
