//! What stands between a request and the store.

mod callers;
pub mod captcha;
pub mod destination;
pub mod followers;
pub mod origin;
pub mod patience;
pub mod proof;
pub mod rate;
pub mod shared;
