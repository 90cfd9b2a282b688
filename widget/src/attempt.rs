//! The name under which a request is sent, so that sending it again has no second effect.

/// A request body and its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) key: String,
    pub(crate) body: String,
}

impl Attempt {
    /// The attempt to send a body: the last one again if it had the same body, else one with a new key.
    pub(crate) fn of(last: Option<&Self>, body: String, new_key: impl FnOnce() -> String) -> Self {
        let key = last.filter(|last| last.body == body).map_or_else(new_key, |last| last.key.clone());
        Self { key, body }
    }
}

/// A random UUID (RFC 9562 section 5.4) of these random bytes. `crypto.randomUUID` is missing on pages without TLS.
pub(crate) fn uuid(mut random: [u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (at, byte) in random.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_body_is_sent_under_the_same_key() {
        let first = Attempt::of(None, "a".to_owned(), || "1".to_owned());
        let again = Attempt::of(Some(&first), "a".to_owned(), || "2".to_owned());
        assert_eq!(again, first);
        let changed = Attempt::of(Some(&first), "b".to_owned(), || "2".to_owned());
        assert_eq!((changed.key.as_str(), changed.body.as_str()), ("2", "b"));
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
