//! What is set when the simulator starts, and stays.

use std::net::{Ipv4Addr, SocketAddr};

use crate::settings::{Pace, Settings};

/// How to start a simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether a webhook may go to plain `http`, to any port and to this machine. Webex refuses all three.
    pub accept_local_webhooks: bool,
    /// The settings at the start, and after a reset.
    pub settings: Settings,
    /// How many requests are remembered; older ones are forgotten, and counted.
    pub keep_requests: usize,
    /// How many webhook deliveries are remembered.
    pub keep_deliveries: usize,
    /// How many tasks are remembered.
    pub keep_tasks: usize,
    /// Worker threads of the HTTP server.
    pub workers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            accept_local_webhooks: false,
            settings: Settings::default(),
            keep_requests: 200_000,
            keep_deliveries: 200_000,
            keep_tasks: 200_000,
            workers: 1,
        }
    }
}

impl Options {
    /// For a test: a free port, webhooks to this machine, and calls that take a few milliseconds a step.
    pub fn for_tests() -> Self {
        Self {
            accept_local_webhooks: true,
            settings: Settings { pace: Pace::every(10), ..Settings::default() },
            ..Self::default()
        }
    }
}
