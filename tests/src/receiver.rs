//! A CRM's receiver of webhooks: keeps what it gets, and answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// A message that has arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its headers, by their name in small letters.
    pub headers: BTreeMap<String, String>,
    /// Its body, to the byte.
    pub body: String,
    /// The status that it was answered with.
    pub status: u16,
}

impl Received {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// The body as JSON.
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The state that it tells of.
    pub fn state(&self) -> String {
        self.event()["data"]["state"].as_str().expect("a state").to_owned()
    }

    /// Whether one of its signatures is by that secret.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let secret = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
        let mac = Hmac::<Sha256>::new_from_slice(&secret).expect("a key");
        let signed = format!("{}.{}.{}", self.id(), self.headers["webhook-timestamp"], self.body);
        let expected = STANDARD.encode(mac.chain_update(signed).finalize().into_bytes());
        self.headers["webhook-signature"].split(' ').any(|signature| signature == format!("v1,{expected}"))
    }
}

/// How one message is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// With this status and these header lines.
    Status(u16, &'static str),
    /// Never.
    Silence,
}

#[derive(Debug, Default)]
struct Kept {
    received: Vec<Received>,
    answers: VecDeque<Answer>,
}

/// The receiver. Answers `200` unless it is told otherwise.
#[derive(Debug)]
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    kept: Arc<Mutex<Kept>>,
    _task: AbortOnDropHandle<()>,
}

impl Receiver {
    /// A receiver on a port of its own.
    pub async fn start() -> Self {
        Self::at(ringback_test_postgres::free_port()).await
    }

    /// A receiver on that port.
    pub async fn at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port");
        let kept = Arc::<Mutex<Kept>>::default();
        let serving = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { url: format!("http://127.0.0.1:{port}/hook"), kept, _task: AbortOnDropHandle::new(task) }
    }

    /// Answers the next message so, and the one after that as is said next.
    pub fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).answers.extend(answers);
    }

    /// What has arrived so far.
    pub fn received(&self) -> Vec<Received> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).received.clone()
    }
}

async fn serve(stream: TcpStream, kept: Arc<Mutex<Kept>>) {
    let mut stream = BufReader::new(stream);
    while let Some((headers, body)) = read(&mut stream).await {
        let answer = {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = kept.answers.pop_front().unwrap_or(Answer::Status(200, ""));
            let status = if let Answer::Status(status, _) = answer { status } else { 0 };
            kept.received.push(Received { headers, body, status });
            answer
        };
        let Answer::Status(status, lines) = answer else {
            tokio::time::sleep(Duration::from_mins(1)).await;
            return;
        };
        let text = format!("HTTP/1.1 {status} Told\r\ncontent-length: 0\r\n{lines}\r\n");
        if stream.get_mut().write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<(BTreeMap<String, String>, String)> {
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    while stream.read_line(&mut line).await.ok()? > 0 && line != "\r\n" {
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        line.clear();
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((headers, String::from_utf8(body).ok()?))
}
