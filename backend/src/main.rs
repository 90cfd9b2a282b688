//! The Ringback service.

use std::process::ExitCode;

use clap::Parser as _;
use ringback::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever has read enough has got what was asked for.
        Err(error) if cli::is_unread(&error) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // Where even this cannot be written, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "error: {}", cli::told(&error));
            ExitCode::FAILURE
        }
    }
}
