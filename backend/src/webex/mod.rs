//! The APIs of Webex Contact Center: what the service asks, and how it reads the answers.
//!
//! Knows nothing of the store or of HTTP towards visitors. Strict in what it sends, lenient in what it reads: much of
//! the other side is not documented.

pub mod client;
pub mod configuration;
pub mod directory;
pub mod error;
pub mod listing;
pub mod oauth;
pub mod pace;
pub mod policy;
mod remembered;
pub mod schedule;
pub mod search;
pub mod subscription;
pub mod task;
pub mod token;
pub mod wait_time;
pub mod webhook;
