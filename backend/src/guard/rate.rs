//! How many requests one caller may make.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use super::shared::{Counted, SharedLimits};
use crate::config::Rate;

/// Keys that one limit holds before it looks for those that it can forget.
const KEYS_BEFORE_SWEEP: usize = 50_000;

/// What a limit says of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request may pass.
    pub allowed: bool,
    /// How many requests the limit gives at once.
    pub limit: u32,
    /// How many are left.
    pub remaining: u32,
    /// Until the whole limit is there again, or, where the request may not pass, until one may.
    pub reset: Duration,
}

/// One limit for many callers, each by a key of its own.
#[derive(Debug)]
pub struct Limit<C: Clock = DefaultClock> {
    name: &'static str,
    limiter: RateLimiter<u64, DefaultKeyedStateStore<u64>, C, StateInformationMiddleware>,
    clock: C,
    /// Keys are hashed with a secret of this process: all of one size, none in clear, none chosen by a caller.
    hasher: RandomState,
    interval: Duration,
    burst: u32,
    shared: Option<Arc<SharedLimits>>,
}

impl Limit {
    /// A limit of that rate, counted together with other processes where there is `shared`; `name` stands in the log.
    pub fn new(name: &'static str, rate: Rate, shared: Option<Arc<SharedLimits>>) -> Self {
        Self { shared, ..Self::with_clock(name, rate, DefaultClock::default()) }
    }

    /// Counts one request of that caller.
    pub async fn count(&self, caller: &str) -> Verdict {
        if let Some(shared) = &self.shared
            && let Some(Counted { allowed, remaining, reset }) =
                shared.count(self.name, caller, self.interval, self.burst).await
        {
            return Verdict { allowed, limit: self.burst, remaining, reset };
        }
        self.check(&caller)
    }
}

impl<C: Clock + Clone> Limit<C> {
    fn with_clock(name: &'static str, rate: Rate, clock: C) -> Self {
        let burst = NonZeroU32::new(rate.requests).unwrap_or(NonZeroU32::MIN);
        let interval = Duration::from_secs(u64::from(rate.per_s)) / burst.get();
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let limiter = RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
        let hasher = RandomState::new();
        Self { name, limiter, clock, hasher, interval, burst: burst.get(), shared: None }
    }

    /// Counts one request of that caller in this process alone.
    fn check(&self, caller: &impl Hash) -> Verdict {
        if self.limiter.len() >= KEYS_BEFORE_SWEEP {
            self.sweep();
        }
        match self.limiter.check_key(&self.hasher.hash_one(caller)) {
            Ok(snapshot) => {
                let limit = snapshot.quota().burst_size().get();
                let remaining = snapshot.remaining_burst_capacity();
                let reset = self.interval * limit.saturating_sub(remaining);
                Verdict { allowed: true, limit, remaining, reset }
            }
            Err(refused) => {
                let reset = refused.wait_time_from(self.clock.now());
                Verdict { allowed: false, limit: refused.quota().burst_size().get(), remaining: 0, reset }
            }
        }
    }

    /// Forgets callers whose whole limit is there again; they are as good as new.
    pub fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// The limit's name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// The part of an address that one household or one server has: all of IPv4, the /64 of IPv6 (RFC 6177 gives each
/// site at least that much). An IPv4 address in IPv6 form is the IPv4 address.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn a_caller_may_use_the_whole_limit_at_once_and_then_waits_for_each() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::with_clock("test", Rate { requests: 3, per_s: 30 }, clock.clone());
        let verdicts: Vec<_> = (0..4).map(|_| limit.check(&"ann")).collect();
        assert_eq!(
            verdicts.iter().map(|verdict| verdict.allowed).collect::<Vec<_>>(),
            [true, true, true, false]
        );
        assert_eq!(verdicts.iter().map(|verdict| verdict.remaining).collect::<Vec<_>>(), [2, 1, 0, 0]);
        assert_eq!(verdicts[0].reset, Duration::from_secs(10));
        assert_eq!(
            verdicts[3],
            Verdict { allowed: false, limit: 3, remaining: 0, reset: Duration::from_secs(10) }
        );
        assert!(limit.check(&"bob").allowed);
        clock.advance(Duration::from_secs(10));
        assert!(limit.check(&"ann").allowed);
        assert!(!limit.check(&"ann").allowed);
    }

    #[test]
    fn callers_that_waited_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let limit = Limit::with_clock("test", Rate { requests: 1, per_s: 1 }, clock.clone());
        for caller in 0..KEYS_BEFORE_SWEEP {
            limit.check(&caller);
        }
        clock.advance(Duration::from_secs(2));
        limit.check(&"one more");
        assert_eq!(limit.limiter.len(), 1);
    }

    #[test]
    fn an_ipv6_caller_is_its_network() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:2::"), network("2001:db8:1:3::"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
