//! What a page of one piece does again and again leaves nothing behind: no node, no listener, no timer, no request, and no memory.

use ringback_tests::browser::Browser;
use ringback_tests::eventually::PATIENCE;
use ringback_tests::house::House;
use serde_json::Value;
use webex_simulator::{Effect, Failure, Fault, Operation, Pace};

use super::visit_after;

/// Keeps the memory of each module that is started, and counts timers that run and requests that are not over.
const WATCH: &str = "
    watched.memories = [];
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const start = WebAssembly[name];
        WebAssembly[name] = async (...given) => {
            const started = await start(...given);
            watched.memories.push((started.instance ?? started).exports.memory);
            return started;
        };
    }
    const { setTimeout: later, clearTimeout: never, fetch: ask } = window;
    window.pause = milliseconds => new Promise(done => later(done, milliseconds));
    watched.timers = new Set();
    window.setTimeout = (go, milliseconds, ...more) => {
        const timer = later(() => { watched.timers.delete(timer); go(...more); }, milliseconds);
        watched.timers.add(timer);
        return timer;
    };
    window.clearTimeout = timer => { watched.timers.delete(timer); never(timer); };
    watched.signals = new Set();
    window.fetch = (url, init) => {
        if (init?.signal) {
            watched.signals.add(init.signal);
            init.signal.addEventListener('abort', () => watched.signals.delete(init.signal), { once: true });
        }
        return ask(url, init);
    };
    watched.observed = new Set();
    for (const Observer of [IntersectionObserver, ResizeObserver, MutationObserver]) {
        const { observe } = Observer.prototype;
        Observer.prototype.observe = function (element, ...more) {
            watched.observed.add(new WeakRef(element));
            return observe.call(this, element, ...more);
        };
    }
    const until = async (what, found) => {
        const end = Date.now() + 60_000;
        while (!found()) {
            if (Date.now() > end) throw new Error('not within a minute: ' + what);
            await pause(5);
        }
        return found();
    };
    const find = (element, selector) => element.shadowRoot.querySelector(selector);
    const shown = (element, selector) => until(selector, () => {
        const found = find(element, selector);
        return found?.checkVisibility() && found;
    });
    const gone = (element, selector) => until('no ' + selector, () => !find(element, selector));
    const launcher = () => until('a launcher', () => document.querySelector('ringback-launcher'));
    // The dialog of a launcher, opened.
    const open = async () => {
        Ringback('open', { site: 'acme' });
        const element = await launcher();
        await shown(element, 'dialog[open] .body > :not([hidden])');
        return element;
    };
    const close = async element => {
        Ringback('close');
        await gone(element, 'dialog[open]');
    };
    const destroy = async element => {
        Ringback('destroy');
        await gone(element, '.frame');
        if (document.querySelector('ringback-launcher')) throw new Error('it is still there');
    };
";

/// The dialog opens and closes, a form comes and goes, and so does the launcher with its dialog.
const COME_AND_GO: &str = "
    const element = await open();
    await close(element);

    const form = document.createElement('ringback-form');
    form.dataset.site = 'acme';
    document.querySelector('main').prepend(form);
    form.scrollIntoView({ behavior: 'instant' });
    await shown(form, 'section form');
    form.remove();
    await gone(form, '.frame');

    element.remove();
    await gone(element, '.frame');
    document.body.append(element);
    await open();
    await close(element);
";

/// Times are looked at in a form that is put back, and in one that is destroyed.
const LOOK_AT_TIMES: &str = "
    const look = async () => {
        const element = await open();
        (await shown(element, '[id=\"form.later\"]')).click();
        await shown(element, '.slots');
        await close(element);
        return element;
    };
    const element = await look();
    element.remove();
    await gone(element, '.frame');
    document.body.append(element);
    await destroy(await look());
";

/// A call is asked for and followed; the form is destroyed; one that is made anew goes on with it, calls it off, and is back at the start.
const ASK_AND_CALL_OFF: &str = "
    let element = await open();
    for (const [id, value] of [['name', 'Ann Example'], ['phone', '(202) 555-0142']]) {
        const input = await shown(element, '#' + id);
        input.value = value;
        input.dispatchEvent(new Event('input', { bubbles: true }));
    }
    find(element, '#consent').checked = true;
    find(element, '[data-action=send]').click();
    await shown(element, '.follow [data-action=cancel]');
    await destroy(element);

    element = await open();
    (await shown(element, '.follow [data-action=number]')).click();
    (await shown(element, '[data-action=keep]')).click();
    (await shown(element, '.follow [data-action=cancel]')).click();
    (await shown(element, '.follow [data-action=again]')).click();
    await shown(element, '.ask');
    await gone(element, '.follow');
    await close(element);
    await destroy(element);
";

/// What there is of everything that a page can have too much of.
async fn count(browser: &Browser) -> [u64; 5] {
    let (nodes, listeners) = browser.nodes_and_listeners().await;
    let more = "
        const observed = [...watched.observed].filter(element => element.deref());
        return [watched.timers.size, watched.signals.size, observed.length];
    ";
    let more: [u64; 3] = serde_json::from_value(browser.script(more, vec![]).await).expect("numbers");
    [nodes, listeners, more[0], more[1], more[2]]
}

/// Does that once, then so often that it is fifty times, and compares.
async fn fifty_times(house: &House, round: &str) {
    let browser = visit_after(house, WATCH).await;
    browser.page().element("button.launch").await;
    let script = format!("return (async () => {{ {round} }})()");
    let play = async || browser.script(&script, vec![]).await;
    let memory = async || {
        browser.script("return watched.memories.map(memory => memory.buffer.byteLength)", vec![]).await
    };
    play().await;
    let once = count(&browser).await;
    let kept: Value = memory().await;
    for _ in 1..50 {
        play().await;
    }
    let mut last = once;
    let settled = tokio::time::timeout(PATIENCE, async {
        loop {
            last = count(&browser).await;
            if last.iter().zip(once).all(|(after, once)| *after <= once) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    let is_settled = settled.await.is_ok();
    assert!(
        is_settled,
        "nodes, listeners, timers, requests, observed: {once:?} once and {last:?} in the end"
    );
    // One module of each kind for all of them, and none has grown.
    assert_eq!(memory().await, kept);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn fifty_forms_that_come_and_go_leave_what_one_leaves() {
    fifty_times(&super::house().await, COME_AND_GO).await;
}

#[tokio::test]
async fn fifty_looks_at_the_times_leave_what_one_leaves() {
    let house = House::with(|plan| {
        plan.with_website();
        crate::slots::open_mornings(plan, "America/New_York");
    })
    .await;
    fifty_times(&house, LOOK_AT_TIMES).await;
}

#[tokio::test]
async fn fifty_calls_that_are_asked_for_and_called_off_leave_what_one_leaves() {
    let house = House::with(|plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
        // Webex takes none, so each can be called off.
        plan.set("delivery.retry_s", vec![3600]);
    })
    .await;
    let refused = Fault::new(Operation::CreateTask, Effect::Status(Failure::status(429))).times(u32::MAX);
    house.control().fault(&refused).await.unwrap();
    fifty_times(&house, ASK_AND_CALL_OFF).await;
    assert_eq!(house.callbacks().await.len(), 50);
}
