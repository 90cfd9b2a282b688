//! What was asked of Webex and is good for a while. Bounded, and never asked twice at once for one thing.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::Timestamp;
use parking_lot::Mutex;

use crate::clock::{SharedClock, after_s};

/// Answers by what was asked for.
#[derive(Debug)]
pub(super) struct Remembered<K, V> {
    clock: SharedClock,
    /// The most that is remembered; the answer that was asked for longest ago makes room.
    most: usize,
    entries: Mutex<HashMap<K, Entry<V>>>,
}

#[derive(Debug)]
struct Entry<V> {
    /// The last answer and its moment.
    answer: Option<(V, Timestamp)>,
    /// When was last asked, in vain or not.
    asked_at: Timestamp,
    under_way: bool,
}

impl<K: Clone + Eq + Hash, V: Clone> Remembered<K, V> {
    pub(super) fn new(clock: SharedClock, most: usize) -> Self {
        Self { clock, most: most.max(1), entries: Mutex::default() }
    }

    /// The last answer and its moment, unless that is longer ago.
    pub(super) fn within_s(&self, key: &K, seconds: u64) -> Option<(V, Timestamp)> {
        let now = self.clock.now();
        let answer = self.entries.lock().get(key)?.answer.clone();
        // A clock that was set back must not make an answer good for ever.
        answer.filter(|(_, at)| now < after_s(*at, seconds) && *at <= after_s(now, seconds))
    }

    /// Whether the caller is to ask: nobody does so now, nor did so within that time. Whoever is to ask tells the answer.
    pub(super) fn begin(&self, key: &K, seconds: u64) -> bool {
        let now = self.clock.now();
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.get_mut(key) {
            let lately = now < after_s(entry.asked_at, seconds) && entry.asked_at <= now;
            if entry.under_way || lately {
                return false;
            }
            entry.under_way = true;
            entry.asked_at = now;
            return true;
        }
        make_room(&mut entries, self.most);
        entries.insert(key.clone(), Entry { answer: None, asked_at: now, under_way: true });
        true
    }

    /// Takes an answer in; `None`: there was none, and the last one stays.
    pub(super) fn tell(&self, key: K, answer: Option<V>) {
        let now = self.clock.now();
        let mut entries = self.entries.lock();
        if !entries.contains_key(&key) {
            make_room(&mut entries, self.most);
        }
        let entry = entries.entry(key).or_insert(Entry { answer: None, asked_at: now, under_way: false });
        entry.under_way = false;
        entry.asked_at = now;
        if let Some(answer) = answer {
            entry.answer = Some((answer, now));
        }
    }
}

fn make_room<K: Clone + Eq + Hash, V>(entries: &mut HashMap<K, Entry<V>>, most: usize) {
    while entries.len() >= most {
        let oldest = entries.iter().min_by_key(|(_, entry)| entry.asked_at).map(|(key, _)| key.clone());
        let Some(oldest) = oldest else {
            return;
        };
        entries.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::by_hand::ManualClock;

    fn remembered(most: usize) -> (Arc<ManualClock>, Remembered<u32, &'static str>) {
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z"));
        (Arc::clone(&clock), Remembered::new(clock, most))
    }

    #[test]
    fn one_asks_and_the_others_take_what_is_known() {
        let (clock, remembered) = remembered(10);
        assert!(remembered.begin(&1, 60));
        assert!(!remembered.begin(&1, 60));
        clock.advance_s(600);
        assert!(!remembered.begin(&1, 60), "the first is still asking");
        remembered.tell(1, Some("a"));
        assert!(!remembered.begin(&1, 60));
        clock.advance_s(60);
        assert!(remembered.begin(&1, 60));
        assert_eq!(remembered.within_s(&1, 300).map(|(answer, _)| answer), Some("a"));
        // In vain: what is known stays, and nobody asks again before the time.
        remembered.tell(1, None);
        assert!(!remembered.begin(&1, 60));
        assert_eq!(remembered.within_s(&1, 300).map(|(answer, _)| answer), Some("a"));
        clock.advance_s(240);
        assert_eq!(remembered.within_s(&1, 300), None);
    }

    #[test]
    fn no_more_is_remembered_than_was_said() {
        let (clock, remembered) = remembered(2);
        for key in 1..=3 {
            remembered.tell(key, Some("a"));
            clock.advance_s(1);
        }
        let known = [1, 2, 3].map(|key| remembered.within_s(&key, 300).is_some());
        assert_eq!(known, [false, true, true]);
        assert_eq!(remembered.entries.lock().len(), 2);
    }
}
