//! Keys for the REST door: how one looks, and what it may do.
//!
//! A key is `rbk_`, an id of 12 hexadecimal digits, a secret of 64 and a checksum of 8, so that a secret scanner knows
//! one by its look (`rbk_[0-9a-f]{84}`) and can tell it from chance by its checksum.
//!
//! The store holds the SHA-256 of the whole text. A slow hash, as passwords need, would add nothing: the secret is 256
//! bits of randomness, and there is no dictionary of those to try.

use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::entropy::{self, NoEntropy};

/// What every key starts with.
pub const PREFIX: &str = "rbk_";
/// Hexadecimal digits of the id.
const ID_LENGTH: usize = 12;
/// Hexadecimal digits of the checksum.
const CHECKSUM_LENGTH: usize = 8;
/// Characters of a key.
const LENGTH: usize = PREFIX.len() + ID_LENGTH + 64 + CHECKSUM_LENGTH;

/// Something that a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Scope {
    /// Ask for callbacks, and call them off.
    #[serde(rename = "callbacks:write")]
    CallbacksWrite,
    /// Read and list callbacks.
    #[serde(rename = "callbacks:read")]
    CallbacksRead,
    /// Make preferred-agent links.
    #[serde(rename = "links:write")]
    LinksWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::CallbacksWrite, Self::CallbacksRead, Self::LinksWrite];

    /// The text of the scope on the command line, in the configuration and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CallbacksWrite => "callbacks:write",
            Self::CallbacksRead => "callbacks:read",
            Self::LinksWrite => "links:write",
        }
    }

    /// The scope of that text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A key as the store holds it, which is not enough to use it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// What it is found by.
    pub id: String,
    /// What people know it by.
    pub name: String,
    /// SHA-256 of its text.
    pub digest: [u8; 32],
    /// The sites that it is for; empty: all.
    pub sites: Vec<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops to work; `None`: never by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<Timestamp>,
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiKey")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What people know it by.
    pub name: String,
    /// The sites that it is for; empty: all.
    pub sites: Vec<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it stops to work; `None`: never by itself.
    pub expires_at: Option<Timestamp>,
}

impl ApiKey {
    /// Makes a key, and gives its text, which is not kept anywhere.
    pub fn generate(terms: Terms, now: Timestamp) -> Result<(Self, SecretString), NoEntropy> {
        let id = hex::encode(entropy::bytes::<6>()?);
        let body = format!("{PREFIX}{id}{}", hex::encode(entropy::bytes::<32>()?));
        let text = format!("{body}{}", checksum(&body));
        let key = Self {
            digest: digest(&text),
            id,
            name: terms.name,
            sites: terms.sites,
            scopes: terms.scopes,
            created_at: now,
            expires_at: terms.expires_at,
            revoked_at: None,
            last_used_at: None,
        };
        Ok((key, SecretString::from(text)))
    }

    /// Where it stands.
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.revoked_at.is_some() {
            Standing::Revoked
        } else if self.expires_at.is_some_and(|end| now >= end) {
            Standing::Expired
        } else {
            Standing::Valid
        }
    }
}

/// Whether a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Valid,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

/// What is stored of the text of a key, and compared.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The id that the text of a key names, where it looks as one of ours does. That says nothing of its secret.
pub fn id_of(text: &str) -> Option<&str> {
    let is_hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let digits = text.strip_prefix(PREFIX)?;
    if text.len() != LENGTH || !digits.bytes().all(is_hexadecimal) {
        return None;
    }
    let (body, sum) = text.split_at(LENGTH - CHECKSUM_LENGTH);
    (checksum(body) == sum).then(|| &digits[..ID_LENGTH])
}

/// Tells a slip of the hand or chance from a key; keeps nobody out.
fn checksum(body: &str) -> String {
    hex::encode(&Sha256::digest(body)[..CHECKSUM_LENGTH / 2])
}

/// Whether the text of a configured key may stand there: one that looks like ours would be looked for in the store.
pub fn is_reserved(text: &SecretString) -> bool {
    text.expose_secret().starts_with(PREFIX)
}

#[cfg(test)]
pub(crate) mod sample {
    use super::*;

    pub(crate) fn terms() -> Terms {
        Terms {
            name: "crm".to_owned(),
            sites: vec!["acme".to_owned(), "other".to_owned()],
            scopes: vec![Scope::CallbacksRead, Scope::LinksWrite],
            expires_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_key_names_its_id_and_any_slip_in_it_shows() {
        let (key, text) = ApiKey::generate(sample::terms(), now()).unwrap();
        let text = text.expose_secret();
        assert_eq!(id_of(text), Some(key.id.as_str()));
        assert_eq!(digest(text), key.digest);
        for (index, old) in text.char_indices() {
            let new = if old == '0' { '1' } else { '0' };
            let mut slipped = text.to_owned();
            slipped.replace_range(index..=index, new.encode_utf8(&mut [0; 4]));
            assert_eq!(id_of(&slipped), None, "{index}");
        }
        for bad in [&text[..LENGTH - 1], &format!("{text}0"), &text.to_uppercase(), "rbk_", ""] {
            assert_eq!(id_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_two_keys_are_alike_and_none_is_printed() {
        let (one, text) = ApiKey::generate(sample::terms(), now()).unwrap();
        let (other, _) = ApiKey::generate(sample::terms(), now()).unwrap();
        assert_ne!((&one.id, one.digest), (&other.id, other.digest));
        let printed = format!("{one:?} {text:?}");
        assert!(!printed.contains(text.expose_secret()) && !printed.contains("digest"), "{printed}");
    }

    #[test]
    fn a_key_works_until_it_expires_or_is_taken_back() {
        let (mut key, _) = ApiKey::generate(sample::terms(), now()).unwrap();
        assert_eq!(key.standing(Timestamp::MAX), Standing::Valid);
        key.expires_at = Some(now());
        assert_eq!(key.standing(now()), Standing::Expired);
        key.revoked_at = Some(now());
        assert_eq!(key.standing(now()), Standing::Revoked);
    }

    #[test]
    fn the_text_of_a_scope_is_what_it_is_read_from() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
            assert_eq!(serde_json::from_value::<Scope>(scope.as_str().into()).unwrap(), scope);
        }
    }
}
