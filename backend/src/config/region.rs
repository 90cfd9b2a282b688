//! The data centres of Webex Contact Center.

/// Their names.
pub const NAMES: [&str; 8] = ["us1", "eu1", "eu2", "anz1", "ca1", "jp1", "sg1", "in1"];

/// The base address of a data centre's APIs.
pub fn base_url(name: &str) -> Option<String> {
    NAMES.contains(&name).then(|| format!("https://api.wxcc-{name}.cisco.com"))
}
