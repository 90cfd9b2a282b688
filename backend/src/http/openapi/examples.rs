//! Examples of what is sent and answered.

use std::collections::BTreeMap;

use ringback_contract::callback::{Accepted, CallbackRecord, State, Waited};
use ringback_contract::event::{CallbackEvent, ChangedCallback};
use ringback_contract::form::Form;
use ringback_contract::request::{
    CallbackChange, Consent, FieldValue, NewCallback, NewCrmCallback, Schedule,
};
use ringback_contract::slots::{Slot, Slots};
use ringback_contract::texts::Texts;
use serde_json::json;

pub(super) fn schedule() -> Schedule {
    Schedule {
        date: "2026-01-15".to_owned(),
        start: "10:00".to_owned(),
        end: "12:00".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
    }
}

pub(super) fn changed() -> CallbackChange {
    CallbackChange { schedule: Some(schedule()), ..CallbackChange::default() }
}

fn order_number() -> BTreeMap<String, FieldValue> {
    [("order_number".to_owned(), FieldValue::Text("4711".to_owned()))].into()
}

pub(super) fn crm_request() -> NewCrmCallback {
    NewCrmCallback {
        site: "acme".to_owned(),
        phone: "+1 202 555 0142".to_owned(),
        name: "Ann Example".to_owned(),
        agent: "grace".to_owned(),
        reference: "case-4711".to_owned(),
        fields: order_number(),
        attributes: [("Case".to_owned(), "4711".to_owned())].into(),
        ..NewCrmCallback::default()
    }
}

pub(super) fn visitors_request() -> NewCallback {
    NewCallback {
        name: "Ann Example".to_owned(),
        phone: "(202) 555-0142".to_owned(),
        country: "US".to_owned(),
        reason: "billing".to_owned(),
        consent: Consent { accepted: true, version: "2026-01".to_owned() },
        locale: "en".to_owned(),
        fields: order_number(),
        ..NewCallback::default()
    }
}

const ID: &str = "019b7a4c-6f00-7a33-9d0e-5b1c2f3a4d5e";
const CREATED_AT: &str = "2026-01-01T10:00:00Z";
const TASK: &str = "93912f11-6017-404b-bf14-5331890b1797";

pub(super) fn accepted() -> Accepted {
    Accepted {
        id: ID.to_owned(),
        state: State::Accepted,
        follow: "rbf_…".to_owned(),
        joined: false,
        schedule: None,
        at_opening: false,
    }
}

pub(super) fn waited() -> Waited {
    let accepted = Accepted { state: State::Requested, ..accepted() };
    let mut callback = record();
    callback.view.state = State::Requested;
    callback.view.revision = 2;
    Waited { accepted, callback }
}

pub(super) fn event() -> CallbackEvent {
    CallbackEvent {
        kind: "callback.completed".to_owned(),
        timestamp: "2026-01-01T10:03:20.125Z".to_owned(),
        data: ChangedCallback {
            id: ID.to_owned(),
            site: "acme".to_owned(),
            state: State::Completed,
            revision: 7,
            reference: Some("case-4711".to_owned()),
            failure: None,
            task_id: Some(TASK.to_owned()),
            created_at: CREATED_AT.to_owned(),
        },
    }
}

pub(super) fn record() -> CallbackRecord {
    // Read, so that a new member of the type needs no word here.
    let record = serde_json::from_value(json!({
        "id": ID,
        "site": "acme",
        "state": "completed",
        "agent": "Grace Loh",
        "cancellable": false,
        "created_at": CREATED_AT,
        "updated_at": "2026-01-01T10:03:20.125Z",
        "revision": 7,
        "reference": "case-4711",
        "task_id": TASK,
        "attempts": 1,
        "deadline": "2026-01-01T12:00:00Z",
    }));
    record.unwrap_or_else(|error| unreachable!("the example of a record cannot be read: {error}"))
}

pub(super) fn slots() -> Slots {
    let slot = |starts_at: &str, ends_at: &str| Slot {
        starts_at: starts_at.to_owned(),
        ends_at: ends_at.to_owned(),
    };
    Slots {
        timezone: "Europe/Berlin".to_owned(),
        slots: vec![
            slot("2026-12-01T09:00:00+01:00", "2026-12-01T09:30:00+01:00"),
            slot("2026-12-01T10:30:00+01:00", "2026-12-01T11:00:00+01:00"),
        ],
        texts: [("slots.day".to_owned(), "Day".to_owned())].into(),
    }
}

pub(super) fn texts() -> Texts {
    let texts = [("state.queued".to_owned(), "You’re in the queue".to_owned())].into();
    Texts { locale: "en".to_owned(), texts }
}

pub(super) fn form() -> Form {
    let form = serde_json::from_value(json!({
        "site": "acme",
        "name": "Acme Outdoor",
        "locale": "en",
        "direction": "ltr",
        "texts": { "form.title": "We call you back" },
        "fields": [
            { "name": "name", "kind": "text", "label": "Your name", "presence": "required", "max_length": 100, "autocomplete": "name" },
            { "name": "phone", "kind": "tel", "label": "Phone number", "presence": "required", "max_length": 40, "autocomplete": "tel" },
            { "name": "reason", "kind": "choice", "label": "What is it about?", "presence": "optional",
              "options": [{ "id": "billing", "label": "A question about a bill" }] },
            { "name": "order_number", "custom": true, "kind": "text", "label": "Order number", "presence": "optional", "max_length": 20 },
        ],
        "countries": [{ "code": "US", "calling_code": "+1" }],
        "opened": "rbo_0f1e2d3c.AAABm4V8m4A.c2lnbmF0dXJl",
        "typing_ms": 1000,
    }));
    form.unwrap_or_else(|error| unreachable!("the example of a form cannot be read: {error}"))
}
