//! `/v1/subscriptions` and `/v2/subscriptions`. Source: Webex OpenAPI, group "Subscriptions".

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use url::{Host, Url};
use uuid::Uuid;

use crate::answer::Answer;
use crate::call::Call;
use crate::clock;
use crate::envelope::Refusal;
use crate::event_types;
use crate::members::Members;
use crate::organization::ORG_ID;
use crate::route::Version;
use crate::world::World;

/// Told by users; the documents only say that there is a limit for each organisation.
const MOST_SUBSCRIPTIONS: usize = 20;

/// A subscription.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) version: Version,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) event_types: Vec<String>,
    pub(crate) destination_url: String,
    pub(crate) resource_version: Option<String>,
    pub(crate) active: bool,
    pub(crate) created: (i64, String),
    pub(crate) updated: (i64, String),
    /// Failed deliveries since the last good one.
    pub(crate) failures: u32,
}

impl Subscription {
    /// The secret is never told again.
    fn told(&self) -> Value {
        let mut told = json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "eventTypes": self.event_types,
            "destinationUrl": self.destination_url,
            "status": if self.active { "active" } else { "inactive" },
            "createdTime": self.created.0,
            "createdBy": self.created.1,
            "lastUpdatedTime": self.updated.0,
            "lastUpdatedBy": self.updated.1,
        });
        if let Some(resource_version) = &self.resource_version {
            told["resourceVersion"] = json!(resource_version);
        }
        told
    }
}

/// Every subscription, in the order of creation.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(Vec<Subscription>);

impl Subscriptions {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Those that want to hear of this.
    pub(crate) fn interested(&self, event_type: &str) -> impl Iterator<Item = &Subscription> {
        self.0.iter().filter(move |subscription| {
            subscription.active && subscription.event_types.iter().any(|wanted| wanted == event_type)
        })
    }

    /// Counts the result of a delivery; too many failures in a row end the subscription's activity.
    pub(crate) fn delivered(&mut self, id: &str, well: bool, deactivate_after: Option<u32>) {
        let Some(subscription) = self.0.iter_mut().find(|subscription| subscription.id == id) else { return };
        subscription.failures = if well { 0 } else { subscription.failures + 1 };
        if deactivate_after.is_some_and(|limit| subscription.failures >= limit) {
            subscription.active = false;
        }
    }

    fn find(&mut self, version: Version, id: &str) -> Result<&mut Subscription, Refusal> {
        self.0
            .iter_mut()
            .find(|subscription| subscription.version == version && subscription.id == id)
            .ok_or_else(|| Refusal::not_found("No such subscription."))
    }
}

/// `POST`
pub(crate) fn create(world: &World, call: &Call, version: Version, user: &str) -> Result<Answer, Refusal> {
    let body = call.json_object()?;
    let members = Members(&body);
    let mut known = vec!["name", "description", "eventTypes", "destinationUrl", "secret", "orgId"];
    if version == Version::V2 {
        known.push("resourceVersion");
    }
    members.only(&known)?;
    check_organization(&members)?;
    members.required("name")?;
    let name = members.sized("name", 4, 64)?.unwrap_or_default().to_owned();
    let event_types = event_types(version, &body)?.ok_or_else(|| Refusal::bad("eventTypes is mandatory."))?;
    let destination_url = destination_url(world, members.required("destinationUrl")?)?;
    let resource_version = match version {
        Version::V1 => None,
        Version::V2 => Some(resource_version(members.required("resourceVersion")?, &event_types)?),
    };
    let stamp = (clock::now_ms(), user.to_owned());
    let subscription = Subscription {
        id: Uuid::new_v4().to_string(),
        version,
        name,
        description: members.sized("description", 0, 1024)?.map(str::to_owned),
        secret: members.sized("secret", 32, 256)?.map(str::to_owned),
        event_types,
        destination_url,
        resource_version,
        active: true,
        created: stamp.clone(),
        updated: stamp,
        failures: 0,
    };
    let mut subscriptions = world.subscriptions.lock();
    if subscriptions.0.len() >= MOST_SUBSCRIPTIONS {
        return Err(Refusal::bad("The organization has reached its limit of subscriptions."));
    }
    let answer = Answer::json(201, &wrapped(&subscription));
    subscriptions.0.push(subscription);
    Ok(answer)
}

/// `GET` of all: the data are of this version, the count is of both.
pub(crate) fn list(world: &World, version: Version) -> Answer {
    let subscriptions = world.subscriptions.lock();
    let data: Vec<Value> = subscriptions
        .0
        .iter()
        .filter(|subscription| subscription.version == version)
        .map(Subscription::told)
        .collect();
    let meta = json!({ "orgId": ORG_ID, "subscriptionCount": subscriptions.0.len() });
    Answer::json(200, &json!({ "meta": meta, "data": data }))
}

/// `GET` of one
pub(crate) fn read(world: &World, version: Version, id: &str) -> Result<Answer, Refusal> {
    let mut subscriptions = world.subscriptions.lock();
    Ok(Answer::json(200, &wrapped(subscriptions.find(version, id)?)))
}

/// `PATCH`
pub(crate) fn update(
    world: &World,
    call: &Call,
    version: Version,
    id: &str,
    user: &str,
) -> Result<Answer, Refusal> {
    let body = call.json_object()?;
    let members = Members(&body);
    let mut known = vec!["description", "eventTypes", "destinationUrl", "status", "secret", "orgId"];
    if version == Version::V2 {
        known.push("resourceVersion");
    }
    members.only(&known)?;
    check_organization(&members)?;
    let description = members.sized("description", 0, 1024)?;
    let secret = members.sized("secret", 32, 256)?;
    let wanted_types = event_types(version, &body)?;
    let destination = members.text("destinationUrl")?.map(|text| destination_url(world, text)).transpose()?;
    let active = match members.text("status")? {
        None => None,
        Some("active") => Some(true),
        Some("inactive") => Some(false),
        Some(other) => return Err(Refusal::bad(format!("status '{other}' is not active or inactive."))),
    };

    let mut subscriptions = world.subscriptions.lock();
    let subscription = subscriptions.find(version, id)?;
    let event_types = wanted_types.unwrap_or_else(|| subscription.event_types.clone());
    if version == Version::V2 {
        let current = subscription.resource_version.clone().unwrap_or_default();
        let wanted = members.text("resourceVersion")?.unwrap_or(&current);
        subscription.resource_version = Some(resource_version(wanted, &event_types)?);
    }
    subscription.event_types = event_types;
    if let Some(description) = description {
        subscription.description = Some(description.to_owned());
    }
    if let Some(secret) = secret {
        subscription.secret = Some(secret.to_owned());
    }
    if let Some(destination) = destination {
        subscription.destination_url = destination;
    }
    if let Some(active) = active {
        subscription.active = active;
        subscription.failures = 0;
    }
    subscription.updated = (clock::now_ms(), user.to_owned());
    Ok(Answer::json(200, &wrapped(subscription)))
}

/// `DELETE`
pub(crate) fn delete(world: &World, version: Version, id: &str) -> Result<Answer, Refusal> {
    let mut subscriptions = world.subscriptions.lock();
    subscriptions.find(version, id)?;
    subscriptions.0.retain(|subscription| subscription.id != id);
    Ok(Answer::empty(204))
}

fn wrapped(subscription: &Subscription) -> Value {
    json!({ "meta": { "orgId": ORG_ID }, "data": subscription.told() })
}

fn check_organization(members: &Members<'_>) -> Result<(), Refusal> {
    match members.text("orgId")? {
        Some(organization) if organization != ORG_ID => {
            Err(Refusal::new(403, "The token is of another organization."))
        }
        _ => Ok(()),
    }
}

fn event_types(version: Version, body: &Map<String, Value>) -> Result<Option<Vec<String>>, Refusal> {
    let Some(value) = body.get("eventTypes") else { return Ok(None) };
    let entries = value.as_array().ok_or_else(|| Refusal::bad("eventTypes must be an array."))?;
    if !(1..=32).contains(&entries.len()) {
        return Err(Refusal::bad("eventTypes must have 1 to 32 entries."));
    }
    let read = |entry: &Value| match entry.as_str() {
        Some(name) if event_types::is_known(version, name) => Ok(name.to_owned()),
        Some(name) => Err(Refusal::bad(format!("eventTypes: '{name}' is not known."))),
        None => Err(Refusal::bad("eventTypes must hold strings.")),
    };
    entries.iter().map(read).collect::<Result<_, _>>().map(Some)
}

fn resource_version(text: &str, event_types: &[String]) -> Result<String, Refusal> {
    if !event_types::RESOURCE_VERSIONS.contains(&text) {
        return Err(Refusal::bad(format!("resourceVersion '{text}' is not known.")));
    }
    let resource = text.split(':').next().unwrap_or_default();
    match event_types.iter().find(|name| name.split(':').next() != Some(resource)) {
        Some(name) => Err(Refusal::bad(format!("resourceVersion '{text}' does not fit '{name}'."))),
        None => Ok(text.to_owned()),
    }
}

/// Only https, a public host name, a path, and nothing else; port 443 or none.
fn destination_url(world: &World, text: &str) -> Result<String, Refusal> {
    let refuse = |why: &str| Err(Refusal::bad(format!("destinationUrl {why}.")));
    let Ok(url) = Url::parse(text) else { return refuse("is not a URL") };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not hold user information");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("must not have a query or a fragment");
    }
    // The parser adds the path that the rule asks for.
    if text.matches('/').count() < 3 {
        return refuse("must have a path");
    }
    if world.options.accept_local_webhooks && matches!(url.scheme(), "http" | "https") {
        return Ok(text.to_owned());
    }
    if url.scheme() != "https" {
        return refuse("must be https");
    }
    if url.port().is_some() {
        return refuse("must use port 443");
    }
    match url.host() {
        Some(Host::Domain(domain)) if has_public_top_level_domain(domain) => Ok(text.to_owned()),
        _ => refuse("must name a host with a public top-level domain"),
    }
}

/// The list of all top-level domains changes by the week; those that can never be on it do not.
fn has_public_top_level_domain(domain: &str) -> bool {
    let never =
        ["localhost", "local", "internal", "test", "example", "invalid", "onion", "alt", "lan", "home"];
    let Some((_, last)) = domain.trim_end_matches('.').rsplit_once('.') else { return false };
    domain.parse::<IpAddr>().is_err() && last.len() >= 2 && !never.contains(&last)
}
