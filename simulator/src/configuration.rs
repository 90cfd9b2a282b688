//! The configuration.
use crate::answer::Answer;
use crate::call::Call;
use crate::envelope::Refusal;
pub(crate) fn read(_: &Call, _: &str) -> Result<Answer, Refusal> {
    Err(Refusal::new(503, "Not yet."))
}
