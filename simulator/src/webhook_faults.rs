//! What goes wrong on purpose with the next webhooks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::webhooks::{Outgoing, Webhooks};

/// A fault, and for which webhooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookFault {
    /// Only events of this type; `None` is every type.
    #[serde(default)]
    pub event_type: Option<String>,
    /// How many webhooks meet it.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens.
    pub effect: WebhookEffect,
}

const fn once() -> u32 {
    1
}

/// What a webhook fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum WebhookEffect {
    /// It is never sent.
    Lose,
    /// It is sent more than once, with the same id.
    Duplicate {
        /// How many copies beside the first.
        #[serde(default = "once")]
        copies: u32,
        /// How long after the first each copy goes, in milliseconds.
        #[serde(default)]
        delay_ms: u64,
    },
    /// It is sent later, and those after it go first.
    Delay {
        /// By how many milliseconds.
        delay_ms: u64,
    },
    /// As many as `times` says are kept back, and then sent last one first.
    Reverse,
    /// As many as `times` says are kept back, and then sent in an order that depends on the seed alone.
    Shuffle {
        /// Any number.
        #[serde(default)]
        seed: u64,
    },
    /// As many as `times` says are kept back, some of them lost and some repeated, and then sent in another order. All
    /// depends on the seed alone.
    Storm {
        /// Any number.
        #[serde(default)]
        seed: u64,
        /// How many of a hundred are lost.
        lost_percent: u8,
        /// How many of a hundred are sent twice, with the same id.
        repeated_percent: u8,
    },
    /// The signature is of another secret.
    WrongSignature,
    /// There is no signature.
    NoSignature,
}

impl WebhookFault {
    /// An effect on that many webhooks, of any type.
    pub const fn new(effect: WebhookEffect, times: u32) -> Self {
        Self { event_type: None, times, effect }
    }

    /// Only on events of this type.
    #[must_use]
    pub fn on(mut self, event_type: &str) -> Self {
        self.event_type = Some(event_type.to_owned());
        self
    }
}

/// Lets a webhook meet its fault; gives what is ready to be sent.
pub(crate) fn meet(webhooks: &mut Webhooks, mut outgoing: Outgoing) -> Vec<Outgoing> {
    let fits =
        |fault: &WebhookFault| fault.event_type.as_deref().is_none_or(|wanted| wanted == outgoing.event_type);
    let Some(position) = webhooks.faults.iter().position(fits) else { return vec![outgoing] };
    let Some(fault) = webhooks.faults.get_mut(position) else { return vec![outgoing] };
    fault.times = fault.times.saturating_sub(1);
    let (effect, last) = (fault.effect, fault.times == 0);
    if last {
        webhooks.faults.remove(position);
    }
    match effect {
        WebhookEffect::Lose => outgoing.fault = Some("lose"),
        WebhookEffect::Delay { delay_ms } => {
            outgoing.fault = Some("delay");
            outgoing.delay = Duration::from_millis(delay_ms);
        }
        WebhookEffect::WrongSignature => {
            outgoing.fault = Some("wrong-signature");
            let body = outgoing.body.as_bytes();
            outgoing.signature = Some(crate::webhooks::sign("another secret, of somebody else", body));
        }
        WebhookEffect::NoSignature => {
            outgoing.fault = Some("no-signature");
            outgoing.signature = None;
        }
        WebhookEffect::Duplicate { copies, delay_ms } => {
            outgoing.fault = Some("duplicate");
            let mut copy = outgoing.clone();
            copy.delay = Duration::from_millis(delay_ms);
            let mut ready = vec![outgoing];
            ready.extend((0..copies).map(|_| copy.clone()));
            return ready;
        }
        WebhookEffect::Reverse | WebhookEffect::Shuffle { .. } | WebhookEffect::Storm { .. } => {
            outgoing.fault = Some(match effect {
                WebhookEffect::Reverse => "reverse",
                WebhookEffect::Storm { .. } => "storm",
                _ => "shuffle",
            });
            webhooks.held.push(outgoing);
            if !last {
                return Vec::new();
            }
            let mut held = std::mem::take(&mut webhooks.held);
            match effect {
                WebhookEffect::Shuffle { seed } => Random::new(seed).shuffle(&mut held),
                WebhookEffect::Storm { seed, lost_percent, repeated_percent } => {
                    let mut random = Random::new(seed);
                    for outgoing in &mut held {
                        if random.hits(lost_percent) {
                            outgoing.fault = Some("lose");
                        }
                    }
                    let copies: Vec<Outgoing> = held
                        .iter()
                        .filter(|outgoing| outgoing.fault != Some("lose") && random.hits(repeated_percent))
                        .cloned()
                        .collect();
                    held.extend(copies);
                    random.shuffle(&mut held);
                }
                _ => held.reverse(),
            }
            return held;
        }
    }
    vec![outgoing]
}

/// A generator of Marsaglia (xorshift64), which is the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }

    fn hits(&mut self, percent: u8) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// Fisher and Yates.
    fn shuffle(&mut self, entries: &mut [Outgoing]) {
        for last in (1..entries.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap_or(0);
            entries.swap(last, other);
        }
    }
}
