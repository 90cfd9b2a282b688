//! `ringback serve`.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{ConfigFile, log, print};
use crate::app::App;

/// Run the service.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    /// Print one line of JSON with the addresses once the service listens.
    #[arg(long)]
    json: bool,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let _lines = log::start(&config.log)?;
        let app = App::build(config).await?;
        if self.json {
            print(&serde_json::json!({ "url": app.url(), "ops_url": app.ops_url() }).to_string())?;
        }
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone())?;
        Ok(app.run(stop).await?)
    }
}

/// The first SIGTERM or SIGINT stops the service in good order, the second at once.
fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                tracing::warn!("stopped at once; what was under way is looked up at the next start");
                // 128 and the number of SIGTERM, as shells count.
                std::process::exit(143);
            }
            stop.cancel();
        }
    });
    Ok(())
}
