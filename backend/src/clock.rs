//! Time. Everything that asks for it is given a [`Clock`], so that a test can move it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;

/// A source of time.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment, in whole milliseconds: as it is stored, so that what is told at once is what is told later.
    fn now(&self) -> Timestamp;

    /// Returns when that moment has come; at once where it is past. Also when as much time has passed as there was until then: a clock that
    /// is set back by an hour must not have everybody wait for an hour. So whoever waits looks at the clock again.
    async fn wait_until(&self, moment: Timestamp);
}

/// A clock that parts of the service share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The machine's clock may be set ahead while a wait is under way; looking again this often bounds what that can do.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    async fn wait_until(&self, moment: Timestamp) {
        let mut left = rest(moment, self.now(), Duration::MAX);
        while !left.is_zero() {
            let wait = left.min(LONGEST_WAIT);
            tokio::time::sleep(wait).await;
            left = rest(moment, self.now(), left.saturating_sub(wait));
        }
    }
}

/// What is left of a wait until that moment of which no more than so much can be left.
fn rest(moment: Timestamp, now: Timestamp, most: Duration) -> Duration {
    Duration::try_from(moment.duration_since(now)).unwrap_or_default().min(most)
}

/// Measures how long something takes, whatever becomes of the machine's clock meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago that was.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Whether a moment is still to come that was set no further ahead than that. What lies further ahead was set by a clock that has been set
/// back since, and is over.
pub fn is_ahead(moment: Timestamp, now: Timestamp, longest: Duration) -> bool {
    Duration::try_from(moment.duration_since(now)).is_ok_and(|rest| !rest.is_zero() && rest <= longest)
}

/// That many milliseconds after the moment, held at the end of time.
pub fn after_ms(moment: Timestamp, milliseconds: u64) -> Timestamp {
    let milliseconds = i64::try_from(milliseconds).unwrap_or(i64::MAX);
    moment.saturating_add(jiff::SignedDuration::from_millis(milliseconds)).unwrap_or(Timestamp::MAX)
}

/// The moment that many seconds later, or earlier where negative; itself at the ends of time.
pub fn shifted_s(moment: Timestamp, seconds: i64) -> Timestamp {
    moment.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(moment)
}

/// That many seconds after the moment, held at the end of time.
pub fn after_s(moment: Timestamp, seconds: u64) -> Timestamp {
    after_ms(moment, seconds.saturating_mul(1000))
}

#[cfg(test)]
pub(crate) mod by_hand {
    //! A clock that stands still until a test moves it.

    use tokio::sync::watch;

    use super::{Clock, Timestamp, async_trait};

    #[derive(Debug)]
    pub(crate) struct ManualClock(watch::Sender<Timestamp>);

    impl ManualClock {
        pub(crate) fn at(moment: &str) -> Self {
            Self(watch::Sender::new(moment.parse().unwrap()))
        }

        pub(crate) fn set_back_s(&self, seconds: i64) {
            self.0.send_modify(|now| *now = super::shifted_s(*now, -seconds));
        }

        pub(crate) fn advance_s(&self, seconds: u64) {
            self.0.send_modify(|now| *now = super::after_s(*now, seconds));
        }
    }

    #[async_trait]
    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            *self.0.borrow()
        }

        async fn wait_until(&self, moment: Timestamp) {
            let _ = self.0.subscribe().wait_for(|now| *now >= moment).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::by_hand::ManualClock;
    use super::*;

    #[test]
    fn the_machines_clock_tells_what_can_be_stored() {
        let now = SystemClock.now();
        assert_eq!(Timestamp::from_millisecond(now.as_millisecond()).unwrap(), now);
    }

    #[tokio::test]
    async fn a_wait_ends_when_its_moment_comes() {
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z"));
        let moment = after_s(clock.now(), 60);
        let waiting = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move { clock.wait_until(moment).await }
        });
        clock.advance_s(59);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance_s(1);
        waiting.await.unwrap();
        SystemClock.wait_until(moment).await;
    }

    #[test]
    fn no_more_is_left_of_a_wait_when_the_clock_is_set_back() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (moment, half) = (after_s(now, 60), Duration::from_secs(30));
        assert_eq!(rest(moment, now, Duration::MAX), Duration::from_mins(1));
        for (seconds, left_s) in [(30, 30), (-3600, 30), (45, 15), (60, 0), (3600, 0)] {
            let left = rest(moment, shifted_s(now, seconds), half);
            assert_eq!(left, Duration::from_secs(left_s), "{seconds}");
        }
    }

    #[test]
    fn what_lies_further_ahead_than_it_was_ever_set_is_over() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let is_ahead = |seconds: i64| is_ahead(shifted_s(now, seconds), now, Duration::from_mins(1));
        assert_eq!([-1, 0, 1, 60, 61, 3600].map(is_ahead), [false, false, true, true, false, false]);
    }

    #[test]
    fn time_does_not_overflow() {
        assert_eq!(after_s(Timestamp::MAX, 1), Timestamp::MAX);
        assert_eq!(after_s(Timestamp::UNIX_EPOCH, u64::MAX), Timestamp::MAX);
    }
}
