//! Reads of the organisation's configuration, for the check of a deployment. Scope `cjp:config_read`.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::error::WebexError;
use super::policy::Operation;
use crate::personal::Personal;

/// An entry point.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryPoint {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `INBOUND` or `OUTBOUND`.
    pub entry_point_type: String,
    /// Whether it is in use.
    #[serde(default)]
    pub active: bool,
    /// Whether callbacks may be made on it.
    #[serde(default)]
    pub callback_enabled: bool,
    /// The queue that its outgoing calls wait in.
    pub outdial_queue_id: Option<String>,
    /// The flow behind it.
    pub flow_id: Option<String>,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Whether it is in use.
    #[serde(default)]
    pub active: bool,
    /// What it is for: `TELEPHONY`, …
    pub channel_type: String,
}

/// A global variable.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GlobalVariable {
    /// Its name.
    pub name: String,
    /// Whether it is in use.
    #[serde(default)]
    pub active: bool,
    /// Whether searches and reports show it.
    #[serde(default)]
    pub reportable: bool,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Its id in the contact centre: what flows and tasks name it by.
    pub id: String,
    /// Its id in Webex's identity service: what scheduled callbacks name it by.
    pub ci_user_id: Option<String>,
    /// Its address.
    #[serde(default, deserialize_with = "personal")]
    pub email: Personal,
    /// The first name.
    #[serde(default)]
    pub first_name: String,
    /// The last name.
    #[serde(default)]
    pub last_name: String,
    /// Whether it is in use.
    #[serde(default)]
    pub active: bool,
    /// Whether it is one of the contact centre.
    #[serde(default)]
    pub contact_center_enabled: bool,
}

impl User {
    /// Whether it can take calls at all.
    pub const fn is_agent(&self) -> bool {
        self.active && self.contact_center_enabled
    }
}

fn personal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Personal, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| Personal::new(text.unwrap_or_default()))
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    total_pages: Option<u32>,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
struct EventType {
    name: String,
}

#[derive(Deserialize)]
struct AniEntry {
    number: String,
}

const EVENT_TYPES_PATH: &str = "/v1/event-types";
/// Entities in one page.
const PAGE_SIZE: &str = "100";
/// Pages that are read of one list at most.
const PAGES_MAX: u32 = 50;

impl Client {
    /// The time by Webex's clock, from the `Date` of an answer; the answer itself may be a refusal.
    pub async fn clock(&self) -> Result<Option<Timestamp>, WebexError> {
        self.date_of(Operation::ListEventTypes, EVENT_TYPES_PATH).await
    }

    /// The events that can be subscribed to.
    pub async fn event_types(&self) -> Result<Vec<String>, WebexError> {
        let page: Page<EventType> =
            self.get(Operation::ListEventTypes, EVENT_TYPES_PATH, &[]).await?.read()?;
        Ok(page.data.into_iter().map(|event| event.name).collect())
    }

    /// The entry point of that id; `None` where there is none.
    pub async fn entry_point(&self, id: &str) -> Result<Option<EntryPoint>, WebexError> {
        let path = format!("{}/entry-point/{id}", self.organization_path().await?);
        match self.read(&path, &[]).await {
            Err(error) if error.status == Some(404) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// The queue of that id; `None` where there is none.
    pub async fn queue(&self, id: &str) -> Result<Option<Queue>, WebexError> {
        let path = format!("{}/v2/contact-service-queue", self.organization_path().await?);
        let filter = [("filter", format!("id==\"{id}\""))];
        let page: Page<Queue> = self.read(&path, &filter).await?;
        Ok(page.data.into_iter().find(|queue| queue.id == id))
    }

    /// The numbers that calls may come from.
    pub async fn outdial_anis(&self) -> Result<Vec<String>, WebexError> {
        let root = self.organization_path().await?;
        let lists: Vec<Identified> = self.list(&format!("{root}/v2/outdial-ani")).await?;
        let mut numbers = Vec::new();
        for list in lists {
            let entries: Vec<AniEntry> =
                self.list(&format!("{root}/v2/outdial-ani/{}/entry", list.id)).await?;
            numbers.extend(entries.into_iter().map(|entry| entry.number));
        }
        Ok(numbers)
    }

    /// The global variables.
    pub async fn global_variables(&self) -> Result<Vec<GlobalVariable>, WebexError> {
        self.list(&format!("{}/v2/cad-variable", self.organization_path().await?)).await
    }

    /// The user of that e-mail address; `None` where there is none.
    pub async fn user(&self, email: &str) -> Result<Option<User>, WebexError> {
        let path = format!("{}/v2/user", self.organization_path().await?);
        let filter = [("filter", format!("email==\"{email}\""))];
        // A filter that Webex reads otherwise than we mean it must not give somebody else.
        let is_asked_for = |user: &User| user.email.reveal().eq_ignore_ascii_case(email);
        self.read::<Page<_>>(&path, &filter).await.map(|page| page.data.into_iter().find(is_asked_for))
    }

    pub(super) async fn organization_path(&self) -> Result<String, WebexError> {
        let id = self.organization().await.ok_or_else(|| {
            WebexError::not_sent(
                Operation::ReadConfiguration,
                "the organisation's id is neither configured nor at the end of the token",
            )
        })?;
        Ok(format!("/organization/{id}"))
    }

    /// Every entity of a list.
    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, WebexError> {
        let mut entities = Vec::new();
        for number in 0..PAGES_MAX {
            let query = [("page", number.to_string()), ("pageSize", PAGE_SIZE.to_owned())];
            let page: Page<T> = self.read(path, &query).await?;
            entities.extend(page.data);
            if page.meta.total_pages.is_none_or(|total| number + 1 >= total) {
                break;
            }
        }
        Ok(entities)
    }

    async fn read<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, WebexError> {
        self.get(Operation::ReadConfiguration, path, query).await?.read()
    }
}
