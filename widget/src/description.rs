//! The service's description of a form: the contract's `Form`.
//!
//! It stays in the browser's own object and is read where it is needed: a copy as Rust values would make the module
//! larger, and is looked at once. What is absent reads as empty: the service and this module are built together.

use ringback_contract::field::Presence;
use ringback_contract::form::OWN;

use wasm_bindgen::JsValue;

use crate::json::Json;
use crate::rules::{Control, Kind};

/// The description of a form.
#[derive(Clone)]
pub(crate) struct Description(Json);

/// What became of the preferred-agent token.
pub(crate) enum Agent {
    /// There was none.
    Absent,
    /// The callback will be for this agent.
    Named(String),
    /// The link is not valid; the key of what to say about it.
    Unusable(&'static str),
}

impl Description {
    pub(crate) fn new(json: Json) -> Self {
        Self(json)
    }

    /// What the other module gets.
    pub(crate) fn value(&self) -> &JsValue {
        self.0.value()
    }

    /// The member of that name.
    pub(crate) fn get(&self, member: &str) -> String {
        self.0.string(member)
    }

    pub(crate) fn texts(&self) -> Json {
        self.0.get("texts")
    }

    /// How the form looks: a `preset` and the declarations of a `style`.
    pub(crate) fn theme(&self) -> Json {
        self.0.get("theme")
    }

    /// The controls to show in their order, each with its description.
    pub(crate) fn controls(&self) -> Vec<(Control, Json)> {
        let mut controls = Vec::new();
        let mut add = |place: String, kind, required: bool, field: Json| {
            let presence = if required { Presence::Required } else { Presence::Optional };
            controls.push((Control { place, kind, presence, longest: field.count("max_length") }, field));
        };
        for field in self.0.list("fields") {
            let kind = match field.string("kind").as_str() {
                "text" => Kind::Text,
                "tel" => Kind::Phone,
                "email" => Kind::Email,
                "choice" => Kind::Choice,
                "checkbox" => Kind::Box,
                "textarea" => Kind::Lines,
                // An older module in a cache can still draw the rest.
                _ => continue,
            };
            if kind == Kind::Phone && self.countries().len() > 1 {
                add("country".to_owned(), Kind::Country, true, Json::default());
            }
            let start = if field.flag("custom") { OWN } else { "" };
            let required = field.string("presence") == "required";
            add([start, &field.string("name")].concat(), kind, required, field);
        }
        if self.version().is_some() {
            add("consent".to_owned(), Kind::Consent, true, Json::default());
        }
        controls
    }

    /// Whether the site takes calls at a chosen time.
    pub(crate) fn offers_times(&self) -> bool {
        self.0.get("schedule").text("timezone").is_some()
    }

    /// How long people wait, in seconds, where there is a figure.
    pub(crate) fn wait_time(&self) -> Option<f64> {
        self.0.optional_number("wait_time_s")
    }

    /// What the field for the number is called.
    pub(crate) fn phone_label(&self) -> String {
        let phone = self.0.list("fields").into_iter().find(|field| field.string("kind") == "tel");
        phone.map(|field| field.string("label")).unwrap_or_default()
    }

    /// The countries whose numbers the site calls. The main script has given each its `name`.
    #[inline(never)]
    pub(crate) fn countries(&self) -> Vec<Json> {
        self.0.list("countries")
    }

    /// How long the form must have been open before it is sent, in milliseconds; a little longer, since clocks of browsers are coarse.
    pub(crate) fn typing(&self) -> u32 {
        u32::try_from(self.0.count("typing_ms")).unwrap_or_default().saturating_add(100)
    }

    /// The captcha to show; empty where there is none.
    pub(crate) fn captcha(&self) -> Json {
        self.0.get("captcha")
    }

    /// What is to be solved before anything is sent; empty while the site is calm.
    pub(crate) fn proof(&self) -> Json {
        self.0.get("proof")
    }

    /// The text to agree to: it has a `version`, a `text` and perhaps a `policy_url`.
    pub(crate) fn consent(&self) -> Json {
        self.0.get("consent")
    }

    /// What became of the preferred-agent token.
    pub(crate) fn agent(&self) -> Agent {
        let agent = self.0.get("agent");
        match agent.string("status").as_str() {
            "" => Agent::Absent,
            "named" => Agent::Named(agent.string("name")),
            "expired" => Agent::Unusable("notice.expired"),
            "unavailable" => Agent::Unusable("notice.unavailable"),
            _ => Agent::Unusable("notice.invalid"),
        }
    }

    /// The version of the text to agree to; `None` where the site asks for no consent.
    pub(crate) fn version(&self) -> Option<String> {
        self.consent().text("version")
    }
}
