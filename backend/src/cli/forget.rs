//! `ringback forget`.

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::json;

use super::audit::record;
use super::{ConfigFile, print};
use crate::clock::{Clock as _, SystemClock};
use crate::delivery::forget::forget;
use crate::notify;
use crate::phone::PhoneNumber;
use crate::store::{self, Use};

/// Erase what is known of a person, by their number.
#[derive(Debug, Args)]
pub(super) struct Forget {
    #[command(flatten)]
    config: ConfigFile,
    /// The number, with + and the country's code, such as +12025550142.
    #[arg(long, value_parser = phone)]
    phone: PhoneNumber,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Forget {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let store = store::open(&config.store, Use::Command).await?;
        // CRMs hear of what is called off as of any change.
        store.subscribe(notify::subscribers(&config.webhooks));
        let forgotten = forget(&*store, &self.phone, SystemClock.now()).await?;
        let detail = format!("{} erased, {} left", forgotten.erased, forgotten.left.len());
        record(&*store, "person.forget", &self.phone, detail).await?;
        if self.json {
            let left: Vec<_> = forgotten
                .left
                .iter()
                .map(|callback| json!({ "id": callback.id.to_string(), "state": callback.state.as_str() }))
                .collect();
            let told =
                json!({ "erased": forgotten.erased, "called_off": forgotten.called_off, "left": left });
            print(&serde_json::to_string_pretty(&told)?)?;
        } else {
            print(&format!(
                "{} callbacks to {} erased, {} of which were called off first",
                forgotten.erased, self.phone, forgotten.called_off
            ))?;
            for callback in &forgotten.left {
                print(&format!(
                    "{} is {}: left, because Webex has it or may have it",
                    callback.id,
                    callback.state.as_str()
                ))?;
            }
        }
        ensure!(
            forgotten.left.is_empty(),
            "{} callbacks are left\n  hint: run this again once they have ended; what Webex itself keeps is deleted there",
            forgotten.left.len()
        );
        Ok(())
    }
}

pub(super) fn phone(text: &str) -> anyhow::Result<PhoneNumber> {
    let digits: String = text.chars().filter(|character| !" -().".contains(*character)).collect();
    PhoneNumber::from_e164(&digits)
        // No country's code begins with 0: that is how what was erased reads.
        .filter(|number| !number.e164().starts_with("+0"))
        .context("write it with + and the country's code, such as +12025550142")
}
