//! Who calls: a CRM with an API key, or whoever holds a callback's follow token.

use std::collections::{BTreeMap, HashMap};

use actix_web::HttpRequest;
use jiff::Timestamp;
use parking_lot::Mutex;
use ringback_contract::problem::Kind;
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::Parts;
use super::extract::{bearer, client_address};
use super::problem::Failure;
use crate::api_key::{self, Scope, Standing};
use crate::callback::{Callback, CallbackId};
use crate::config;
use crate::guard::rate::{Limit, network_of};
use crate::store::ledger::Deed;
use crate::store::{Store, StoreError};

/// The keys of the configuration, and when those of the store were used.
#[derive(Debug)]
pub struct ApiKeys {
    configured: Vec<Configured>,
    /// Uses that the store does not know of yet, by key id. Only valid keys come here, so there are not many.
    uses: Mutex<HashMap<String, Timestamp>>,
}

#[derive(Debug)]
struct Configured {
    digest: [u8; 32],
    crm: Crm,
}

impl ApiKeys {
    /// The keys of the configuration.
    pub fn new(keys: &BTreeMap<String, config::ApiKey>) -> Self {
        let configured = keys.iter().map(|(name, key)| Configured {
            digest: api_key::digest(key.key.expose_secret()),
            crm: Crm { caller: format!("key:{name}"), sites: key.sites.clone(), scopes: key.scopes.clone() },
        });
        Self { configured: configured.collect(), uses: Mutex::default() }
    }

    /// The key of that text. Compares with every key, and in constant time.
    fn configured(&self, text: &str) -> Option<&Crm> {
        let digest = api_key::digest(text);
        let mut found = None;
        for key in &self.configured {
            if bool::from(key.digest.ct_eq(&digest)) {
                found = Some(&key.crm);
            }
        }
        found
    }

    /// Writes down when keys were used. Gathered, because a key is used more often than its last use is looked at.
    pub async fn write_uses(&self, store: &dyn Store) -> Result<(), StoreError> {
        let uses = std::mem::take(&mut *self.uses.lock());
        for (id, at) in uses {
            store.note_use(&id, at).await?;
        }
        Ok(())
    }
}

/// A caller with an API key.
#[derive(Clone, Debug)]
pub(super) struct Crm {
    caller: String,
    sites: Vec<String>,
    scopes: Vec<Scope>,
}

impl Crm {
    /// The caller of the request, who may do that.
    pub(super) async fn of(request: &HttpRequest, parts: &Parts, scope: Scope) -> Result<Self, Failure> {
        let crm = match bearer(request) {
            Some(token) => Self::with_key(parts, token).await?,
            None => None,
        };
        let crm = crm.ok_or_else(|| {
            Failure::new(Kind::Unauthorized, "Send `Authorization: Bearer` and an API key of this service.")
        })?;
        crm.may(parts, scope).await?;
        Ok(crm)
    }

    /// Counts the request against the key's limit, and asks whether the key is for that.
    async fn may(&self, parts: &Parts, scope: Scope) -> Result<(), Failure> {
        let verdict = parts.key_limit.count(self.caller()).await;
        if !verdict.allowed {
            return Err(Failure::limited(parts.key_limit.name(), verdict));
        }
        self.require(scope)
    }

    /// The caller with that key; `None` where there is no such key.
    async fn with_key(parts: &Parts, text: &str) -> Result<Option<Self>, Failure> {
        if !text.starts_with(api_key::PREFIX) {
            return Ok(parts.api_keys.configured(text).cloned());
        }
        // The store is asked each time, so that a key that is taken back is worth nothing from then on.
        let Some(id) = api_key::id_of(text) else {
            return Ok(None);
        };
        let key = parts.store.api_key(id).await?;
        // As much is done for an id that no key has, so that the time does not tell which ids there are.
        let expected = key.as_ref().map_or([0; 32], |key| key.digest);
        let is_right = bool::from(expected.ct_eq(&api_key::digest(text)));
        let Some(key) = key.filter(|_| is_right) else {
            return Ok(None);
        };
        let now = parts.clock.now();
        // Whoever comes as far as this has the key itself, and may know what became of it.
        match key.standing(now) {
            Standing::Valid => {}
            Standing::Expired => {
                return Err(Failure::new(Kind::Unauthorized, "This key has expired; ask for another one."));
            }
            Standing::Revoked => {
                return Err(Failure::new(
                    Kind::Unauthorized,
                    "This key was taken back; ask for another one.",
                ));
            }
        }
        // A name of the configuration has no second colon.
        let caller = format!("key:stored:{}", key.id);
        parts.api_keys.uses.lock().insert(key.id, now);
        Ok(Some(Self { caller, sites: key.sites, scopes: key.scopes }))
    }

    fn require(&self, scope: Scope) -> Result<(), Failure> {
        if self.scopes.contains(&scope) {
            Ok(())
        } else {
            Err(Failure::new(Kind::Forbidden, format!("This key lacks the scope {}.", scope.as_str())))
        }
    }

    /// Whose idempotency keys and cursors these are.
    pub(super) fn caller(&self) -> &str {
        &self.caller
    }

    /// Writes down what the key was used for. It was done, so a record that cannot be written is for the log alone.
    pub(super) async fn record(
        &self,
        parts: &Parts,
        action: &'static str,
        subject: impl ToString,
        detail: &str,
    ) {
        let (subject, detail) = (subject.to_string(), detail.to_owned());
        let deed = Deed { at: parts.clock.now(), actor: self.caller.clone(), action, subject, detail };
        if let Err(error) = parts.store.record(&deed).await {
            tracing::error!(%error, actor = deed.actor, action, subject = deed.subject, "missing in the audit record");
        }
    }

    /// The sites that the key is for; `None`: all.
    pub(super) fn sites(&self) -> Option<&[String]> {
        (!self.sites.is_empty()).then_some(&self.sites)
    }

    /// Whether the key is for that site.
    pub(super) fn may_use(&self, site: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|allowed| allowed == site)
    }
}

/// The caller, who may do that; whoever guesses at keys is counted, whoever has one is not.
pub(super) async fn crm(request: &HttpRequest, parts: &Parts, scope: Scope) -> Result<Crm, Failure> {
    match Crm::of(request, parts, scope).await {
        Err(refused) if refused.is_unauthorized() => {
            count(request, parts, &parts.guess_limit).await?;
            Err(refused)
        }
        known => known,
    }
}

/// Who may see a callback, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Its visitor.
    Visitor,
    /// Somebody who asked for a call to the same number.
    Joiner,
    /// A CRM of its site.
    Crm,
}

/// The callback that the request asks for, where its bearer token opens it: the callback's own token for everything, an
/// API key for what its scope allows; with the key's holder. That a callback exists is told to nobody whose token does not open it.
pub(super) async fn callback(
    request: &HttpRequest,
    parts: &Parts,
    id: &str,
    scope: Scope,
) -> Result<(Callback, Access, Option<Crm>), Failure> {
    let missing = || Failure::new(Kind::NotFound, "No callback has this id, or the token is not for it.");
    let token = bearer(request).unwrap_or_default();
    let (id, access, crm) = match (CallbackId::parse(id), parts.intake.followed(token)) {
        (Some(id), Some((followed, false))) if id == followed => (id, Access::Visitor, None),
        (Some(id), Some((followed, true))) if id == followed => (id, Access::Joiner, None),
        (_, Some(_)) => return Err(missing()),
        (id, None) => {
            let Some(crm) = Crm::with_key(parts, token).await? else {
                count(request, parts, &parts.guess_limit).await?;
                return Err(Failure::new(
                    Kind::Unauthorized,
                    "Send `Authorization: Bearer` and the callback's follow token, or an API key.",
                ));
            };
            crm.may(parts, scope).await?;
            (id.ok_or_else(missing)?, Access::Crm, Some(crm))
        }
    };
    let callback = parts.store.get(id).await?.ok_or_else(missing)?;
    match &crm {
        // What no person has asked for is in no CRM's lists, either.
        Some(crm) if !crm.may_use(&callback.request.site) || callback.is_decoy() => Err(missing()),
        _ => Ok((callback, access, crm)),
    }
}

/// Counts the request against the limit of its client address.
pub(super) async fn count(request: &HttpRequest, parts: &Parts, limit: &Limit) -> Result<(), Failure> {
    let address = network_of(client_address(request, parts.trusted_proxies()));
    count_as(limit, &address.to_string()).await
}

/// Counts a change that a visitor is about to make: of the client address, and of the callback, lest many addresses with its token have
/// it tried for one number after the other. What an API key does is counted by the key.
pub(super) async fn count_change(
    request: &HttpRequest,
    parts: &Parts,
    callback: &Callback,
    access: Access,
) -> Result<(), Failure> {
    if access == Access::Crm {
        return Ok(());
    }
    count(request, parts, &parts.change_limit).await?;
    // No address reads like an id.
    count_as(&parts.change_limit, &callback.id.to_string()).await
}

async fn count_as(limit: &Limit, caller: &str) -> Result<(), Failure> {
    let verdict = limit.count(caller).await;
    if verdict.allowed { Ok(()) } else { Err(Failure::limited(limit.name(), verdict)) }
}
