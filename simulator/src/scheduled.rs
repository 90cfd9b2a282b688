//! Scheduled callbacks.
use crate::answer::Answer;
use crate::call::Call;
use crate::envelope::Refusal;
use crate::world::World;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct ScheduledCallbacks(Vec<()>);
impl ScheduledCallbacks {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
fn later() -> Result<Answer, Refusal> {
    Err(Refusal::new(503, "Not yet."))
}
pub(crate) fn create(_: &World, _: &Call) -> Result<Answer, Refusal> {
    later()
}
pub(crate) fn list(_: &World, _: &Call) -> Result<Answer, Refusal> {
    later()
}
pub(crate) fn read(_: &World, _: &str) -> Result<Answer, Refusal> {
    later()
}
pub(crate) fn update(_: &World, _: &Call, _: &str) -> Result<Answer, Refusal> {
    later()
}
pub(crate) fn delete(_: &World, _: &str) -> Result<Answer, Refusal> {
    later()
}
pub(crate) fn trigger(_: &Arc<World>, _: &str) -> Result<String, Refusal> {
    Err(Refusal::new(503, "Not yet."))
}
