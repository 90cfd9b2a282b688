//! Proof of work in a browser: how long a device needs that is as slow as a phone, and whether the page stands still.

use serde_json::json;
use webex_simulator::Pace;

use super::{median, print_table, row};
use crate::browser::Browser;
use crate::eventually::eventually;
use crate::house::House;
use crate::visitor;

/// How often each number of bits is solved.
const ROUNDS: usize = 7;
/// How many times slower than this machine.
const SLOWER: u32 = 6;

/// Fills the form in at once, sends it, and notes how long it takes from the first input to the answer, and each long task.
const FILL_AND_SEND: &str = r"
    const root = document.querySelector('ringback-launcher').shadowRoot;
    window.tasks = [];
    window.took = null;
    const note = list => tasks.push(...list.getEntries().map(entry => entry.duration));
    new PerformanceObserver(note).observe({ type: 'longtask' });
    const begun = performance.now();
    document.addEventListener('ringback:submitted', () => { took = performance.now() - begun });
    for (const name of ['name', 'phone', 'email', 'reason', 'message']) {
        const control = root.querySelector('#' + name);
        control.value = arguments[0][name];
        control.dispatchEvent(new Event('input', { bubbles: true }));
    }
    root.querySelector('#consent').checked = true;
    setTimeout(() => root.querySelector('[data-action=send]').click());
";

/// Measures, and prints a table.
pub async fn measure() {
    let mut rows = vec![row(["bits", "solved in, median ms", "longest ms", "longest task ms"])];
    for bits in [12_u8, 14, 16, 18] {
        let house = House::with(|plan| {
            plan.with_website();
            plan.pace(Pace::Manual);
            plan.set("proof.calm_per_minute", 0);
            plan.set("proof.least_bits", i64::from(bits));
            plan.set("proof.most_bits", i64::from(bits));
        })
        .await;
        let browser = Browser::open().await;
        let (mut times, mut longest_task) = (Vec::new(), 0.0_f64);
        for _ in 0..ROUNDS {
            browser.goto(house.website()).await;
            browser.page().open().await;
            browser.slow_down(SLOWER).await;
            browser.script(FILL_AND_SEND, vec![json!(visitor::request())]).await;
            let took =
                eventually("it is solved", async || browser.script("return took", vec![]).await.as_f64());
            times.push(took.await);
            let tasks = browser.script("return Math.max(0, ...tasks)", vec![]).await;
            longest_task = longest_task.max(tasks.as_f64().unwrap_or(f64::NAN));
            browser.slow_down(1).await;
        }
        let longest = times.iter().copied().fold(0.0, f64::max);
        rows.push(vec![
            bits.to_string(),
            format!("{:.0}", median(times)),
            format!("{longest:.0}"),
            format!("{longest_task:.0}"),
        ]);
    }
    print_table(&format!("Proof of work in Chromium, {SLOWER} times slower than this machine"), &rows);
}
