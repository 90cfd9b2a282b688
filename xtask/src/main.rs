//! The one entrance to everything that is not the product itself: `cargo xtask --help`.
//!
//! One module a subcommand: its `Options` are the command line, its `run` does the work.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool: what it finds out goes to standard output, what it does to standard error"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod axe;
mod bench;
mod check;
mod demo;
mod faults;
mod fuzz;
mod packages;
mod schema;
mod test;
mod widget;
mod workspace;

/// Builds the widget, runs the demo, the tests and the checks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Options),
    Check(check::Options),
    Demo(demo::Options),
    Faults(faults::Options),
    Fuzz(fuzz::Options),
    Schema(schema::Options),
    Test(test::Options),
    Widget(widget::Options),
}

fn main() -> ExitCode {
    let outcome = match CommandLine::parse().command {
        Command::Bench(options) => bench::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Faults(options) => faults::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Schema(options) => schema::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Widget(options) => widget::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
