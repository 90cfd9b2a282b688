//! A simulator, a client and a receiver of webhooks, for one test.

use std::future::Future;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use webex_simulator::organization::{ACCESS_TOKEN, CALLBACK_ENTRY_POINT, DEFAULT_ANI, FLOW_ENTRY_POINT};
use webex_simulator::{Control, Options, Pace, Simulator};

/// Long enough for a loaded machine; nothing waits for it when all is well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);
pub(crate) const CUSTOMER: &str = "+15555550101";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const EVENTS: [&str; 6] =
    ["task:new", "task:parked", "task:connect", "task:connected", "task:ended", "task:failed"];

pub(crate) struct House {
    pub(crate) simulator: Simulator,
    pub(crate) control: Control,
    http: Client,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl House {
    /// Calls stand still until they are advanced.
    pub(crate) async fn still() -> Self {
        Self::with(|options| options.settings.pace = Pace::Manual).await
    }

    /// Calls go as fast as they can.
    pub(crate) async fn quick() -> Self {
        Self::with(|options| options.settings.pace = Pace::instant()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::for_tests();
        change(&mut options);
        let simulator = Simulator::start(options).await.unwrap();
        let control = simulator.control().unwrap();
        let http = Client::builder().redirect(Policy::none()).no_proxy().timeout(DEADLINE).build().unwrap();
        Self { simulator, control, http }
    }

    /// A request without a token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.simulator.base_url()))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(ACCESS_TOKEN)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// Makes a task that must be taken; gives its id.
    pub(crate) async fn make(&self, body: &Value) -> String {
        let answer = self.post("/v1/tasks", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.body["data"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn subscribe(&self, receiver: &Receiver) -> String {
        let body = json!({
            "name": "tests", "secret": SECRET, "eventTypes": EVENTS, "destinationUrl": receiver.url,
        });
        let answer = self.post("/v1/subscriptions", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.body["data"]["id"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (retry_after, location) = (header("retry-after"), header("location"));
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, retry_after, location, text, body }
}

impl Answer {
    /// Refused with this status, and with these words somewhere in the description of envelope A, B or C.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, words: &str) {
        let description = self.body["error"]["message"][0]["description"].as_str().unwrap_or_default();
        assert_eq!(self.status, status, "{}", self.text);
        assert!(description.contains(words), "'{description}' lacks '{words}'");
    }
}

pub(crate) fn callback() -> Value {
    json!({
        "entryPointId": CALLBACK_ENTRY_POINT,
        "destination": CUSTOMER,
        "outboundType": "CALLBACK",
        "mediaType": "telephony",
        "callback": { "callbackOrigin": "web", "callbackType": "immediate" },
        "attributes": { "RingbackRef": "ref-1", "CallReason": "Billing", "Name": "Ann Example" },
    })
}

pub(crate) fn flow(agent: &str) -> Value {
    json!({
        "entryPointId": FLOW_ENTRY_POINT,
        "destination": CUSTOMER,
        "origin": DEFAULT_ANI,
        "outboundType": "EXECUTE_FLOW",
        "mediaType": "telephony",
        "attributes": { "preferredAgent": agent },
    })
}

/// The same body with one member set, or taken out when the value is null.
pub(crate) fn but(mut body: Value, name: &str, value: Value) -> Value {
    let members = body.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    body
}

/// Asks again until there is an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < DEADLINE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap()
    }
}

#[derive(Default)]
struct Inbox {
    received: Mutex<Vec<Received>>,
    status: AtomicU16,
    wait_ms: AtomicU64,
}

/// A server that takes webhooks.
pub(crate) struct Receiver {
    pub(crate) url: String,
    inbox: Arc<Inbox>,
    handle: ServerHandle,
}

impl Receiver {
    pub(crate) fn open() -> Self {
        let inbox = Arc::new(Inbox::default());
        inbox.status.store(200, Ordering::SeqCst);
        let data = Data::from(Arc::clone(&inbox));
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(receive)))
                .workers(1)
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
        let url = format!("http://{}/webhooks", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, inbox, handle }
    }

    /// What it answers from now on.
    pub(crate) fn answers(&self, status: u16) {
        self.inbox.status.store(status, Ordering::SeqCst);
    }

    /// How long it takes to answer from now on.
    pub(crate) fn takes(&self, wait: Duration) {
        self.inbox.wait_ms.store(u64::try_from(wait.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inbox.received.lock().unwrap().clone()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.received().iter().map(|received| received.kind().to_owned()).collect()
    }

    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} webhooks"), || async {
            let received = self.received();
            (received.len() >= count).then_some(received)
        })
        .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn receive(request: HttpRequest, raw: Bytes, inbox: Data<Inbox>) -> HttpResponse {
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = serde_json::from_slice(&raw).unwrap_or(Value::Null);
    inbox.received.lock().unwrap().push(Received { headers, raw: raw.to_vec(), body });
    tokio::time::sleep(Duration::from_millis(inbox.wait_ms.load(Ordering::SeqCst))).await;
    let status = StatusCode::from_u16(inbox.status.load(Ordering::SeqCst)).unwrap();
    HttpResponse::build(status).insert_header(("Location", "/elsewhere")).finish()
}
