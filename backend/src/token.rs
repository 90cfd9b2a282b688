//! Signed tokens: what the service hands out and later believes without looking it up.
//!
//! A token is `prefix`, key id, payload and HMAC-SHA256 (RFC 2104), each but the prefix in URL-safe base64 or
//! hexadecimal and parted by dots. The signature covers the purpose and the key id, so that a token of one purpose is
//! worth nothing for another.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use parking_lot::RwLock;
use secrecy::{ExposeSecret as _, SecretBox};
use sha2::Sha256;

use crate::clock::shifted_s;
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
    /// Is a challenge to prove some work.
    Challenge,
    /// Says from when on a wait is over.
    Patience,
    /// Says when a form was asked for.
    Opened,
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
            Self::Challenge => "rbw_",
            Self::Patience => "rbp_",
            Self::Opened => "rbo_",
            Self::AuthStart => "rbs_",
        }
    }
}

/// How long a new key only opens tokens before it signs any, in seconds: by then every process knows it, and none is shown a
/// token that it cannot open.
pub const SIGNS_AFTER_S: i64 = 60;

/// A key that signs tokens.
pub struct SigningKey {
    /// What tokens name it by.
    pub id: String,
    /// The key.
    pub secret: SecretBox<[u8; 32]>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl SigningKey {
    /// Makes a new key.
    pub fn generate(now: Timestamp) -> Result<Self, NoEntropy> {
        let id = hex::encode(entropy::bytes::<4>()?);
        Ok(Self { id, secret: SecretBox::new(Box::new(entropy::bytes()?)), created_at: now })
    }
}

impl Clone for SigningKey {
    fn clone(&self) -> Self {
        let secret = SecretBox::new(Box::new(*self.secret.expose_secret()));
        Self { id: self.id.clone(), secret, created_at: self.created_at }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Signs tokens with the newest key that every process knows, and opens those of every key it holds.
#[derive(Debug)]
pub struct Signer {
    keys: RwLock<Keys>,
    /// Known to nobody: what is not ours is judged with it, so that it takes as long.
    decoy: SigningKey,
}

#[derive(Debug)]
struct Keys {
    signing: SigningKey,
    all: Vec<SigningKey>,
}

/// There is no key to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no signing key")]
pub struct NoKey;

impl Keys {
    /// The oldest signs where none is old enough: it is the one that other processes know.
    fn new(all: Vec<SigningKey>, now: Timestamp) -> Result<Self, NoKey> {
        let known = |key: &&SigningKey| shifted_s(key.created_at, SIGNS_AFTER_S) <= now;
        let newest = all.iter().filter(known).max_by_key(|key| key.created_at);
        let signing = newest.or_else(|| all.iter().min_by_key(|key| key.created_at)).ok_or(NoKey)?.clone();
        Ok(Self { signing, all })
    }
}

impl Signer {
    /// A signer with these keys.
    ///
    /// # Errors
    ///
    /// Where there is no key, and where the system gives no randomness for the decoy.
    pub fn new(keys: Vec<SigningKey>, now: Timestamp) -> Result<Self, SignerError> {
        Ok(Self { keys: RwLock::new(Keys::new(keys, now)?), decoy: SigningKey::generate(now)? })
    }

    /// Goes on with these keys: those that are missing are worth nothing any more.
    ///
    /// # Errors
    ///
    /// Where there is no key; it goes on with those it had.
    pub fn replace(&self, keys: Vec<SigningKey>, now: Timestamp) -> Result<(), NoKey> {
        *self.keys.write() = Keys::new(keys, now)?;
        Ok(())
    }

    /// A token of that purpose that carries the payload.
    pub fn sign(&self, purpose: Purpose, payload: &[u8]) -> String {
        let key = &self.keys.read().signing;
        let signature = authenticator(key, purpose.prefix(), payload).finalize().into_bytes();
        let mut token = [purpose.prefix(), key.id.as_str(), "."].concat();
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }

    /// A name for that text which tells nothing of it, and is the same in every process with these keys.
    pub fn pseudonym(&self, text: &str) -> String {
        let key = &self.keys.read().signing;
        hex::encode(authenticator(key, "pseudonym", text.as_bytes()).finalize().into_bytes())
    }

    /// What a token says that may be forged: good for a hint, never for a right.
    pub fn peek(purpose: Purpose, token: &str) -> Option<Vec<u8>> {
        let payload = token.strip_prefix(purpose.prefix())?.split('.').nth(1)?;
        URL_SAFE_NO_PAD.decode(payload).ok()
    }

    /// The payload of a token of that purpose; `None` where it is not ours. Whatever has the form of a token costs one
    /// signature, so that the time tells nothing of what was wrong with it.
    pub fn open(&self, purpose: Purpose, token: &str) -> Option<Vec<u8>> {
        let mut parts = token.strip_prefix(purpose.prefix())?.split('.');
        let (id, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let keys = self.keys.read();
        let known = keys.all.iter().find(|key| key.id == id);
        // `verify_slice` compares in constant time.
        let verified =
            authenticator(known.unwrap_or(&self.decoy), purpose.prefix(), &payload).verify_slice(&signature);
        (verified.is_ok() && known.is_some()).then_some(payload)
    }
}

/// Why tokens cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// There is no key.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// There is no randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
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
pub(crate) mod sample {
    use super::*;

    pub(crate) fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    /// A signer with a key of its own.
    pub(crate) fn signer() -> Signer {
        Signer::new(vec![SigningKey::generate(now()).unwrap()], now()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::sample::{now, signer};
    use super::*;

    const EVERY: [Purpose; 8] = [
        Purpose::Follow,
        Purpose::Join,
        Purpose::AgentLink,
        Purpose::Cursor,
        Purpose::Challenge,
        Purpose::Patience,
        Purpose::Opened,
        Purpose::AuthStart,
    ];

    #[test]
    fn a_token_opens_for_its_purpose_only() {
        let signer = signer();
        for purpose in EVERY {
            let token = signer.sign(purpose, b"callback");
            assert_eq!(signer.open(purpose, &token).as_deref(), Some(&b"callback"[..]));
            for other in EVERY.into_iter().filter(|other| *other != purpose) {
                assert_eq!(signer.open(other, &token), None);
                assert_eq!(signer.open(other, &token.replace(purpose.prefix(), other.prefix())), None);
            }
        }
    }

    #[test]
    fn every_changed_bit_spoils_a_token_of_every_purpose() {
        let signer = signer();
        for purpose in EVERY {
            let token = signer.sign(purpose, b"{\"agent\":\"grace\"}");
            for index in 0..token.len() {
                for bit in 0..7 {
                    let mut forged = token.clone().into_bytes();
                    forged[index] ^= 1 << bit;
                    let forged = String::from_utf8(forged).unwrap();
                    assert_eq!(signer.open(purpose, &forged), None, "{index} {bit}");
                }
            }
            assert_eq!(signer.open(purpose, &format!("{token}.x")), None);
            assert_eq!(signer.open(purpose, ""), None);
        }
    }

    #[test]
    fn a_new_key_opens_at_once_and_signs_once_every_process_knows_it() {
        let old = SigningKey::generate(now()).unwrap();
        let later = |seconds| shifted_s(now(), seconds);
        let new = SigningKey::generate(later(1000)).unwrap();
        let (signer, other) =
            (Signer::new(vec![old.clone()], now()).unwrap(), Signer::new(vec![old.clone()], now()).unwrap());
        let before = signer.sign(Purpose::Follow, b"x");
        let both = || vec![new.clone(), old.clone()];
        signer.replace(both(), later(1001)).unwrap();
        // The other process does not know the new key yet, and opens what this one signs.
        assert!(other.open(Purpose::Follow, &signer.sign(Purpose::Follow, b"x")).is_some());
        other.replace(both(), later(1030)).unwrap();
        signer.replace(both(), later(1000 + SIGNS_AFTER_S)).unwrap();
        let after = signer.sign(Purpose::Follow, b"x");
        assert!(after.contains(&new.id));
        assert!(other.open(Purpose::Follow, &after).is_some());
        assert!(other.open(Purpose::Follow, &before).is_some());
        // The old key is retired: what it has signed is worth nothing any more.
        other.replace(vec![new.clone()], later(2000)).unwrap();
        assert!(other.open(Purpose::Follow, &after).is_some());
        assert_eq!(other.open(Purpose::Follow, &before), None);
        assert_eq!(other.replace(Vec::new(), later(2000)), Err(NoKey));
        assert!(other.open(Purpose::Follow, &after).is_some());
    }

    #[test]
    fn a_token_of_a_foreign_key_with_a_known_name_does_not_open() {
        let [signer, foreign] = [signer(), signer()];
        let token = foreign.sign(Purpose::Follow, b"x");
        assert_eq!(signer.open(Purpose::Follow, &token), None);
        let [ours, theirs] = [&signer, &foreign].map(|signer| signer.keys.read().signing.id.clone());
        assert_eq!(signer.open(Purpose::Follow, &token.replace(&theirs, &ours)), None);
    }
}
