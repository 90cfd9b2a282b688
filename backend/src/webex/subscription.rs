//! Webhook subscriptions (Webex OpenAPI, group "Subscriptions"). Version 2 signs the time as well; version 1 is for
//! organisations that refuse it. The two do not see each other's.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::client::Client;
use super::error::WebexError;
use super::policy::{Operation, Policy};

/// The events that move a callback.
pub const EVENT_TYPES: [&str; 6] =
    ["task:new", "task:parked", "task:connect", "task:connected", "task:ended", "task:failed"];

/// The shape of the events that version 2 is asked for.
const RESOURCE_VERSION: &str = "task:1.0.0";

/// What a subscription of ours is called.
const NAME: &str = "ringback";

/// A version of the subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// The older one.
    V1,
    /// The one with a signed time.
    V2,
}

impl Version {
    const fn path(self) -> &'static str {
        match self {
            Self::V1 => "/v1/subscriptions",
            Self::V2 => "/v2/subscriptions",
        }
    }
}

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: Version,
    /// Where its events go.
    pub destination_url: String,
    /// Whether it is in use; Webex ends that where its events are not taken.
    pub active: bool,
    /// What it tells of.
    pub event_types: Vec<String>,
}

impl Subscription {
    /// The events that it does not tell of and should.
    pub fn missing(&self) -> Vec<&'static str> {
        EVENT_TYPES.into_iter().filter(|kind| !self.event_types.iter().any(|known| known == kind)).collect()
    }
}

#[derive(Deserialize)]
struct List {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    destination_url: String,
    status: String,
    #[serde(default)]
    event_types: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Create<'a> {
    name: &'a str,
    description: &'a str,
    event_types: [&'a str; 6],
    destination_url: &'a str,
    secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_version: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    event_types: [&'a str; 6],
    secret: &'a str,
    status: &'a str,
}

impl Client {
    /// Every subscription of both versions that sends its events to that address.
    pub async fn subscriptions_to(&self, destination_url: &str) -> Result<Vec<Subscription>, WebexError> {
        let mut found = Vec::new();
        for version in [Version::V2, Version::V1] {
            let listed = match self.get(Operation::ListSubscriptions, version.path(), &[]).await {
                Ok(answer) => answer.read::<List>()?,
                // An organisation without version 2 has none of it.
                Err(error) if version == Version::V2 && is_refused(&error) => continue,
                Err(error) => return Err(error),
            };
            let ours = listed.data.into_iter().filter(|one| one.destination_url == destination_url);
            found.extend(ours.map(|one| Subscription {
                id: one.id,
                version,
                destination_url: one.destination_url,
                active: one.status == "active",
                event_types: one.event_types,
            }));
        }
        Ok(found)
    }

    /// Makes sure that one subscription sends every event to that address, signed with that secret: changes the one
    /// there is, or makes one of version 2, or of version 1 where that is refused.
    pub async fn subscribe(
        &self,
        destination_url: &str,
        secret: &SecretString,
    ) -> Result<Version, WebexError> {
        let secret = secret.expose_secret();
        if let Some(existing) = self.subscriptions_to(destination_url).await?.first() {
            let change = Change { event_types: EVENT_TYPES, secret, status: "active" };
            let path = format!("{}/{}", existing.version.path(), existing.id);
            self.patch(Operation::UpdateSubscription, &path, &change).await?;
            return Ok(existing.version);
        }
        let create = |resource_version| Create {
            name: NAME,
            description: "Moves the callbacks of Ringback",
            event_types: EVENT_TYPES,
            destination_url,
            secret,
            resource_version,
        };
        let second = create(Some(RESOURCE_VERSION));
        match self.post(Operation::CreateSubscription, Version::V2.path(), &[], &second).await {
            Ok(_) => return Ok(Version::V2),
            Err(error) if is_refused(&error) => {
                tracing::debug!(%error, "version 2 of the subscriptions is refused; taking version 1");
            }
            Err(error) => return Err(error),
        }
        self.post(Operation::CreateSubscription, Version::V1.path(), &[], &create(None)).await?;
        Ok(Version::V1)
    }

    /// Ends a subscription.
    pub async fn unsubscribe(&self, subscription: &Subscription) -> Result<(), WebexError> {
        let path = format!("{}/{}", subscription.version.path(), subscription.id);
        self.delete(Operation::DeleteSubscription, &path).await.map(|_| ())
    }
}

fn is_refused(error: &WebexError) -> bool {
    error.policy == Policy::GiveUp
}
