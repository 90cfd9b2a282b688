//! Randomness, from the operating system, in one place.

use jiff::Timestamp;
use uuid::Uuid;

/// The operating system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no randomness: {0}")]
pub struct NoEntropy(#[from] getrandom::Error);

/// Bytes that nobody can guess.
pub fn bytes<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// An identifier that sorts by that moment (UUID version 7, RFC 9562 section 5.7), to a quarter of a microsecond (section 6.2,
/// method 3): what is made one after the other is then written one behind the other.
pub fn identifier_at(moment: Timestamp) -> Result<Uuid, NoEntropy> {
    const IN_MILLISECOND: i64 = 1_000_000;
    let milliseconds = u64::try_from(moment.as_millisecond()).unwrap_or_default();
    let nanoseconds = i64::from(moment.subsec_nanosecond()).rem_euclid(IN_MILLISECOND);
    let fraction = u16::try_from(nanoseconds * 4096 / IN_MILLISECOND).unwrap_or_default();
    let mut after: [u8; 10] = bytes()?;
    after[..2].copy_from_slice(&fraction.to_be_bytes());
    Ok(uuid::Builder::from_unix_timestamp_millis(milliseconds, &after).into_uuid())
}

/// A number below the bound, near enough to even for a jitter; 0 where the bound is 0.
pub fn below(bound: u64) -> u64 {
    // A wait that lacks its jitter is still right, so a failure to get randomness is not passed on here.
    bytes().map_or(0, u64::from_le_bytes).checked_rem(bound).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_sort_by_time() {
        let early = identifier_at("2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
        let late = identifier_at("2026-01-01T00:00:01Z".parse().unwrap()).unwrap();
        let soon = identifier_at("2026-01-01T00:00:00.000001Z".parse().unwrap()).unwrap();
        let last = identifier_at("2026-01-01T00:00:00.000999999Z".parse().unwrap()).unwrap();
        assert!(early < soon && soon < last && last < late);
        assert_ne!(early, identifier_at("2026-01-01T00:00:00Z".parse().unwrap()).unwrap());
        assert_eq!(early.get_version_num(), 7);
    }

    #[test]
    fn a_jitter_stays_below_its_bound() {
        assert_eq!(below(0), 0);
        assert!((0..1000).all(|_| below(7) < 7));
    }
}
