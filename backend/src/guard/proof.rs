//! Proof of work under pressure: how hard, for whom, and whether it was done.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use ringback_contract::proof::{self, Challenge, Puzzle};

use crate::clock::{SharedClock, after_s};
use crate::config;
use crate::entropy::{self, NoEntropy};
use crate::metrics;
use crate::token::{Purpose, Signer};

/// How long a post presses: after this time it counts for a third, in seconds.
const PRESSES_S: f64 = 60.0;

/// How many bits more than a challenge asks for may be asked for by the time it is solved.
const GROWN: u8 = 2;

/// A challenge that was solved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solved {
    /// The challenge's id, to be spent once.
    pub id: String,
    /// Until when that must be remembered.
    pub until: Timestamp,
}

/// Challenges for the sites that are pressed.
#[derive(Debug)]
pub struct Proofs {
    signer: Arc<Signer>,
    clock: SharedClock,
    config: config::Proof,
    sites: HashMap<String, Mutex<Pressure>>,
}

/// Posts of one site, of which the older ones count less.
#[derive(Clone, Copy, Debug)]
struct Pressure {
    posts: f64,
    at: Timestamp,
}

impl Pressure {
    fn now(self, now: Timestamp) -> f64 {
        let passed = now.duration_since(self.at).as_secs_f64().max(0.0);
        self.posts * (-passed / PRESSES_S).exp()
    }
}

impl Proofs {
    /// Challenges for these sites. Each process feels the pressure on itself.
    pub fn new<'a>(
        sites: impl Iterator<Item = &'a String>,
        config: &config::Proof,
        signer: Arc<Signer>,
        clock: SharedClock,
    ) -> Self {
        let at = clock.now();
        let calm = |site: &String| (site.clone(), Mutex::new(Pressure { posts: 0.0, at }));
        Self { sites: sites.map(calm).collect(), config: config.clone(), signer, clock }
    }

    /// Counts a post to the site.
    pub fn press(&self, site: &str) {
        let Some(pressure) = self.sites.get(site) else {
            return;
        };
        let now = self.clock.now();
        let mut pressure = pressure.lock();
        *pressure = Pressure { posts: pressure.now(now) + 1.0, at: now };
    }

    /// How many bits a post to the site must show at present: none while it is calm, one more each time the pressure doubles,
    /// and never more than a slow phone can bear.
    pub fn bits(&self, site: &str) -> u8 {
        let Some(pressure) = self.sites.get(site).filter(|_| self.config.most_bits > 0) else {
            return 0;
        };
        let posts = pressure.lock().now(self.clock.now());
        let calm = f64::from(self.config.calm_per_minute);
        if calm > 0.0 && posts <= calm {
            return 0;
        }
        let (mut bits, mut reached) = (self.config.least_bits, calm.max(1.0) * 2.0);
        while bits < self.config.most_bits && posts > reached {
            bits += 1;
            reached *= 2.0;
        }
        bits.min(self.config.most_bits)
    }

    /// What a form of the site is to solve; `None` while the site is calm.
    pub fn challenge(&self, site: &str) -> Result<Option<Challenge>, NoEntropy> {
        let bits = self.bits(site);
        if bits == 0 {
            return Ok(None);
        }
        let expires = after_s(self.clock.now(), self.config.lifetime_s).as_second();
        let id: [u8; 16] = entropy::bytes()?;
        let payload = [&id[..], &expires.to_be_bytes(), &[bits], site.as_bytes()].concat();
        metrics::challenged(site);
        Ok(Some(Challenge { challenge: self.signer.sign(Purpose::Challenge, &payload), bits }))
    }

    /// The challenge that a header solves, where it is one of ours for the site and has not run out. Forms that were opened while the
    /// work was a little easier are served; easy challenges that were gathered for harder times are not.
    pub fn solved(&self, site: &str, header: &str) -> Option<Solved> {
        let (challenge, number) = proof::parse(header)?;
        let payload = self.signer.open(Purpose::Challenge, challenge)?;
        let (id, rest) = payload.split_first_chunk::<16>()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (bits, of_site) = rest.split_first()?;
        let until = Timestamp::from_second(i64::from_be_bytes(*expires)).ok()?;
        let is_good = of_site == site.as_bytes()
            && self.clock.now() < until
            && self.bits(site) <= bits.saturating_add(GROWN)
            && Puzzle::new(challenge, *bits).is_solved_by(number);
        is_good.then(|| Solved { id: hex::encode(id), until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::by_hand::ManualClock;
    use crate::token::sample::{now, signer};

    fn proofs(clock: &Arc<ManualClock>) -> Proofs {
        let config =
            config::Proof { calm_per_minute: 10, least_bits: 8, most_bits: 11, lifetime_s: 600, wait_s: 15 };
        let sites = ["acme".to_owned(), "other".to_owned()];
        Proofs::new(sites.iter(), &config, Arc::new(signer()), Arc::clone(clock) as SharedClock)
    }

    fn solve(challenge: &Challenge) -> String {
        let number = Puzzle::new(&challenge.challenge, challenge.bits).search(0, 1 << 24).unwrap();
        proof::header(&challenge.challenge, number)
    }

    #[test]
    fn the_work_grows_with_the_pressure_on_the_site_and_falls_back() {
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z"));
        let proofs = proofs(&clock);
        let mut seen = Vec::new();
        for _ in 0..200 {
            proofs.press("acme");
            seen.push(proofs.bits("acme"));
        }
        assert_eq!(seen[..10], [0; 10]);
        assert_eq!((seen[10], seen[19], seen[20], seen[40], seen[80], seen[199]), (8, 8, 9, 10, 11, 11));
        assert_eq!(proofs.bits("other"), 0);
        assert_eq!(proofs.challenge("other").unwrap(), None);
        clock.advance_s(60);
        assert_eq!(proofs.bits("acme"), 10);
        clock.advance_s(180);
        assert_eq!(proofs.bits("acme"), 0);
        assert_eq!(proofs.bits("nobody"), 0);
    }

    #[test]
    fn a_challenge_is_good_for_its_site_for_its_time_and_when_it_is_solved() {
        let clock = Arc::new(ManualClock::at("2026-01-01T00:00:00Z"));
        let proofs = proofs(&clock);
        (0..11).for_each(|_| proofs.press("acme"));
        let challenge = proofs.challenge("acme").unwrap().unwrap();
        let header = solve(&challenge);
        let solved = proofs.solved("acme", &header).unwrap();
        assert_eq!(solved.until, after_s(now(), 600));
        assert_eq!(proofs.solved("other", &header), None);
        let puzzle = Puzzle::new(&challenge.challenge, 8);
        let wrong = (0..1000).find(|wrong| !puzzle.is_solved_by(*wrong)).unwrap();
        assert_eq!(proofs.solved("acme", &proof::header(&challenge.challenge, wrong)), None);
        // Another challenge is another id.
        let second = proofs.challenge("acme").unwrap().unwrap();
        assert_ne!(proofs.solved("acme", &solve(&second)).unwrap().id, solved.id);
        // It stays good while the pressure grows a little, and is worth nothing under another one.
        (0..30).for_each(|_| proofs.press("acme"));
        assert_eq!(proofs.bits("acme"), 8 + GROWN);
        assert!(proofs.solved("acme", &header).is_some());
        (0..100).for_each(|_| proofs.press("acme"));
        assert_eq!(proofs.solved("acme", &header), None);
        clock.advance_s(590);
        assert!(proofs.solved("acme", &header).is_some());
        clock.advance_s(10);
        assert_eq!(proofs.solved("acme", &header), None);
    }
}
