//! Follows a callback: by a stream of events, and where a stream does not come through, by asking again and again.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use web_sys::AbortController;

use crate::backoff::Backoff;
use crate::deadline::Deadline;
use crate::http::{Answer, Request};
use crate::json::Json;
use crate::read::{self, Progress};
use crate::sse::EventStream;
use crate::task;

/// How long the first event may take, in milliseconds. The service sends one at once: if none comes, something between
/// us holds streams back.
const FIRST_EVENT: i32 = 10_000;
/// How long a stream may be silent, in milliseconds: the service sends a heartbeat every 15 s.
const SILENCE: i32 = 40_000;
/// How long an answer to a single question may take, in milliseconds.
const ANSWER: i32 = 10_000;
/// How often to ask where streams do not come through, in milliseconds.
const ASK_EVERY: u32 = 4_000;

/// How long to wait before a callback is asked for again, in milliseconds.
const WAITS: [u32; 6] = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

/// A callback to follow.
#[derive(Clone)]
pub(crate) struct Followed {
    /// Its id.
    pub(crate) id: String,
    /// The callback's address at the service.
    pub(crate) url: String,
    /// The bearer token that opens it.
    pub(crate) token: String,
}

impl Followed {
    async fn send(&self, method: &str, url: &str, body: &str, deadline: &Deadline) -> Option<Answer> {
        let authorization = ["Bearer ", &self.token].concat();
        let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
        let body = (!body.is_empty()).then_some(body);
        Request { method, url, headers: &headers[..=usize::from(body.is_some())], body }.send(deadline).await
    }
}

/// What the follower has to tell.
pub(crate) enum News {
    /// The callback stands here.
    At(Progress),
    /// The service does not answer; the follower goes on trying.
    Lost,
    /// The service does not know the callback, or not this token; the follower has ended.
    Unknown,
}

/// Whether to go on.
#[derive(PartialEq)]
pub(crate) enum Next {
    GoOn,
    Stop,
}

/// Ends a follower from elsewhere.
#[derive(Clone, Default)]
pub(crate) struct Leash(Rc<Held>);

#[derive(Default)]
struct Held {
    controller: RefCell<Option<AbortController>>,
    is_pulled: Cell<bool>,
}

impl Leash {
    fn hold(&self, deadline: &Deadline) {
        self.0.controller.replace(Some(deadline.controller()));
    }

    /// Aborts the request that the follower waits for; it asks for nothing more.
    pub(crate) fn pull(&self) {
        self.0.is_pulled.set(true);
        let controller = self.0.controller.take();
        if let Some(controller) = controller {
            controller.abort();
        }
    }
}

/// How a stream ended.
enum End {
    /// The listener wants no more.
    Stopped,
    /// It brought news before it broke off.
    Delivered,
    /// It opened, and brought nothing.
    Silent,
    /// It did not open.
    Unreachable,
    /// The service does not know the callback, or not this token.
    Unknown,
}

/// Follows until the listener says stop.
pub(crate) async fn run(followed: Followed, leash: Leash, tell: impl Fn(News) -> Next) {
    let backoff = Backoff::new(&WAITS);
    let mut streams = true;
    while !leash.0.is_pulled.get() {
        let end = if streams {
            stream(&followed, &leash, &tell).await
        } else {
            ask(&followed, &leash, &tell).await
        };
        let wait = match end {
            End::Stopped => return,
            End::Unknown => {
                tell(News::Unknown);
                return;
            }
            End::Delivered => {
                backoff.reset();
                if streams { backoff.next(js_sys::Math::random()) } else { ASK_EVERY }
            }
            End::Silent => {
                streams = false;
                0
            }
            End::Unreachable => {
                if leash.0.is_pulled.get() || tell(News::Lost) == Next::Stop {
                    return;
                }
                backoff.next(js_sys::Math::random())
            }
        };
        task::sleep(wait).await;
    }
}

async fn stream(followed: &Followed, leash: &Leash, tell: &impl Fn(News) -> Next) -> End {
    let mut deadline = Deadline::new(FIRST_EVENT);
    leash.hold(&deadline);
    let address = [&followed.url, "/events"].concat();
    let Some(answer) = followed.send("GET", &address, "", &deadline).await else { return End::Unreachable };
    match answer.status() {
        200 => {}
        401 | 403 | 404 | 410 => return End::Unknown,
        _ => return End::Unreachable,
    }
    let Some(reader) = answer.stream() else { return End::Silent };
    let mut events = EventStream::default();
    let mut end = End::Silent;
    while let Some(piece) = task::result(reader.read()).await {
        // No text in it: the stream has ended.
        let Some(text) = Json::new(piece).text("value") else { break };
        for data in events.push(&text) {
            let Some(progress) = Json::parse(&data).as_ref().and_then(read::progress) else { continue };
            if tell(News::At(progress)) == Next::Stop {
                return End::Stopped;
            }
            end = End::Delivered;
        }
        if let End::Delivered = end {
            deadline.set(SILENCE);
        }
    }
    end
}

async fn ask(followed: &Followed, leash: &Leash, tell: &impl Fn(News) -> Next) -> End {
    let (status, answer) = ask_once("GET", followed, "", leash).await;
    match (status, read::progress(&answer)) {
        (200, Some(progress)) => match tell(News::At(progress)) {
            Next::GoOn => End::Delivered,
            Next::Stop => End::Stopped,
        },
        (401 | 403 | 404 | 410, _) => End::Unknown,
        _ => End::Unreachable,
    }
}

/// Changes a callback, or calls it off. Gives the HTTP status or 0, and the answer.
pub(crate) async fn change(method: &str, followed: &Followed, body: &str) -> (u16, Json) {
    ask_once(method, followed, body, &Leash::default()).await
}

async fn ask_once(method: &str, followed: &Followed, body: &str, leash: &Leash) -> (u16, Json) {
    let deadline = Deadline::new(ANSWER);
    leash.hold(&deadline);
    match followed.send(method, &followed.url, body, &deadline).await {
        Some(answer) => (answer.status(), answer.json().await),
        None => (0, Json::default()),
    }
}
