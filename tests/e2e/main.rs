//! Ringback from end to end. Each test has a house of its own: a service, a database, a simulated Webex.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "this is test code: what does not hold ends the test, with a message"
)]

mod agent_links;
mod agents;
mod api_keys;
mod assets;
mod auth;
mod browser;
mod calendar;
mod callbacks_cli;
mod captcha;
mod crash;
mod crm;
mod crm_examples;
mod crm_list;
mod crm_webhooks;
mod cross_origin;
mod custom_fields;
mod decoys;
mod demo;
mod doctor;
mod doors;
mod embed;
mod faults;
mod fields;
mod follow;
mod headers;
mod hours;
mod idempotency;
mod instances;
mod join;
mod ledgers;
mod life;
mod limits;
mod links;
mod metrics;
mod moving;
mod number;
mod operation;
mod plain;
mod plain_follow;
mod plain_hostile;
mod plain_times;
mod policy;
mod proof;
mod refusals;
mod retention;
mod schedule;
mod schedule_webex;
mod schema;
mod sealing;
mod secrets;
mod settings;
mod shared_limits;
mod slots;
mod stopping;
mod store_trouble;
mod wait_time;
mod webex_client;
mod webex_faults;
mod webhook_storm;
mod webhooks;
