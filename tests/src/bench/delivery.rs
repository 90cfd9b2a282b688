//! From intake to the task at Webex, whose answer takes 50 ms, and how several processes share the work.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use webex_simulator::{Effect, Failure, Fault, Operation, Task};

use super::{Measured, figure, house, print_table, row, visitor_number, visitor_post};
use crate::house::House;
use crate::load::{Load, Outcome};

/// How long Webex takes to answer, in milliseconds.
const WEBEX_TAKES_MS: u64 = 50;

/// How long tasks may be waited for.
const PATIENCE: Duration = Duration::from_mins(5);

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Orders {
    /// Callbacks a second that one process is asked for.
    pub rate: f64,
    /// For how long.
    pub lasting: Duration,
    /// For how long several processes take in as much as they can while Webex is away. Of what they take in else, tasks are made, which takes
    /// many times as long: a fifth of that time is for it.
    pub flood: Duration,
    /// How many connections post at the same time.
    pub connections: usize,
}

/// Measures, and prints two tables.
pub async fn measure(orders: Orders) {
    sustained(orders).await;
    shared(orders).await;
}

/// A house whose Webex answers each task in that way.
async fn furnished(postgres: bool, answer: Fault) -> House {
    let house = house(postgres, |plan| {
        plan.unsubscribed();
        // Webex' own limit of 300 a minute is not what is measured.
        plan.set("webex.requests_per_minute", 0);
    })
    .await;
    house.control().fault(&answer.times(u32::MAX)).await.expect("the control door");
    house
}

fn slow() -> Fault {
    Fault::new(Operation::CreateTask, Effect::Delay).delayed(WEBEX_TAKES_MS)
}

fn away() -> Fault {
    Fault::new(Operation::CreateTask, Effect::Status(Failure::status(503)))
}

/// One process at a steady rate: whether tasks keep up with callbacks, and in which order they come.
async fn sustained(orders: Orders) {
    let mut rows = vec![row([
        "store",
        "callbacks a second",
        "tasks a second",
        "behind at the end",
        "202 to task, p50 ms",
        "p99 ms",
        "places out of order, p99",
    ])];
    for (name, postgres) in [("SQLite", false), ("PostgreSQL", true)] {
        let house = furnished(postgres, slow()).await;
        let service = Measured::start(&house, "service");
        let begun_at = Instant::now();
        let outcome = load(orders, &[&service], orders.lasting, Some(orders.rate)).run().await;
        let lasted = begun_at.elapsed();
        assert_eq!(outcome.refused, 0, "requests were refused: this measures nothing");
        let at_the_end = made(&house).await;
        let tasks = until_all(&house, outcome.accepted).await;
        let (mut waits, mut places) = compared(&outcome, &tasks);
        rows.push(vec![
            name.to_owned(),
            format!("{:.0}", outcome.per_second()),
            format!("{:.0}", figure(at_the_end) / lasted.as_secs_f64()),
            (outcome.accepted - at_the_end).to_string(),
            percentile(&mut waits, 50).to_string(),
            percentile(&mut waits, 99).to_string(),
            percentile(&mut places, 99).to_string(),
        ]);
        service.stop();
    }
    print_table(&format!("Intake to task, Webex answers in {WEBEX_TAKES_MS} ms"), &rows);
}

/// Several processes on one PostgreSQL: how much they take in, and how fast they make tasks of it. Once with all cores for each, and once
/// with one core for each as if each brought its machine; PostgreSQL, Webex and whoever asks have all cores both times.
async fn shared(orders: Orders) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    several(orders, &[1, 2, 4], None).await;
    several(orders, &[1, cores.min(4)], Some(cores)).await;
}

async fn several(orders: Orders, counts: &[usize], cores: Option<usize>) {
    let mut rows = vec![row([
        "processes",
        "callbacks a second, Webex away",
        "of one process",
        "callbacks a second",
        "of one process",
        "tasks a second",
        "of one process",
        "rung twice",
    ])];
    let mut first = None;
    for &count in counts {
        let alone = without_webex(orders, count, cores).await;
        let house = furnished(true, slow()).await;
        let services = started(&house, count, cores);
        let begun_at = Instant::now();
        let outcome = load(orders, &services.iter().collect::<Vec<_>>(), orders.flood / 5, None).run().await;
        assert_eq!(outcome.refused, 0, "requests were refused: this measures nothing");
        let tasks = until_all(&house, outcome.accepted).await;
        let callbacks_a_second = outcome.per_second();
        let tasks_a_second = figure(outcome.accepted) / begun_at.elapsed().as_secs_f64();
        let (of_alone, of_callbacks, of_tasks) =
            *first.get_or_insert((alone, callbacks_a_second, tasks_a_second));
        let mut rung: HashMap<&str, u32> = HashMap::new();
        for task in &tasks {
            *rung.entry(task.destination.as_str()).or_default() += 1;
        }
        rows.push(vec![
            count.to_string(),
            format!("{alone:.0}"),
            format!("{:.2}", alone / of_alone),
            format!("{callbacks_a_second:.0}"),
            format!("{:.2}", callbacks_a_second / of_callbacks),
            format!("{tasks_a_second:.0}"),
            format!("{:.2}", tasks_a_second / of_tasks),
            rung.values().filter(|times| **times > 1).count().to_string(),
        ]);
        services.into_iter().for_each(Measured::stop);
    }
    let title = format!(
        "Processes on one PostgreSQL, {:?} of intake and then until all tasks are made, {}",
        orders.flood / 5,
        if cores.is_some() { "a core for each" } else { "all cores for each" }
    );
    print_table(&title, &rows);
}

/// How many callbacks a second are taken in while none can be sent.
async fn without_webex(orders: Orders, count: usize, cores: Option<usize>) -> f64 {
    let house = furnished(true, away()).await;
    let services = started(&house, count, cores);
    let outcome = load(orders, &services.iter().collect::<Vec<_>>(), orders.flood, None).run().await;
    assert_eq!(outcome.refused, 0, "requests were refused: this measures nothing");
    assert_eq!(made(&house).await, 0, "Webex was not away: this measures something else");
    services.into_iter().for_each(Measured::stop);
    outcome.per_second()
}

fn started(house: &House, count: usize, cores: Option<usize>) -> Vec<Measured> {
    let start = |index| {
        let service = Measured::start(house, &format!("service-{index}"));
        if let Some(cores) = cores {
            service.bind(index % cores);
        }
        service
    };
    (0..count).map(start).collect()
}

fn load(orders: Orders, services: &[&Measured], lasting: Duration, rate: Option<f64>) -> Load {
    Load {
        to: services.iter().map(|service| service.address).collect(),
        connections: orders.connections,
        lasting,
        rate,
        request: Arc::new(visitor_post),
        next: Arc::new(AtomicU64::new(0)),
    }
}

/// How many tasks Webex has made.
async fn made(house: &House) -> u64 {
    house.control().summary().await.expect("the control door").tasks.values().sum()
}

async fn until_all(house: &House, count: u64) -> Vec<Task> {
    let end = Instant::now() + PATIENCE;
    while made(house).await < count {
        assert!(Instant::now() < end, "{} of {count} tasks within {PATIENCE:?}", made(house).await);
        sleep(Duration::from_millis(20)).await;
    }
    house.tasks().await
}

/// For each task, how long after its callback's answer it was asked for, in milliseconds, and how many places it stands from
/// the one of its answer.
fn compared(outcome: &Outcome, tasks: &[Task]) -> (Vec<i64>, Vec<i64>) {
    let mut answered = outcome.answered.clone();
    answered.sort_by_key(|(_, at)| *at);
    let told = answered.iter().zip(0..).map(|((number, at), place)| (visitor_number(*number), (*at, place)));
    let told: HashMap<String, (i64, i64)> = told.collect();
    let mut tasks: Vec<_> = tasks.iter().collect();
    tasks.sort_by_key(|task| task.created_time);
    let pairs = tasks.iter().zip(0..).map(|(task, place)| {
        let (at, told_place) = told[&task.destination];
        (task.created_time - at, i64::abs(place - told_place))
    });
    pairs.unzip()
}

fn percentile(figures: &mut [i64], percent: usize) -> i64 {
    figures.sort_unstable();
    figures.get((figures.len() * percent / 100).min(figures.len().saturating_sub(1))).copied().unwrap_or(0)
}
