//! Holds a configuration against the Webex organisation it is for. One finding a check: what is wrong, and what to do.

mod access;
mod deployment;
mod organization;

use std::fmt;

use serde::Serialize;

use crate::authorization::Authorization;
use crate::clock::SharedClock;
use crate::config::Config;
use crate::webex::client::Client;
use crate::webex::error::WebexError;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Doubtful,
    /// Callbacks will fail or be slow to show.
    Wrong,
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked: a stable name.
    pub check: &'static str,
    /// Which one of its kind, such as a site.
    pub subject: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.verdict {
            Verdict::Good => "ok   ",
            Verdict::Doubtful => "warn ",
            Verdict::Wrong => "WRONG",
        };
        write!(formatter, "{mark} {} {}: {}", self.check, self.subject, self.detail)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(formatter, "\n      hint: {remedy}"))
    }
}

/// Findings, as they come.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        check: &'static str,
        subject: &str,
        verdict: Verdict,
        detail: String,
        remedy: Option<&str>,
    ) {
        let (subject, remedy) = (subject.to_owned(), remedy.map(str::to_owned));
        self.0.push(Finding { check, subject, verdict, detail, remedy });
    }

    fn good(&mut self, check: &'static str, subject: &str, detail: impl Into<String>) {
        self.add(check, subject, Verdict::Good, detail.into(), None);
    }

    fn doubtful(&mut self, check: &'static str, subject: &str, detail: impl Into<String>, remedy: &str) {
        self.add(check, subject, Verdict::Doubtful, detail.into(), Some(remedy));
    }

    fn wrong(&mut self, check: &'static str, subject: &str, detail: impl Into<String>, remedy: &str) {
        self.add(check, subject, Verdict::Wrong, detail.into(), Some(remedy));
    }

    /// Webex could not be asked.
    fn unanswered(&mut self, check: &'static str, subject: &str, error: &WebexError) {
        let remedy = match error.status {
            Some(401) => "give a token that is still valid, for this region (webex.region)",
            Some(403) => "give a token with the scope cjp:config_read, of a Contact Center administrator",
            Some(_) => "look the tracking id up with Webex support",
            None => "check webex.region or webex.base_url, the network, and webex.organization_id",
        };
        self.wrong(check, subject, error.to_string(), remedy);
    }
}

/// Examines a deployment. Reads only. `access`: the client, and what renews its tokens, or why there is none.
pub async fn examine(
    config: &Config,
    access: Result<(&Client, Option<&Authorization>), String>,
    clock: &SharedClock,
) -> Vec<Finding> {
    let mut found = Findings::default();
    found.good("config", "file", "every key and value can be used");
    deployment::examine(config, &mut found).await;
    match access {
        Err(why) => found.wrong(
            "authorization",
            "webex.oauth",
            why,
            "see to the database, which holds the tokens; then `ringback auth login` connects the organisation",
        ),
        Ok((webex, authorization)) => {
            if access::examine(config, webex, authorization, clock, &mut found).await {
                organization::examine(config, webex, &mut found).await;
            }
        }
    }
    found.0
}
