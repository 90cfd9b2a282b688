//! How long to wait before the service is asked again that did not answer.

use std::cell::Cell;

/// The wait before each further try, longer after each failure.
pub(crate) struct Backoff {
    /// In milliseconds; the last one repeats.
    waits: &'static [u32],
    failures: Cell<usize>,
}

impl Backoff {
    pub(crate) const fn new(waits: &'static [u32]) -> Self {
        Self { waits, failures: Cell::new(0) }
    }

    /// The next wait in milliseconds. `random` from 0 to 1 lengthens it by up to a half, so that the visitors of a
    /// service that comes back do not all return at once.
    pub(crate) fn next(&self, random: f64) -> u32 {
        let failures = self.failures.get();
        self.failures.set(failures + 1);
        let wait = self.waits.get(failures).or(self.waits.last()).copied().unwrap_or_default();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the random part is between 0 and half of the wait"
        )]
        let random_part = (f64::from(wait) / 2.0 * random) as u32;
        wait + random_part
    }

    pub(crate) fn reset(&self) {
        self.failures.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_until_they_are_long_enough() {
        let backoff = Backoff::new(&[500, 1_000, 15_000]);
        let waits: Vec<_> = (0..5).map(|_| backoff.next(0.0)).collect();
        assert_eq!(waits, [500, 1_000, 15_000, 15_000, 15_000]);
        assert_eq!(backoff.next(1.0), 22_500);
        backoff.reset();
        assert_eq!(backoff.next(0.0), 500);
    }
}
