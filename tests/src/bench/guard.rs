//! The front door under attack: how much memory a million callers take, and what a flood on one site does to another.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde_json::json;
use webex_simulator::{Effect, Failure, Fault, Operation};

use super::{Measured, figure, house, print_table, row, visitor_body, visitor_number};
use crate::house::House;
use crate::load::{Connection, Load, post};
use crate::plan::{ORIGIN, Plan};

const PATH: &str = "/v1/sites/acme/callbacks";

/// How many of those seen last are asked about.
const LAST: u64 = 2000;

/// The address of a caller, as a trusted proxy tells it: all of 10.0.0.0/8, one after the other.
fn address(caller: u64) -> String {
    format!("10.{}.{}.{}", caller >> 16 & 255, caller >> 8 & 255, caller & 255)
}

fn from_address(caller: u64, body: &str) -> Vec<u8> {
    let headers = format!("Origin: {ORIGIN}\r\nX-Forwarded-For: {}\r\n", address(caller));
    post(PATH, &headers, body)
}

fn behind_a_proxy(plan: &mut Plan) {
    plan.unsubscribed();
    plan.set("server.trusted_proxies", vec!["127.0.0.1"]);
}

/// Nothing is sent: what is measured is the door.
pub(super) async fn without_webex(change: impl FnOnce(&mut Plan)) -> House {
    let house = house(false, |plan| {
        behind_a_proxy(plan);
        change(plan);
    })
    .await;
    let away = Fault::new(Operation::CreateTask, Effect::Status(Failure::status(503))).times(u32::MAX);
    house.control().fault(&away).await.expect("the control door");
    house
}

/// So many callers, each with an address and a number of its own; then whether those seen last are still limited.
pub async fn memory(callers: u64) {
    let house = without_webex(|plan| {
        // The windows of the configuration that operators begin with, each for one request.
        plan.limit("address", 1, 600);
        plan.limits("number", &[(1, 900), (1, 3600), (1, 86_400)]);
        plan.limits("site", &[(4_000_000, 60), (4_000_000, 86_400)]);
    })
    .await;
    let service = Measured::start(&house, "service");
    let idle = service.memory_kb().0;
    let mut connections = Vec::new();
    for _ in 0..32 {
        connections.push(Connection::open(service.address).await);
    }
    let mut accepted = 0;
    let shares = connections.into_iter().zip(0..).map(|(mut connection, first)| async move {
        let mut accepted = 0;
        for caller in (first..callers).step_by(32) {
            let status = connection.ask(&from_address(caller, &visitor_body(caller))).await;
            accepted += u64::from(status == 202);
        }
        accepted
    });
    for share in shares.map(tokio::spawn).collect::<Vec<_>>() {
        accepted += share.await.expect("no panic");
    }
    let (now, most) = service.memory_kb();
    // Whoever was seen last is still known: by the address with another number, and by the number from another address.
    let mut connection = Connection::open(service.address).await;
    let (mut by_address, mut by_number) = (0, 0);
    for caller in callers - LAST..callers {
        let other = from_address(caller, &visitor_body(callers + caller));
        by_address += u64::from(connection.ask(&other).await == 429);
        let other = from_address(callers + caller, &visitor_body(caller));
        by_number += u64::from(connection.ask(&other).await == 429);
    }
    service.stop();
    let head = [
        "callers",
        "accepted",
        "idle, MB",
        "after them, MB",
        "at most, MB",
        "last addresses known",
        "last numbers known",
    ];
    let cells = vec![
        callers.to_string(),
        accepted.to_string(),
        (idle / 1024).to_string(),
        (now / 1024).to_string(),
        (most / 1024).to_string(),
        format!("{by_address} of {LAST}"),
        format!("{by_number} of {LAST}"),
    ];
    print_table("Callers, each with an address and a number of its own", &[row(head), cells]);
}

/// Ten times the limit of a site from a thousand addresses, while another site has its visitors.
pub async fn flood(lasting: Duration) {
    // The limits that operators have, but for the addresses: of 127.0.0.1 there is one only.
    let house = without_webex(|plan| {
        for limit in ["number", "site", "address"] {
            plan.unset(&format!("limits.{limit}"));
        }
        plan.unset("proof.most_bits");
        // The other site has more visitors than usual, and is calm for all that.
        plan.set("proof.calm_per_minute", 4000);
        plan.set("sites.other.countries", vec!["US"]);
        plan.set("sites.other.limit.requests", 1_000_000);
        plan.set("sites.other.limit.per_s", 1);
    })
    .await;
    let mut rows =
        vec![row(["", "requests a second", "other site: p50 ms", "p99 ms", "of calm", "refused there"])];
    let mut calm = None;
    let of_other = |index: u64| {
        let body = json!({ "name": "Ann Example", "phone": visitor_number(index) }).to_string();
        let headers = format!(
            "Origin: https://www.other.example\r\nX-Forwarded-For: {}\r\n",
            address(index % 60_000 + 1_000_000)
        );
        post("/v1/sites/other/callbacks", &headers, &body)
    };
    let service = Measured::start(&house, "service");
    let load = |rate, connections, request: Arc<crate::load::Request>| Load {
        to: vec![service.address],
        connections,
        lasting,
        rate,
        request,
        next: Arc::new(AtomicU64::new(0)),
    };
    let next = Arc::new(AtomicU64::new(0));
    // Ten times 300 a minute; and as fast as it goes.
    for (name, rate) in [("calm", Some(0.0)), ("ten times the limit", Some(50.0)), ("as much as goes", None)]
    {
        let other = Load { next: Arc::clone(&next), ..load(Some(50.0), 8, Arc::new(of_other)) };
        let attack = |index: u64| from_address(index % 1000, &visitor_body(index));
        let attacked = async {
            if rate == Some(0.0) {
                return 0.0;
            }
            let outcome = load(rate, 8, Arc::new(attack)).run().await;
            figure(outcome.accepted + outcome.refused) / lasting.as_secs_f64()
        };
        let (outcome, attacked) = tokio::join!(other.run(), attacked);
        let p99 = outcome.percentile_ms(99);
        let of_calm = p99 / *calm.get_or_insert(p99);
        rows.push(vec![
            name.to_owned(),
            format!("{attacked:.0}"),
            format!("{:.1}", outcome.percentile_ms(50)),
            format!("{p99:.1}"),
            format!("{of_calm:.2}"),
            outcome.refused.to_string(),
        ]);
    }
    service.stop();
    print_table(&format!("A flood on one site, {lasting:?} each, and 50 posts a second at another"), &rows);
}
