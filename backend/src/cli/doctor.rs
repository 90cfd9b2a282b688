//! `ringback doctor`.

use std::sync::Arc;

use super::{ConfigFile, print};
use crate::app;
use crate::clock::{SharedClock, SystemClock};
use crate::doctor::{self, Verdict};

/// Check the configuration against the Webex organisation, and say what to do about what is wrong. Changes nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    config: ConfigFile,
    /// Print the findings as one line of JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let clock: SharedClock = Arc::new(SystemClock);
        let access = app::client(&config, &clock).await;
        let access = match &access {
            Ok((webex, authorization)) => Ok((webex, authorization.as_deref())),
            Err(error) => Err(error.to_string()),
        };
        let findings = doctor::examine(&config, access, &clock).await;
        if self.json {
            print(&serde_json::to_string(&findings)?)?;
        } else {
            for finding in &findings {
                print(&finding.to_string())?;
            }
        }
        let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
        anyhow::ensure!(wrong == 0, "{wrong} of {} checks found something wrong", findings.len());
        Ok(())
    }
}
