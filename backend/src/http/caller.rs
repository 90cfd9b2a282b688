//! Who calls: a CRM with an API key, or whoever holds a callback's follow token.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use ringback_contract::problem::Kind;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Parts;
use super::extract::{bearer, client_address};
use super::problem::Failure;
use crate::callback::{Callback, CallbackId};
use crate::config::ApiKey;
use crate::guard::rate::{Limit, network_of};

/// The configured API keys.
#[derive(Debug)]
pub struct ApiKeys(Vec<KnownKey>);

#[derive(Debug)]
struct KnownKey {
    name: String,
    digest: [u8; 32],
    sites: Vec<String>,
}

impl ApiKeys {
    /// The keys of the configuration.
    pub fn new(keys: &BTreeMap<String, ApiKey>) -> Self {
        let known = keys.iter().map(|(name, key)| KnownKey {
            name: name.clone(),
            digest: Sha256::digest(key.key.expose_secret()).into(),
            sites: key.sites.clone(),
        });
        Self(known.collect())
    }

    /// The key of that text. Compares with every key, and in constant time.
    fn find(&self, text: &str) -> Option<Crm<'_>> {
        let digest: [u8; 32] = Sha256::digest(text).into();
        let mut found = None;
        for key in &self.0 {
            if bool::from(key.digest.ct_eq(&digest)) {
                found = Some(Crm(key));
            }
        }
        found
    }
}

/// A caller with an API key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crm<'a>(&'a KnownKey);

impl<'a> Crm<'a> {
    /// The caller of the request.
    pub(super) fn of(request: &HttpRequest, parts: &'a Parts) -> Result<Self, Failure> {
        bearer(request).and_then(|token| parts.api_keys.find(token)).ok_or_else(|| {
            Failure::new(Kind::Unauthorized, "Send `Authorization: Bearer` and an API key of this service.")
        })
    }

    /// The key's name in the configuration.
    pub(super) fn name(self) -> &'a str {
        &self.0.name
    }

    /// Whether the key is for that site.
    pub(super) fn may_use(self, site: &str) -> bool {
        self.0.sites.is_empty() || self.0.sites.iter().any(|allowed| allowed == site)
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

/// The callback that the request asks for, where its bearer token opens it. That a callback exists is told to nobody
/// whose token does not open it.
pub(super) async fn callback(
    request: &HttpRequest,
    parts: &Parts,
    id: &str,
) -> Result<(Callback, Access), Failure> {
    let missing = || Failure::new(Kind::NotFound, "No callback has this id, or the token is not for it.");
    let token = bearer(request).unwrap_or_default();
    let (id, access, crm) =
        match (CallbackId::parse(id), parts.intake.followed(token), parts.api_keys.find(token)) {
            (_, None, None) => {
                return Err(Failure::new(
                    Kind::Unauthorized,
                    "Send `Authorization: Bearer` and the callback's follow token, or an API key.",
                ));
            }
            (Some(id), Some((followed, false)), _) if id == followed => (id, Access::Visitor, None),
            (Some(id), Some((followed, true)), _) if id == followed => (id, Access::Joiner, None),
            (Some(id), None, Some(crm)) => (id, Access::Crm, Some(crm)),
            _ => return Err(missing()),
        };
    let callback = parts.store.get(id).await?.ok_or_else(missing)?;
    match crm {
        Some(crm) if !crm.may_use(&callback.request.site) => Err(missing()),
        _ => Ok((callback, access)),
    }
}

/// Counts the request against the limit of its client address.
pub(super) fn count(request: &HttpRequest, parts: &Parts, limit: &Limit) -> Result<(), Failure> {
    let address = network_of(client_address(request, parts.trusted_proxies()));
    let verdict = limit.check(&address);
    if verdict.allowed { Ok(()) } else { Err(Failure::limited(limit.name(), verdict)) }
}
