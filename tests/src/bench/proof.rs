//! Proof of work in a browser: how long a device needs that is as slow as a phone, and whether the page stands still.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use webex_simulator::Pace;

use super::{median, print_table, row};
use crate::browser::Browser;
use crate::eventually::eventually;
use crate::house::House;
use crate::visitor;

/// How often each number of bits is solved.
const ROUNDS: usize = 15;
/// How many times slower than this machine.
const SLOWER: u32 = 6;

/// For how long a visitor who does not send yet is watched, in milliseconds.
const TYPING_MS: u32 = 2500;

/// Notes each long task from here on, and fills the form in: each field in a task of its own, as typing would.
const FILL: &str = r"
    const root = document.querySelector('ringback-launcher').shadowRoot;
    window.tasks = [];
    const note = list => tasks.push(...list.getEntries().map(entry => entry.duration));
    window.watch = new PerformanceObserver(note);
    watch.observe({ type: 'longtask' });
    window.begun = performance.now();
    window.filled = (async () => {
        for (const name of ['name', 'phone', 'email', 'reason', 'message']) {
            await new Promise(done => setTimeout(done));
            const control = root.querySelector('#' + name);
            control.value = arguments[0][name];
            control.dispatchEvent(new Event('input', { bubbles: true }));
        }
        root.querySelector('#consent').checked = true;
    })();
";

/// Sends at once what was filled in, and notes how long it took from the first input to the answer.
const SEND: &str = r"
    window.took = null;
    document.addEventListener('ringback:submitted', () => { took = performance.now() - begun });
    const root = document.querySelector('ringback-launcher').shadowRoot;
    filled.then(() => root.querySelector('[data-action=send]').click());
";

/// Stops noting, and gives what was noted.
const NOTED: &str = "watch.disconnect(); return tasks";

/// Measures, and prints a table.
pub async fn measure() {
    let head =
        ["bits", "answered in, median ms", "at most ms", "longest task while typing, ms", "long tasks"];
    let mut rows = vec![row(head)];
    // Without work first: what the form itself takes.
    for bits in [0_u8, 12, 14, 16, 18] {
        let house = House::with(|plan| {
            plan.with_website();
            plan.pace(Pace::Manual);
            plan.set("proof.calm_per_minute", 0);
            plan.set("proof.least_bits", i64::from(bits));
            plan.set("proof.most_bits", i64::from(bits));
        })
        .await;
        let browser = Browser::open().await;
        let (mut times, mut tasks) = (Vec::new(), Vec::new());
        for sends in [false, true].repeat(ROUNDS) {
            browser.goto(house.website()).await;
            browser.page().open().await;
            browser.slow_down(SLOWER).await;
            browser.script(FILL, vec![json!(visitor::request())]).await;
            if sends {
                browser.script(SEND, vec![]).await;
                let took =
                    eventually("it is solved", async || browser.script("return took", vec![]).await.as_f64());
                times.push(took.await);
                // The next visitor is another one, and follows nothing.
                browser.script("sessionStorage.clear()", vec![]).await;
            } else {
                sleep(Duration::from_millis(TYPING_MS.into())).await;
                let noted = browser.script(NOTED, vec![]).await;
                tasks.extend(serde_json::from_value::<Vec<f64>>(noted).expect("how long each took"));
            }
            browser.slow_down(1).await;
        }
        let longest = times.iter().copied().fold(0.0, f64::max);
        rows.push(vec![
            bits.to_string(),
            format!("{:.0}", median(times)),
            format!("{longest:.0}"),
            format!("{:.0}", tasks.iter().copied().fold(0.0, f64::max)),
            format!("{} in {ROUNDS} rounds", tasks.len()),
        ]);
    }
    print_table(&format!("Proof of work in Chromium, {SLOWER} times slower than this machine"), &rows);
}
