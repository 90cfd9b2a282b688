//! Proof of work: under pressure, a form must spend some computing before it may ask for a call. Whoever asks once does not
//! notice; whoever asks ten thousand times pays ten thousand times.
//!
//! A challenge is solved by a number whose SHA-256, taken with that of the challenge, begins with so many zero bits. One try
//! is one block of the hash, on every machine alike.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The header that carries a solved challenge: the challenge, a colon, and the number.
pub const PROOF: &str = "Ringback-Proof";

/// The most bits that may be asked for: a minute's work of a slow phone.
pub const BITS_MAX: u8 = 22;

/// A challenge to solve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Challenge {
    /// The challenge: for this site, for one request, and for some minutes.
    pub challenge: String,
    /// With how many zero bits the hash must begin.
    #[cfg_attr(feature = "openapi", schema(maximum = 22))]
    pub bits: u8,
}

/// A challenge as it is worked on.
#[derive(Clone, Copy, Debug)]
pub struct Puzzle {
    digest: [u8; 32],
    bits: u8,
}

impl Puzzle {
    /// The puzzle of that challenge.
    pub fn new(challenge: &str, bits: u8) -> Self {
        Self { digest: Sha256::digest(challenge).into(), bits }
    }

    /// Whether the number solves it.
    pub fn is_solved_by(&self, number: u64) -> bool {
        let mut hash = Sha256::new();
        hash.update(self.digest);
        hash.update(number.to_be_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, ..] = hash;
        u32::from_be_bytes([a, b, c, d]).leading_zeros() >= u32::from(self.bits)
    }

    /// The first of so many numbers, from that one on, that solves it.
    pub fn search(&self, from: u64, count: u64) -> Option<u64> {
        (from..from.saturating_add(count)).find(|number| self.is_solved_by(*number))
    }
}

/// What the header says for that challenge and number.
pub fn header(challenge: &str, number: u64) -> String {
    // Digit by digit: the formatting machinery would cost every visitor bytes.
    let (mut digits, mut start, mut left) = ([b'0'; 20], 19, number);
    while left > 9 {
        digits[start] += (left % 10) as u8;
        left /= 10;
        start -= 1;
    }
    digits[start] += (left % 10) as u8;
    let number: String = digits[start..].iter().copied().map(char::from).collect();
    [challenge, ":", &number].concat()
}

/// The challenge and the number of a header; `None` where it is none.
pub fn parse(header: &str) -> Option<(&str, u64)> {
    let (challenge, number) = header.rsplit_once(':')?;
    Some((challenge, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_and_fits_its_challenge_alone() {
        let puzzle = Puzzle::new("challenge", 12);
        let number = puzzle.search(0, 1 << 20).unwrap();
        assert!(puzzle.is_solved_by(number));
        assert_eq!(puzzle.search(number, 1), Some(number));
        assert_eq!(puzzle.search(0, number), None);
        let others = (0..64).filter(|other| Puzzle::new(&format!("other {other}"), 12).is_solved_by(number));
        assert!(others.count() < 4);
        assert_eq!([header("a", 0), header("a", u64::MAX)], ["a:0", "a:18446744073709551615"]);
        assert_eq!(parse(&header("a:b", number)), Some(("a:b", number)));
        for bad in ["", "challenge", "challenge:", "challenge:-1", "challenge:x"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn each_bit_doubles_the_work() {
        let tries = |bits| -> u64 {
            (0..200).map(|at| Puzzle::new(&format!("{bits} {at}"), bits).search(0, 1 << 20).unwrap()).sum()
        };
        let (less, more) = (tries(6), tries(8));
        assert!(more > 2 * less && more < 8 * less, "{less} {more}");
    }
}
