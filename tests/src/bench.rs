//! `cargo xtask bench`: how fast the service is and how much memory it takes. What is compared is measured in turns within one
//! run, and quoted as a ratio: machines differ, and so does one machine from minute to minute.

pub mod delivery;
pub mod followers;
pub mod forged;
pub mod guard;
pub mod intake;
pub mod proof;
pub mod widget;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use serde_json::json;
use webex_simulator::{Outcome, Pace};

use crate::house::House;
use crate::plan::{LIMITS, ORIGIN, Plan};
use crate::{service, visitor};

/// A service under measurement, as operators start it: with the defaults of the configuration but for its limits, and its log
/// in a file.
pub struct Measured {
    child: Child,
    /// The address of the public door.
    pub address: SocketAddr,
}

impl Measured {
    /// Starts one with the house's configuration, on ports of its own.
    pub fn start(house: &House, name: &str) -> Self {
        let log = File::create(house.folder().join(format!("{name}.log"))).expect("a file");
        // What it prints is where others reach it, which is not where it listens if it has a public address.
        let address = SocketAddr::from(([127, 0, 0, 1], ringback_test_postgres::free_port()));
        let mut child = service::command(&["serve", "--json", "--config"])
            .arg(house.config_file())
            .env("RINGBACK__SERVER__LISTEN", address.to_string())
            .env("RINGBACK__SERVER__OPS_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("that it listens");
        assert!(!line.is_empty(), "the service has not started; {name}.log says why");
        Self { child, address }
    }

    /// Has it run on one core alone, as an instance does on a small machine of its own.
    ///
    /// # Panics
    ///
    /// Where there is no such core, or no `taskset` (util-linux).
    pub fn bind(&self, core: usize) {
        let mut bind = std::process::Command::new("taskset");
        bind.args(["--all-tasks", "--cpu-list", "--pid", &core.to_string(), &self.child.id().to_string()]);
        let status = bind.stdout(Stdio::null()).status();
        assert!(status.is_ok_and(|status| status.success()), "taskset: core {core}");
    }

    /// Its resident memory, and the most that it had, in kB.
    pub fn memory_kb(&self) -> (u64, u64) {
        memory_kb(&self.child)
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) {
        service::signal(&self.child, "TERM");
        let status = self.child.wait().expect("the state of the process");
        assert!(status.success(), "the service ended with {status}");
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        // It has ended already, unless the measurement was broken off.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn memory_kb(child: &Child) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a Linux machine");
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of that name");
        line.trim().trim_end_matches("kB").trim().parse().expect("a number")
    };
    (figure("VmRSS:"), figure("VmHWM:"))
}

/// A house whose limits nobody meets; the rest is as operators have it.
async fn house(postgres: bool, change: impl FnOnce(&mut Plan)) -> House {
    House::without_service(|plan| {
        if postgres {
            plan.own_postgres();
        }
        for limit in LIMITS {
            plan.limit(limit, 1_000_000, 1);
        }
        for key in ["server.workers", "delivery.lease_s", "delivery.retry_s", "delivery.search_grace_s"] {
            plan.unset(key);
        }
        for key in ["webex.connect_timeout_ms", "webex.request_timeout_ms", "webex.requests_per_minute"] {
            plan.unset(key);
        }
        plan.set("log.level", "info");
        plan.pace(Pace::every(50));
        plan.outcome(Outcome::Connected);
        change(plan);
    })
    .await
}

/// A number of its own for each of some millions. Fictitious numbers do not go that far; nobody is rung here.
fn visitor_number(index: u64) -> String {
    const AREAS: [u16; 16] = [201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218];
    let area = AREAS[usize::try_from(index % 16).unwrap_or_default()];
    let (exchange, line) = (200 + index / 16 / 10_000 % 800, index / 16 % 10_000);
    format!("+1{area}{exchange}{line:04}")
}

/// What that visitor posts.
fn visitor_body(index: u64) -> String {
    visitor::request_with(json!({ "phone": visitor_number(index) })).to_string()
}

/// The same as it goes over the wire, from a page of the site.
fn visitor_post(index: u64) -> Vec<u8> {
    crate::load::post("/v1/sites/acme/callbacks", &format!("Origin: {ORIGIN}\r\n"), &visitor_body(index))
}

/// The median.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints a table in Markdown.
#[expect(clippy::print_stdout, reason = "the outcome of a command-line tool")]
fn print_table(title: &str, rows: &[Vec<String>]) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    println!("\n{title}\n");
    for (index, row) in rows.iter().enumerate() {
        let cells = (0..columns).map(|column| format!("{:<1$}", row[column], width(column)));
        println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
        if index == 0 {
            println!(
                "|{}|",
                (0..columns).map(|column| "-".repeat(width(column) + 2)).collect::<Vec<_>>().join("|")
            );
        }
    }
}

/// A count as a figure to divide.
#[expect(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^52")]
pub(crate) fn figure(count: u64) -> f64 {
    count as f64
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
