//! Two ledgers to which rows are added and in which nothing is changed: who agreed to what, and what operators and keys did.

use async_trait::async_trait;
use jiff::Timestamp;

use super::StoreError;
use crate::callback::CallbackId;
use crate::phone::PhoneNumber;

/// Entries that are read at once.
pub const PAGE: i64 = 500;

/// A text that visitors are asked to agree to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentText {
    /// The SHA-256 of the text, in hexadecimal.
    pub hash: String,
    /// The text, word for word.
    pub text: String,
    /// Where the whole policy can be read; empty where none is named.
    pub policy_url: String,
}

/// A consent that is given with a callback. The time, the site, the page and the person are the callback's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The SHA-256 of the text, in hexadecimal.
    pub text_hash: String,
    /// The operator's version of the text.
    pub version: String,
    /// The language of the form.
    pub language: String,
}

impl Given {
    /// The same, given on a form in that language.
    #[must_use]
    pub fn in_language(&self, language: &str) -> Self {
        Self { language: language.to_owned(), ..self.clone() }
    }
}

/// An entry of the ledger of consents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Its place in the ledger.
    pub number: i64,
    /// A hash of the person's number: keyed, where the store has a key.
    pub person: String,
    /// Whether it was given; else it was taken back.
    pub given: bool,
    /// The site.
    pub site: String,
    /// The SHA-256 of the text, in hexadecimal.
    pub text_hash: String,
    /// The operator's version of the text.
    pub version: String,
    /// The language of the form.
    pub language: String,
    /// The page that held the form, without its query.
    pub page: String,
    /// The callback that it was given with, or that was joined.
    pub callback_id: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What an operator or a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: Timestamp,
    /// Who, such as `operator:root` or `key:crm`.
    pub actor: String,
    /// What, such as `key.revoke`.
    pub action: &'static str,
    /// To what: an id, or a number of which most digits are left out.
    pub subject: String,
    /// What else is worth knowing.
    pub detail: String,
}

/// A deed as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the record.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What else is worth knowing.
    pub detail: String,
}

/// What became older than its ledger is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlived {
    /// Consents before this moment.
    pub consents: Timestamp,
    /// Deeds before this moment.
    pub deeds: Timestamp,
}

/// A store with ledgers. Whatever returns has been written for good.
#[async_trait]
pub trait Ledgers: Send + Sync {
    /// Keeps a text that visitors are asked to agree to, once.
    async fn keep_text(&self, text: &ConsentText, now: Timestamp) -> Result<(), StoreError>;

    /// The text of that hash.
    async fn text(&self, hash: &str) -> Result<Option<ConsentText>, StoreError>;

    /// The consents after that place, oldest first, [`PAGE`] of them at most; of one person, where one is named. For that, the
    /// whole ledger is read.
    async fn consents(&self, of: Option<&PhoneNumber>, after: i64) -> Result<Vec<Consent>, StoreError>;

    /// Takes back what that person agreed to and has not taken back, at one site or at all; gives at how many sites.
    async fn revoke_consent(
        &self,
        phone: &PhoneNumber,
        site: Option<&str>,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Writes a deed down.
    async fn record(&self, deed: &Deed) -> Result<(), StoreError>;

    /// The deeds after that place and not before that moment, oldest first, [`PAGE`] of them at most.
    async fn deeds(&self, since: Timestamp, after: i64) -> Result<Vec<Entry>, StoreError>;

    /// Forgets what is older than it is kept; gives how many entries that were.
    async fn forget_outlived(&self, outlived: Outlived) -> Result<u64, StoreError>;
}

/// All that a person agreed to and took back.
pub(super) async fn all(store: &dyn Ledgers, phone: &PhoneNumber) -> Result<Vec<Consent>, StoreError> {
    let mut consents: Vec<Consent> = Vec::new();
    loop {
        let after = consents.last().map_or(0, |last| last.number);
        let page = store.consents(Some(phone), after).await?;
        if page.is_empty() {
            return Ok(consents);
        }
        consents.extend(page);
    }
}

/// The entries that take back what has been given last and not been taken back since, for each site that is wanted.
pub(super) fn revocations(consents: &[Consent], site: Option<&str>) -> Vec<Consent> {
    let mut last = std::collections::BTreeMap::new();
    for consent in consents.iter().filter(|consent| site.is_none_or(|site| consent.site == site)) {
        last.insert(consent.site.as_str(), consent);
    }
    last.into_values().filter(|consent| consent.given).cloned().collect()
}

/// A new entry of the ledger of consents.
#[derive(Clone, Debug)]
pub(super) struct NewConsent {
    pub(super) person: String,
    pub(super) given: bool,
    pub(super) site: String,
    pub(super) text_hash: String,
    pub(super) version: String,
    pub(super) language: String,
    pub(super) page: String,
    pub(super) callback_id: Option<CallbackId>,
    pub(super) at: Timestamp,
}

impl NewConsent {
    /// What takes a consent back.
    pub(super) fn revoking(consent: Consent, now: Timestamp) -> Self {
        let Consent { person, site, text_hash, version, language, .. } = consent;
        let page = String::new();
        Self { person, given: false, site, text_hash, version, language, page, callback_id: None, at: now }
    }
}

pub(super) const INSERT_CONSENT: &str = "INSERT INTO consent (person, given, site, text_hash, version, language, page, callback_id, at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
pub(super) const INSERT_DEED: &str =
    "INSERT INTO audit (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)";
pub(super) const INSERT_TEXT: &str = "INSERT INTO consent_text (hash, text, policy_url, first_at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (hash) DO NOTHING";
pub(super) const TEXT: &str = "SELECT * FROM consent_text WHERE hash = $1";
pub(super) const FORGET_CONSENTS: &str = "DELETE FROM consent WHERE at < $1";
pub(super) const FORGET_DEEDS: &str = "DELETE FROM audit WHERE at < $1";
