//! Signed tokens: what the service hands out and later believes without looking it up.
//!
//! A token is `prefix`, key id, payload and HMAC-SHA256 (RFC 2104), each but the prefix in URL-safe base64 or
//! hexadecimal and parted by dots. The signature covers the purpose and the key id, so that a token of one purpose is
//! worth nothing for another.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;

use crate::entropy::{self, NoEntropy};

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Opens one callback.
    Follow,
    /// Shows one callback.
    Join,
    /// Names a preferred agent.
    AgentLink,
    /// Says where a page of a list ended.
    Cursor,
    /// Begins the login of an administrator.
    AuthStart,
}

impl Purpose {
    /// The start of each token of this purpose, for secret scanners.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Follow => "rbf_",
            Self::Join => "rbj_",
            Self::AgentLink => "rba_",
            Self::Cursor => "rbc_",
            Self::AuthStart => "rbs_",
        }
    }
}

/// A key that signs tokens.
pub struct SigningKey {
    /// What tokens name it by.
    pub id: String,
    /// The key.
    pub secret: SecretBox<[u8; 32]>,
}

impl SigningKey {
    /// Makes a new key.
    pub fn generate() -> Result<Self, NoEntropy> {
        let id = hex::encode(entropy::bytes::<4>()?);
        Ok(Self { id, secret: SecretBox::new(Box::new(entropy::bytes()?)) })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Signs tokens with the newest key, and opens those of every key it holds.
#[derive(Debug)]
pub struct Signer {
    keys: Vec<SigningKey>,
    newest: SigningKey,
}

impl Signer {
    /// A signer that signs with `newest` and also opens what `older` keys have signed.
    pub fn new(newest: SigningKey, older: Vec<SigningKey>) -> Self {
        Self { keys: older, newest }
    }

    /// A token of that purpose that carries the payload.
    pub fn sign(&self, purpose: Purpose, payload: &[u8]) -> String {
        let key = &self.newest;
        let signature = authenticator(key, purpose.prefix(), payload).finalize().into_bytes();
        format!(
            "{}{}.{}.{}",
            purpose.prefix(),
            key.id,
            URL_SAFE_NO_PAD.encode(payload),
            URL_SAFE_NO_PAD.encode(signature)
        )
    }

    /// A name for that text which tells nothing of it, and is the same in every process with these keys.
    pub fn pseudonym(&self, text: &str) -> String {
        hex::encode(authenticator(&self.newest, "pseudonym", text.as_bytes()).finalize().into_bytes())
    }

    /// What a token says that may be forged: good for a hint, never for a right.
    pub fn peek(purpose: Purpose, token: &str) -> Option<Vec<u8>> {
        let payload = token.strip_prefix(purpose.prefix())?.split('.').nth(1)?;
        URL_SAFE_NO_PAD.decode(payload).ok()
    }

    /// The payload of a token of that purpose; `None` where it is not ours.
    pub fn open(&self, purpose: Purpose, token: &str) -> Option<Vec<u8>> {
        let mut parts = token.strip_prefix(purpose.prefix())?.split('.');
        let (id, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let key = std::iter::once(&self.newest).chain(&self.keys).find(|key| key.id == id)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // `verify_slice` compares in constant time.
        authenticator(key, purpose.prefix(), &payload).verify_slice(&signature).ok()?;
        Some(payload)
    }
}

fn authenticator(key: &SigningKey, purpose: &str, payload: &[u8]) -> Hmac<Sha256> {
    // RFC 2104 section 2 fills a key up to the block of the hash with zeros; doing it here makes its length a matter of
    // types.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key.secret.expose_secret());
    let mut authenticator = Hmac::<Sha256>::new(&block.into());
    for part in [purpose.as_bytes(), key.id.as_bytes(), payload] {
        // The length goes first, so that no two lists of parts read the same.
        authenticator.update(&(part.len() as u64).to_be_bytes());
        authenticator.update(part);
    }
    authenticator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_for_its_purpose_only() {
        let signer = Signer::new(SigningKey::generate().unwrap(), Vec::new());
        let token = signer.sign(Purpose::Follow, b"callback");
        assert_eq!(signer.open(Purpose::Follow, &token).as_deref(), Some(&b"callback"[..]));
        assert_eq!(signer.open(Purpose::AgentLink, &token), None);
        assert_eq!(signer.open(Purpose::AgentLink, &token.replace("rbf_", "rba_")), None);
    }

    #[test]
    fn every_changed_character_spoils_a_token() {
        let signer = Signer::new(SigningKey::generate().unwrap(), Vec::new());
        let token = signer.sign(Purpose::AgentLink, b"{\"agent\":\"grace\"}");
        for (index, old) in token.char_indices() {
            for new in ['A', 'b', '0', '.', '_', '='] {
                if new != old {
                    let mut forged = token.clone();
                    forged.replace_range(index..=index, new.encode_utf8(&mut [0; 4]));
                    assert_eq!(signer.open(Purpose::AgentLink, &forged), None, "{index} {new}");
                }
            }
        }
        assert_eq!(signer.open(Purpose::AgentLink, &format!("{token}.x")), None);
        assert_eq!(signer.open(Purpose::AgentLink, ""), None);
    }

    #[test]
    fn a_token_of_an_older_key_still_opens_and_one_of_a_foreign_key_does_not() {
        let old = SigningKey::generate().unwrap();
        let copy =
            SigningKey { id: old.id.clone(), secret: SecretBox::new(Box::new(*old.secret.expose_secret())) };
        let token = Signer::new(old, Vec::new()).sign(Purpose::Follow, b"x");
        let rotated = Signer::new(SigningKey::generate().unwrap(), vec![copy]);
        assert!(rotated.open(Purpose::Follow, &token).is_some());
        let foreign = Signer::new(SigningKey::generate().unwrap(), Vec::new());
        assert!(foreign.open(Purpose::Follow, &token).is_none());
    }
}
