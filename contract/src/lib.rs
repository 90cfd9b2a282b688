//! The public contract of Ringback: every JSON type that crosses the wire between a browser or a
//! CRM and the service, and every rule for a field.
//!
//! The crate does no input or output and holds no regular expression, so that the same functions
//! run in the service and, compiled to WASM, in the visitor's browser: a rule is written once.
//!
//! * [`field`]: the rules. Each is a plain function that answers with a stable [`field::Code`].
//! * [`request`]: what a browser or a CRM posts.
//! * [`callback`]: what the service answers about a callback, and its states.
//! * [`event`]: what the service tells a CRM by webhook.
//! * [`form`]: what the browser needs to draw the form.
//! * [`grouping`]: how a telephone number is grouped while it is typed.
//! * [`captcha`]: captchas of others.
//! * [`proof`]: the work that a form does under pressure.
//! * [`steps`]: the steps that a visitor sees a callback take, and [`wait`]: how long a wait is said to be.
//! * [`slots`]: the times that a site offers.
//! * [`texts`]: which part of the widget says which text.
//! * [`color`]: colours that can be read on each other.
//! * [`problem`]: every error, as RFC 9457 `application/problem+json`.

pub mod callback;
pub mod captcha;
mod code;
pub mod color;
pub mod event;
pub mod field;
pub mod form;
pub mod grouping;
pub mod problem;
pub mod proof;
pub mod request;
pub mod slots;
pub mod steps;
pub mod texts;
pub mod wait;
