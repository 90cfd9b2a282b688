//! Events on their way to the subscribers. Source: developer.webex.com, "Webhooks" of Contact Center.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;

use crate::clock;
use crate::organization::ORG_ID;
use crate::play::Event;
use crate::records::Records;
use crate::route::Version;
use crate::subscriptions::Subscription;
use crate::webhook_faults::{self, WebhookFault};
use crate::world::World;

/// What became of one event at one subscriber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Whose.
    pub subscription_id: String,
    /// The `id` of the envelope; the same for each copy of a duplicate.
    pub event_id: String,
    /// The type of the event.
    pub event_type: String,
    /// Of which task.
    pub task_id: String,
    /// Where to.
    pub url: String,
    /// The signature that was sent.
    pub signature: Option<String>,
    /// The body that was sent.
    pub body: String,
    /// When it was sent, in milliseconds since the epoch.
    pub at: i64,
    /// How long the receiver took, in milliseconds.
    pub took_ms: u64,
    /// The receiver's status; `None` when there was no answer in time, or when the event was lost on purpose.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// The fault it met.
    pub fault: Option<String>,
}

/// An envelope, ready to go.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) subscription_id: String,
    pub(crate) event_id: String,
    pub(crate) event_type: &'static str,
    pub(crate) task_id: String,
    pub(crate) url: String,
    pub(crate) version: Version,
    pub(crate) resource_version: String,
    pub(crate) timestamp: i64,
    pub(crate) signature: Option<String>,
    pub(crate) body: String,
    /// Overtaken by what comes after it, by this time.
    pub(crate) delay: Duration,
    pub(crate) fault: Option<&'static str>,
}

/// What is on its way, and what has arrived.
#[derive(Debug)]
pub(crate) struct Webhooks {
    pub(crate) deliveries: Records<Delivery>,
    pub(crate) faults: Vec<WebhookFault>,
    /// Kept back until there are enough to change their order.
    pub(crate) held: Vec<Outgoing>,
    /// Events of one task go to one subscriber one after the other; different tasks do not wait for each other.
    lanes: HashMap<String, VecDeque<Outgoing>>,
}

impl Webhooks {
    pub(crate) fn new(keep: usize) -> Self {
        Self { deliveries: Records::new(keep), faults: Vec::new(), held: Vec::new(), lanes: HashMap::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.deliveries.clear();
        self.faults.clear();
        self.held.clear();
        // What stands in a lane belongs to the time before; the senders find nothing and end.
        for lane in self.lanes.values_mut() {
            lane.clear();
        }
    }
}

/// Tells an event to everybody who subscribed to it.
pub(crate) fn announce(world: &Arc<World>, event: &Event) {
    let envelopes: Vec<Outgoing> = {
        let subscriptions = world.subscriptions.lock();
        subscriptions.interested(event.kind).map(|subscription| envelope(subscription, event)).collect()
    };
    for envelope in envelopes {
        let ready = webhook_faults::meet(&mut world.webhooks.lock(), envelope);
        dispatch(world, ready);
    }
}

/// Lets go what was kept back, in the order it stands.
pub(crate) fn release(world: &Arc<World>) {
    let held = std::mem::take(&mut world.webhooks.lock().held);
    dispatch(world, held);
}

fn dispatch(world: &Arc<World>, ready: Vec<Outgoing>) {
    for outgoing in ready {
        if outgoing.delay.is_zero() {
            enqueue(world, outgoing);
        } else {
            let later = Arc::clone(world);
            world.spawn(async move {
                tokio::time::sleep(outgoing.delay).await;
                deliver(&later, outgoing).await;
            });
        }
    }
}

fn enqueue(world: &Arc<World>, outgoing: Outgoing) {
    let lane = format!("{}/{}", outgoing.subscription_id, outgoing.task_id);
    let mut webhooks = world.webhooks.lock();
    if let Some(waiting) = webhooks.lanes.get_mut(&lane) {
        waiting.push_back(outgoing);
        return;
    }
    webhooks.lanes.insert(lane.clone(), VecDeque::from([outgoing]));
    drop(webhooks);
    world.spawn(empty_lane(Arc::clone(world), lane));
}

async fn empty_lane(world: Arc<World>, lane: String) {
    loop {
        let next = {
            let mut webhooks = world.webhooks.lock();
            let next = webhooks.lanes.get_mut(&lane).and_then(VecDeque::pop_front);
            if next.is_none() {
                webhooks.lanes.remove(&lane);
            }
            next
        };
        match next {
            Some(outgoing) => deliver(&world, outgoing).await,
            None => return,
        }
    }
}

fn envelope(subscription: &Subscription, event: &Event) -> Outgoing {
    let event_id = Uuid::new_v4().to_string();
    let mut envelope = json!({
        "id": event_id,
        "specversion": "1.0",
        "type": event.kind,
        "source": format!("/com/cisco/wxcc/{}", subscription.id),
        "comciscoorgid": ORG_ID,
        "datacontenttype": "application/json",
        "data": event.data,
    });
    if subscription.version == Version::V2 {
        envelope["comciscotimestamp"] = json!(event.created_time.to_string());
    }
    let body = envelope.to_string();
    Outgoing {
        subscription_id: subscription.id.clone(),
        event_id,
        event_type: event.kind,
        task_id: event.task_id.clone(),
        url: subscription.destination_url.clone(),
        version: subscription.version,
        resource_version: subscription.resource_version.clone().unwrap_or_default(),
        timestamp: event.created_time,
        signature: subscription.secret.as_deref().map(|secret| sign(secret, body.as_bytes())),
        body,
        delay: Duration::ZERO,
        fault: None,
    }
}

/// `hex(HMAC-SHA256(secret, body))`
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length (RFC 2104, section 2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// Any 2xx within the time-out is a delivery; a redirect is not followed.
async fn deliver(world: &Arc<World>, outgoing: Outgoing) {
    let (timeout_ms, deactivate_after) = {
        let settings = world.settings.lock();
        (settings.webhook_timeout_ms, settings.deactivate_after)
    };
    let at = clock::now_ms();
    let began = Instant::now();
    let lost = outgoing.fault == Some("lose");
    let result =
        if lost { Err("lost on purpose".to_owned()) } else { post(world, &outgoing, timeout_ms).await };
    let well = result.as_ref().is_ok_and(|status| (200..300).contains(status));
    if !lost {
        world.subscriptions.lock().delivered(&outgoing.subscription_id, well, deactivate_after);
    }
    world.webhooks.lock().deliveries.push(Delivery {
        subscription_id: outgoing.subscription_id,
        event_id: outgoing.event_id,
        event_type: outgoing.event_type.to_owned(),
        task_id: outgoing.task_id,
        url: outgoing.url,
        signature: outgoing.signature,
        body: outgoing.body,
        at,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        status: result.as_ref().ok().copied(),
        error: result.err(),
        fault: outgoing.fault.map(str::to_owned),
    });
}

async fn post(world: &World, outgoing: &Outgoing, timeout_ms: u64) -> Result<u16, String> {
    let mut request = world
        .http
        .post(&outgoing.url)
        .timeout(Duration::from_millis(timeout_ms))
        .header("Content-Type", "application/json")
        .body(outgoing.body.clone());
    if let Some(signature) = &outgoing.signature {
        request = request.header("X-WebexCC-Signature", signature);
    }
    if outgoing.version == Version::V2 {
        request = request
            .header("X-WebExCC-Timestamp", outgoing.timestamp.to_string())
            .header("X-WebexCC-Webhook-Version", &outgoing.resource_version);
    }
    let response = request.send().await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    // Read to the end, so that the connection can be used again; what is in it does not matter.
    let _ = response.bytes().await;
    Ok(status)
}
