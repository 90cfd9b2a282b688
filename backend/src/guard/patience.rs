//! Patience instead of work: whoever can prove no work, because no script runs, waits for some seconds and asks again.
//!
//! Waiting costs no computing, and many can wait at the same time. So it is let count for few: limits of their own hold those
//! who come in this way (`intake/person`).

use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::{SharedClock, after_s};
use crate::config;
use crate::entropy::{self, NoEntropy};
use crate::token::{Purpose, Signer};

/// What is asked of whoever is to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What shows later that the time was waited for.
    pub token: String,
    /// How long it still takes, in seconds.
    pub seconds: u32,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The time is over. The token is good once, and must be remembered until then.
    Enough {
        /// The token's id.
        id: String,
        /// Until when it is to be remembered.
        until: Timestamp,
    },
    /// So many seconds are left.
    Not(u32),
    /// It is none of ours for this site, or has run out.
    Unknown,
}

/// Has people wait.
#[derive(Debug)]
pub struct Patience {
    signer: Arc<Signer>,
    clock: SharedClock,
    wait_s: u32,
    lifetime_s: u64,
}

impl Patience {
    /// Has people wait as the configuration says.
    pub fn new(config: &config::Proof, signer: Arc<Signer>, clock: SharedClock) -> Self {
        Self { signer, clock, wait_s: config.wait_s, lifetime_s: config.lifetime_s }
    }

    /// A new wait for the site.
    pub fn ask(&self, site: &str) -> Result<Wait, NoEntropy> {
        let from = after_s(self.clock.now(), u64::from(self.wait_s));
        let until = after_s(from, self.lifetime_s);
        let id: [u8; 16] = entropy::bytes()?;
        let moments = [from, until].map(|moment| moment.as_millisecond().to_be_bytes()).concat();
        let payload = [&id[..], &moments, site.as_bytes()].concat();
        Ok(Wait { token: self.signer.sign(Purpose::Patience, &payload), seconds: self.wait_s })
    }

    /// Whether the token's time is over.
    pub fn judge(&self, site: &str, token: &str) -> Waited {
        self.read(site, token).unwrap_or(Waited::Unknown)
    }

    fn read(&self, site: &str, token: &str) -> Option<Waited> {
        let payload = self.signer.open(Purpose::Patience, token)?;
        let (id, rest) = payload.split_first_chunk::<16>()?;
        let (from, rest) = rest.split_first_chunk::<8>()?;
        let (until, of_site) = rest.split_first_chunk::<8>()?;
        let until = Timestamp::from_millisecond(i64::from_be_bytes(*until)).ok()?;
        let now = self.clock.now();
        if of_site != site.as_bytes() || until <= now {
            return None;
        }
        let left = i64::from_be_bytes(*from).saturating_sub(now.as_millisecond());
        // Rounded up: whoever comes back then has waited long enough.
        let seconds = u32::try_from(left.max(0).unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX);
        Some(if seconds > 0 { Waited::Not(seconds) } else { Waited::Enough { id: hex::encode(id), until } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock as _;
    use crate::clock::by_hand::ManualClock;
    use crate::token::sample::signer;

    #[test]
    fn a_wait_is_over_after_its_time_for_its_site_and_not_for_ever() {
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z"));
        let config =
            config::Proof { calm_per_minute: 0, least_bits: 8, most_bits: 8, lifetime_s: 600, wait_s: 15 };
        let patience = Patience::new(&config, Arc::new(signer()), Arc::clone(&clock) as SharedClock);
        let wait = patience.ask("acme").unwrap();
        assert_eq!((wait.seconds, patience.judge("acme", &wait.token)), (15, Waited::Not(15)));
        clock.advance_s(14);
        assert_eq!(patience.judge("acme", &wait.token), Waited::Not(1));
        clock.advance_s(1);
        let Waited::Enough { id, until } = patience.judge("acme", &wait.token) else { panic!("not enough") };
        assert_eq!(until, after_s(clock.now(), 600));
        for (site, token) in [("other", wait.token.as_str()), ("acme", ""), ("acme", &wait.token[1..])] {
            assert_eq!(patience.judge(site, token), Waited::Unknown);
        }
        // Each wait is good for itself.
        let second = patience.ask("acme").unwrap();
        clock.advance_s(15);
        assert!(
            matches!(patience.judge("acme", &second.token), Waited::Enough { id: other, .. } if other != id)
        );
        clock.advance_s(600);
        assert_eq!(patience.judge("acme", &wait.token), Waited::Unknown);
    }
}
