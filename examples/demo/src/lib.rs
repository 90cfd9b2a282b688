//! Everything on one machine: the website of a small shop, the service, and a simulated Webex Contact Center.
//!
//! No account, no key and no database server is needed. The parts talk over HTTP as they would in the field; only the
//! process is the same.

pub mod demo;
pub mod gallery;
pub mod organization;
pub mod website;
