//! Agents whom a callback can name.

use std::collections::HashMap;

use jiff::Timestamp;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::clock::after_s;
use crate::personal::Personal;
use crate::token::{Purpose, Signer};

/// An agent, as the operator lists them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The name that visitors see.
    pub name: String,
    /// The agent's address in Webex. It never reaches a browser.
    #[serde(default, deserialize_with = "personal")]
    pub email: Personal,
    /// The agent's id in Webex.
    #[serde(default)]
    pub id: String,
    /// The sites that the agent takes callbacks for; empty: all.
    #[serde(default)]
    pub sites: Vec<String>,
}

impl Agent {
    /// An agent of whom nothing but the address in Webex is known.
    pub fn of_email(email: Personal) -> Self {
        Self { name: String::new(), email, id: String::new(), sites: Vec::new() }
    }

    /// Whether the agent takes callbacks for that site.
    pub fn serves(&self, site: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|served| served == site)
    }
}

fn personal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Personal, D::Error> {
    String::deserialize(deserializer).map(Personal::new)
}

/// What a request names its agent by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentName {
    /// The handle in the configuration.
    Handle(String),
    /// The address in Webex, for sites that look agents up there.
    Email(Personal),
}

impl AgentName {
    /// The name of that text: no handle has an `@`, and every address has one.
    pub fn parse(text: &str) -> Self {
        if text.contains('@') { Self::Email(Personal::new(text)) } else { Self::Handle(text.to_owned()) }
    }

    /// The text of the name.
    pub fn as_text(&self) -> &str {
        match self {
            Self::Handle(handle) => handle,
            Self::Email(email) => email.reveal(),
        }
    }

    /// The handle, where it is one.
    pub fn handle(&self) -> Option<&str> {
        match self {
            Self::Handle(handle) => Some(handle),
            Self::Email(_) => None,
        }
    }
}

/// What a preferred-agent link says. The names are short because they stand in an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLink {
    /// The site.
    #[serde(rename = "s")]
    pub site: String,
    /// The agent's handle.
    #[serde(rename = "a")]
    pub agent: String,
    /// When the link runs out: seconds since 1970.
    #[serde(rename = "e")]
    pub expires_at: i64,
    /// When it was made: seconds since 1970. Links of the first versions do not say.
    #[serde(rename = "t", default)]
    pub made_at: i64,
}

/// Links that were taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Which: one, or those of an agent.
    pub subject: String,
    /// When: an agent's links that were made later are good.
    pub at: Timestamp,
}

impl Revoked {
    /// The link with that token.
    pub fn link(token: &str, at: Timestamp) -> Self {
        Self { subject: subject_of_link(token), at }
    }

    /// Every link of the agent that was made so far.
    pub fn agent(handle: &str, at: Timestamp) -> Self {
        Self { subject: subject_of_agent(handle), at }
    }
}

fn subject_of_link(token: &str) -> String {
    format!("link:{}", hex::encode(Sha256::digest(token)))
}

fn subject_of_agent(handle: &str) -> String {
    format!("agent:{handle}")
}

/// The links that were taken back, as far as this process knows.
#[derive(Debug, Default)]
pub struct Revocations(RwLock<HashMap<String, Timestamp>>);

impl Revocations {
    /// Goes on with these.
    pub fn replace(&self, revoked: Vec<Revoked>) {
        *self.0.write() = revoked.into_iter().map(|revoked| (revoked.subject, revoked.at)).collect();
    }

    /// Whether the link, with that token, was taken back.
    pub fn cover(&self, link: &AgentLink, token: &str) -> bool {
        let revoked = self.0.read();
        if revoked.is_empty() {
            return false;
        }
        let of_agent = revoked.get(&subject_of_agent(&link.agent));
        of_agent.is_some_and(|at| link.made_at <= at.as_second())
            || revoked.contains_key(&subject_of_link(token))
    }
}

/// Why a link was not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkRefused {
    /// It is not one of ours, or was changed.
    Invalid,
    /// It has run out.
    Expired,
}

impl AgentLink {
    /// A link that is made now and lives for so many seconds.
    pub fn made_at(now: Timestamp, site: &str, handle: &str, lifetime_s: u64) -> Self {
        Self {
            site: site.to_owned(),
            agent: handle.to_owned(),
            expires_at: after_s(now, lifetime_s).as_second(),
            made_at: now.as_second(),
        }
    }

    /// The link's token.
    ///
    /// # Errors
    ///
    /// None in practice: plain values always have a JSON form.
    pub fn sign(&self, signer: &Signer) -> Result<String, serde_json::Error> {
        Ok(signer.sign(Purpose::AgentLink, &serde_json::to_vec(self)?))
    }

    /// The site that a token names, believed or not: enough to choose which public form to offer instead.
    pub fn site_hint(token: &str) -> Option<String> {
        let link: Self = serde_json::from_slice(&Signer::peek(Purpose::AgentLink, token)?).ok()?;
        Some(link.site)
    }

    /// Reads a token back.
    pub fn open(token: &str, signer: &Signer, now: Timestamp) -> Result<Self, LinkRefused> {
        let payload = signer.open(Purpose::AgentLink, token).ok_or(LinkRefused::Invalid)?;
        let link: Self = serde_json::from_slice(&payload).map_err(|_| LinkRefused::Invalid)?;
        if now.as_second() >= link.expires_at {
            return Err(LinkRefused::Expired);
        }
        Ok(link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_address_does_not_print_and_a_handle_does() {
        for text in ["grace", "grace.loh@example.com"] {
            let name = AgentName::parse(text);
            assert_eq!(name.as_text(), text);
            assert_eq!(name.handle(), Some(text).filter(|text| *text == "grace"));
            assert!(!format!("{name:?}").contains("loh"));
        }
    }

    fn link(made_at: i64) -> AgentLink {
        AgentLink { site: "acme".to_owned(), agent: "grace".to_owned(), expires_at: 1000, made_at }
    }

    #[test]
    fn a_link_is_taken_back_alone_or_with_all_that_its_agent_had() {
        let revocations = Revocations::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(!revocations.cover(&link(500), "one"));
        revocations.replace(vec![Revoked::link("one", at(600))]);
        assert!(revocations.cover(&link(500), "one") && !revocations.cover(&link(500), "other"));
        revocations.replace(vec![Revoked::agent("grace", at(600))]);
        assert!(revocations.cover(&link(600), "one") && !revocations.cover(&link(601), "later"));
        // A link that does not say when it was made is as old as can be.
        assert!(revocations.cover(&link(0), "old"));
        let other = AgentLink { agent: "omar".to_owned(), ..link(500) };
        assert!(!revocations.cover(&other, "one"));
    }

    #[test]
    fn a_link_names_its_agent_until_it_runs_out() {
        let signer = crate::token::sample::signer();
        let link = link(500);
        let token = link.sign(&signer).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(AgentLink::open(&token, &signer, at(999)), Ok(link));
        assert_eq!(AgentLink::open(&token, &signer, at(1000)), Err(LinkRefused::Expired));
        assert_eq!(AgentLink::site_hint(&token).as_deref(), Some("acme"));
        assert_eq!(AgentLink::site_hint("rba_x"), None);
        assert_eq!(AgentLink::open("rba_x", &signer, at(1)), Err(LinkRefused::Invalid));
    }
}
