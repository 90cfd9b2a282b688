//! Callbacks that are followed live: how many one process holds, what memory that takes, and that all of them hear.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use ringback_contract::callback::Accepted;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use webex_simulator::{Effect, Failure, Fault, Operation};

use super::{Measured, house, print_table, row, visitor_body};
use crate::eventually::eventually;
use crate::load::Connection;
use crate::plan::ORIGIN;

/// Connections that are opened at the same time.
const OPENING: usize = 64;
/// How long all of them may take to hear of a change.
const PATIENCE: Duration = Duration::from_mins(1);

/// Measures, and prints a table.
pub async fn measure(count: usize) {
    let house = house(false, |plan| {
        plan.unsubscribed();
        for limit in ["followers", "followers_per_address"] {
            plan.set(&format!("limits.{limit}"), i64::try_from(count).expect("a number of connections"));
        }
    })
    .await;
    // They wait for Webex until they are called off.
    let away = Fault::new(Operation::CreateTask, Effect::Status(Failure::status(503))).times(u32::MAX);
    house.control().fault(&away).await.expect("the control door");
    let service = Measured::start(&house, "service");
    let url = format!("http://{}", service.address);
    let before = service.memory_kb().0;
    // Ten followers of each callback, as of a page in several tabs.
    let callbacks = (count / 10).max(1);
    let mut accepted: Vec<Accepted> = Vec::with_capacity(callbacks);
    for index in 0..callbacks {
        let body: Value =
            serde_json::from_str(&visitor_body(u64::try_from(index).expect("small"))).expect("JSON");
        let request =
            house.http.post(format!("{url}/v1/sites/acme/callbacks")).header("Origin", ORIGIN).json(&body);
        accepted.push(house.send(request).await.accepted());
    }
    let asked = service.memory_kb().0;
    let accepted = Arc::new(accepted);
    let streams: Vec<TcpStream> = stream::iter(0..count)
        .map(|index| {
            let accepted = Arc::clone(&accepted);
            async move {
                let callback = &accepted[index % accepted.len()];
                let request = format!(
                    "GET /v1/callbacks/{}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
                    callback.id, callback.follow
                );
                let (status, stream) =
                    Connection::open(service.address).await.ask_for_stream(request.as_bytes()).await;
                assert_eq!(status, 200, "follower {index} was refused");
                stream
            }
        })
        .buffer_unordered(OPENING)
        .collect()
        .await;
    let (held, _) = service.memory_kb();
    let begun_at = Instant::now();
    // Every callback is called off: each of its followers hears of it, and its stream ends.
    let hearing = futures_util::future::join_all(streams.into_iter().map(to_the_end));
    let calling_off = async {
        for callback in accepted.iter() {
            // One that is just being tried is called off after that.
            eventually("it is called off", async || {
                let request = house.http.delete(format!("{url}/v1/callbacks/{}", callback.id));
                let answer = house.send(request.bearer_auth(&callback.follow)).await;
                (answer.status.as_u16() == 200).then_some(())
            })
            .await;
        }
    };
    let (heard, ()) = tokio::join!(hearing, calling_off);
    let took = begun_at.elapsed();
    let heard = heard.into_iter().filter(|text| text.contains("cancelled")).count();
    let megabytes = |kilobytes: u64| (kilobytes / 1024).to_string();
    let rows = vec![
        row([
            "followers",
            "idle, MB",
            "with the callbacks, MB",
            "with the followers, MB",
            "at most, MB",
            "heard",
            "all within s",
        ]),
        vec![
            count.to_string(),
            megabytes(before),
            megabytes(asked),
            megabytes(held),
            megabytes(service.memory_kb().1),
            heard.to_string(),
            format!("{:.1}", took.as_secs_f64()),
        ],
    ];
    service.stop();
    print_table("Followers of one process, ten of each callback", &rows);
}

/// What comes until the service ends the stream.
async fn to_the_end(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = async {
        loop {
            match stream.read_buf(&mut bytes).await {
                // The last chunk of a body without a length has none (RFC 9112 section 7.1).
                Ok(count) if count > 0 && !bytes.ends_with(b"0\r\n\r\n") => {}
                Ok(_) | Err(_) => return,
            }
        }
    };
    let _ = timeout(PATIENCE, read).await;
    String::from_utf8_lossy(&bytes).into_owned()
}
