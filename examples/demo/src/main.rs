//! `cargo xtask demo`: starts the parts and says where they are.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use ringback_demo::demo::{self, Options};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this cannot be written, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> anyhow::Result<()> {
    // Warnings alone: whoever watches the demo looks at the browser.
    tracing_subscriber::fmt().with_max_level(LOG_LEVEL).with_writer(std::io::stderr).init();
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let on_signal = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        on_signal.cancel();
    });
    let demo = tokio::select! {
        demo = demo::start(&options, &stop) => demo?,
        // Whatever had been started goes with what held it.
        () = stop.cancelled() => return Ok(()),
    };
    let text =
        if options.json { serde_json::to_string(&demo.addresses)? } else { demo.addresses.to_string() };
    let mut output = std::io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()?;
    drop(output);
    demo.run(stop).await
}

const LOG_LEVEL: tracing_subscriber::filter::LevelFilter = tracing_subscriber::filter::LevelFilter::WARN;
