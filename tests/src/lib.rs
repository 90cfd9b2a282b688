//! What the end-to-end tests stand on: real processes and real servers on free ports, a real browser, and nothing that
//! sleeps for a fixed time.
//!
//! A [`house::House`] is one service with its own database, its own simulated Webex and its own folder, so that tests
//! run side by side. When it goes, it looks through everything the service has logged for what the test has sent:
//! every test is a test of the log as well.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "this is test code: what does not hold ends the test, with a message"
)]

pub mod accessibility;
pub mod answer;
pub mod axe;
pub mod bench;
pub mod browser;
pub mod captcha;
mod driver;
pub mod eventually;
pub mod faults;
pub mod figures;
pub mod follower;
pub mod house;
pub mod load;
pub mod log;
pub mod page;
pub mod plain;
pub mod plan;
pub mod receiver;
pub mod redis;
pub mod screenshot;
pub mod scriptless;
pub mod service;
mod small_disk;
pub mod visitor;
pub mod window;
mod wire;
