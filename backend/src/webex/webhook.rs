//! Webhooks of Webex: is one real, and what does it say?

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use crate::task_event::{TaskChange, TaskEvent};

/// The header that carries the signature.
pub const SIGNATURE: &str = "X-WebexCC-Signature";

/// Whether the signature (64 hexadecimal digits of HMAC-SHA256 over the raw body) was made with one of the secrets. Compares in
/// constant time, and always with every secret.
pub fn is_signed(body: &[u8], signature: &str, secrets: &[SecretString]) -> bool {
    let Ok(signature) = hex::decode(signature.trim()) else {
        return false;
    };
    secrets.iter().fold(false, |found, secret| {
        let matches = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
            .is_ok_and(|mac| mac.chain_update(body).verify_slice(&signature).is_ok());
        found | matches
    })
}

/// The header of version 2 that carries the time of sending.
pub const TIMESTAMP: &str = "X-WebExCC-Timestamp";

/// How old a delivery of version 2 may be, in seconds: what Webex's own sample allows.
const TIMESTAMP_TOLERANCE_S: i64 = 5 * 60;

/// Whether a delivery is of now: an old one that somebody has kept is not taken again. `header` is the value of
/// [`TIMESTAMP`], which counts only where the signed body says the same; a body without a time is of version 1, or of a
/// kind that has none, and passes.
pub fn is_timely(body: &[u8], header: Option<&str>, now: Timestamp) -> bool {
    #[derive(Deserialize)]
    struct Signed {
        comciscotimestamp: Option<serde_json::Value>,
    }
    let signed = serde_json::from_slice::<Signed>(body).ok().and_then(|signed| signed.comciscotimestamp);
    let Some(signed) = signed else {
        return true;
    };
    // Documents show it as a text; a number is taken as well.
    let Some(signed) = signed.as_i64().or_else(|| signed.as_str()?.trim().parse().ok()) else {
        return false;
    };
    header.is_none_or(|header| header.trim().parse() == Ok(signed))
        && Timestamp::from_millisecond(signed)
            .is_ok_and(|sent| now.duration_since(sent).as_secs().abs() <= TIMESTAMP_TOLERANCE_S)
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: serde_json::Value,
}

/// The body is not an event.
#[derive(Debug, thiserror::Error)]
pub enum NotAnEvent {
    /// It is not JSON, or lacks id or type.
    #[error("the body is not an event with id and type")]
    Shape,
    /// It speaks of a task and does not say which.
    #[error("the event {0} has no taskId")]
    Data(String),
}

/// Reads an event that came at `now`, which is taken where it does not say when it happened: Webex does not document
/// the data of every type. `Ok(None)`: an event that says nothing about a task's progress; unknown types and members are
/// nothing to worry about.
pub fn read(body: &[u8], now: Timestamp) -> Result<Option<TaskEvent>, NotAnEvent> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| NotAnEvent::Shape)?;
    let text = |name: &str| envelope.data.get(name).and_then(serde_json::Value::as_str);
    let change = match envelope.kind.as_str() {
        "task:new" => TaskChange::New,
        "task:parked" => TaskChange::Parked,
        "task:connect" => TaskChange::Offered,
        "task:connected" => TaskChange::Connected,
        "task:ended" => match (text("terminatingParty"), text("reason")) {
            // "RONA Timer Expired". Taking one for an end would let the visitor ask again, and be rung twice.
            (Some("System"), Some(reason)) if is_rona(reason) => TaskChange::NotPickedUp,
            (Some("System"), _) => TaskChange::EndedBySystem,
            _ => TaskChange::EndedByPeople,
        },
        "task:failed" => TaskChange::Failed,
        _ => return Ok(None),
    };
    let task_id = text("taskId").ok_or_else(|| NotAnEvent::Data(envelope.kind.clone()))?.to_owned();
    let created = envelope.data.get("createdTime").and_then(serde_json::Value::as_i64);
    let at = created.and_then(|created| Timestamp::from_millisecond(created).ok()).unwrap_or(now);
    let reason = text("reason").or_else(|| text("errorMessage")).map(crate::personal::masked);
    Ok(Some(TaskEvent { id: envelope.id, task_id, change, at, reason }))
}

/// Whether the reason is that an agent did not pick up, in whatever spelling.
fn is_rona(reason: &str) -> bool {
    reason
        .split(|character: char| !character.is_ascii_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case("rona"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_signature_of_any_of_the_secrets_is_believed() {
        let secrets = ["a".repeat(32), "b".repeat(32)].map(SecretString::from);
        let sign = |secret: &str, body: &[u8]| {
            let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body);
            hex::encode(mac.finalize().into_bytes())
        };
        for secret in ["a", "b"] {
            assert!(is_signed(b"{}", &sign(&secret.repeat(32), b"{}"), &secrets));
            assert!(is_signed(b"{}", &sign(&secret.repeat(32), b"{}").to_uppercase(), &secrets));
            assert!(!is_signed(b"{} ", &sign(&secret.repeat(32), b"{}"), &secrets));
        }
        assert!(!is_signed(b"{}", &sign(&"c".repeat(32), b"{}"), &secrets));
        assert!(!is_signed(b"{}", "", &secrets));
        assert!(!is_signed(b"{}", "zz", &secrets));
        assert!(!is_signed(b"{}", &sign("", b"{}"), &[]));
    }

    fn event(kind: &str, data: &serde_json::Value) -> Result<Option<TaskEvent>, NotAnEvent> {
        let body = json!({"id": "e1", "specversion": "1.0", "type": kind, "data": data}).to_string();
        read(body.as_bytes(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn events_of_a_task_are_read_and_others_passed_over() {
        let data =
            json!({"taskId": "t1", "createdTime": 1000, "destination": "+15555550142", "new": {"member": 1}});
        for (kind, change) in [
            ("task:new", TaskChange::New),
            ("task:parked", TaskChange::Parked),
            ("task:connect", TaskChange::Offered),
            ("task:connected", TaskChange::Connected),
            ("task:failed", TaskChange::Failed),
        ] {
            assert_eq!(event(kind, &data).unwrap().unwrap().change, change);
            assert_eq!(TaskChange::parse(change.as_str()), Some(change));
        }
        assert_eq!(event("agent:login", &json!({"agentId": "a"})).unwrap(), None);
        assert_eq!(event("task:on-hold", &data).unwrap(), None);
    }

    #[test]
    fn an_agent_who_does_not_pick_up_does_not_end_a_task() {
        let ended = |reason: &str, party: &str| {
            let data =
                json!({"taskId": "t1", "createdTime": 1000, "reason": reason, "terminatingParty": party});
            event("task:ended", &data).unwrap().unwrap().change
        };
        for reason in ["RONA Timer Expired", "RONA_TIMER_EXPIRED", "rona"] {
            assert_eq!(ended(reason, "System"), TaskChange::NotPickedUp);
        }
        assert_eq!(ended("Coronation", "System"), TaskChange::EndedBySystem);
        assert_eq!(ended("Queue Timeout", "System"), TaskChange::EndedBySystem);
        assert_eq!(ended("Customer Left", "Customer"), TaskChange::EndedByPeople);
    }

    #[test]
    fn what_is_no_event_is_told() {
        assert!(matches!(read(b"{", Timestamp::UNIX_EPOCH), Err(NotAnEvent::Shape)));
        assert!(matches!(read(b"{\"type\":\"task:new\"}", Timestamp::UNIX_EPOCH), Err(NotAnEvent::Shape)));
        let told = event("task:new", &json!({"createdTime": 1})).unwrap_err().to_string();
        assert_eq!(told, "the event task:new has no taskId");
        let timeless = event("task:failed", &json!({"taskId": "t1"})).unwrap().unwrap();
        assert_eq!(timeless.at, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn a_delivery_with_a_time_must_be_of_now() {
        let now = Timestamp::from_second(1_770_000_000).unwrap();
        let body = |value: &str| format!("{{\"comciscotimestamp\": {value}}}").into_bytes();
        assert!(is_timely(b"{}", None, now));
        assert!(is_timely(&body("\"1770000000123\""), Some("1770000000123"), now));
        assert!(is_timely(&body("1770000000123"), Some("1770000000123"), now));
        assert!(!is_timely(&body("\"1770000000123\""), Some("1770000000124"), now));
        assert!(is_timely(&body("\"1770000000123\""), None, now));
        assert!(!is_timely(&body("\"1769999000000\""), None, now));
        assert!(!is_timely(&body("\"1769999000000\""), Some("1769999000000"), now));
        assert!(!is_timely(&body("\"soon\""), Some("soon"), now));
    }
}
