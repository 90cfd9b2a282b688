//! A load of HTTP/1.1 requests over connections that are kept. It writes ready-made bytes and reads no more of an answer than
//! its status and its length, so that it costs the machine as little as the other side lets it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ringback::clock::{Clock as _, SystemClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::bench::figure;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is sent, by its number.
pub type Request = dyn Fn(u64) -> Vec<u8> + Send + Sync;

/// A load.
#[derive(Clone)]
pub struct Load {
    /// Where to; connections are spread over them.
    pub to: Vec<SocketAddr>,
    /// How many connections.
    pub connections: usize,
    /// For how long.
    pub lasting: Duration,
    /// Requests a second, spread evenly; `None`: each connection asks again as soon as it is answered.
    pub rate: Option<f64>,
    /// What is sent.
    pub request: Arc<Request>,
    /// The number of the first request that was not sent yet.
    pub next: Arc<AtomicU64>,
}

/// What came of a load.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Answers of status 2xx.
    pub accepted: u64,
    /// Other answers.
    pub refused: u64,
    /// The numbers of the accepted requests and when each was answered, in milliseconds since the epoch.
    pub answered: Vec<(u64, i64)>,
    /// How long each answer took, in microseconds, shortest first. At a rate, counted from the moment at which the request
    /// was to be sent: a service that stands still is late for all that wait behind.
    latencies: Vec<u32>,
    lasted: Duration,
}

impl Outcome {
    /// Accepted requests a second.
    pub fn per_second(&self) -> f64 {
        figure(self.accepted) / self.lasted.as_secs_f64()
    }

    /// The latency that so many of a hundred answers did not exceed, in milliseconds.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let index = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(index).map_or(f64::NAN, |micros| f64::from(*micros) / 1000.0)
    }
}

impl Load {
    /// Puts the load on.
    pub async fn run(&self) -> Outcome {
        let begun_at = Instant::now();
        let mut connections = JoinSet::new();
        for index in 0..self.connections {
            connections.spawn(self.clone().connection(index, begun_at));
        }
        let mut all = Outcome::default();
        while let Some(outcome) = connections.join_next().await {
            let outcome = outcome.expect("a connection does not panic");
            all.accepted += outcome.accepted;
            all.refused += outcome.refused;
            all.answered.extend(outcome.answered);
            all.latencies.extend(outcome.latencies);
        }
        all.lasted = begun_at.elapsed();
        all.latencies.sort_unstable();
        all
    }

    async fn connection(self, index: usize, begun_at: Instant) -> Outcome {
        let address = self.to[index % self.to.len()];
        let mut connection = Connection::open(address).await;
        let mut outcome = Outcome::default();
        let end = begun_at + self.lasting;
        let connections = u32::try_from(self.connections).expect("not that many");
        let step = self.rate.map(|rate| Duration::from_secs_f64(f64::from(connections) / rate));
        let place = u32::try_from(index).expect("not that many");
        let mut due = begun_at + step.unwrap_or_default() / connections * place;
        while Instant::now() < end {
            if step.is_some() {
                sleep(due.saturating_duration_since(Instant::now())).await;
            } else {
                due = Instant::now();
            }
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let status = connection.ask(&(self.request)(number)).await;
            let took = due.elapsed().as_micros();
            outcome.latencies.push(u32::try_from(took).unwrap_or(u32::MAX));
            if (200..300).contains(&status) {
                outcome.accepted += 1;
                outcome.answered.push((number, SystemClock.now().as_millisecond()));
            } else {
                outcome.refused += 1;
            }
            due += step.unwrap_or_default();
        }
        outcome
    }
}

/// One kept connection, opened anew where the other side says that it closes it: as after a refusal for which the body was not read.
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    closes: bool,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { address, stream, closes: false, buffer: Vec::with_capacity(4096) }
    }

    /// Sends a request and reads its answer; gives the status.
    pub async fn ask(&mut self, request: &[u8]) -> u16 {
        if self.closes {
            *self = Self::open(self.address).await;
        }
        self.stream.write_all(request).await.expect("the request is sent");
        let (status, head, length) = self.head().await;
        while self.buffer.len() < head + length {
            self.read().await;
        }
        self.buffer.drain(..head + length);
        status
    }

    /// Sends a request and reads its answer up to the body, which may never end; gives the status and the stream.
    pub async fn ask_for_stream(mut self, request: &[u8]) -> (u16, TcpStream) {
        self.stream.write_all(request).await.expect("the request is sent");
        let (status, _, _) = self.head().await;
        (status, self.stream)
    }

    /// The status, the length of the head and that of the body.
    async fn head(&mut self) -> (u16, usize, usize) {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end]).expect("a head in ASCII");
                self.closes = head.lines().any(|line| line.eq_ignore_ascii_case("connection: close"));
                let status = head.get(9..12).and_then(|status| status.parse().ok()).expect("a status line");
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
                });
                return (status, end + 4, length.unwrap_or(0));
            }
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let read =
            timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await.expect("an answer in time");
        assert!(read.expect("the answer is read") > 0, "the connection was closed within an answer");
    }
}

/// A post of JSON as it goes over the wire.
pub fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
