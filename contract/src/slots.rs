//! The times that a site offers: the answer of `GET /v1/sites/{site}/slots`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The slots of a site that have a place left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Slots {
    /// The zone of the site: the one that the slots' offsets are of.
    pub timezone: String,
    /// The slots, in order.
    pub slots: Vec<Slot>,
    /// The texts of the part of the form that shows them, by key; empty where the query names no language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
}

/// A slot. A request for it gives its day, its times and the zone as the member `schedule`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Slot {
    /// When it begins: RFC 3339, with the offset of the site's zone.
    pub starts_at: String,
    /// When it ends: likewise.
    pub ends_at: String,
}
