//! Personal columns as they lie in the database: sealed with the operator's key where there is one, and in clear else.
//!
//! Everything that tells who the person is goes into one sealed column. In place of the number stands a keyed hash of it, so
//! that it is found again and a claim stays a claim. Rows from before there was a key are read as they are, and sealed one by one
//! while the service runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use ringback_contract::request::FieldValue;
use secrecy::{ExposeSecret as _, SecretBox};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ledger::{Given, NewConsent};
use super::outbox::Message;
use super::row::{Columns, moment_in, optional_owned, read_callback, read_message, unreadable};
use super::trust::KeyRow;
use super::{IdempotencyKey, StoreError};
use crate::callback::{Callback, CallbackId, Request};
use crate::config;
use crate::phone::PhoneNumber;
use crate::seal::SealingKey;
use crate::token::SigningKey;

/// What a hash begins with, and a sealed text; no number does, no site's id and no JSON.
const HASHED: char = '#';

/// What proves that a key is the one that the store is sealed with: nothing, sealed for this.
const PROVES: &str = "proof";
pub(super) const KEEP_PROOF: &str =
    "INSERT INTO sealing (id, proof) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
pub(super) const PROOF: &str = "SELECT proof FROM sealing";

/// Rows that are sealed at once.
const AT_ONCE: usize = 200;

/// A row that is to be sealed.
#[derive(Debug)]
pub(super) struct SealedRow {
    pub(super) id: CallbackId,
    pub(super) phone: String,
    pub(super) claim: Option<String>,
    pub(super) sealed: Option<Vec<u8>>,
}

/// What takes the personal data of one row out of the clear. The claim stays what it is where it is none any more. An earlier version has
/// left agent and reference beside what it sealed; whoever changes the number meanwhile seals these, too.
pub(super) const SEAL: &str = "UPDATE callback SET phone = $1, name = '', email = '', message = '', page = '', \
     attributes = NULL, fields = NULL, agent = NULL, reference = NULL, \
     claim = CASE WHEN claim IS NULL THEN NULL ELSE $2 END, sealed = $3 \
     WHERE id = $4 AND (sealed IS NULL OR agent IS NOT NULL OR reference IS NOT NULL) AND erased_at IS NULL";

/// Rows in clear, after an id.
pub(super) const CLEAR: &str = "SELECT * FROM callback \
     WHERE (sealed IS NULL OR agent IS NOT NULL OR reference IS NOT NULL) AND erased_at IS NULL AND id > $1 \
     ORDER BY id LIMIT $2";

/// Rows that are in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// All of them.
    All,
    /// Those with a claim: hashed before any other claim is, or a request would not join them.
    Claims,
}

/// A store that seals what it kept in clear before it had a key.
#[async_trait]
pub trait Sealing: Send + Sync {
    /// Seals at most so many rows in clear after that one; gives the last of them. `None`: there is nothing to seal.
    async fn seal(
        &self,
        which: Clear,
        after: Option<CallbackId>,
        limit: usize,
    ) -> Result<Option<CallbackId>, StoreError>;

    /// Seals the signing keys that lie in clear.
    async fn seal_keys(&self) -> Result<(), StoreError>;
}

/// Seals what must not wait until there is time for it.
pub(super) async fn seal_first(store: &dyn Sealing) -> Result<(), StoreError> {
    store.seal_keys().await?;
    let mut after = None;
    while let Some(last) = store.seal(Clear::Claims, after, AT_ONCE).await? {
        after = Some(last);
    }
    Ok(())
}

/// The way into personal columns and out of them.
#[derive(Clone, Debug)]
pub(super) struct Vault(Option<Arc<SealingKey>>);

/// Who a person is and what they wrote: what is sealed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Who {
    pub(super) phone: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) message: String,
    pub(super) page: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) attributes: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) fields: BTreeMap<String, FieldValue>,
}

/// The same as columns: in clear, or sealed with a hash in place of the number.
#[derive(Debug)]
pub(super) struct PersonalColumns {
    pub(super) clear: Who,
    pub(super) sealed: Option<Vec<u8>>,
}

impl Vault {
    pub(super) fn new(config: &config::Store) -> Result<Self, StoreError> {
        let key = &config.encryption_key;
        if key.expose_secret().is_empty() {
            return Ok(Self(None));
        }
        Ok(Self(Some(Arc::new(SealingKey::parse(key).map_err(StoreError::Seal)?))))
    }

    /// Whether there is a key.
    pub(super) fn seals(&self) -> bool {
        self.0.is_some()
    }

    /// What a store remembers of the key that it is sealed with.
    pub(super) fn proof(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.as_ref().map(|key| key.seal(PROVES, &[])).transpose().map_err(StoreError::Seal)
    }

    /// Whether the key, or its lack, fits what the store remembers.
    pub(super) fn fits(&self, proof: Option<&[u8]>) -> Result<(), StoreError> {
        match (&self.0, proof) {
            (_, None) => Ok(()),
            (Some(key), Some(proof)) => key.open(PROVES, proof).map(drop).map_err(|_| StoreError::OtherKey),
            (None, Some(_)) => Err(StoreError::NoKey),
        }
    }

    /// A claim as it lies in the database.
    pub(super) fn claim(&self, claim: &str) -> String {
        self.hashed("claim", claim)
    }

    /// The number as it may stand in its column: a row may be from before there was a key.
    pub(super) fn phones(&self, phone: &PhoneNumber) -> [String; 2] {
        [self.hashed("phone", phone.e164()), phone.e164().to_owned()]
    }

    /// The person behind a number, in the ledger of consents.
    pub(super) fn person(&self, phone: &PhoneNumber) -> String {
        match &self.0 {
            Some(_) => self.hashed("person", phone.e164()),
            None => plain_person(phone),
        }
    }

    /// The same as it may stand there: an entry may be from before there was a key. `None`: everybody.
    pub(super) fn persons(&self, of: Option<&PhoneNumber>) -> [Option<String>; 2] {
        [of.map(|phone| self.person(phone)), of.map(plain_person)]
    }

    /// A signing key as it lies in the database: whoever had it could make tokens and links of every kind.
    pub(super) fn key_row(&self, key: &SigningKey) -> Result<KeyRow, StoreError> {
        let secret = key.secret.expose_secret();
        let secret = match &self.0 {
            Some(sealing) => sealing.seal(&of_signing_key(&key.id), secret).map_err(StoreError::Seal)?,
            None => secret.to_vec(),
        };
        Ok(KeyRow { id: key.id.clone(), secret, created_at: key.created_at })
    }

    /// Reads a signing key, sealed or not.
    pub(super) fn signing_key(&self, row: &impl Columns) -> Result<SigningKey, StoreError> {
        let (id, stored) = (row.text("id")?.to_owned(), row.bytes("secret")?);
        let secret: [u8; 32] = if let Ok(clear) = stored.try_into() {
            clear
        } else {
            let key = self.0.as_ref().ok_or(StoreError::NoKey)?;
            let opened = key.open(&of_signing_key(&id), stored).map_err(|_| StoreError::OtherKey)?;
            opened.try_into().map_err(|_| unreadable("secret"))?
        };
        let secret = SecretBox::new(Box::new(secret));
        Ok(SigningKey { id, secret, created_at: moment_in(row, "created_at")? })
    }

    /// The entry that a callback's visitor makes by agreeing.
    pub(super) fn consent(&self, callback: &Callback, given: &Given) -> NewConsent {
        NewConsent {
            person: self.person(&callback.request.phone),
            given: true,
            site: callback.request.site.clone(),
            text_hash: given.text_hash.clone(),
            version: given.version.clone(),
            language: given.language.clone(),
            page: callback.request.page.clone(),
            callback_id: Some(callback.id),
            at: callback.created_at,
        }
    }

    /// A fingerprint as it lies in the database: of a short request, a bare one can be guessed.
    pub(super) fn fingerprint(&self, key: &IdempotencyKey) -> [u8; 32] {
        match &self.0 {
            Some(sealing) => sealing.hash("fingerprint", &key.fingerprint),
            None => key.fingerprint,
        }
    }

    /// Whether a stored fingerprint is that of the key's request, with the key or from before there was one.
    pub(super) fn is_of(&self, stored: &[u8], key: &IdempotencyKey) -> bool {
        stored == self.fingerprint(key) || stored == key.fingerprint
    }

    /// The personal columns of a callback.
    pub(super) fn columns(&self, callback: &Callback) -> Result<PersonalColumns, StoreError> {
        let who = Who::of(&callback.request);
        let Some(key) = &self.0 else {
            return Ok(PersonalColumns { clear: who, sealed: None });
        };
        let plain = serde_json::to_vec(&who).map_err(|_| unreadable("sealed"))?;
        let sealed = key.seal(&purpose(&callback.id.to_string()), &plain).map_err(StoreError::Seal)?;
        let clear = Who { phone: self.hashed("phone", &who.phone), ..Who::default() };
        Ok(PersonalColumns { clear, sealed: Some(sealed) })
    }

    /// Reads a callback, sealed or not.
    pub(super) fn callback(&self, row: &impl Columns) -> Result<Callback, StoreError> {
        let Some(sealed) = row.optional_bytes("sealed")? else {
            return read_callback(row, Who::in_clear(row)?);
        };
        let key = self.0.as_ref().ok_or(StoreError::NoKey)?;
        let plain = key.open(&purpose(row.text("id")?), sealed).map_err(|_| StoreError::OtherKey)?;
        let mut who: Who = serde_json::from_slice(&plain).map_err(|_| unreadable("sealed"))?;
        // An earlier version has sealed the others alone.
        who.agent = who.agent.or(optional_owned(row, "agent")?);
        who.reference = who.reference.or(optional_owned(row, "reference")?);
        read_callback(row, who)
    }

    /// The body of a message as it lies in the database: a reference of the CRM's may tell who somebody is.
    pub(super) fn body(&self, message: &Message) -> Result<String, StoreError> {
        let Some(key) = &self.0 else {
            return Ok(message.body.clone());
        };
        let purpose = of_message(&message.webhook, &message.id);
        let sealed = key.seal(&purpose, message.body.as_bytes()).map_err(StoreError::Seal)?;
        Ok(format!("{HASHED}{}", hex::encode(sealed)))
    }

    /// Reads a message, sealed or not.
    pub(super) fn message(&self, row: &impl Columns) -> Result<Message, StoreError> {
        let message = read_message(row)?;
        let Some(sealed) = message.body.strip_prefix(HASHED) else {
            return Ok(message);
        };
        let key = self.0.as_ref().ok_or(StoreError::NoKey)?;
        let sealed = hex::decode(sealed).map_err(|_| unreadable("body"))?;
        let purpose = of_message(&message.webhook, &message.id);
        let body = key.open(&purpose, &sealed).map_err(|_| StoreError::OtherKey)?;
        Ok(Message { body: String::from_utf8(body).map_err(|_| unreadable("body"))?, ..message })
    }

    /// Reads callbacks, sealed or not.
    pub(super) fn callbacks<R: Columns>(&self, rows: &[R]) -> Result<Vec<Callback>, StoreError> {
        rows.iter().map(|row| self.callback(row)).collect()
    }

    /// What a row in clear is to become.
    pub(super) fn sealed_row(&self, row: &impl Columns) -> Result<SealedRow, StoreError> {
        let callback = self.callback(row)?;
        let PersonalColumns { clear, sealed } = self.columns(&callback)?;
        let claim = row.optional_text("claim")?;
        let claim =
            claim.map(|claim| if claim.starts_with(HASHED) { claim.to_owned() } else { self.claim(claim) });
        Ok(SealedRow { id: callback.id, phone: clear.phone, claim, sealed })
    }

    fn hashed(&self, purpose: &str, text: &str) -> String {
        match &self.0 {
            Some(key) => format!("{HASHED}{}", hex::encode(key.hash(purpose, text.as_bytes()))),
            None => text.to_owned(),
        }
    }
}

impl Who {
    fn of(request: &Request) -> Self {
        let attributes = request.attributes.iter();
        Self {
            phone: request.phone.e164().to_owned(),
            name: request.name.reveal().to_owned(),
            email: request.email.reveal().to_owned(),
            message: request.message.reveal().to_owned(),
            page: request.page.clone(),
            agent: request.agent.as_ref().map(|agent| agent.as_text().to_owned()),
            reference: request.reference.clone(),
            attributes: attributes.map(|(key, value)| (key.clone(), value.reveal().to_owned())).collect(),
            fields: request.fields.iter().map(|(id, answer)| (id.clone(), answer.reveal())).collect(),
        }
    }

    fn in_clear(row: &impl Columns) -> Result<Self, StoreError> {
        let attributes = row.optional_text("attributes")?.map(serde_json::from_str).transpose();
        let fields = row.optional_text("fields")?.map(serde_json::from_str).transpose();
        Ok(Self {
            phone: row.text("phone")?.to_owned(),
            name: row.text("name")?.to_owned(),
            email: row.text("email")?.to_owned(),
            message: row.text("message")?.to_owned(),
            page: row.text("page")?.to_owned(),
            agent: optional_owned(row, "agent")?,
            reference: optional_owned(row, "reference")?,
            attributes: attributes.map_err(|_| unreadable("attributes"))?.unwrap_or_default(),
            fields: fields.map_err(|_| unreadable("fields"))?.unwrap_or_default(),
        })
    }

    /// What a CRM adds to the attributes of the task, as it is written; `None` where there is nothing.
    pub(super) fn attributes_json(&self) -> Option<String> {
        written(&self.attributes)
    }

    /// What stands in the operator's own fields, as it is written; `None` where there is nothing.
    pub(super) fn fields_json(&self) -> Option<String> {
        written(&self.fields)
    }
}

fn written<T: Serialize>(members: &BTreeMap<String, T>) -> Option<String> {
    // A map by texts always has a JSON form.
    (!members.is_empty()).then(|| serde_json::to_string(members).unwrap_or_default())
}

/// Keeps numbers out of the ledger, though not from whoever tries all of them.
fn plain_person(phone: &PhoneNumber) -> String {
    hex::encode(Sha256::digest(phone.e164()))
}

/// A sealed signing key opens under its name alone.
fn of_signing_key(id: &str) -> String {
    format!("signing key {id}")
}

/// A sealed message opens as that one alone.
fn of_message(webhook: &str, id: &str) -> String {
    format!("message {webhook} {id}")
}

/// A row's sealed column opens in that row alone.
fn purpose(id: &str) -> String {
    format!("callback {id}")
}
