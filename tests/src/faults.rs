//! A service under load while everything around it fails: its process is killed, Webex errs in every way the simulator knows,
//! webhooks are lost, repeated and reordered, and the database is restarted. A seed says what happens, and after how many
//! accepted callbacks; what the machine makes of it in between is its own. In the end three ledgers are compared: what
//! callers were told, what the store holds, and whom Webex has rung.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use ringback::clock::{Clock as _, SystemClock};
use ringback_contract::callback::{Accepted, State};
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_test_postgres::free_port;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use webex_simulator::{Effect, Envelope, Failure, Fault, Operation, Pace, WebhookEffect, WebhookFault};

use crate::house::House;
use crate::plan::{API_KEY, LIMITS, ORIGIN};
use crate::service::Service;
use crate::visitor;

/// Callers at the same time.
const CALLERS: u32 = 16;
/// How long a caller waits for an answer before it asks again.
const CALLER_PATIENCE: Duration = Duration::from_secs(5);
/// One caller in so many posts again what was answered.
const REPEATS: u32 = 10;
/// How long Webex may take to show a task, in seconds; every delay that is drawn is much shorter.
const SEARCH_GRACE_S: i64 = 6;

/// What is to be played.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// Where everything is drawn from.
    pub seed: u64,
    /// How many callbacks are asked for.
    pub callbacks: u32,
    /// How often a process is killed.
    pub kills: u32,
    /// Whether callbacks are kept in PostgreSQL.
    pub postgres: bool,
    /// How many processes serve; more than one need PostgreSQL.
    pub instances: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Score {
    orders: Orders,
    /// Callbacks that were answered `202`.
    pub accepted: usize,
    /// Callbacks that were answered `202` and are not there, or ended without a call.
    pub lost: Vec<String>,
    /// Numbers that were rung more than once, or for which Webex made more than one task.
    pub rung_twice: Vec<String>,
    /// Callbacks that still wait for a search that tells what became of their request.
    pub held: usize,
    /// What else must not be.
    pub wrong: Vec<String>,
    faults: BTreeMap<String, u32>,
    first_deliveries_ms: Vec<i64>,
    lasted: Duration,
}

impl Score {
    /// What must not be, in words; empty where both promises were kept.
    pub fn violations(&self) -> Vec<String> {
        let lost = self.lost.iter().map(|lost| format!("lost: {lost}"));
        let twice = self.rung_twice.iter().map(|twice| format!("rung twice: {twice}"));
        lost.chain(twice).chain(self.wrong.iter().cloned()).collect()
    }
}

impl fmt::Display for Score {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Orders { seed, callbacks, kills, postgres, instances } = self.orders;
        let store = if postgres { "postgres" } else { "sqlite" };
        let mut first = self.first_deliveries_ms.clone();
        first.sort_unstable();
        let median = first.get(first.len() / 2).copied().unwrap_or_default();
        let longest = first.last().copied().unwrap_or_default();
        for (name, value) in [
            ("seed", seed.to_string()),
            ("store, instances", format!("{store}, {instances}")),
            ("kills", kills.to_string()),
            ("callbacks, accepted", format!("{callbacks}, {}", self.accepted)),
            ("lost", self.lost.len().to_string()),
            ("rung twice", self.rung_twice.len().to_string()),
            ("held as ambiguous", self.held.to_string()),
            ("first delivery after a kill", format!("median {median} ms, longest {longest} ms")),
            ("lasted", format!("{:.1} s", self.lasted.as_secs_f64())),
        ] {
            writeln!(formatter, "{name:<28} {value}")?;
        }
        for (fault, times) in &self.faults {
            writeln!(formatter, "  {times:>6} x {fault}")?;
        }
        for violation in self.violations() {
            writeln!(formatter, "VIOLATION {violation}")?;
        }
        Ok(())
    }
}

/// What callers were told: for each number, every id that was answered.
#[derive(Debug, Default)]
struct Told {
    ids: Mutex<BTreeMap<String, BTreeSet<String>>>,
    refused: Mutex<Vec<String>>,
    accepted: AtomicU32,
    next: AtomicU32,
}

#[derive(Debug)]
struct Instance {
    port: u16,
    ops_port: u16,
    service: Option<Service>,
}

/// Plays it, and compares.
pub async fn conduct(orders: Orders) -> Score {
    let begun_at = Instant::now();
    let house = House::without_service(|plan| {
        if orders.postgres {
            plan.own_postgres();
        }
        plan.pace(Pace::every(5));
        plan.search_lag_ms(300);
        plan.set("delivery.search_grace_s", SEARCH_GRACE_S);
        plan.set("delivery.quiet_s", 1);
        plan.set("log.level", "info");
        for limit in LIMITS {
            plan.limit(limit, 1_000_000, 1);
        }
    })
    .await;
    // What all their numbers begin with, in a log and in an address.
    for prefix in ["+1555", "%2B1555"] {
        house.private.add(prefix);
    }
    let mut stage = Stage::open(&house, orders).await;
    let told = Arc::new(Told::default());
    let stop = CancellationToken::new();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (told, http, urls) = (Arc::clone(&told), house.http.clone(), stage.urls());
        callers.spawn(stop.clone().run_until_cancelled_owned(call(orders, told, http, urls)));
    }
    let longest = Duration::from_mins(2)
        + Duration::from_millis(20) * orders.callbacks
        + Duration::from_secs(5) * orders.kills;
    let end = begun_at + longest;
    let mut wrong = Vec::new();
    if tokio::time::timeout(longest, stage.play(&told)).await.is_err() {
        wrong.push(format!("stood still: not played within {longest:?}"));
    }
    stage.calm().await;
    let all_told = async { while callers.join_next().await.is_some() {} };
    if tokio::time::timeout(end.saturating_duration_since(Instant::now()), all_told).await.is_err() {
        wrong.push("callers were not answered in the end".to_owned());
    }
    stop.cancel();
    callers.shutdown().await;
    let records = stage.settled(end + Duration::from_mins(1)).await;
    let mut score = stage.compare(&told, &records, wrong).await;
    score.lasted = begun_at.elapsed();
    for instance in &mut stage.instances {
        let stopped = instance.service.take().expect("it runs").stop().await;
        if stopped.code() != Some(0) {
            score.wrong.push(format!("a service that was asked to stop ended with {stopped}"));
        }
    }
    score
}

fn number_of(caller: u32) -> String {
    format!("+1555{:07}", 2_000_000 + caller)
}

/// One caller after the other: each asks until it is told, under one key.
async fn call(orders: Orders, told: Arc<Told>, http: Client, urls: Vec<String>) {
    loop {
        let caller = told.next.fetch_add(1, Ordering::Relaxed);
        if caller >= orders.callbacks {
            return;
        }
        let number = number_of(caller);
        let body = visitor::request_with(json!({ "phone": number }));
        let mut left = if caller.is_multiple_of(REPEATS) { 2 } else { 1 };
        for url in urls.iter().cycle().skip(caller as usize % urls.len()) {
            let request = http
                .post(format!("{url}/v1/sites/acme/callbacks"))
                .header("Origin", ORIGIN)
                .header(IDEMPOTENCY_KEY, format!("faults-{}-{caller}", orders.seed))
                .timeout(CALLER_PATIENCE)
                .json(&body);
            let answer = async {
                let answer = request.send().await?;
                Ok::<_, reqwest::Error>((answer.status(), answer.bytes().await?))
            };
            match answer.await {
                Ok((StatusCode::ACCEPTED, body)) => {
                    let accepted: Accepted = serde_json::from_slice(&body).expect("the members of a 202");
                    let mut ids = told.ids.lock().unwrap_or_else(PoisonError::into_inner);
                    if ids.entry(number.clone()).or_default().insert(accepted.id) {
                        told.accepted.fetch_add(1, Ordering::Relaxed);
                    }
                    left -= 1;
                    if left == 0 {
                        break;
                    }
                    continue;
                }
                Ok((status, body)) if status.is_client_error() => {
                    let text = format!("{number} was refused: {status} {}", String::from_utf8_lossy(&body));
                    told.refused.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                    break;
                }
                // Not now, or nobody knows: the same again.
                Ok(_) | Err(_) => {}
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The service's processes, and what is done to them and to Webex.
struct Stage<'house> {
    house: &'house House,
    orders: Orders,
    chance: fastrand::Rng,
    instances: Vec<Instance>,
    faults: BTreeMap<String, u32>,
    /// When each killed process was started again, in milliseconds since the epoch.
    restarts: Vec<i64>,
}

impl<'house> Stage<'house> {
    async fn open(house: &'house House, orders: Orders) -> Self {
        let port_of = |url: &str| url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let mut instances = Vec::new();
        for index in 0..orders.instances {
            // Webhooks go to the first one.
            let (port, ops_port) = if index == 0 {
                (port_of(house.url()), port_of(house.ops_url()))
            } else {
                (free_port(), free_port())
            };
            let service = Some(house.start_beside_at(port, ops_port).await);
            instances.push(Instance { port, ops_port, service });
        }
        let chance = fastrand::Rng::with_seed(orders.seed);
        Self { house, orders, chance, instances, faults: BTreeMap::new(), restarts: Vec::new() }
    }

    fn urls(&self) -> Vec<String> {
        self.instances.iter().map(|instance| format!("http://127.0.0.1:{}", instance.port)).collect()
    }

    /// For each kill, some faults before it, each after as many accepted callbacks as the seed says.
    async fn play(&mut self, told: &Told) {
        for kill in 0..self.orders.kills {
            let share = self.orders.callbacks / (self.orders.kills + 1);
            let from = kill * share;
            let mut moments: Vec<u32> = (0..4).map(|_| from + self.chance.u32(0..share.max(1))).collect();
            moments.sort_unstable();
            let kill_at = moments.pop().unwrap_or(from);
            for moment in moments {
                until_accepted(told, moment).await;
                self.fault().await;
                self.webhook_fault().await;
            }
            until_accepted(told, kill_at).await;
            if self.orders.postgres && kill % 5 == 2 {
                self.note("PostgreSQL restarted");
                self.house.restart_postgres().await;
            }
            self.kill().await;
        }
    }

    fn note(&mut self, what: &str) {
        *self.faults.entry(what.to_owned()).or_default() += 1;
    }

    async fn kill(&mut self) {
        let victim = self.chance.usize(0..self.instances.len());
        let (before, down) = (self.chance.u64(0..20), self.chance.u64(0..300));
        sleep(Duration::from_millis(before)).await;
        let instance = &mut self.instances[victim];
        instance.service.take().expect("it runs").kill().await;
        sleep(Duration::from_millis(down)).await;
        self.restarts.push(SystemClock.now().as_millisecond());
        instance.service = Some(self.house.start_beside_at(instance.port, instance.ops_port).await);
    }

    /// Something goes wrong at Webex, for some of the next calls.
    async fn fault(&mut self) {
        let times = self.chance.u32(1..8);
        let failure =
            |status, envelope, retry_after| Failure { envelope, retry_after, ..Failure::status(status) };
        let html = Some(Envelope::Html);
        let kinds: [(&str, Operation, Effect, u64, u64); 17] = {
            use Effect::{CutAfter, CutBefore, Delay, MalformedBody, Status, StatusAfter};
            use Operation::{CreateTask, ListTasks, Search};
            [
                ("create: cut before", CreateTask, CutBefore, 0, 0),
                ("create: cut after", CreateTask, CutAfter, 0, 0),
                ("create: 429", CreateTask, Status(failure(429, None, Some(1))), 0, 0),
                ("create: 500", CreateTask, Status(failure(500, None, None)), 0, 0),
                ("create: 500 after", CreateTask, StatusAfter(failure(500, None, None)), 0, 0),
                ("create: 502 after", CreateTask, StatusAfter(failure(502, html, None)), 0, 0),
                ("create: 503", CreateTask, Status(failure(503, None, None)), 0, 0),
                // A gateway's: it may have passed the request on.
                ("create: 503 of a gateway after", CreateTask, StatusAfter(failure(503, html, None)), 0, 0),
                ("create: malformed", CreateTask, MalformedBody, 0, 0),
                ("create: slow before", CreateTask, Delay, 700, 0),
                ("create: slow after", CreateTask, Delay, 0, 700),
                ("create: too late", CreateTask, Delay, 0, 2500),
                ("search: 500", Search, Status(failure(500, None, None)), 0, 0),
                ("search: cut", Search, CutBefore, 0, 0),
                ("search: malformed", Search, MalformedBody, 0, 0),
                ("search: slow", Search, Delay, 500, 0),
                ("list: 503", ListTasks, Status(failure(503, html, None)), 0, 0),
            ]
        };
        let (name, operation, effect, before_ms, after_ms) = kinds[self.chance.usize(0..kinds.len())].clone();
        self.note(name);
        let fault = Fault::new(operation, effect).times(times).delayed(before_ms).answered_late(after_ms);
        self.house.control().fault(&fault).await.expect("the control door");
    }

    async fn webhook_fault(&mut self) {
        let (times, seed) = (self.chance.u32(1..30), self.chance.u64(..));
        let kinds = [
            ("webhooks: lost", WebhookEffect::Lose),
            ("webhooks: repeated", WebhookEffect::Duplicate { copies: 2, delay_ms: 50 }),
            ("webhooks: late", WebhookEffect::Delay { delay_ms: 400 }),
            ("webhooks: reversed", WebhookEffect::Reverse),
            ("webhooks: shuffled", WebhookEffect::Shuffle { seed }),
            ("webhooks: storm", WebhookEffect::Storm { seed, lost_percent: 20, repeated_percent: 20 }),
        ];
        let (name, effect) = kinds[self.chance.usize(0..kinds.len())];
        self.note(name);
        let fault = WebhookFault::new(effect, times);
        self.house.control().webhook_fault(&fault).await.expect("the control door");
    }

    /// Nothing goes wrong any more, and every process runs.
    async fn calm(&mut self) {
        let control = self.house.control();
        control.clear_faults().await.expect("the control door");
        control.clear_webhook_faults().await.expect("the control door");
        for instance in &mut self.instances {
            if instance.service.is_none() {
                let started = self.house.start_beside_at(instance.port, instance.ops_port).await;
                instance.service = Some(started);
            }
        }
    }

    /// Every callback that the store holds, once all of them have ended or `end` has come.
    async fn settled(&self, end: Instant) -> HashMap<String, State> {
        loop {
            let records = self.records().await;
            if records.values().all(|state| state.is_final()) || Instant::now() >= end {
                return records;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn records(&self) -> HashMap<String, State> {
        let mut records = HashMap::new();
        let mut path = "/v1/callbacks?limit=200".to_owned();
        loop {
            let request = self.house.request(reqwest::Method::GET, &path).bearer_auth(API_KEY);
            let page = self.house.send(request).await.ok();
            for record in page["callbacks"].as_array().expect("a page") {
                let text = |name: &str| record[name].as_str().expect("a text").to_owned();
                let state = State::parse(&text("state")).expect("a state");
                records.insert(text("id"), state);
            }
            match &page["next"] {
                Value::String(next) => path = format!("/v1/callbacks?limit=200&cursor={next}"),
                _ => return records,
            }
        }
    }

    async fn compare(&self, told: &Told, records: &HashMap<String, State>, wrong: Vec<String>) -> Score {
        let control = self.house.control();
        let tasks = control.tasks().await.expect("the control door");
        let created = control.requests_for(Operation::CreateTask).await.expect("the control door");
        let mut score = Score {
            orders: self.orders,
            accepted: 0,
            lost: Vec::new(),
            rung_twice: Vec::new(),
            held: 0,
            wrong,
            faults: self.faults.clone(),
            first_deliveries_ms: Vec::new(),
            lasted: Duration::ZERO,
        };
        if tasks.dropped > 0 {
            score.wrong.push(format!("{} tasks were forgotten by the simulator", tasks.dropped));
        }
        let mut rung: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for task in &tasks.entries {
            let (made, rings) = rung.entry(&task.destination).or_default();
            *made += 1;
            *rings += task.rings;
        }
        let ids = told.ids.lock().unwrap_or_else(PoisonError::into_inner);
        score.accepted = ids.len();
        let expected = self.orders.callbacks as usize;
        if score.accepted != expected {
            score
                .wrong
                .push(format!("{} of {expected} callers were told nothing", expected - score.accepted));
        }
        for (number, ids) in ids.iter() {
            if ids.len() > 1 {
                score.wrong.push(format!("{number} was told several ids under one key: {ids:?}"));
            }
            for id in ids {
                let rings = rung.get(number.as_str()).map_or(0, |(_, rings)| *rings);
                match records.get(id) {
                    None => score.lost.push(format!("{id} is not there")),
                    Some(State::Completed) if rings > 0 => {}
                    Some(State::Unconfirmed) => score.held += 1,
                    Some(state) if state.is_final() => {
                        score.lost.push(format!("{id} is {}, rung {rings} times", state.as_str()));
                    }
                    Some(state) => score.wrong.push(format!("{id} is still {}", state.as_str())),
                }
            }
        }
        for (number, (made, rings)) in &rung {
            if *made > 1 || *rings > 1 {
                score.rung_twice.push(format!("{number}: {made} tasks, {rings} rings"));
            }
            if !ids.contains_key(*number) {
                score.wrong.push(format!("{number} was rung, and nobody was told so"));
            }
        }
        let known: BTreeSet<&String> = ids.values().flatten().collect();
        let untold = records.keys().filter(|id| !known.contains(id)).count();
        if untold > 0 {
            score.wrong.push(format!("the store holds {untold} callbacks that nobody was told of"));
        }
        let refused = told.refused.lock().unwrap_or_else(PoisonError::into_inner);
        score.wrong.extend(refused.iter().cloned());
        score.first_deliveries_ms = self
            .restarts
            .iter()
            .filter_map(|start| Some(created.iter().find(|request| request.at >= *start)?.at - start))
            .collect();
        score
    }
}

async fn until_accepted(told: &Told, count: u32) {
    while told.accepted.load(Ordering::Relaxed) < count {
        sleep(Duration::from_millis(1)).await;
    }
}
