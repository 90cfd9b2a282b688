//! What is remembered of callers, in bounded memory: whoever makes up a million of them makes the service forget the oldest,
//! never grow.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use parking_lot::Mutex;

/// Parts that are locked by themselves, so that requests do not wait for each other.
const PARTS: usize = 16;

/// Callers that a part takes before those that were not seen for longest go. With both generations full, a window of a limit
/// remembers a quarter of a million callers in about ten megabytes.
const YOUNG_MAX: usize = 8192;

/// The callers of one window of a limit, in two generations: who is counted is young; when the young are too many, they are
/// the old, and the old are forgotten.
#[derive(Debug, Default)]
pub(super) struct Callers([Mutex<Part>; PARTS]);

#[derive(Debug, Default)]
struct Part {
    young: Generation,
    old: Generation,
}

type Generation = HashMap<u64, Nanos, BuildHasherDefault<Hashed>>;

/// The keys are keyed hashes already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl StateStore for Callers {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, judge: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        // The low bits choose the part, the high ones the place in it.
        let index = usize::try_from(key % 16).unwrap_or_default();
        let mut part = self.0[index].lock();
        let before = part.young.get(key).or_else(|| part.old.get(key)).copied();
        let (outcome, after) = judge(before)?;
        if part.young.len() >= YOUNG_MAX && !part.young.contains_key(key) {
            part.old = std::mem::take(&mut part.young);
        }
        part.young.insert(*key, after);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<u64> for Callers {
    fn retain_recent(&self, drop_below: Nanos) {
        for part in &self.0 {
            let mut part = part.lock();
            part.young.retain(|_, whole_at| *whole_at > drop_below);
            part.old.retain(|_, whole_at| *whole_at > drop_below);
        }
    }

    fn shrink_to_fit(&self) {
        for part in &self.0 {
            let mut part = part.lock();
            part.young.shrink_to_fit();
            part.old.shrink_to_fit();
        }
    }

    fn len(&self) -> usize {
        self.0.iter().map(|part| part.lock()).map(|part| part.young.len() + part.old.len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
