//! What the browser needs to draw a site's form: the answer of `GET /v1/sites/{site}/form`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::captcha::Captcha;
use crate::field::Presence;
use crate::proof::Challenge;

/// The description of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Form {
    /// The site's id.
    pub site: String,
    /// The site's name, as its visitors know it.
    pub name: String,
    /// The language of the texts.
    pub locale: String,
    /// The direction of the script of that language.
    pub direction: Direction,
    /// The texts, by key: those of `widget/locales/en.json` that the form shows.
    pub texts: BTreeMap<String, String>,
    /// How it looks.
    #[serde(default, skip_serializing_if = "Theme::is_plain")]
    pub theme: Theme,
    /// The fields to show, in this order.
    pub fields: Vec<Field>,
    /// The countries whose numbers the site calls, the usual one first.
    pub countries: Vec<Country>,
    /// Whether the form may be filled in from the address of its page: the parameters `ringback_name` and so on.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub prefill_from_address: bool,
    /// The text to agree to; absent where the site asks for no consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentText>,
    /// What became of the preferred-agent token in the request; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// What the site offers to whom wants to be called at a chosen time; absent where it offers none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleOffer>,
    /// When the site opens, where it is closed now: RFC 3339, with the offset of its zone. Whoever asks to be called as soon as possible
    /// is called then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<String>,
    /// The site's own telephone number, as its operator writes it, to show when a request cannot be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// How long people wait for an agent at present, in seconds; absent where Webex has no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_time_s: Option<u32>,
    /// When that was measured: RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_time_at: Option<String>,
    /// When the form was asked for, to be sent back with it.
    pub opened: String,
    /// How long the form is open at least before a person sends it, in milliseconds: what is sent sooner passes for a program's. Hold it
    /// until then.
    #[serde(default)]
    pub typing_ms: u32,
    /// The captcha to show; absent where the site has none, or is calm and asks for one only while it is pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captcha: Option<Captcha>,
    /// What must be solved before a request is sent; absent while the site is calm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Challenge>,
}

/// What a site offers to whom wants to be called at a chosen time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduleOffer {
    /// The zone of windows that name none.
    pub timezone: String,
    /// How many days ahead a window may be.
    pub horizon_days: u16,
    /// How long before it begins a window must be asked for, in minutes.
    pub notice_minutes: u32,
    /// The shortest window, in minutes.
    pub shortest_minutes: u32,
    /// The longest window, in minutes.
    pub longest_minutes: u32,
    /// How long each slot is, in minutes; `/v1/sites/{site}/slots` lists those that are free.
    pub slot_minutes: u32,
}

/// How a form looks, where its page does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Theme {
    /// What the rest starts from.
    #[serde(default)]
    pub preset: Preset,
    /// Declarations for the form's style sheet: its colour, and what can be read on and of it, its radius and font.
    #[serde(default)]
    pub style: String,
}

impl Theme {
    /// Whether it changes nothing.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// What the look of a form starts from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Round corners and much room.
    #[default]
    Soft,
    /// Little room, thin lines, no shadow.
    Plain,
    /// Square corners, strong lines and heavy letters.
    Bold,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 3] = [Self::Soft, Self::Plain, Self::Bold];

    /// Its name, as it stands in JSON and in `data-preset`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Plain => "plain",
            Self::Bold => "bold",
        }
    }
}

/// How much room there is around things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Density {
    /// Much.
    Comfortable,
    /// Little.
    Compact,
}

/// The direction of a script: the value of HTML's `dir`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Left to right.
    Ltr,
    /// Right to left.
    Rtl,
}

/// One field of the form, and all that is needed to draw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Field {
    /// The member of the request that it fills; for a field of the operator's own, the member of its `fields`.
    pub name: String,
    /// Whether it is one of the operator's own.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub custom: bool,
    /// What is filled in.
    pub kind: FieldKind,
    /// What stands beside it, in the form's language.
    pub label: String,
    /// Whether it must be filled in: of a box, ticked.
    pub presence: Presence,
    /// The most characters that it takes; absent where that is not how it is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// What there is to choose from; only of a `choice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// What the browser may fill it in with: a token of HTML's `autocomplete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autocomplete: Option<String>,
}

/// What the place of a field of the operator's own begins with; its id follows.
pub const OWN: &str = "fields/";

impl Field {
    /// Where in the request it stands: the JSON Pointer of its errors without the first slash.
    pub fn place(&self) -> String {
        [if self.custom { OWN } else { "" }, &self.name].concat()
    }
}

/// What is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// A telephone number, beside the country whose rules it follows where there are several.
    Tel,
    /// An e-mail address.
    Email,
    /// One of the options.
    Choice,
    /// A box to tick.
    Checkbox,
    /// Several lines of text.
    Textarea,
}

/// The fields that every site knows. The text is the member's name in [`crate::request::NewCallback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldName {
    /// The visitor's name.
    Name,
    /// The number to call.
    Phone,
    /// The visitor's e-mail address.
    Email,
    /// Why the visitor wants to be called.
    Reason,
    /// Free text for the agent.
    Message,
}

impl FieldName {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Name, Self::Phone, Self::Email, Self::Reason, Self::Message];

    /// The text of the name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Reason => "reason",
            Self::Message => "message",
        }
    }

    /// The field of that text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }
}

/// One of the options of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Choice {
    /// What the request names it by.
    pub id: String,
    /// What the visitor sees, in the form's language.
    pub label: String,
    /// How long people wait for an agent at present, in seconds, where this reason has a queue of its own and Webex has
    /// a figure for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_time_s: Option<u32>,
}

/// A country whose numbers the site calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: String,
    /// What its numbers begin with when they are dialled from abroad, such as `+49`. Countries may share one.
    pub calling_code: String,
    /// How its numbers are grouped as they are dialled at home: rules parted by `;`, each of what a number begins with, the digits one of
    /// which comes next, and the groups. Absent where no rule is sure.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub national: String,
    /// The same for what follows the calling code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub international: String,
}

/// A text to agree to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConsentText {
    /// The version, to be sent with the request.
    pub version: String,
    /// The text beside the box.
    pub text: String,
    /// Where the whole policy can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_url: Option<String>,
}

/// What became of a preferred-agent token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Agent {
    /// The callback will be for this agent.
    Named {
        /// The agent's display name.
        name: String,
    },
    /// The link has run out: the form is for the next free agent.
    Expired,
    /// The link is good, and its agent takes no calls any more: the form is for the next free agent.
    Unavailable,
    /// The link is damaged, forged, or for another site: the form is for the next free agent.
    Invalid,
}
