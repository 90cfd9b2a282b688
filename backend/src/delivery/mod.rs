//! The one way out: callbacks become tasks of Webex, and what Webex tells of the tasks becomes the callbacks' state.

pub mod dispatcher;
pub mod progress;
mod reconcile;
mod settle;
