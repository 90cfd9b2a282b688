//! Which agent shall call: what was asked for, held against the configuration and, where the site says so, against Webex.

use super::Parts;
use crate::agent::{Agent, AgentName};
use crate::callback::{Callback, Fallback};
use crate::site::{IdentifyBy, Site};
use crate::webex::configuration::User;
use crate::webex::error::WebexError;
use crate::webex::policy::{Operation, Policy};

/// Who shall call.
#[derive(Clone, Debug)]
pub(super) enum Preference {
    /// The next free agent.
    NextFree,
    /// This one.
    Agent(Agent),
    /// One who takes no calls: why, and a sentence for the operator.
    RuledOut(Fallback, String),
    /// Webex did not say whether that agent takes calls. It can be asked again.
    Unanswered(WebexError),
}

impl Parts {
    /// Who shall call. Asks Webex no longer than the lease lasts.
    pub(super) async fn preference(&self, callback: &Callback, site: &Site) -> Preference {
        let name = callback.request.agent.as_ref().filter(|_| callback.fallback.is_none());
        let Some(name) = name else {
            return Preference::NextFree;
        };
        let known = match name {
            AgentName::Handle(handle) => {
                self.agents.get(handle).filter(|agent| agent.serves(&callback.request.site)).cloned()
            }
            AgentName::Email(email) if site.looks_agents_up() => Some(Agent::of_email(email.clone())),
            AgentName::Email(_) => None,
        };
        let Some((agent, preferred)) = known.zip(site.preferred_agent.as_ref()) else {
            let detail = "the agent is not configured for this site any more".to_owned();
            return Preference::RuledOut(Fallback::AgentNotConfigured, detail);
        };
        if !site.looks_agents_up() {
            return Preference::Agent(agent);
        }
        let answer = tokio::select! {
            answer = self.directory.find(&agent.email) => answer,
            () = self.wait_until(callback.due_at) => Err(WebexError::late(Operation::ReadConfiguration)),
        };
        judge(agent, preferred.identify_by, answer)
    }
}

/// What Webex says of an agent.
fn judge(agent: Agent, identify_by: IdentifyBy, answer: Result<Option<User>, WebexError>) -> Preference {
    match answer {
        Ok(Some(user)) if user.is_agent() => Preference::Agent(found_as(agent, &user)),
        Ok(Some(_)) => Preference::RuledOut(
            Fallback::AgentInactive,
            "the user is not active in the contact centre".to_owned(),
        ),
        Ok(None) => Preference::RuledOut(
            Fallback::AgentUnknown,
            "no user of Webex has this e-mail address".to_owned(),
        ),
        // The token may not read users, which says nothing of the agent.
        Err(error) if error.policy == Policy::GiveUp => {
            tracing::warn!(%error, "an agent cannot be looked up; hint: give a token with the scope cjp:config_read");
            if identify_by == IdentifyBy::Id && agent.id.is_empty() {
                let detail = format!("the agent's id cannot be looked up: {}", error.message);
                Preference::RuledOut(Fallback::AgentUnknown, detail)
            } else {
                Preference::Agent(agent)
            }
        }
        Err(error) => Preference::Unanswered(error),
    }
}

/// The agent with what Webex knows of them: the id, and the name where the configuration has none.
fn found_as(mut agent: Agent, user: &User) -> Agent {
    agent.id.clone_from(&user.id);
    if agent.name.is_empty() {
        format!("{} {}", user.first_name, user.last_name).trim().clone_into(&mut agent.name);
    }
    agent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::Personal;

    fn user(active: bool, contact_center_enabled: bool) -> User {
        User {
            id: "u-1".to_owned(),
            ci_user_id: None,
            email: Personal::new("grace.loh@example.com"),
            first_name: String::new(),
            last_name: String::new(),
            active,
            contact_center_enabled,
        }
    }

    fn judged(by: IdentifyBy, answer: Result<Option<User>, WebexError>) -> Preference {
        judge(Agent::of_email(Personal::new("grace.loh@example.com")), by, answer)
    }

    fn failed(policy: Policy) -> Result<Option<User>, WebexError> {
        Err(WebexError { policy, ..WebexError::late(Operation::ReadConfiguration) })
    }

    #[test]
    fn an_agent_is_who_webex_says_and_takes_calls_while_active_in_the_contact_centre() {
        let found = judged(IdentifyBy::Id, Ok(Some(user(true, true))));
        assert!(matches!(found, Preference::Agent(agent) if agent.id == "u-1"));
        for (active, enabled) in [(false, true), (true, false)] {
            let found = judged(IdentifyBy::Email, Ok(Some(user(active, enabled))));
            assert!(matches!(found, Preference::RuledOut(Fallback::AgentInactive, _)));
        }
        let found = judged(IdentifyBy::Email, Ok(None));
        assert!(matches!(found, Preference::RuledOut(Fallback::AgentUnknown, _)));
    }

    #[test]
    fn what_keeps_us_from_looking_says_nothing_of_the_agent() {
        let found = judged(IdentifyBy::Email, failed(Policy::GiveUp));
        assert!(matches!(found, Preference::Agent(_)));
        // Without an id there is nothing to name the agent by.
        let found = judged(IdentifyBy::Id, failed(Policy::GiveUp));
        assert!(matches!(found, Preference::RuledOut(Fallback::AgentUnknown, _)));
        for policy in [Policy::Repeat, Policy::Wait, Policy::Refresh] {
            assert!(
                matches!(judged(IdentifyBy::Email, failed(policy)), Preference::Unanswered(_)),
                "{policy:?}"
            );
        }
    }
}
