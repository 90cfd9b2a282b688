//! `POST /v1/tasks`: the request that makes a call happen (Webex OpenAPI, `CreateTaskRequest`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::WebexError;
use super::policy::Operation;
use crate::agent::Agent;
use crate::attributes;
use crate::callback::{Callback, Request};
use crate::site::{IdentifyBy, Reason, Site};

/// The body of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateTask {
    entry_point_id: String,
    destination: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    outbound_type: OutboundType,
    media_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<CallbackKind>,
    attributes: BTreeMap<String, String>,
}

/// What kind of call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum OutboundType {
    /// The next free agent calls back.
    Callback,
    /// The flow behind the entry point decides: here, it queues the call to the preferred agent.
    ExecuteFlow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct CallbackKind {
    callback_origin: &'static str,
    callback_type: &'static str,
}

/// Both members have one allowed value each.
const WEB_IMMEDIATE: CallbackKind = CallbackKind { callback_origin: "web", callback_type: "immediate" };

/// A task that Webex has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTask {
    /// Its id.
    pub id: String,
    /// What Webex's support finds the request by.
    pub tracking_id: String,
}

impl CreateTask {
    /// The request for a callback: `EXECUTE_FLOW` where an agent is preferred and the site says how, `CALLBACK`
    /// otherwise.
    pub fn new(callback: &Callback, site: &Site, agent: Option<&Agent>) -> Self {
        let request = &callback.request;
        let values = Values::new(callback, site, agent);
        let value_of = |placeholder: &str| values.of(placeholder);
        let reason = values.reason();
        let mut pairs: BTreeMap<String, String> = site
            .attributes
            .iter()
            .map(|(key, template)| (key.clone(), attributes::value(&attributes::render(template, value_of))))
            .chain(
                request
                    .attributes
                    .iter()
                    .map(|(key, value)| (key.clone(), attributes::value(value.reveal()))),
            )
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let destination = request.phone.e164().to_owned();
        if let (Some(agent), Some(preferred)) = (agent, &site.preferred_agent) {
            let identity = match preferred.identify_by {
                IdentifyBy::Email => agent.email.reveal(),
                IdentifyBy::Id => &agent.id,
            };
            pairs.insert(preferred.variable.clone(), attributes::value(identity));
            return Self {
                entry_point_id: preferred.entry_point.clone(),
                destination,
                origin: Some(preferred.ani.clone()),
                outbound_type: OutboundType::ExecuteFlow,
                media_type: "telephony",
                callback: None,
                attributes: pairs,
            };
        }
        let entry_point = reason.map(|reason| &reason.entry_point).filter(|id| !id.is_empty());
        Self {
            entry_point_id: entry_point.unwrap_or(&site.entry_point).clone(),
            destination,
            origin: Some(site.ani.clone()).filter(|ani| !ani.is_empty()),
            outbound_type: OutboundType::Callback,
            media_type: "telephony",
            callback: Some(WEB_IMMEDIATE),
            attributes: pairs,
        }
    }
}

/// A template of the operator with what a callback holds, as Webex takes it.
pub fn filled(template: &str, callback: &Callback, site: &Site, agent: Option<&Agent>) -> String {
    let values = Values::new(callback, site, agent);
    attributes::value(&attributes::render(template, |placeholder| values.of(placeholder)))
}

/// What placeholders stand for.
struct Values<'a> {
    request: &'a Request,
    callback_id: String,
    site: &'a Site,
    agent: Option<&'a Agent>,
}

impl<'a> Values<'a> {
    fn new(callback: &'a Callback, site: &'a Site, agent: Option<&'a Agent>) -> Self {
        Self { request: &callback.request, callback_id: callback.id.to_string(), site, agent }
    }

    fn reason(&self) -> Option<&'a Reason> {
        self.site.reason(&self.request.reason)
    }

    fn of(&self, placeholder: &str) -> Option<&str> {
        let request = self.request;
        Some(match placeholder {
            "name" => request.name.reveal(),
            "email" => request.email.reveal(),
            "reason" => {
                self.reason().map_or("", |reason| reason.label.of(&self.site.locale, &self.site.locale))
            }
            "reason_id" => &request.reason,
            "message" => request.message.reveal(),
            "page" => &request.page,
            "site" => &request.site,
            "locale" => &request.locale,
            "agent" => self.agent.map_or("", |agent| &agent.name),
            "reference" => request.reference.as_deref().unwrap_or_default(),
            "consent_version" => request.consent_version.as_deref().unwrap_or_default(),
            "callback_id" => &self.callback_id,
            of_field => self.site.answer_text(&request.fields, of_field.strip_prefix(attributes::OF_FIELD)?),
        })
    }
}

/// The part of the answer that is needed; the rest may be anything.
#[derive(Deserialize)]
struct Created {
    data: CreatedData,
}

#[derive(Deserialize)]
struct CreatedData {
    id: String,
}

impl Client {
    /// Asks Webex to make a task. `201` means that it was asked for, not that a phone rings: webhooks tell the rest.
    pub async fn create_task(&self, task: &CreateTask) -> Result<CreatedTask, WebexError> {
        let answer = self.post_reserved(Operation::CreateTask, "/v1/tasks", task).await?;
        let created: Created = answer.read()?;
        Ok(CreatedTask { id: created.data.id, tracking_id: answer.tracking_id })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::callback::sample;

    fn site() -> Site {
        toml::from_str(
            r#"
            name = "Acme Outdoor"
            entry_point = "11111111-2222-4333-8444-555555555555"
            reasons = [
                { id = "billing", label = "A bill" },
                { id = "orders", label = "An order", entry_point = "99999999-2222-4333-8444-555555555555" },
            ]
            [preferred_agent]
            entry_point = "66666666-7777-4888-9999-000000000000"
            ani = "+15555550100"
            "#,
        )
        .unwrap()
    }

    fn agent() -> Agent {
        toml::from_str("name = 'Grace Loh'\nemail = 'grace.loh@example.com'\nid = 'a-1'").unwrap()
    }

    fn callback() -> Callback {
        sample::callback("2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_callback_to_the_next_free_agent() {
        let callback = callback();
        let task = serde_json::to_value(CreateTask::new(&callback, &site(), None)).unwrap();
        assert_eq!(
            task,
            json!({
                "entryPointId": "11111111-2222-4333-8444-555555555555",
                "destination": "+15555550142",
                "outboundType": "CALLBACK",
                "mediaType": "telephony",
                "callback": { "callbackOrigin": "web", "callbackType": "immediate" },
                "attributes": {
                    "CallReason": "A bill",
                    "Name": "Ann Example",
                    "Email": "ann@example.com",
                    "Page": "https://www.acme.example/contact",
                    "RingbackRef": callback.id.to_string(),
                },
            })
        );
    }

    #[test]
    fn a_callback_by_a_preferred_agent() {
        let mut site = site();
        let task = serde_json::to_value(CreateTask::new(&callback(), &site, Some(&agent()))).unwrap();
        assert_eq!(task["entryPointId"], "66666666-7777-4888-9999-000000000000");
        assert_eq!(task["origin"], "+15555550100");
        assert_eq!(task["outboundType"], "EXECUTE_FLOW");
        assert_eq!(task["attributes"]["preferredAgent"], "grace.loh@example.com");
        assert!(task.get("callback").is_none());
        site.preferred_agent.as_mut().unwrap().identify_by = IdentifyBy::Id;
        let task = serde_json::to_value(CreateTask::new(&callback(), &site, Some(&agent()))).unwrap();
        assert_eq!(task["attributes"]["preferredAgent"], "a-1");
    }

    #[test]
    fn a_reason_may_have_an_entry_point_of_its_own_and_a_site_an_ani() {
        let mut site = site();
        site.ani = "+15555550101".to_owned();
        let mut callback = callback();
        callback.request.reason = "orders".to_owned();
        let task = serde_json::to_value(CreateTask::new(&callback, &site, None)).unwrap();
        assert_eq!(task["entryPointId"], "99999999-2222-4333-8444-555555555555");
        assert_eq!(task["origin"], "+15555550101");
    }
}
