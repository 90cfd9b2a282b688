//! How fast Webex is asked. Webex allows a client id 300 calls a minute over all its APIs, and answers those beyond
//! with 429 and `Retry-After` (Webex documentation, "Rate limits").
//!
//! New tasks come first: whoever makes one reserves a call before a callback is leased, and every other call waits for
//! its turn at no more than half of the pace.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clock::{SharedClock, after_ms, after_s, is_ahead};

/// The longest that `Retry-After` is obeyed for at once, in seconds: what asks for more is taken for a mistake.
pub(super) const LONGEST_PAUSE_S: u64 = 900;

/// The pace of one process.
#[derive(Debug)]
pub struct Pace {
    clock: SharedClock,
    per_minute: u32,
    state: Mutex<State>,
    has_paused: Notify,
}

#[derive(Debug)]
struct State {
    instances: u32,
    limits: Option<Limits>,
    paused_until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Limits {
    /// Every call.
    all: Arc<DefaultDirectRateLimiter>,
    /// Those that do not make a task.
    others: Arc<DefaultDirectRateLimiter>,
}

/// Calls that may be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// How many.
    pub calls: usize,
    /// When to ask for more, where these are fewer than wanted.
    pub more_at: Option<Timestamp>,
}

impl Pace {
    /// At most that many calls in any minute; 0: as many as there are.
    pub fn new(per_minute: u32, clock: SharedClock) -> Self {
        let state = State { instances: 1, limits: limits(per_minute, 1), paused_until: None };
        Self { clock, per_minute, state: Mutex::new(state), has_paused: Notify::new() }
    }

    /// Shares the pace with so many processes, this one counted.
    pub fn share_with(&self, instances: usize) {
        let instances = u32::try_from(instances).unwrap_or(u32::MAX).max(1);
        let mut state = self.state.lock();
        if state.instances != instances {
            tracing::info!(instances, "the pace of calls to Webex is shared");
            state.instances = instances;
            state.limits = limits(self.per_minute, instances);
        }
    }

    /// No call before that moment.
    pub fn pause_until(&self, moment: Timestamp) {
        let now = self.clock.now();
        let latest = after_s(now, LONGEST_PAUSE_S);
        let moment = moment.min(latest);
        let mut state = self.state.lock();
        let longest = Duration::from_secs(LONGEST_PAUSE_S);
        let present = state.paused_until.filter(|until| is_ahead(*until, now, longest));
        if present < Some(moment) {
            state.paused_until = Some(moment);
            tracing::warn!(until = %moment, "Webex is not asked until then, as it asked for");
            self.has_paused.notify_one();
        }
    }

    /// Waits until there has been a new pause since the last wait ended.
    pub async fn paused(&self) {
        self.has_paused.notified().await;
    }

    /// Until when no call is made, where Webex has asked for that.
    pub fn paused_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        self.state
            .lock()
            .paused_until
            .filter(|until| is_ahead(*until, now, Duration::from_secs(LONGEST_PAUSE_S)))
    }

    /// Reserves calls that make tasks.
    pub fn reserve(&self, wanted: usize) -> Reserved {
        if let Some(until) = self.paused_until() {
            return Reserved { calls: 0, more_at: Some(until) };
        }
        let Some(limits) = self.limits() else {
            return Reserved { calls: wanted, more_at: None };
        };
        for calls in 0..wanted {
            if let Err(refused) = limits.all.check() {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                return Reserved { calls, more_at: Some(self.after(wait)) };
            }
        }
        Reserved { calls: wanted, more_at: None }
    }

    /// Waits for the turn of a call that makes no task.
    pub async fn turn(&self) {
        let mut counted = false;
        loop {
            if let Some(until) = self.paused_until() {
                self.clock.wait_until(until).await;
                continue;
            }
            let Some(limits) = self.limits() else {
                return;
            };
            let limiter = if counted { &limits.all } else { &limits.others };
            match limiter.check() {
                Ok(()) if counted => return,
                Ok(()) => counted = true,
                Err(refused) => {
                    let wait = refused.wait_time_from(DefaultClock::default().now());
                    self.clock.wait_until(self.after(wait)).await;
                }
            }
        }
    }

    fn limits(&self) -> Option<Limits> {
        self.state.lock().limits.clone()
    }

    fn after(&self, wait: Duration) -> Timestamp {
        // Never at once, lest a caller go round in circles.
        after_ms(self.clock.now(), u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1))
    }
}

/// One process's part of the pace.
fn limits(per_minute: u32, instances: u32) -> Option<Limits> {
    let all = NonZeroU32::new(per_minute)?.get().div_ceil(instances);
    let limiter = |per_minute: u32| Arc::new(RateLimiter::direct(quota(per_minute)));
    Some(Limits { all: limiter(all), others: limiter(all / 2) })
}

/// A fifth of the calls at once and the others evenly, so that no minute sees more than all of them, wherever it begins.
fn quota(per_minute: u32) -> Quota {
    let burst = NonZeroU32::new(per_minute / 5).unwrap_or(NonZeroU32::MIN);
    let evenly = NonZeroU32::new(per_minute.saturating_sub(burst.get())).unwrap_or(NonZeroU32::MIN);
    Quota::per_minute(evenly).allow_burst(burst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::clock::by_hand::ManualClock;

    fn system_clock() -> SharedClock {
        Arc::new(SystemClock)
    }

    #[test]
    fn a_fifth_of_a_minutes_calls_may_be_made_at_once() {
        let pace = Pace::new(300, system_clock());
        let reserved = pace.reserve(1000);
        assert_eq!(reserved.calls, 60);
        assert!(reserved.more_at.is_some());
        assert_eq!(Pace::new(0, system_clock()).reserve(1000), Reserved { calls: 1000, more_at: None });
    }

    #[test]
    fn processes_share_what_webex_allows() {
        let pace = Pace::new(300, system_clock());
        pace.share_with(4);
        assert_eq!(pace.reserve(1000).calls, 15);
        // The same number again gives no new calls.
        pace.share_with(4);
        assert_eq!(pace.reserve(1000).calls, 0);
    }

    #[tokio::test]
    async fn other_calls_leave_half_of_the_pace_to_new_tasks() {
        let pace = Pace::new(300, system_clock());
        for _ in 0..30 {
            pace.turn().await;
        }
        let waiting = tokio::time::timeout(Duration::ZERO, pace.turn()).await;
        assert!(waiting.is_err());
        assert_eq!(pace.reserve(1000).calls, 30);
    }

    #[tokio::test]
    async fn nothing_is_asked_before_webex_wants_to_be_asked() {
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z"));
        let start = crate::clock::Clock::now(&*clock);
        let pace = Arc::new(Pace::new(0, Arc::clone(&clock) as SharedClock));
        pace.pause_until(after_s(start, 30));
        pace.pause_until(after_s(start, 10));
        assert_eq!(pace.reserve(1), Reserved { calls: 0, more_at: Some(after_s(start, 30)) });
        let turn = tokio::spawn({
            let pace = Arc::clone(&pace);
            async move { pace.turn().await }
        });
        clock.advance_s(29);
        tokio::task::yield_now().await;
        assert!(!turn.is_finished());
        clock.advance_s(1);
        turn.await.unwrap();
        assert_eq!(pace.reserve(1), Reserved { calls: 1, more_at: None });
    }

    #[test]
    fn a_clock_that_is_set_back_ends_a_pause() {
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z"));
        let pace = Pace::new(0, Arc::clone(&clock) as SharedClock);
        pace.pause_until(after_s(crate::clock::Clock::now(&*clock), 30));
        clock.set_back_s(3600);
        assert_eq!(pace.reserve(1), Reserved { calls: 1, more_at: None });
        // And the next is as long as it is asked for.
        let until = after_s(crate::clock::Clock::now(&*clock), 10);
        pace.pause_until(until);
        assert_eq!(pace.paused_until(), Some(until));
    }

    #[test]
    fn a_pause_has_an_end() {
        let clock = system_clock();
        let pace = Pace::new(0, Arc::clone(&clock));
        pace.pause_until(Timestamp::MAX);
        assert!(pace.paused_until().unwrap() <= after_s(clock.now(), LONGEST_PAUSE_S));
    }
}
