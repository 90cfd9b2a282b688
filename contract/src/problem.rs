//! Every error that leaves the service: RFC 9457 `application/problem+json`.

use serde::{Deserialize, Serialize};

use crate::proof::Challenge;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A problem, as RFC 9457 section 3.1 says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// The stable name of the kind of problem: a path on the service, where a page explains it.
    #[serde(rename = "type")]
    pub kind: String,
    /// One sentence, the same for every problem of the kind.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What was wrong this time, and what to do.
    pub detail: String,
    /// The id of the request, which the service's log names too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The fields that were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What must be solved before the request is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Challenge>,
}

/// A field that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Where the field stands in the request: a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong: a [`crate::field::Code`].
    pub code: String,
    /// The same in a sentence.
    pub message: String,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $slug:literal, $status:literal, $title:literal;)+) => {
        /// The kinds of problem. The text of a kind and its status are part of the public contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[doc = $doc])+ $variant,)+ }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The last part of the problem's `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug,)+ }
            }

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// The title: one sentence, the same each time.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// What the kind means, for the page that explains it.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+),)+ }
            }
        }
    };
}

kinds! {
    /// One or more fields break a rule; `errors` names each with its code. Mend them and send again.
    Validation = "validation", 422, "Some fields cannot be accepted";
    /// The body has a field that the service does not know; `errors` names it. Remove it, or check its spelling.
    UnknownField = "unknown-field", 422, "The body has an unknown field";
    /// A member of the body is missing or of another JSON type than the API asks for; `errors` names it.
    WrongType = "wrong-type", 422, "A member of the body is missing or of the wrong type";
    /// The request line, its query or a header cannot be read.
    BadRequest = "bad-request", 400, "The request cannot be read";
    /// The body is not JSON (RFC 8259), or a member stands in it twice.
    NotJson = "not-json", 400, "The body is not JSON";
    /// The body is not sent as `application/json`.
    MediaType = "media-type", 415, "The body is of an unsupported media type";
    /// The body is larger than the service reads.
    TooLarge = "too-large", 413, "The body is too large";
    /// The body did not arrive in time.
    TooSlow = "too-slow", 408, "The body did not arrive in time";
    /// No resource has this address, or the caller may not know of it.
    NotFound = "not-found", 404, "There is nothing at this address";
    /// No site of this id is configured.
    SiteUnknown = "site-unknown", 404, "This site is not known";
    /// The resource does not take this method.
    MethodNotAllowed = "method-not-allowed", 405, "The method is not allowed here";
    /// The page that sent the request is not on the site's list of origins, or the request names no origin.
    /// A server should use the REST door with an API key.
    OriginNotAllowed = "origin-not-allowed", 403, "This origin may not use the site's form";
    /// The site is asked for many callbacks at present, so each form must do some computing first. Solve the challenge in `proof` and
    /// send the same request again with the header `Ringback-Proof`. Each challenge is good for one request.
    ProofRequired = "proof-required", 403, "The form must prove some work first";
    /// The site asks every visitor to pass its captcha, and the request has no token of it in the header `Ringback-Captcha`, or one that
    /// its provider does not accept, or one that was used before.
    CaptchaRequired = "captcha-required", 403, "The captcha must be passed first";
    /// The request carries no bearer token, or none that is known here.
    Unauthorized = "unauthorized", 401, "A valid bearer token is needed";
    /// The API key is known, and is not for this site or not for this kind of request.
    Forbidden = "forbidden", 403, "This key may not do that";
    /// The `Idempotency-Key` header is empty, too long, or has characters outside visible ASCII.
    IdempotencyKeyInvalid = "idempotency-key-invalid", 400, "The idempotency key is not valid";
    /// The same idempotency key was used before with another body. Use a new key for a new request.
    IdempotencyKeyReused = "idempotency-key-reused", 422, "The idempotency key was used for another request";
    /// The cursor is damaged, or was made for another key or another question. Ask for the first page again.
    CursorInvalid = "cursor-invalid", 400, "The cursor is not valid";
    /// The callback is in a state in which it cannot be called off any more.
    NotCancellable = "not-cancellable", 409, "The callback cannot be called off any more";
    /// The callback is in a state in which its time or its number cannot be changed any more, Webex has the number, or there is
    /// no chosen time to change.
    NotChangeable = "not-changeable", 409, "The callback cannot be changed in that way";
    /// Another callback of the site to that number is on its way, and one call comes of all that is asked for. Nothing was
    /// changed. Call this one off, or give another number.
    NumberClaimed = "number-claimed", 409, "Another callback to this number is on its way";
    /// A limit is reached. `Retry-After` says when to come back.
    RateLimited = "rate-limited", 429, "Too many requests";
    /// As many callbacks are followed live as the service allows. Read the callback every few seconds instead.
    FollowersFull = "followers-full", 503, "Too many callbacks are followed now";
    /// The signature of the webhook does not match its body.
    SignatureInvalid = "signature-invalid", 401, "The signature is not valid";
    /// The service cannot store the request now; nothing was accepted. Send it again.
    StoreUnavailable = "store-unavailable", 503, "The request cannot be stored now";
    /// This build of the service has no widget in it: build it with `cargo xtask widget`, then the service again.
    WidgetNotBuilt = "widget-not-built", 503, "This build has no widget";
    /// An error of the service itself. `instance` is the id to look for in its log.
    Internal = "internal", 500, "The service has made an error";
}

impl Kind {
    /// The problem's `type`: a path on the service that answered (RFC 9457 section 3.1.1 allows a
    /// relative reference, and asks for a whole path).
    pub fn uri(self) -> String {
        format!("/problems/{}", self.slug())
    }

    /// A problem of this kind.
    pub fn problem(self, detail: impl Into<String>) -> Problem {
        Problem {
            kind: self.uri(),
            title: self.title().to_owned(),
            status: self.status(),
            detail: detail.into(),
            instance: None,
            errors: Vec::new(),
            proof: None,
        }
    }
}

/// Whether a JSON Pointer (RFC 6901) leads to that place of a body, or into it.
pub fn leads_to(pointer: &str, place: &str) -> bool {
    let rest = pointer.strip_prefix('/').and_then(|pointer| pointer.strip_prefix(place));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_distinct_and_statuses_are_errors() {
        let slugs: std::collections::HashSet<_> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| (400..600).contains(&kind.status())));
    }

    #[test]
    fn a_problem_has_the_members_of_rfc_9457() {
        let json = serde_json::to_value(Kind::TooLarge.problem("The limit is 16384 bytes.")).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "/problems/too-large",
                "title": "The body is too large",
                "status": 413,
                "detail": "The limit is 16384 bytes.",
            })
        );
    }

    #[test]
    fn a_pointer_leads_to_its_control() {
        assert!(leads_to("/phone", "phone") && leads_to("/consent/accepted", "consent"));
        assert!(leads_to("/fields/order", "fields/order"));
        assert!(
            !leads_to("/fields/orders", "fields/order")
                && !leads_to("/phone", "pho")
                && !leads_to("", "phone")
        );
    }
}
