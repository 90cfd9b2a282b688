//! A real browser, with a profile of its own.

use std::fmt::Write as _;

use base64::Engine as _;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::driver::Place;
use crate::eventually::eventually;

/// What the browser must not do: nothing of this is of the tests, and no other host is asked for anything.
const ARGUMENTS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// Runs before anything of a page: remembers what the tests ask for later.
const WATCH: &str = "
    window.watched = { violations: [], errors: [], events: [], shifts: [] };
    watched.names = [...Object.getOwnPropertyNames(window), ...Object.keys(document)];
    const shifted = ({ value, hadRecentInput, sources }) => ({
        value, hadRecentInput, of: sources.map(({ node }) => node?.localName + '.' + node?.className),
    });
    new PerformanceObserver(list => watched.shifts.push(...list.getEntries().map(shifted)))
        .observe({ type: 'layout-shift', buffered: true });
    document.addEventListener('securitypolicyviolation', event =>
        watched.violations.push(event.violatedDirective + ' ' + event.blockedURI));
    addEventListener('error', event => watched.errors.push(String(event.message)));
    addEventListener('unhandledrejection', event => watched.errors.push(String(event.reason)));
    for (const type of ['open', 'close', 'level', 'before-submit', 'submitted', 'state', 'error'])
        document.addEventListener('ringback:' + type, event => watched.events.push({ type, ...event.detail }));
";

/// A browser with one window.
#[derive(Debug)]
pub struct Browser {
    pub(crate) client: Client,
    session: String,
    place: Place,
}

/// How a page is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The width of the page, in CSS pixels. A zoomed page has fewer of them.
    pub width: u32,
    /// The height of the page, in CSS pixels.
    pub height: u32,
    /// Whether the visitor prefers dark colours.
    pub dark: bool,
}

impl Look {
    /// A telephone.
    pub const NARROW: Self = Self { width: 360, height: 740, dark: false };
    /// A desktop.
    pub const WIDE: Self = Self { width: 1280, height: 860, dark: false };

    /// The same in dark colours.
    #[must_use]
    pub fn in_dark(self) -> Self {
        Self { dark: true, ..self }
    }

    /// A name for files.
    pub fn name(self) -> String {
        format!("{}-{}", self.width, if self.dark { "dark" } else { "light" })
    }
}

impl Browser {
    /// Starts a browser, as soon as there is a place for one.
    pub async fn open() -> Self {
        let place = Place::take().await;
        let Value::Object(capabilities) = json!({
            "goog:chromeOptions": { "args": ARGUMENTS },
            "goog:loggingPrefs": { "browser": "ALL" },
        }) else {
            unreachable!("an object");
        };
        let address = format!("http://127.0.0.1:{}", place.driver.port);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(Capabilities::from_iter(capabilities))
            .connect(&address)
            .await
            .expect("a browser");
        let session = client.session_id().await.expect("an answer").expect("a session");
        let browser = Self { client, session, place };
        browser.before_each_page(WATCH).await;
        browser.look(Look::WIDE).await;
        browser
    }

    /// Sets size and colours.
    pub async fn look(&self, look: Look) {
        let size =
            json!({ "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if look.dark { "dark" } else { "light" };
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            // Nothing moves while a picture is taken.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Shows pages as systems do that replace all colours by a few of their own.
    pub async fn force_colors(&self) {
        let features = json!([
            { "name": "forced-colors", "value": "active" },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Has a script run before anything of each page that is loaded from now on, also of those in frames.
    pub async fn before_each_page(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await;
    }

    /// Takes WebAssembly away from every page, as browsers in lockdown do.
    pub async fn forbid_wasm(&self) {
        self.before_each_page("delete window.WebAssembly").await;
    }

    /// Has every request fail from now on whose address matches one of these patterns, in which `*` stands for anything.
    pub async fn block(&self, patterns: &[&str]) {
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.setBlockedURLs", json!({ "urls": patterns })).await;
    }

    /// Types with an input method that first shows what it is about to put in.
    pub async fn compose(&self, text: &str) {
        let caret = text.chars().count();
        let composed = json!({ "text": text, "selectionStart": caret, "selectionEnd": caret });
        self.devtools("Input.imeSetComposition", composed).await;
    }

    /// Has the input method put a text in, in the place of what it has shown.
    pub async fn commit(&self, text: &str) {
        self.devtools("Input.insertText", json!({ "text": text })).await;
    }

    /// How many nodes and listeners there are, once what nobody holds is gone.
    pub async fn nodes_and_listeners(&self) -> (u64, u64) {
        self.devtools("HeapProfiler.collectGarbage", json!({})).await;
        let counters = self.devtools("Memory.getDOMCounters", json!({})).await;
        let counter = |name: &str| counters[name].as_u64().expect("a number");
        (counter("nodes"), counter("jsEventListeners"))
    }

    /// Goes to an address.
    pub async fn goto(&self, address: &str) {
        self.client.goto(address).await.unwrap_or_else(|error| panic!("{address}: {error}"));
    }

    /// Runs no script of any page from now on. The driver's own still run.
    pub async fn forbid_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    }

    /// Goes back to the page before.
    pub async fn back(&self) {
        self.client.back().await.expect("the page before");
    }

    /// Opens a second tab that has what this one has kept, as when one is duplicated, and goes there. It shows nothing yet.
    pub async fn open_tab(&self) {
        self.script("window.open('about:blank')", vec![]).await;
        self.go_to_tab(1).await;
        self.before_each_page(WATCH).await;
    }

    /// Goes to one of the tabs, in the order in which they were opened.
    pub async fn go_to_tab(&self, index: usize) {
        let tab = eventually("the tab is there", async || {
            self.client.windows().await.expect("the tabs").get(index).cloned()
        });
        self.client.switch_to_window(tab.await).await.expect("a tab");
    }

    /// Takes the network away, or gives it back.
    pub async fn set_offline(&self, offline: bool) {
        self.set_network(offline, 0, -1).await;
    }

    /// Makes every answer late by that many milliseconds.
    pub async fn set_latency(&self, milliseconds: u32) {
        self.set_network(false, milliseconds, -1).await;
    }

    /// The same, and no more than that many bytes a second come.
    pub async fn set_speed(&self, milliseconds: u32, bytes_per_s: u32) {
        self.set_network(false, milliseconds, bytes_per_s.into()).await;
    }

    /// Forgets what it has kept of pages that it has loaded.
    pub async fn clear_cache(&self) {
        self.devtools("Network.clearBrowserCache", json!({})).await;
    }

    /// Has the page believe that it is in that time zone.
    pub async fn travel_to(&self, timezone: &str) {
        self.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": timezone })).await;
    }

    /// Makes the page's scripts so many times slower than this machine.
    pub async fn slow_down(&self, times: u32) {
        self.devtools("Emulation.setCPUThrottlingRate", json!({ "rate": times })).await;
    }

    async fn set_network(&self, offline: bool, latency: u32, throughput: i64) {
        let conditions = json!({
            "offline": offline, "latency": latency, "download_throughput": throughput, "upload_throughput": throughput,
        });
        let body = json!({ "network_conditions": conditions });
        self.issue("chromium/network_conditions", &body).await;
    }

    /// Runs a script of the page; its `arguments` are those.
    pub async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        let answer = self.client.execute(script, arguments).await;
        answer.unwrap_or_else(|error| panic!("{error}: {script}"))
    }

    /// What went wrong on the page since it was loaded: violations of its policy, and errors of its scripts.
    pub async fn complaints(&self) -> Vec<String> {
        let found = self.script("return [...watched.violations, ...watched.errors]", vec![]).await;
        serde_json::from_value(found).expect("texts")
    }

    /// The events of the form that the page has heard.
    pub async fn events(&self) -> Vec<Value> {
        serde_json::from_value(self.script("return watched.events", vec![]).await).expect("a list")
    }

    /// The addresses that the page has fetched from that origin.
    pub async fn fetched_from(&self, origin: &str) -> Vec<String> {
        let script = "return performance.getEntriesByType('resource').map(entry => entry.name)";
        let names: Vec<String> = serde_json::from_value(self.script(script, vec![]).await).expect("texts");
        names.into_iter().filter(|name| name.starts_with(origin)).collect()
    }

    /// A picture of what is shown.
    pub async fn picture(&self) -> Vec<u8> {
        let answer = self.devtools("Page.captureScreenshot", json!({ "format": "png" })).await;
        let data = answer["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD.decode(data).expect("base64")
    }

    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.issue("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    async fn issue(&self, path: &'static str, body: &Value) -> Value {
        let command = Vendor { path, body: body.to_string() };
        self.client.issue_cmd(command).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// What the browser's console holds.
    pub async fn console(&self) -> String {
        let entries = self.issue("se/log", &json!({ "type": "browser" })).await;
        entries.as_array().into_iter().flatten().fold(String::new(), |mut text, entry| {
            let _ = writeln!(text, "{}: {}", entry["level"], entry["message"]);
            text
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.place.driver.end_session(&self.session);
    }
}

/// A command of chromedriver beyond the W3C's standard.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: String,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _request_url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.clone()))
    }
}
