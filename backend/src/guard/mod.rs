//! What stands between a request and the store.

pub mod destination;
pub mod origin;
pub mod rate;
pub mod shared;
