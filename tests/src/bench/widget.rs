//! The form in a browser on a slow phone and a slow network: from the click to the form that can be used.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::header::ACCEPT_ENCODING;
use serde_json::Value;
use tokio::time::sleep;

use super::{median, print_table, row};
use crate::browser::Browser;
use crate::house::House;
use crate::plan::Plan;

/// How often each is measured.
const ROUNDS: usize = 15;
/// How many times slower than this machine.
const SLOWER: u32 = 4;
/// How long a browser that was just started is busy with itself. A visitor's was started long ago.
const STARTING: Duration = Duration::from_secs(2);

/// A network.
struct Network {
    name: &'static str,
    latency_ms: u32,
    bytes_per_s: u32,
}

/// What measuring programs call "slow 4G": Lighthouse with its time of one round trip, which is what a request takes on a
/// connection that is there already, and Chromium's developer tools, which hold back each answer as if it were not.
const NETWORKS: [Network; 2] = [
    Network { name: "150 ms, 1.6 Mbit/s", latency_ms: 150, bytes_per_s: 204_800 },
    Network { name: "562 ms, 1.44 Mbit/s", latency_ms: 562, bytes_per_s: 180_000 },
];

/// Presses the button without coming near it first, and gives what happens till the form is drawn and has the focus: how
/// long it takes, the long tasks, and what has moved without the visitor's doing since the page was loaded.
const OPEN: &str = "
    const tasks = [];
    // What runs in it, and for how long: the browser's own work has no script.
    const told = ({ startTime, duration, styleAndLayoutStart, scripts }) => ({
        at: startTime - begun, duration, layout: startTime + duration - (styleAndLayoutStart || startTime + duration),
        scripts: scripts.map(({ invoker, duration }) => `${invoker} ${Math.round(duration)} ms`).join(', '),
    });
    const watch = new PerformanceObserver(list => tasks.push(...list.getEntries().map(told)));
    watch.observe({ type: 'long-animation-frame' });
    const { shadowRoot } = document.querySelector('ringback-launcher');
    const begun = performance.now();
    return new Promise(done => {
        document.addEventListener('ringback:open', () => requestAnimationFrame(() => setTimeout(() => {
            const took = performance.now() - begun;
            const usable = shadowRoot.activeElement?.localName == 'input';
            // What is under way is noted when it is over.
            setTimeout(() => done({
                took, usable, tasks, moved: watched.shifts.filter(shift => !shift.hadRecentInput).length,
            }), 100);
        })), { once: true });
        shadowRoot.querySelector('button.launch').click();
    });
";

/// The long tasks of a page that was just loaded, and what has moved in it.
const LOADED: &str = "
    const tasks = [];
    const watch = new PerformanceObserver(list => tasks.push(...list.getEntries().map(({ duration }) => duration)));
    watch.observe({ type: 'longtask', buffered: true });
    return new Promise(done => setTimeout(() => done({ tasks, moved: watched.shifts.length }), 500));
";

/// What was measured in all rounds of one kind.
#[derive(Default)]
struct Found {
    times: Vec<f64>,
    tasks: Vec<Value>,
    moved: u64,
    fetched: BTreeSet<String>,
}

/// Measures, and prints tables.
pub async fn measure() {
    let house = House::with(Plan::with_website).await;
    print_page_view(&house).await;
    let mut rows = vec![row(["slow 4G", "prefetched", "usable after, median ms", "at most ms", "bar, ms"])];
    for network in &NETWORKS {
        for prefetched in [false, true] {
            let found = rounds(&house, network, prefetched).await;
            let longest = found.times.iter().copied().fold(0.0, f64::max);
            rows.push(vec![
                network.name.to_owned(),
                if prefetched { "yes" } else { "no" }.to_owned(),
                format!("{:.0}", median(found.times.clone())),
                format!("{longest:.0}"),
                if prefetched { "100" } else { "1000" }.to_owned(),
            ]);
            if !prefetched {
                print_costs(&house, network, &found).await;
            }
            print_frames(network, prefetched, &found);
        }
    }
    print_table(&format!("From the click to the form, {SLOWER} times slower than this machine"), &rows);
}

async fn rounds(house: &House, network: &Network, prefetched: bool) -> Found {
    let mut found = Found::default();
    for _ in 0..ROUNDS {
        // One that has shown no such form before, as the visitor's: what it knows of the last would be half of the answer.
        let browser = Browser::open().await;
        browser.goto(house.website()).await;
        browser.page().element("button.launch").await;
        sleep(STARTING).await;
        if prefetched {
            browser.script("return Ringback('load')", vec![]).await;
        }
        browser.set_speed(network.latency_ms, network.bytes_per_s).await;
        browser.slow_down(SLOWER).await;
        let measured = browser.script(OPEN, vec![]).await;
        browser.slow_down(1).await;
        browser.set_latency(0).await;
        assert_eq!(measured["usable"], true, "{measured}");
        found.times.push(measured["took"].as_f64().expect("a time"));
        found.tasks.extend(measured["tasks"].as_array().into_iter().flatten().cloned());
        found.moved += measured["moved"].as_u64().expect("a count");
        found.fetched.extend(browser.fetched_from(house.url()).await);
    }
    found
}

/// What the page has fetched, and whether it stood still.
async fn print_costs(house: &House, network: &Network, found: &Found) {
    let mut rows = vec![row(["fetched", "bytes of the body"])];
    let mut bytes = 0;
    for address in &found.fetched {
        // Whoever is shown the form is counted, which brings nothing.
        if address.contains("/shown?") {
            continue;
        }
        let asked = house.http.get(address).header(ACCEPT_ENCODING, "br").send().await;
        let body = asked.expect("an answer").bytes().await.expect("a body");
        let path = address.trim_start_matches(house.url());
        rows.push(vec![path.split('?').next().unwrap_or_default().to_owned(), body.len().to_string()]);
        bytes += body.len();
    }
    rows.push(vec!["in all (bar: 40000)".to_owned(), bytes.to_string()]);
    print_table(&format!("Fetched till the form was open, on {}", network.name), &rows);
}

/// What has held the page up, and whether it stood still.
fn print_frames(network: &Network, prefetched: bool, found: &Found) {
    let mut rows =
        vec![row(["frame of more than 50 ms, at ms", "lasting ms", "style and layout, ms", "scripts"])];
    for task in &found.tasks {
        let figure = |name: &str| format!("{:.0}", task[name].as_f64().unwrap_or(f64::NAN));
        let scripts = task["scripts"].as_str().unwrap_or_default().to_owned();
        rows.push(vec![figure("at"), figure("duration"), figure("layout"), scripts]);
    }
    let times: Vec<_> = found.times.iter().map(|time| format!("{time:.0}")).collect();
    let title = format!(
        "Long frames in {ROUNDS} rounds{} on {}, which took {} ms; the layout shifted {} times",
        if prefetched { " where it was prefetched" } else { "" },
        network.name,
        times.join(", "),
        found.moved
    );
    print_table(&title, &rows);
}

/// What the loader costs a page whose visitor wishes for nothing.
async fn print_page_view(house: &House) {
    let mut rows = vec![row(["page", "long tasks in all rounds", "the longest, ms", "shifts of the layout"])];
    for (name, blocked) in [("without the loader", vec!["*/widget.js*"]), ("with the loader", Vec::new())] {
        let browser = Browser::open().await;
        browser.block(&blocked).await;
        browser.slow_down(SLOWER).await;
        let (mut tasks, mut moved) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            browser.clear_cache().await;
            browser.goto(house.website()).await;
            let measured = browser.script(LOADED, vec![]).await;
            tasks.extend(measured["tasks"].as_array().into_iter().flatten().filter_map(Value::as_f64));
            moved += measured["moved"].as_u64().expect("a count");
        }
        let longest = tasks.iter().copied().fold(0.0, f64::max);
        rows.push(vec![name.to_owned(), tasks.len().to_string(), format!("{longest:.0}"), moved.to_string()]);
    }
    print_table(&format!("A page view, in {ROUNDS} rounds, {SLOWER} times slower"), &rows);
}
