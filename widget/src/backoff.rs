//! How long to wait before asking for a callback's state again.

/// The waits in milliseconds; the last one repeats.
const WAITS: [u32; 6] = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

/// The wait before each further try, longer after each failure.
#[derive(Default)]
pub(crate) struct Backoff {
    failures: usize,
}

impl Backoff {
    /// The next wait in milliseconds. `random` from 0 to 1 lengthens it by up to a half, so that the visitors of a
    /// service that comes back do not all return at once.
    pub(crate) fn next(&mut self, random: f64) -> u32 {
        let wait = WAITS[self.failures.min(WAITS.len() - 1)];
        self.failures += 1;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the random part is between 0 and half of the wait"
        )]
        let random_part = (f64::from(wait) / 2.0 * random) as u32;
        wait + random_part
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_until_they_are_long_enough() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.next(0.0)).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
        assert_eq!(backoff.next(1.0), 22_500);
        backoff.reset();
        assert_eq!(backoff.next(0.0), 500);
    }
}
