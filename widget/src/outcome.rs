//! What an answer to a post means for the visitor.

use ringback_contract::problem::Kind;

/// How long to wait where the service does not say, in seconds.
const BUSY_WAIT: u32 = 60;

/// What became of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The callback is stored.
    Accepted,
    /// Some fields are refused.
    Fields,
    /// Too many requests: come back after so many seconds.
    Busy(u32),
    /// Whether the request has arrived is not known: the same request must be sent again.
    Unclear,
    /// The service has stored nothing and may take it later.
    Unavailable,
    /// The captcha is to be passed first.
    Captcha,
    /// Some work is to be proven first.
    Unproven,
    /// The service takes nothing from this page.
    Refused,
}

impl Outcome {
    /// The last part of the key of its text, and its name in events.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Fields => "fields",
            Self::Busy(_) => "busy",
            Self::Unclear => "unclear",
            Self::Unavailable => "service",
            Self::Captcha => "captcha",
            Self::Unproven | Self::Refused => "refused",
        }
    }
}

/// What an answer means. `slug` is the last part of the problem's type, empty where the answer is none of ours;
/// `names_fields` is whether it says which fields are wrong.
pub(crate) fn of_answer(status: u16, slug: &str, retry_after: Option<u32>, names_fields: bool) -> Outcome {
    match status {
        202 => Outcome::Accepted,
        422 if names_fields => Outcome::Fields,
        422 => Outcome::Unavailable,
        403 if slug == Kind::CaptchaRequired.slug() => Outcome::Captcha,
        403 if slug == Kind::ProofRequired.slug() => Outcome::Unproven,
        429 => Outcome::Busy(retry_after.unwrap_or(BUSY_WAIT)),
        // Said by the service itself: nothing was stored. A proxy that says 503 does not know.
        408 | 503 if slug == Kind::StoreUnavailable.slug() || slug == Kind::TooSlow.slug() => {
            Outcome::Unavailable
        }
        200..300 | 408 | 409 | 425 | 500.. => Outcome::Unclear,
        _ => Outcome::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, slug: &str) -> Outcome {
        of_answer(status, slug, None, false)
    }

    #[test]
    fn the_service_knows_whether_it_has_stored_and_a_proxy_does_not() {
        assert_eq!(refusal(503, "store-unavailable"), Outcome::Unavailable);
        assert_eq!(refusal(503, ""), Outcome::Unclear);
        assert_eq!(refusal(502, ""), Outcome::Unclear);
        assert_eq!(refusal(500, "internal"), Outcome::Unclear);
    }

    #[test]
    fn a_page_that_may_not_ask_is_told_so() {
        for (status, slug) in [(403, "origin-not-allowed"), (404, "site-unknown"), (413, "too-large")] {
            assert_eq!(refusal(status, slug), Outcome::Refused);
        }
    }

    #[test]
    fn work_that_is_asked_for_is_no_refusal() {
        assert_eq!(refusal(403, "proof-required"), Outcome::Unproven);
        assert_eq!(refusal(403, "captcha-required"), Outcome::Captcha);
        assert_eq!(refusal(403, ""), Outcome::Refused);
    }

    #[test]
    fn fields_and_waits_are_passed_on() {
        assert_eq!(of_answer(422, "validation", None, true), Outcome::Fields);
        assert_eq!(of_answer(429, "rate-limited", Some(7), false), Outcome::Busy(7));
        assert_eq!(refusal(429, ""), Outcome::Busy(BUSY_WAIT));
    }

    #[test]
    fn only_202_says_that_a_callback_is_stored() {
        assert_eq!(refusal(202, ""), Outcome::Accepted);
        assert_eq!(refusal(200, ""), Outcome::Unclear);
    }
}
