//! `GET /v1/ewt`, the estimated wait time. Source: Webex OpenAPI, group "Estimated Wait Time".

use std::collections::HashMap;

use serde_json::json;

use crate::answer::Answer;
use crate::call::Call;
use crate::envelope::Refusal;
use crate::organization::SUPPORT_QUEUE;
use crate::world::World;

/// The wait of each queue that had calls enough, in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Waits(HashMap<String, f64>);

impl Waits {
    pub(crate) fn fixture() -> Self {
        Self(HashMap::from([(SUPPORT_QUEUE.to_owned(), 73_500.0)]))
    }

    pub(crate) fn set(&mut self, queue_id: &str, wait_ms: Option<f64>) {
        match wait_ms {
            Some(wait_ms) => self.0.insert(queue_id.to_owned(), wait_ms),
            None => self.0.remove(queue_id),
        };
    }
}

/// An unknown queue and one with too few calls are answered alike.
pub(crate) fn estimate(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let queue_id = call
        .parameter("queueId")
        .filter(|queue_id| !queue_id.is_empty())
        .ok_or_else(|| Refusal::bad("queueId is mandatory."))?;
    let lookback =
        call.number("lookbackMinutes")?.ok_or_else(|| Refusal::bad("lookbackMinutes is mandatory."))?;
    within("lookbackMinutes", lookback, 5, 240)?;
    for name in ["maxCV", "minValidSamples"] {
        within(name, call.number(name)?.unwrap_or(40), 1, 100)?;
    }
    Ok(match world.waits.lock().0.get(queue_id) {
        Some(wait_ms) => Answer::json(200, &json!({ "estimatedWaitTime": wait_ms })),
        None => Answer::empty(204),
    })
}

fn within(name: &str, value: i64, least: i64, most: i64) -> Result<(), Refusal> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(Refusal::bad(format!("{name} must be {least} to {most}.")))
    }
}
