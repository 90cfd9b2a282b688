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

    /// Returns when that moment has come; at once where it is past.
    async fn wait_until(&self, moment: Timestamp);
}

/// A clock that parts of the service share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The machine's clock may be set while a wait is under way; looking again this often bounds what that can do.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    async fn wait_until(&self, moment: Timestamp) {
        loop {
            match Duration::try_from(moment.duration_since(self.now())) {
                Ok(rest) if !rest.is_zero() => tokio::time::sleep(rest.min(LONGEST_WAIT)).await,
                _ => return,
            }
        }
    }
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
    fn time_does_not_overflow() {
        assert_eq!(after_s(Timestamp::MAX, 1), Timestamp::MAX);
        assert_eq!(after_s(Timestamp::UNIX_EPOCH, u64::MAX), Timestamp::MAX);
    }
}
