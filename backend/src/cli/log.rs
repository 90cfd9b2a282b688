//! The log, on the standard error output.
//!
//! Whoever handles a request does not write its lines: what comes within a few milliseconds is written together, by a thread of
//! its own. A warning or an error is written at once, because the process may be about to end.

use std::io::{self, BufWriter, Stderr, Write};
use std::thread::sleep;
use std::time::Duration;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::MakeWriterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// How long lines gather.
const PACE: Duration = Duration::from_millis(5);
/// Bytes that are written together at most.
const GATHERED_MAX: usize = 64 * 1024;
/// Lines that may wait.
const WAITING_MAX: usize = 4096;

/// Starts the log. The libraries' own words below a warning are left out whatever the level: they may hold what a
/// visitor typed. `actix_http` tells of requests that it cannot parse, which anybody can send by the thousand.
///
/// What waits to be written is written when the guard goes.
pub(super) fn start(config: &Log) -> anyhow::Result<WorkerGuard> {
    // A filter by variables of the environment would look at each step into each request and out of it.
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("actix_http", LevelFilter::OFF)
        .with_target("ringback", config.level.as_str().parse::<LevelFilter>()?);
    let subscriber = tracing_subscriber::registry().with(filter);
    let lines = Gathered(BufWriter::with_capacity(GATHERED_MAX, io::stderr()));
    // Where nobody reads the lines, whoever writes one waits, as for any other write.
    let (gathered, guard) =
        NonBlockingBuilder::default().lossy(false).buffered_lines_limit(WAITING_MAX).finish(lines);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr.with_max_level(Level::WARN).or_else(gathered));
    let started = match config.format {
        LogFormat::Text => {
            let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
            subscriber.with(lines.with_ansi(is_terminal)).try_init()
        }
        LogFormat::Json => subscriber.with(lines.json().flatten_event(true)).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))?;
    Ok(guard)
}

/// Lines that are written together. Its thread flushes it whenever no line waits.
struct Gathered(BufWriter<Stderr>);

impl Write for Gathered {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        // A line in a quiet hour is written at once; those that follow closely gather meanwhile.
        sleep(PACE);
        Ok(())
    }
}
