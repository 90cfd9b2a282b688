//! A local Webex Contact Center, over HTTP, with faults on demand.
//!
//! [`Simulator::start`] gives a server that issues tokens, takes tasks, plays the calls, tells its subscribers with
//! signed webhooks and answers searches, as the public documents of Webex say; it refuses what Webex refuses.
//! [`Control`] sets what goes wrong and reads what happened. [`organization`] names what there is.

mod answer;
mod call;
mod client;
mod clock;
mod configuration;
mod connection;
mod control;
mod door;
mod envelope;
mod event_types;
mod ewt;
mod faults;
mod http;
mod members;
mod oauth;
mod options;
pub mod organization;
mod play;
mod records;
mod route;
mod rsql;
mod scheduled;
mod scheduled_rules;
mod search;
mod server;
mod settings;
mod subscriptions;
mod task;
mod task_rules;
mod tasks;
mod webhook_faults;
mod webhooks;
mod world;

pub use client::{Control, ControlError};
pub use control::{Listing, Summary};
pub use envelope::Envelope;
pub use faults::{Effect, Failure, Fault};
pub use options::Options;
pub use play::Step;
pub use records::RecordedRequest;
pub use route::Operation;
pub use server::{Simulator, StartError};
pub use settings::{Outcome, Pace, Settings};
pub use task::{OutboundType, Task, TaskState};
pub use webhook_faults::{WebhookEffect, WebhookFault};
pub use webhooks::Delivery;
