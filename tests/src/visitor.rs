//! What visitors and CRMs send.

use serde_json::{Value, json};

/// The visitor of the tests. Nothing of it may stand in a log.
pub const NAME: &str = "Ann Example";
/// Her number, as she types it.
pub const PHONE: &str = "(202) 555-0142";
/// Her number, as it is called.
pub const PHONE_E164: &str = "+12025550142";
/// Her address.
pub const EMAIL: &str = "ann@example.com";
/// What she has to say.
pub const MESSAGE: &str = "My tent has a hole since Tuesday";
/// The version of the consent text in force.
pub const CONSENT: &str = "2026-01";

/// A visitor's request with every field.
pub fn request() -> Value {
    json!({
        "name": NAME,
        "phone": PHONE,
        "country": "US",
        "email": EMAIL,
        "reason": "orders",
        "message": MESSAGE,
        "consent": { "accepted": true, "version": CONSENT },
        "page": "https://www.acme.example/tents?visitor=ann#top",
        "locale": "en",
        "agent": "",
    })
}

/// The same with some members changed; `null` takes one out.
pub fn request_with(changes: Value) -> Value {
    changed(request(), changes)
}

/// A CRM's request.
pub fn crm_request() -> Value {
    json!({
        "site": "acme",
        "name": NAME,
        "phone": PHONE_E164,
        "email": EMAIL,
        "reason": "orders",
        "message": MESSAGE,
        "reference": "case 4711/17",
    })
}

/// The same with some members changed; `null` takes one out.
pub fn crm_request_with(changes: Value) -> Value {
    changed(crm_request(), changes)
}

fn changed(mut body: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut body, changes) else {
        panic!("only objects can be changed");
    };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    body
}
