//! Seals what must not be read from a stolen database: ChaCha20-Poly1305 (RFC 8439) with a key that the operator keeps
//! elsewhere.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

use crate::entropy::{self, NoEntropy};

/// The first byte of what is sealed, so that another way to seal can come later.
const VERSION: u8 = 1;

/// A key that seals.
pub struct SealingKey {
    sealing: LessSafeKey,
    /// For hashes; made of the same secret, and says nothing about it.
    hashing: hmac::Key,
}

/// Something cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The text is no key.
    #[error("it is not 32 bytes in hexadecimal or base64")]
    Key,
    /// It was sealed with another key, for another use, or was changed.
    #[error("it was sealed with another key, or was changed since")]
    Opened,
    /// Nothing can be sealed: no randomness.
    #[error("it cannot be sealed")]
    Sealed,
}

impl From<NoEntropy> for SealError {
    fn from(_: NoEntropy) -> Self {
        Self::Sealed
    }
}

impl SealingKey {
    /// The key of that text: 32 bytes in hexadecimal or base64.
    pub fn parse(text: &SecretString) -> Result<Self, SealError> {
        let text = text.expose_secret();
        let bytes = hex::decode(text).or_else(|_| STANDARD.decode(text)).map_err(|_| SealError::Key)?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| SealError::Key)?;
        let hashing = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), b"ringback hashes");
        let hashing = hmac::Key::new(hmac::HMAC_SHA256, hashing.as_ref());
        Ok(Self { sealing: LessSafeKey::new(key), hashing })
    }

    /// A hash of bytes for one use: the same for the same bytes, and a secret to whoever lacks the key.
    pub fn hash(&self, purpose: &str, plain: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.hashing);
        // No purpose holds a NUL, so that no two of them and their texts run together alike.
        for part in [purpose.as_bytes(), &[0], plain] {
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }

    /// Seals bytes for one use, which opening must name again.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_LEN] = entropy::bytes()?;
        let mut text = plain.to_vec();
        let used = Nonce::assume_unique_for_key(nonce);
        let purpose = Aad::from(purpose.as_bytes());
        self.sealing.seal_in_place_append_tag(used, purpose, &mut text).map_err(|_| SealError::Sealed)?;
        Ok([&[VERSION][..], &nonce, &text].concat())
    }

    /// Opens what was sealed for that use.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::Opened)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Opened)?;
        if *version != VERSION {
            return Err(SealError::Opened);
        }
        let mut text = text.to_vec();
        let purpose = Aad::from(purpose.as_bytes());
        let plain = self.sealing.open_in_place(Nonce::assume_unique_for_key(*nonce), purpose, &mut text);
        plain.map(|plain| plain.to_vec()).map_err(|_| SealError::Opened)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealingKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SealingKey {
        SealingKey::parse(&hex::encode([byte; 32]).into()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_for_its_use_and_unchanged_alone() {
        let sealed = key(1).seal("tokens", b"secret").unwrap();
        assert_eq!(key(1).open("tokens", &sealed).unwrap(), b"secret");
        assert_eq!(key(2).open("tokens", &sealed), Err(SealError::Opened));
        assert_eq!(key(1).open("others", &sealed), Err(SealError::Opened));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(key(1).open("tokens", &changed), Err(SealError::Opened), "{index}");
            assert_eq!(key(1).open("tokens", &sealed[..index]), Err(SealError::Opened), "{index}");
        }
        assert_ne!(sealed, key(1).seal("tokens", b"secret").unwrap());
    }

    #[test]
    fn a_key_is_32_bytes_in_hexadecimal_or_base64() {
        let parsed = |text: &str| SealingKey::parse(&text.into()).map(drop);
        assert_eq!(parsed(&hex::encode([7; 32])), Ok(()));
        assert_eq!(parsed(&STANDARD.encode([7; 32])), Ok(()));
        for text in ["", "short", &hex::encode([7; 31]), &hex::encode([7; 33])] {
            assert_eq!(parsed(text), Err(SealError::Key), "{text}");
        }
    }
}
