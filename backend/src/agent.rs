//! Agents whom a callback can name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// The link's token.
    ///
    /// # Errors
    ///
    /// None in practice: three plain values always have a JSON form.
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
    use crate::token::SigningKey;

    #[test]
    fn an_agents_address_does_not_print_and_a_handle_does() {
        for text in ["grace", "grace.loh@example.com"] {
            let name = AgentName::parse(text);
            assert_eq!(name.as_text(), text);
            assert_eq!(name.handle(), Some(text).filter(|text| *text == "grace"));
            assert!(!format!("{name:?}").contains("loh"));
        }
    }

    #[test]
    fn a_link_names_its_agent_until_it_runs_out() {
        let signer = Signer::new(SigningKey::generate().unwrap(), Vec::new());
        let link = AgentLink { site: "acme".to_owned(), agent: "grace".to_owned(), expires_at: 1000 };
        let token = link.sign(&signer).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(AgentLink::open(&token, &signer, at(999)), Ok(link));
        assert_eq!(AgentLink::open(&token, &signer, at(1000)), Err(LinkRefused::Expired));
        assert_eq!(AgentLink::site_hint(&token).as_deref(), Some("acme"));
        assert_eq!(AgentLink::site_hint("rba_x"), None);
        assert_eq!(AgentLink::open("rba_x", &signer, at(1)), Err(LinkRefused::Invalid));
    }
}
