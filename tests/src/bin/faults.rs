//! `cargo xtask faults`: the conductor of the fault tests, for as long as one likes.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool")]

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ringback_tests::faults::{Orders, conduct};

/// Kills the service under load while Webex fails, and compares what callers were told, what the store holds and whom
/// Webex has rung
#[derive(Parser)]
#[command(name = "cargo xtask faults")]
struct Options {
    /// Where everything is drawn from; the same seed plays the same faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many callbacks are asked for
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=150_000))]
    callbacks: u32,
    /// How often a process is killed
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=2000))]
    kills: u32,
    /// Where callbacks are kept
    #[arg(long, value_enum, default_value_t = Store::Sqlite)]
    store: Store,
    /// How many processes serve; more than one need PostgreSQL
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=8))]
    instances: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Store {
    Sqlite,
    Postgres,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    if options.instances > 1 && options.store == Store::Sqlite {
        eprintln!("error: one process serves from an SQLite file; hint: add --store postgres");
        return ExitCode::FAILURE;
    }
    let orders = Orders {
        seed: options.seed,
        callbacks: options.callbacks,
        kills: options.kills,
        postgres: options.store == Store::Postgres,
        instances: usize::from(options.instances),
    };
    let score = conduct(orders).await;
    print!("{score}");
    if score.violations().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
