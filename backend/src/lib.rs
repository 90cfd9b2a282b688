//! Ringback: takes callback requests from websites, preferred-agent links and CRMs, and makes sure that Webex Contact
//! Center places the calls. `docs/architecture.md` explains how the parts stand to each other.

pub mod agent;
pub mod api_key;
pub mod app;
pub mod attributes;
pub mod authorization;
pub mod callback;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod doctor;
pub mod entropy;
pub mod form;
pub mod guard;
pub mod hours;
pub mod http;
pub mod intake;
pub mod locale;
pub mod metrics;
pub mod network;
pub mod notify;
pub mod personal;
pub mod phone;
pub mod rates;
pub mod schedule;
pub mod seal;
pub mod site;
pub mod slots;
pub mod store;
pub mod task_event;
pub mod token;
pub mod trust;
pub mod webex;
pub mod webhook_secret;
pub mod words;
