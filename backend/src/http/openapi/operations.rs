//! Each operation: what it asks for and what it answers.

use ringback_contract::callback::{CallbackPage, MintedLink};
use ringback_contract::problem::Kind;
use ringback_contract::request::NewAgentLink;
use serde_json::json;

use super::examples::{accepted, changed, crm_request, form, record, slots, texts, visitors_request, waited};
use super::{Answer, Content, Door, Operation, reference};
use crate::api_key::Scope;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = crm_operations();
    all.extend(callback_operations());
    all.extend(browser_operations());
    all.push(own_operation());
    all
}

fn crm_operations() -> Vec<Operation> {
    vec![
        Operation {
            method: "post",
            path: "/v1/callbacks",
            id: "createCallback",
            tag: "crm",
            summary: "Ask for a callback",
            description: "`202`: the request is on the disk and will be sent. The same `Idempotency-Key` with the same body gives \
                the same answer. With `Prefer: wait=N`, answers when it is known what came of the request to Webex.",
            door: Door::Key(Scope::CallbacksWrite),
            parameters: &["IdempotencyKey", "Prefer"],
            body: Some(Content::json("NewCrmCallback", crm_request())),
            answers: vec![
                Answer {
                    status: 200,
                    description: "With `Prefer: wait`: Webex has made a task of it, or no call will come of it.",
                    headers: &["Location", "PreferenceApplied"],
                    content: Content::json("Waited", waited()),
                },
                Answer {
                    status: 202,
                    description: "It is stored. With `Prefer: wait`, as for `200`.",
                    headers: &["Location", "PreferenceApplied"],
                    content: Content {
                        schema: json!({ "anyOf": [reference("schemas", "Accepted"), reference("schemas", "Waited")] }),
                        ..Content::json("Accepted", accepted())
                    },
                },
            ],
            problems: &[
                Kind::Validation,
                Kind::SiteUnknown,
                Kind::IdempotencyKeyInvalid,
                Kind::IdempotencyKeyReused,
            ],
        },
        Operation {
            method: "get",
            path: "/v1/callbacks",
            id: "listCallbacks",
            tag: "crm",
            summary: "List callbacks",
            description: "The callbacks of the key's sites, newest first.",
            door: Door::Key(Scope::CallbacksRead),
            parameters: &["StateWanted", "SiteWanted", "Since", "Limit", "Cursor"],
            body: None,
            answers: vec![Answer {
                status: 200,
                description: "A page.",
                headers: &[],
                content: Content::json(
                    "CallbackPage",
                    CallbackPage { callbacks: vec![record()], next: Some("rbc_…".to_owned()) },
                ),
            }],
            problems: &[Kind::BadRequest, Kind::CursorInvalid, Kind::SiteUnknown],
        },
        Operation {
            method: "post",
            path: "/v1/agent-links",
            id: "createAgentLink",
            tag: "crm",
            summary: "Make a preferred-agent link",
            description: "For a mail signature or a letter: the form behind it asks for a callback by that agent.",
            door: Door::Key(Scope::LinksWrite),
            parameters: &[],
            body: Some(Content::json(
                "NewAgentLink",
                NewAgentLink { site: "acme".to_owned(), agent: "grace".to_owned(), lifetime_s: 2_592_000 },
            )),
            answers: vec![Answer {
                status: 201,
                description: "The link.",
                headers: &[],
                content: Content::json(
                    "MintedLink",
                    MintedLink {
                        url: "https://callback.example.com/a/rba_…".to_owned(),
                        token: "rba_…".to_owned(),
                        agent: "Grace Loh".to_owned(),
                        expires_at: "2026-01-31T10:00:00Z".to_owned(),
                    },
                ),
            }],
            problems: &[Kind::Validation, Kind::SiteUnknown],
        },
    ]
}

fn callback_operations() -> Vec<Operation> {
    let seen = |status, description| Answer {
        status,
        description,
        headers: &[],
        content: Content {
            schema: json!({ "anyOf": [reference("schemas", "CallbackRecord"), reference("schemas", "CallbackView")] }),
            ..Content::json("CallbackRecord", record())
        },
    };
    vec![
        Operation {
            method: "get",
            path: "/v1/callbacks/{id}",
            id: "readCallback",
            tag: "callback",
            summary: "Read a callback",
            description: "The record with an API key, the visitor's view with the follow token.",
            door: Door::TokenOrKey(Scope::CallbacksRead),
            parameters: &["Id", "Include"],
            body: None,
            answers: vec![seen(200, "The callback.")],
            problems: &[Kind::BadRequest, Kind::NotFound],
        },
        Operation {
            method: "delete",
            path: "/v1/callbacks/{id}",
            id: "cancelCallback",
            tag: "callback",
            summary: "Call a callback off",
            description: "Possible while `cancellable`: until it is sent, and for a chosen time until its window begins. \
                Twice is as good as once.",
            door: Door::TokenOrKey(Scope::CallbacksWrite),
            parameters: &["Id"],
            body: None,
            answers: vec![
                seen(200, "It is called off."),
                seen(202, "It is stored that it is called off; Webex, which keeps it, is being told."),
            ],
            problems: &[Kind::NotFound, Kind::NotCancellable],
        },
        Operation {
            method: "patch",
            path: "/v1/callbacks/{id}",
            id: "changeCallback",
            tag: "callback",
            summary: "Move a callback to another time, or have another number called",
            description: "Another time: while `changeable`, for a callback with a chosen time, or one that waits for the site to open. Another number: while \
                          `number_changeable`, which is until it is sent. One of the two; twice is as good as once.",
            door: Door::TokenOrKey(Scope::CallbacksWrite),
            parameters: &["Id"],
            body: Some(Content::json("CallbackChange", changed())),
            answers: vec![
                seen(200, "It is for the other time, or number."),
                seen(202, "The other time is stored; Webex, which keeps it, is being told."),
            ],
            problems: &[
                Kind::Validation,
                Kind::NotFound,
                Kind::NotChangeable,
                Kind::NumberClaimed,
                Kind::SiteUnknown,
            ],
        },
        Operation {
            method: "get",
            path: "/v1/callbacks/{id}/events",
            id: "followCallback",
            tag: "callback",
            summary: "Follow a callback live",
            description: "Server-sent events: the present state at once, each change, and an end after the last.",
            door: Door::TokenOrKey(Scope::CallbacksRead),
            parameters: &["Id"],
            body: None,
            answers: vec![Answer {
                status: 200,
                description: "Each event's `data` is a `CallbackView`.",
                headers: &[],
                content: Content {
                    media_type: "text/event-stream",
                    schema: json!({ "type": "string" }),
                    example: json!(format!(
                        "event: state\nid: 7\ndata: {}\n\n",
                        serde_json::to_string(&record().view).unwrap_or_default()
                    )),
                },
            }],
            problems: &[Kind::NotFound, Kind::FollowersFull],
        },
    ]
}

fn browser_operations() -> Vec<Operation> {
    vec![
        Operation {
            method: "get",
            path: "/v1/sites/{site}/form",
            id: "describeForm",
            tag: "browser",
            summary: "What a site's form shows",
            description: "Texts, fields with their labels and choices, countries and the consent text.",
            door: Door::Browser,
            parameters: &["Site", "Locale", "Color", "AgentToken"],
            body: None,
            answers: vec![Answer {
                status: 200,
                description: "The form.",
                headers: &[],
                content: Content::json("Form", form()),
            }],
            problems: &[Kind::BadRequest, Kind::SiteUnknown],
        },
        Operation {
            method: "get",
            path: "/v1/sites/{site}/texts",
            id: "listTexts",
            tag: "browser",
            summary: "What the live view says",
            description: "The texts that the form has no need of before a request is sent.",
            door: Door::Browser,
            parameters: &["Site", "Locale"],
            body: None,
            answers: vec![Answer {
                status: 200,
                description: "The texts.",
                headers: &[],
                content: Content::json("Texts", texts()),
            }],
            problems: &[Kind::BadRequest, Kind::SiteUnknown],
        },
        Operation {
            method: "get",
            path: "/v1/sites/{site}/slots",
            id: "listSlots",
            tag: "browser",
            summary: "The times that may be asked for",
            description: "The slots of the site's opening hours that have a place left. A server may read them, too: it sends no \
                `Origin`, and needs no key.",
            door: Door::Browser,
            parameters: &["Site", "SlotLocale", "FromDay", "Days"],
            body: None,
            answers: vec![Answer {
                status: 200,
                description: "The slots.",
                headers: &[],
                content: Content::json("Slots", slots()),
            }],
            problems: &[Kind::BadRequest, Kind::NotFound, Kind::SiteUnknown],
        },
        Operation {
            method: "post",
            path: "/v1/sites/{site}/shown",
            id: "countShown",
            tag: "browser",
            summary: "Count that a visitor was shown the form",
            description: "For the operator's metrics alone: the level, and why on no better one. Nothing else is looked at or kept.",
            door: Door::Browser,
            parameters: &["Site", "Level", "Reason"],
            body: None,
            answers: vec![Answer {
                status: 204,
                description: "It is counted.",
                headers: &[],
                content: Content::none(),
            }],
            problems: &[Kind::BadRequest, Kind::SiteUnknown],
        },
        Operation {
            method: "post",
            path: "/v1/sites/{site}/callbacks",
            id: "createCallbackFromForm",
            tag: "browser",
            summary: "A visitor asks for a callback",
            description: "From a page whose origin the site lists.",
            door: Door::Browser,
            parameters: &["Site", "IdempotencyKey", "Proof", "Captcha"],
            body: Some(Content::json("NewCallback", visitors_request())),
            answers: vec![Answer {
                status: 202,
                description: "It is stored.",
                headers: &["Location"],
                content: Content::json("Accepted", accepted()),
            }],
            problems: &[
                Kind::Validation,
                Kind::ProofRequired,
                Kind::CaptchaRequired,
                Kind::SiteUnknown,
                Kind::IdempotencyKeyInvalid,
                Kind::IdempotencyKeyReused,
            ],
        },
    ]
}

fn own_operation() -> Operation {
    Operation {
        method: "get",
        path: "/v1/openapi.json",
        id: "describeApi",
        tag: "crm",
        summary: "This document",
        description: "The same as a page to try things on: `/docs`.",
        door: Door::Open,
        parameters: &[],
        body: None,
        answers: vec![Answer {
            status: 200,
            description: "The document.",
            headers: &[],
            content: Content {
                media_type: "application/json",
                schema: json!({ "type": "object" }),
                example: json!({ "openapi": "3.1.0" }),
            },
        }],
        problems: &[],
    }
}
