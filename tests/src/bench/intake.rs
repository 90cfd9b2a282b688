//! Durable intake: requests that are stored and flushed before they are answered, against a handler that reads the same JSON
//! and stores nothing.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use ringback_contract::callback::{Accepted, State};
use ringback_contract::request::NewCallback;

use super::{Measured, house, median, print_table, row, visitor_post};
use crate::load::{Load, Outcome};

/// How long and how often is measured.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// How long each measurement takes.
    pub lasting: Duration,
    /// How often everything is measured, in turns.
    pub rounds: usize,
    /// Connections at the same time.
    pub connections: usize,
}

/// Serves the bare handler until the process is ended; prints where.
///
/// # Errors
///
/// Where no port can be had.
#[expect(clippy::print_stdout, reason = "whoever started it reads the address")]
pub async fn serve_bare() -> std::io::Result<()> {
    async fn bare(posted: web::Json<NewCallback>) -> HttpResponse {
        HttpResponse::Accepted().json(Accepted {
            id: posted.phone.clone(),
            state: State::Accepted,
            follow: posted.name.clone(),
            joined: false,
            schedule: None,
            at_opening: false,
        })
    }
    let server = HttpServer::new(|| App::new().route("/v1/sites/acme/callbacks", web::post().to(bare)));
    let server = server.bind(("127.0.0.1", 0))?;
    println!("{}", server.addrs().first().map(ToString::to_string).unwrap_or_default());
    server.run().await
}

struct Bare(Child, SocketAddr);

impl Bare {
    fn start() -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(program).arg("bare").stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("where it listens");
        Self(child, line.trim().parse().expect("an address"))
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Default)]
struct Figures {
    per_second: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    p99_at_half: Vec<f64>,
    memory_kb: u64,
}

impl Figures {
    fn note(&mut self, full: &Outcome, half: Option<&Outcome>) {
        let refused = full.refused + half.map_or(0, |half| half.refused);
        assert_eq!(refused, 0, "requests were refused: this measures nothing");
        self.per_second.push(full.per_second());
        self.p50.push(full.percentile_ms(50));
        self.p99.push(full.percentile_ms(99));
        self.p99_at_half.extend(half.map(|half| half.percentile_ms(99)));
    }
}

/// Measures, and prints a table.
pub async fn measure(orders: Orders) {
    let mut all: [Figures; 3] = Default::default();
    let next = Arc::new(AtomicU64::new(0));
    for _ in 0..orders.rounds {
        let bare = Bare::start();
        let (_, outcome) = full(orders, &next, bare.1).await;
        all[0].note(&outcome, None);
        drop(bare);
        for (figures, postgres) in all[1..].iter_mut().zip([false, true]) {
            let house = house(postgres, |_| {}).await;
            let service = Measured::start(&house, "service");
            let (load, outcome) = full(orders, &next, service.address).await;
            let half = Load { rate: Some(outcome.per_second() / 2.0), ..load }.run().await;
            figures.note(&outcome, Some(&half));
            figures.memory_kb = figures.memory_kb.max(service.memory_kb().1);
            service.stop();
        }
    }
    let bare = median(all[0].per_second.clone());
    let mut rows = vec![row([
        "",
        "requests a second",
        "of the bare handler",
        "p50 ms",
        "p99 ms",
        "p99 ms at half load",
        "memory at most, MB",
    ])];
    for (name, figures) in ["bare handler", "SQLite", "PostgreSQL"].into_iter().zip(all) {
        let per_second = median(figures.per_second);
        rows.push(vec![
            name.to_owned(),
            format!("{per_second:.0}"),
            format!("{:.0} %", per_second / bare * 100.0),
            format!("{:.2}", median(figures.p50)),
            format!("{:.2}", median(figures.p99)),
            Some(median(figures.p99_at_half))
                .filter(|p99| p99.is_finite())
                .map_or(String::new(), |p99| format!("{p99:.2}")),
            if figures.memory_kb == 0 { String::new() } else { (figures.memory_kb / 1024).to_string() },
        ]);
    }
    let title = format!(
        "Durable intake, {} connections, medians of {} rounds of {:?}",
        orders.connections, orders.rounds, orders.lasting
    );
    print_table(&title, &rows);
}

/// As much as goes.
async fn full(orders: Orders, next: &Arc<AtomicU64>, to: SocketAddr) -> (Load, Outcome) {
    let load = Load {
        to: vec![to],
        connections: orders.connections,
        lasting: orders.lasting,
        rate: None,
        request: Arc::new(visitor_post),
        next: Arc::clone(next),
    };
    // The first requests find nothing in any cache.
    Load { lasting: Duration::from_secs(1), ..load.clone() }.run().await;
    let outcome = load.run().await;
    (load, outcome)
}
