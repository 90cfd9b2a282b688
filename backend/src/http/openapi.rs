//! `GET /v1/openapi.json`: the public API as OpenAPI 3.1. The schemas come from the types of the contract, the problems from
//! its table; what is said of the operations stands here. `docs/openapi.json` is locked to it by a test.

mod examples;
mod operations;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use ringback_contract::callback::{CallbackPage, MintedLink, Waited};
use ringback_contract::event::CallbackEvent;
use ringback_contract::form::Form;
use ringback_contract::problem::{FieldError, Kind, MEDIA_TYPE, Problem};
use ringback_contract::request::{CallbackChange, NewAgentLink, NewCallback, NewCrmCallback};
use ringback_contract::slots::Slots;
use ringback_contract::texts::Texts;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{ComponentsBuilder, RefOr, Schema};

use self::examples::event;
use self::operations::operations;
use crate::api_key::Scope;
use crate::level::Reason;

/// How long the document may be kept.
const KEPT: &str = "public, max-age=300";

static DOCUMENT: LazyLock<String> = LazyLock::new(text);

/// `GET /v1/openapi.json`.
pub(super) async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, KEPT))
        // The document holds nothing about anybody, and tools of any origin read it.
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .body(DOCUMENT.as_str())
}

/// The document.
pub fn text() -> String {
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Ringback",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Asks Webex Contact Center to call somebody back, and never loses the request. Every error is \
                an RFC 9457 problem whose `type` leads to a page that explains it.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": [
            { "name": "crm", "description": "For CRMs and other servers, with an API key." },
            { "name": "browser", "description": "For the form on a website." },
            { "name": "callback", "description": "One callback, with its follow token or an API key." },
        ],
        "paths": paths(),
        "webhooks": webhooks(),
        "components": components(),
    });
    // A tree of values always has a JSON form.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// What an operation asks for beside its body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    /// A page of a listed origin.
    Browser,
    /// An API key with that scope.
    Key(Scope),
    /// The callback's own token, or an API key with that scope.
    TokenOrKey(Scope),
    /// Nothing.
    Open,
}

/// One operation.
struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    door: Door,
    parameters: &'static [&'static str],
    body: Option<Content>,
    answers: Vec<Answer>,
    problems: &'static [Kind],
}

/// A body and an example of it.
struct Content {
    media_type: &'static str,
    schema: Value,
    example: Value,
}

impl Content {
    fn json(schema: &str, example: impl Serialize) -> Self {
        let example = serde_json::to_value(example).unwrap_or_default();
        Self { media_type: "application/json", schema: reference("schemas", schema), example }
    }

    /// No body at all.
    fn none() -> Self {
        Self { media_type: "", schema: Value::Null, example: Value::Null }
    }

    fn value(&self) -> Value {
        if self.media_type.is_empty() {
            return json!({});
        }
        json!({ self.media_type: { "schema": self.schema, "example": self.example } })
    }
}

/// An answer that is not a problem.
struct Answer {
    status: u16,
    description: &'static str,
    headers: &'static [&'static str],
    content: Content,
}

fn reference(section: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{section}/{name}") })
}

/// What can be wrong with any body.
const OF_BODIES: [Kind; 6] =
    [Kind::NotJson, Kind::MediaType, Kind::TooLarge, Kind::TooSlow, Kind::UnknownField, Kind::WrongType];

fn paths() -> Value {
    let mut paths: BTreeMap<&str, serde_json::Map<String, Value>> = BTreeMap::new();
    for operation in operations() {
        paths.entry(operation.path).or_default().insert(operation.method.to_owned(), operation.value());
    }
    json!(paths)
}

impl Operation {
    fn value(&self) -> Value {
        let mut value = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description(),
            "responses": self.responses(),
            "security": self.security(),
        });
        if !self.parameters.is_empty() {
            value["parameters"] = self.parameters.iter().map(|name| reference("parameters", name)).collect();
        }
        if let Some(body) = &self.body {
            value["requestBody"] = json!({ "required": true, "content": body.value() });
        }
        value
    }

    fn description(&self) -> String {
        match self.door {
            Door::Key(scope) | Door::TokenOrKey(scope) => {
                format!("{} Scope of the key: `{}`.", self.description, scope.as_str())
            }
            Door::Browser | Door::Open => self.description.to_owned(),
        }
    }

    fn security(&self) -> Value {
        match self.door {
            Door::Key(_) => json!([{ "apiKey": [] }]),
            Door::TokenOrKey(_) => json!([{ "followToken": [] }, { "apiKey": [] }]),
            Door::Browser | Door::Open => json!([]),
        }
    }

    /// Every problem that the operation can answer with.
    fn problems(&self) -> Vec<Kind> {
        let of_door: &[Kind] = match self.door {
            Door::Key(_) | Door::TokenOrKey(_) => &[
                Kind::Unauthorized,
                Kind::Forbidden,
                Kind::RateLimited,
                Kind::StoreUnavailable,
                Kind::Internal,
            ],
            Door::Browser => {
                &[Kind::OriginNotAllowed, Kind::RateLimited, Kind::StoreUnavailable, Kind::Internal]
            }
            Door::Open => &[Kind::Internal],
        };
        let of_body: &[Kind] = if self.body.is_some() { &OF_BODIES } else { &[] };
        [self.problems, of_body, of_door].concat()
    }

    fn responses(&self) -> Value {
        let mut responses = serde_json::Map::new();
        for answer in &self.answers {
            let headers = answer.headers.iter().chain(&["XRequestId"]);
            responses.insert(
                answer.status.to_string(),
                json!({
                    "description": answer.description,
                    "headers": headers_of(headers.copied()),
                    "content": answer.content.value(),
                }),
            );
        }
        let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
        for kind in self.problems() {
            by_status.entry(kind.status()).or_default().push(kind);
        }
        for (status, kinds) in by_status {
            responses.insert(status.to_string(), problem_response(status, &kinds));
        }
        json!(responses)
    }
}

/// The response of one status, with an example of each kind of problem.
fn problem_response(status: u16, kinds: &[Kind]) -> Value {
    let examples: BTreeMap<_, _> = kinds
        .iter()
        .map(|kind| (kind.slug(), json!({ "summary": kind.title(), "value": example_of(*kind) })))
        .collect();
    let titles: Vec<_> = kinds.iter().map(|kind| kind.title()).collect();
    let headers: &[&str] = match status {
        401 => &["WwwAuthenticate"],
        429 => &["RetryAfter", "RateLimitLimit", "RateLimitRemaining", "RateLimitReset"],
        503 => &["RetryAfter"],
        _ => &[],
    };
    json!({
        "description": format!("{}.", titles.join("; ")),
        "headers": headers_of(headers.iter().chain(&["XRequestId"]).copied()),
        "content": { MEDIA_TYPE: { "schema": reference("schemas", "Problem"), "examples": examples } },
    })
}

fn example_of(kind: Kind) -> Problem {
    let explanation = kind.explanation().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut problem = kind.problem(explanation);
    problem.instance = Some("0443a0fe-b588-48c8-b532-34c563b90203".to_owned());
    if kind == Kind::Validation {
        let code = ringback_contract::field::Code::PhoneNotValid;
        problem.errors.push(FieldError {
            pointer: "/phone".to_owned(),
            code: code.as_str().to_owned(),
            message: code.message().to_owned(),
        });
    }
    problem
}

/// Names of headers as they stand in components and on the wire, with what they hold.
const HEADERS: [(&str, &str, &str, &str); 8] = [
    ("Location", "Location", "string", "The path of the callback."),
    (
        "PreferenceApplied",
        "Preference-Applied",
        "string",
        "`wait=N` where the preference was applied (RFC 7240).",
    ),
    ("XRequestId", "X-Request-Id", "string", "The id of the request, which the service's log names too."),
    ("WwwAuthenticate", "WWW-Authenticate", "string", "`Bearer` (RFC 6750)."),
    ("RetryAfter", "Retry-After", "integer", "When to come back, in seconds."),
    ("RateLimitLimit", "RateLimit-Limit", "integer", "How many requests the limit gives at once."),
    ("RateLimitRemaining", "RateLimit-Remaining", "integer", "How many are left."),
    ("RateLimitReset", "RateLimit-Reset", "integer", "Seconds until there are more."),
];

fn headers_of<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    let on_the_wire = |name: &str| {
        let header = HEADERS.iter().find(|header| header.0 == name);
        header.map_or("", |header| header.1).to_owned()
    };
    names
        .map(|name| (on_the_wire(name), reference("headers", name)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The schema of a type, and those of the types in it.
fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

fn components() -> Value {
    let mut schemas = Vec::new();
    add::<NewCrmCallback>(&mut schemas);
    add::<NewCallback>(&mut schemas);
    add::<NewAgentLink>(&mut schemas);
    add::<CallbackChange>(&mut schemas);
    add::<Waited>(&mut schemas);
    add::<CallbackPage>(&mut schemas);
    add::<MintedLink>(&mut schemas);
    add::<Form>(&mut schemas);
    add::<Texts>(&mut schemas);
    add::<Slots>(&mut schemas);
    add::<Problem>(&mut schemas);
    add::<CallbackEvent>(&mut schemas);
    let components = ComponentsBuilder::new().schemas_from_iter(schemas).build();
    let mut components = serde_json::to_value(components).unwrap_or_default();
    let headers = HEADERS.iter().map(|(name, _, kind, description)| {
        ((*name).to_owned(), json!({ "description": description, "schema": { "type": kind } }))
    });
    components["headers"] = headers.collect::<serde_json::Map<_, _>>().into();
    components["parameters"] = parameters();
    components["securitySchemes"] = json!({
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "rbk_ and 84 hexadecimal digits",
            "description": "An API key: `ringback key create`.",
        },
        "followToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "The member `follow` of the answer to a post: opens that callback alone.",
        },
    });
    components
}

fn parameters() -> Value {
    let parameter = |place: &str, name: &str, required: bool, schema: Value, description: &str| json!({ "in": place, "name": name, "required": required, "schema": schema, "description": description });
    let text = || json!({ "type": "string" });
    json!({
        "Id": parameter("path", "id", true, json!({ "type": "string", "format": "uuid" }), "The callback."),
        "Site": parameter("path", "site", true, text(), "The site."),
        "IdempotencyKey": parameter(
            "header",
            ringback_contract::request::IDEMPOTENCY_KEY,
            false,
            json!({ "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$" }),
            "A key of the client's making, so that a repeated post has the effect of one. Quoted as in the IETF draft, or plain.",
        ),
        "Proof": parameter("header", ringback_contract::proof::PROOF, false, text(),
            "Where the form's description or a problem has a `proof`: the challenge, a colon, and a decimal number with which the \
             SHA-256 of (the SHA-256 of the challenge, then the number as 8 bytes, big-endian) begins with so many zero bits."),
        "Captcha": parameter("header", ringback_contract::captcha::CAPTCHA, false, text(),
            "The token of the captcha that the form's description names."),
        "Prefer": parameter("header", "Prefer", false, json!({ "type": "string", "examples": ["wait=10"] }),
            "`wait=N`: answer later and say more; 30 seconds is the longest (RFC 7240)."),
        "Include": parameter("query", "include", false, json!({ "type": "string", "enum": ["requests"] }),
            "`requests`: with each request to Webex. With an API key only."),
        "StateWanted": parameter("query", "state", false, reference("schemas", "State"), "Only those in this state."),
        "SiteWanted": parameter("query", "site", false, text(), "Only those of this site."),
        "Since": parameter("query", "since", false, json!({ "type": "string", "format": "date-time" }),
            "Only those accepted at this moment or later."),
        "Limit": parameter("query", "limit", false, json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 }),
            "How many on a page."),
        "Cursor": parameter("query", "cursor", false, json!({ "type": "string", "pattern": "^rbc_" }), "The member `next` of the page before."),
        "Color": parameter("query", "color", false, text(), "The colour that the page asks for, such as `#1a56c4`; the answer holds what can be read on and of it."),
        "Locale": parameter("query", "locale", false, text(), "The languages that the page asks for, the best first, with commas in between: `de-AT,en`."),
        "SlotLocale": parameter("query", "locale", false, text(), "The languages of the texts, as for the form; none are given where it is left out."),
        "FromDay": parameter("query", "from", false, json!({ "type": "string", "format": "date" }), "The first day: today where it is left out."),
        "Days": parameter("query", "days", false, json!({ "type": "integer", "minimum": 1, "maximum": 65535 }),
            "How many days: as many as the site offers where it is left out."),
        "Level": parameter("query", "level", true, json!({ "type": "string", "enum": ["wasm", "plain", "link"] }),
            "The form, the service's plain form, or a link to it."),
        "Reason": parameter("query", "reason", true, json!({ "type": "string", "enum": Reason::ALL.map(Reason::as_str) }),
            "Why on no better level."),
        "AgentToken": parameter("query", "agent", false, text(), "The token of a preferred-agent link."),
    })
}

fn webhooks() -> Value {
    let header = |name: &str, kind: &str, description: &str| json!({ "in": "header", "name": name, "required": true, "schema": { "type": kind }, "description": description });
    json!({ "callbackChanged": { "post": {
        "operationId": "callbackChanged",
        "summary": "A callback's state has changed",
        "description": "Sent to the configured webhooks, signed as the Standard Webhooks specification says, at least once. Of two \
            messages about one callback, the one with the higher `revision` is newer.",
        "parameters": [
            header("webhook-id", "string", "The id of the message, the same at each attempt."),
            header("webhook-timestamp", "integer", "When it was sent, in seconds since 1970."),
            header("webhook-signature", "string",
                "`v1,` and the base64 of HMAC-SHA256 over `webhook-id.webhook-timestamp.body`; one for each secret, parted by spaces."),
        ],
        "requestBody": { "required": true, "content": Content::json("CallbackEvent", event()).value() },
        "responses": {
            "2XX": { "description": "The message has arrived." },
            "410": { "description": "No more of these; the message is parked." },
            "default": { "description": "It is tried again later, not before `Retry-After`." },
        },
    } } })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_is_the_one_that_is_kept() {
        let kept = include_str!("../../../docs/openapi.json");
        assert!(
            text() == kept,
            "the API has changed; where that is meant: cargo run -p ringback -- openapi > docs/openapi.json"
        );
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_used() {
        let document: Value = serde_json::from_str(&text()).unwrap();
        let mut used = BTreeSet::new();
        let mut waiting = vec![&document];
        while let Some(value) = waiting.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                        assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
                        used.insert(target.to_owned());
                    }
                    waiting.extend(members.values());
                }
                Value::Array(items) => waiting.extend(items),
                _ => {}
            }
        }
        for section in ["schemas", "parameters", "headers"] {
            for name in document["components"][section].as_object().unwrap().keys() {
                let target = format!("#/components/{section}/{name}");
                assert!(used.contains(&target), "{target} is used nowhere");
            }
        }
    }

    #[test]
    fn every_kind_of_problem_of_the_api_is_told() {
        let told: BTreeSet<_> = operations().iter().flat_map(Operation::problems).map(Kind::slug).collect();
        // Those of other doors: Webex's, the widget's, an address or a method that is not there.
        let elsewhere = [Kind::SignatureInvalid, Kind::WidgetNotBuilt, Kind::MethodNotAllowed];
        for kind in Kind::ALL.iter().filter(|kind| !elsewhere.contains(kind)) {
            assert!(told.contains(kind.slug()), "{}", kind.slug());
        }
    }
}
