//! How many requests one caller may make.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{Quota, RateLimiter};

use super::callers::Callers;
use super::shared::{Counted, SharedLimits};
use crate::rates::{Rate, Rates};

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

/// One limit for many callers, each by a key of its own: some number of requests in each of its windows.
#[derive(Debug)]
pub struct Limit<C: Clock = DefaultClock> {
    name: &'static str,
    /// The shortest first: what it refuses counts for no longer one.
    windows: Vec<Window<C>>,
    /// Keys are hashed with a secret of this process: all of one size, none in clear, none chosen by a caller.
    hasher: RandomState,
    shared: Option<Arc<SharedLimits>>,
}

#[derive(Debug)]
struct Window<C: Clock> {
    /// What the counting server knows it by.
    name: String,
    limiter: RateLimiter<u64, Callers, C, StateInformationMiddleware>,
    clock: C,
    interval: Duration,
    burst: u32,
}

impl Limit {
    /// A limit of these rates, counted together with other processes where there is `shared`; `name` stands in the log.
    pub fn new(name: &'static str, rates: &Rates, shared: Option<Arc<SharedLimits>>) -> Self {
        Self { shared, ..Self::with_clock(name, rates, &DefaultClock::default()) }
    }

    /// Counts one request of that caller.
    pub async fn count(&self, caller: &str) -> Verdict {
        let key = self.hasher.hash_one(caller);
        let mut tightest: Option<Verdict> = None;
        for window in &self.windows {
            let verdict = match &self.shared {
                // Few have such a server, and every request has to have room for the longest wait that it may come to.
                Some(shared) => Box::pin(window.count(shared, caller, key)).await,
                None => window.check(key),
            };
            if !verdict.allowed {
                return verdict;
            }
            if tightest.is_none_or(|tightest| verdict.remaining < tightest.remaining) {
                tightest = Some(verdict);
            }
        }
        tightest.unwrap_or(Verdict::BOUNDLESS)
    }
}

impl<C: Clock + Clone> Limit<C> {
    fn with_clock(name: &'static str, rates: &Rates, clock: &C) -> Self {
        let mut windows: Vec<_> =
            rates.as_slice().iter().map(|rate| Window::new(name, *rate, clock.clone())).collect();
        windows.sort_by_key(|window| window.interval * window.burst);
        Self { name, windows, hasher: RandomState::new(), shared: None }
    }

    /// Forgets callers whose whole limit is there again; they are as good as new.
    pub fn sweep(&self) {
        for window in &self.windows {
            window.limiter.retain_recent();
            window.limiter.shrink_to_fit();
        }
    }

    /// What it says where another rule refuses in its name, for that long.
    pub fn refused_for(&self, reset: Duration) -> Verdict {
        let limit = self.windows.first().map_or(1, |window| window.burst);
        Verdict { allowed: false, limit, remaining: 0, reset }
    }

    /// The limit's name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl Verdict {
    /// What a limit without a window says.
    const BOUNDLESS: Self =
        Self { allowed: true, limit: u32::MAX, remaining: u32::MAX, reset: Duration::ZERO };
}

impl<C: Clock + Clone> Window<C> {
    fn new(limit: &str, rate: Rate, clock: C) -> Self {
        let burst = NonZeroU32::new(rate.requests).unwrap_or(NonZeroU32::MIN);
        let interval = Duration::from_secs(u64::from(rate.per_s)) / burst.get();
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
        let limiter = RateLimiter::new(quota, Callers::default(), clock.clone());
        Self { name: format!("{limit}:{}", rate.per_s), limiter, clock, interval, burst: burst.get() }
    }

    /// Counts one request together with other processes; in this one alone while the counting server is away.
    async fn count(&self, shared: &Arc<SharedLimits>, caller: &str, key: u64) -> Verdict {
        match shared.count(&self.name, caller, self.interval, self.burst).await {
            Some(Counted { allowed, remaining, reset }) => {
                Verdict { allowed, limit: self.burst, remaining, reset }
            }
            None => self.check(key),
        }
    }

    /// Counts one request in this process alone.
    fn check(&self, key: u64) -> Verdict {
        match self.limiter.check_key(&key) {
            Ok(snapshot) => {
                let remaining = snapshot.remaining_burst_capacity();
                let reset = self.interval * self.burst.saturating_sub(remaining);
                Verdict { allowed: true, limit: self.burst, remaining, reset }
            }
            Err(refused) => {
                let reset = refused.wait_time_from(self.clock.now());
                Verdict { allowed: false, limit: self.burst, remaining: 0, reset }
            }
        }
    }
}

/// `64:ff9b::/96`.
const TRANSLATED: [u8; 12] = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

/// The part of an address that one household or one server has: all of IPv4, the /64 of IPv6 (RFC 6177 gives each
/// site at least that much). An IPv4 address in IPv6 form is the IPv4 address, and so is one that a translator has put
/// behind its prefix (RFC 6052 section 2.1): else all of IPv4 would be one caller.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if address.octets().starts_with(&TRANSLATED) => {
            let [.., a, b, c, d] = address.octets();
            IpAddr::from([a, b, c, d])
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hash;

    use governor::clock::FakeRelativeClock;

    use super::*;

    impl Limit<FakeRelativeClock> {
        fn check(&self, caller: &impl Hash) -> Verdict {
            let key = self.hasher.hash_one(caller);
            let verdicts = self.windows.iter().map(|window| window.check(key));
            verdicts.reduce(|first, next| if first.allowed { next } else { first }).unwrap()
        }

        fn callers(&self) -> usize {
            self.windows.iter().map(|window| window.limiter.len()).sum()
        }
    }

    fn limit(rates: &[(u32, u32)], clock: &FakeRelativeClock) -> Limit<FakeRelativeClock> {
        let rates = rates.iter().map(|&(requests, per_s)| Rate { requests, per_s });
        Limit::with_clock("test", &rates.collect(), clock)
    }

    #[test]
    fn a_caller_may_use_the_whole_limit_at_once_and_then_waits_for_each() {
        let clock = FakeRelativeClock::default();
        let limit = limit(&[(3, 30)], &clock);
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

    #[tokio::test]
    async fn each_window_holds_and_the_one_that_is_nearest_to_its_end_is_told() {
        let rates = [(20, 86_400), (2, 60)].map(|(requests, per_s)| Rate { requests, per_s });
        let limit = Limit::new("test", &rates.into_iter().collect(), None);
        assert_eq!(limit.count("ann").await.remaining, 1);
        assert_eq!(limit.count("ann").await.remaining, 0);
        let refused = limit.count("ann").await;
        assert!(!refused.allowed && refused.limit == 2 && refused.reset <= Duration::from_mins(1));
    }

    #[test]
    fn a_day_is_full_though_each_quarter_of_an_hour_is_not() {
        let clock = FakeRelativeClock::default();
        let limit = limit(&[(2, 900), (5, 86_400)], &clock);
        let mut allowed = 0;
        for _ in 0..8 {
            allowed += u32::from(limit.check(&"ann").allowed);
            clock.advance(Duration::from_mins(15));
        }
        assert_eq!(allowed, 5);
        clock.advance(Duration::from_hours(5));
        assert!(limit.check(&"ann").allowed);
    }

    #[test]
    fn callers_that_waited_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let limit = limit(&[(1, 1)], &clock);
        for caller in 0..50_000 {
            limit.check(&caller);
        }
        clock.advance(Duration::from_secs(2));
        limit.check(&"one more");
        limit.sweep();
        assert_eq!(limit.callers(), 1);
    }

    #[test]
    fn a_million_callers_take_bounded_memory_and_those_seen_last_are_still_known() {
        let clock = FakeRelativeClock::default();
        let limit = limit(&[(1, 86_400)], &clock);
        for caller in 0..1_000_000 {
            assert!(limit.check(&caller).allowed);
        }
        assert!(limit.callers() <= 262_144, "{}", limit.callers());
        for caller in 900_000..1_000_000 {
            assert!(!limit.check(&caller).allowed, "{caller} was forgotten");
        }
    }

    #[test]
    fn an_ipv6_caller_is_its_network() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:2::"), network("2001:db8:1:3::"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_eq!(network("64:ff9b::192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("64:ff9b::192.0.2.1"), network("64:ff9b::192.0.2.2"));
        assert_ne!(network("64:ff9b:1::192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
