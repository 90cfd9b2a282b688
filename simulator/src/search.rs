//! The search.
use crate::answer::Answer;
use crate::call::Call;
use crate::envelope::Refusal;
use crate::world::World;
pub(crate) fn answer(_: &World, _: &Call) -> Result<Answer, Refusal> {
    Err(Refusal::new(503, "Not yet."))
}
