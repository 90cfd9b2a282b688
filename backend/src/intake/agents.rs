//! Preferred agents: who may be asked for, and the links that name one.

use jiff::{SignedDuration, Timestamp};
use ringback_contract::field::{self, Code, LINK_LIFETIME_MAX_S, Presence, trimmed};
use ringback_contract::problem::FieldError;
use ringback_contract::request::NewAgentLink;

use super::{Intake, Refusal, refused};
use crate::agent::{Agent, AgentLink, AgentName, LinkRefused};
use crate::clock::after_s;
use crate::config::Config;
use crate::personal::Personal;
use crate::site::Site;
use crate::token::Signer;

/// What a link names.
#[derive(Clone, Debug)]
pub struct LinkedAgent<'a> {
    /// The agent's handle.
    pub handle: String,
    /// The agent; `None` where it takes no callbacks for the site any more.
    pub agent: Option<&'a Agent>,
}

/// A preferred-agent link that was made.
#[derive(Clone, Debug)]
pub struct Minted<'a> {
    /// Its token.
    pub token: String,
    /// Whom it leads to.
    pub agent: &'a Agent,
    /// When it runs out.
    pub expires_at: Timestamp,
}

/// An operator asks for a link that cannot be made: a sentence that says why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoLink(String);

impl Intake {
    /// The agent whom a CRM may ask for by that text: one of the configuration, or any address where the site looks
    /// agents up.
    pub(super) fn agent_asked_for(&self, site_id: &str, site: &Site, named: &str) -> Option<AgentName> {
        if let Some((handle, _)) = self.agent_named(site_id, named) {
            return Some(AgentName::Handle(handle.to_owned()));
        }
        let name = AgentName::parse(trimmed(named));
        let address = |email: &Personal| field::email(email.reveal(), Presence::Required).is_ok();
        let may_ask = matches!(&name, AgentName::Email(email) if site.looks_agents_up() && address(email));
        may_ask.then_some(name)
    }

    /// The agent of that handle, where it takes callbacks for the site.
    pub fn agent(&self, site_id: &str, handle: &str) -> Option<&Agent> {
        let site = self.sites.get(site_id)?;
        self.agents.get(handle).filter(|agent| agent.serves(site_id) && site.preferred_agent.is_some())
    }

    /// The handle and the agent that a CRM names by handle or by e-mail address.
    pub fn agent_named(&self, site_id: &str, named: &str) -> Option<(&str, &Agent)> {
        let named = trimmed(named);
        // No handle has an @.
        let handle = if named.contains('@') {
            let is_meant = |agent: &Agent| agent.email.reveal().eq_ignore_ascii_case(named);
            let mut meant = self.agents.iter().filter(|(_, agent)| is_meant(agent)).map(|(handle, _)| handle);
            meant.find(|handle| self.agent(site_id, handle).is_some())?
        } else {
            self.agents.get_key_value(named)?.0
        };
        self.agent(site_id, handle).map(|agent| (handle.as_str(), agent))
    }

    /// Makes a preferred-agent link for a site.
    pub fn mint_link(&self, posted: &NewAgentLink) -> Result<Minted<'_>, Refusal> {
        let mut errors = Vec::new();
        let agent = self.agent_named(&posted.site, &posted.agent);
        if agent.is_none() {
            let code = if trimmed(&posted.agent).is_empty() { Code::Required } else { Code::AgentUnknown };
            errors.push(refused("agent", code));
        }
        if !(1..=LINK_LIFETIME_MAX_S).contains(&posted.lifetime_s) {
            let message = format!("Give 1 to {LINK_LIFETIME_MAX_S} seconds.");
            errors.push(FieldError { message, ..refused("lifetime_s", Code::OutOfRange) });
        }
        let Some((handle, agent)) = agent.filter(|_| errors.is_empty()) else {
            return Err(Refusal::Fields(errors));
        };
        let now = self.clock.now();
        let link = AgentLink::made_at(now, &posted.site, handle, posted.lifetime_s);
        let expires_at = after_s(now, posted.lifetime_s);
        Ok(Minted { token: link.sign(&self.signer)?, agent, expires_at })
    }

    /// The agent that a link for the site names.
    pub fn agent_of_link(&self, site_id: &str, token: &str) -> Result<LinkedAgent<'_>, Code> {
        let link =
            AgentLink::open(token, &self.signer, self.clock.now()).map_err(|refused| match refused {
                LinkRefused::Expired => Code::LinkExpired,
                LinkRefused::Invalid => Code::LinkInvalid,
            })?;
        if link.site != site_id {
            return Err(Code::LinkInvalid);
        }
        if self.revocations.cover(&link, token) {
            return Err(Code::LinkExpired);
        }
        if self.sites.get(site_id).is_none_or(|site| site.preferred_agent.is_none()) {
            return Err(Code::LinkInvalid);
        }
        Ok(LinkedAgent { agent: self.agent(site_id, &link.agent), handle: link.agent })
    }
}

/// A preferred-agent link, made for an operator: the whole address.
pub fn agent_link(
    config: &Config,
    signer: &Signer,
    now: Timestamp,
    base_url: &str,
    site_id: &str,
    handle: &str,
    lifetime: SignedDuration,
) -> Result<String, NoLink> {
    let refused = |text: String| Err(NoLink(text));
    let Some(site) = config.sites.get(site_id) else {
        return refused(format!("there is no site {site_id:?}; hint: name one that has a [sites.…] section"));
    };
    let Some(agent) = config.agents.get(handle) else {
        return refused(format!(
            "there is no agent {handle:?}; hint: name one that has an [agents.…] section"
        ));
    };
    if site.preferred_agent.is_none() {
        return refused(format!(
            "the site {site_id:?} takes no preferred agents; hint: add [sites.{site_id}.preferred_agent]"
        ));
    }
    if !agent.serves(site_id) {
        return refused(format!(
            "{handle:?} takes no callbacks for {site_id:?}; hint: add it to agents.{handle}.sites"
        ));
    }
    let Ok(seconds @ 1..) = u64::try_from(lifetime.as_secs()) else {
        return refused("the link would have run out already; hint: give a lifetime such as 30d".to_owned());
    };
    let link = AgentLink::made_at(now, site_id, handle, seconds);
    let token = link.sign(signer).map_err(|error| NoLink(error.to_string()))?;
    Ok(format!("{base_url}/a/{token}"))
}
