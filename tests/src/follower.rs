//! Reads a stream of server-sent events (WHATWG HTML, section 9.2).

use futures_util::{Stream, StreamExt as _};
use reqwest::Response;
use ringback_contract::callback::State;
use serde_json::Value;

use crate::eventually::PATIENCE;

/// Something that came through the stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// A callback's state.
    State(Value),
    /// A comment, which keeps the connection alive.
    Comment(String),
}

/// A stream that is being read.
pub struct Follower {
    bytes: std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>> + Send>>,
    unread: String,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Follower").field("unread", &self.unread).finish_non_exhaustive()
    }
}

impl Follower {
    /// Reads the answer to a request for a stream.
    #[track_caller]
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status().as_u16(), 200);
        let media_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        assert_eq!(media_type, Some("text/event-stream"));
        let bytes = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec()));
        Self { bytes: Box::pin(bytes), unread: String::new() }
    }

    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<Piece> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let (piece, length) = (read(block), self.unread.len() - rest.len());
                self.unread.drain(..length);
                return Some(piece);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.bytes.next());
            let Some(Ok(bytes)) = chunk.await.expect("the stream is silent") else {
                // A service that is killed cuts the stream; one that ends it says so. Both are an end here.
                assert!(self.unread.is_empty(), "the stream ended within an event: {:?}", self.unread);
                return None;
            };
            self.unread.push_str(&String::from_utf8(bytes).expect("UTF-8"));
        }
    }

    /// Reads on until the callback is in that state.
    pub async fn until(&mut self, state: State) {
        while let Some(piece) = self.next().await {
            if matches!(&piece, Piece::State(view) if view["state"] == state.as_str()) {
                return;
            }
        }
        panic!("the stream ended before the callback was {}", state.as_str());
    }

    /// The names of the states up to the end of the stream.
    pub async fn states(mut self) -> Vec<String> {
        let mut states = Vec::new();
        while let Some(piece) = self.next().await {
            if let Piece::State(view) = piece {
                states.push(view["state"].as_str().expect("a state").to_owned());
            }
        }
        states
    }
}

fn read(block: &str) -> Piece {
    let value_of = |name: &str| {
        block
            .lines()
            .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim_start().to_owned()))
    };
    match (value_of("event"), value_of("data")) {
        (Some(event), Some(data)) => {
            assert_eq!(event, "state");
            let view: Value = serde_json::from_str(&data).expect("data in JSON");
            assert_eq!(value_of("id"), Some(view["revision"].to_string()));
            Piece::State(view)
        }
        _ => Piece::Comment(block.trim_start_matches(':').trim().to_owned()),
    }
}
