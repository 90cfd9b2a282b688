//! `cargo xtask bench`: what is measured, and for how long.

use std::time::Duration;

use clap::{Parser, ValueEnum};
use ringback_tests::bench::{delivery, followers, forged, guard, intake, proof, widget};

/// Measures the release build of the service against a handler that stores nothing, and against itself
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Options {
    /// What to measure; all of it where nothing is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// How long each measurement takes, in seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    seconds: u64,
    /// How often the intake is measured, in turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=50))]
    rounds: u16,
    /// Connections that post at the same time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// Callbacks a second that one process is to make tasks of
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Callbacks that are followed live
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..=18_000))]
    followers: u16,
    /// Callers of the front door, each with an address and a number of its own
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(10_000..=4_000_000))]
    callers: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Intake,
    Delivery,
    Followers,
    /// Memory under a million callers
    Callers,
    /// A flood on one site, seen from another
    Flood,
    /// How long forged tokens take
    Forged,
    /// Proof of work in a slow browser
    Proof,
    /// The form on a slow phone and a slow network
    Widget,
    /// Serves the handler that stores nothing, until it is ended
    #[value(hide = true)]
    Bare,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let options = Options::parse();
    if options.what == [What::Bare] {
        return intake::serve_bare().await;
    }
    let wants = |what| options.what.is_empty() || options.what.contains(&what);
    let lasting = Duration::from_secs(options.seconds);
    let connections = usize::from(options.connections);
    if wants(What::Intake) {
        let rounds = usize::from(options.rounds);
        intake::measure(intake::Orders { lasting, rounds, connections }).await;
    }
    if wants(What::Delivery) {
        let rate = f64::from(options.rate);
        delivery::measure(delivery::Orders { rate, lasting: lasting * 6, flood: lasting, connections }).await;
    }
    if wants(What::Followers) {
        followers::measure(usize::from(options.followers)).await;
    }
    if wants(What::Callers) {
        guard::memory(u64::from(options.callers)).await;
    }
    if wants(What::Flood) {
        guard::flood(lasting * 12).await;
    }
    if wants(What::Forged) {
        forged::measure().await;
    }
    if wants(What::Proof) {
        proof::measure().await;
    }
    if wants(What::Widget) {
        widget::measure().await;
    }
    Ok(())
}
