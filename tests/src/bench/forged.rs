//! What the time of a refusal tells: every kind of token at its own door, spoiled in every way that one can be.

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use ringback_contract::callback::Accepted;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::guard::without_webex;
use super::{Measured, median, print_table, row, visitor_number};
use crate::house::House;
use crate::load::{Connection, post};
use crate::plan::ORIGIN;
use crate::{service, visitor};

/// How often each refusal is timed.
const TIMED: usize = 3000;
/// A new key signs after a minute, and a challenge of a minute has run out then.
const LATER: Duration = Duration::from_secs(70);
/// When a service knows for sure that a key is retired.
const KNOWN: Duration = Duration::from_secs(15);

/// A kind of token, and the requests that present one: what is wrong with it, and the bytes.
type Door = (&'static str, Vec<(&'static str, Vec<u8>)>);

/// One of each kind, signed with one key.
struct Tokens {
    id: String,
    follow: String,
    join: String,
    link: String,
    cursor: String,
    challenge: String,
    start: String,
}

/// Someone with an API key, and the operator's terminal.
struct Client<'house> {
    house: &'house House,
    url: String,
    key: String,
}

impl Client<'_> {
    async fn json(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self.house.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        self.house.send(request).await.json()
    }

    async fn accepted(&self, number: u64, another: bool) -> Accepted {
        let body = json!({ "phone": visitor_number(number), "reason": null, "another": another });
        let body = Some(visitor::crm_request_with(body));
        let answer = self.json(Method::POST, "/v1/callbacks", body).await;
        serde_json::from_value(answer).expect("it is accepted")
    }

    /// What a command of the operator prints, where it prints an address: what follows the last `/` or `=`.
    fn printed(&self, arguments: &[&str]) -> String {
        let mut command: Command = service::command(arguments);
        let output =
            command.arg("--config").arg(self.house.config_file()).output().expect("the binary starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.trim().rsplit(['/', '=']).next().expect("a token").to_owned()
    }

    fn link(&self, site: &str, agent: &str, expires: &str) -> String {
        let base = ["--base-url", "http://x"];
        self.printed(&[&["link", "--site", site, "--agent", agent, "--expires", expires][..], &base].concat())
    }

    async fn tokens(&self, number: u64) -> Tokens {
        let accepted = self.accepted(number, true).await;
        let joined = self.accepted(number, false).await;
        let list = self.json(Method::GET, "/v1/callbacks?limit=1", None).await;
        let form = self.json(Method::GET, "/v1/sites/acme/form", None).await;
        Tokens {
            id: accepted.id,
            follow: accepted.follow,
            join: joined.follow,
            link: self.link("acme", "grace", "30d"),
            cursor: list["next"].as_str().expect("a cursor").to_owned(),
            challenge: form["proof"]["challenge"].as_str().expect("a challenge").to_owned(),
            start: self.printed(&["auth", "login", "--hosted"]),
        }
    }
}

/// The same token with one bit of its signature changed.
fn changed(token: &str) -> String {
    let (head, signature) = token.rsplit_once('.').expect("a signature");
    let mut signature = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    signature[0] ^= 1;
    format!("{head}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

/// The token of one purpose, presented as one of another.
fn disguised(token: &str, as_prefix: &str) -> String {
    format!("{as_prefix}{}", &token[4..])
}

fn get(path: &str, bearer: &str) -> Vec<u8> {
    let bearer =
        if bearer.is_empty() { String::new() } else { format!("Authorization: Bearer {bearer}\r\n") };
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n").into_bytes()
}

/// Measures, and prints a table.
pub async fn measure() {
    let house = without_webex(|plan| {
        plan.oauth();
        // Where the browser of whoever connects the organisation goes.
        plan.set("server.public_url", "http://localhost");
        plan.set("sites.other.countries", vec!["US"]);
        plan.preferred_agents("other");
        plan.set("proof.calm_per_minute", 0);
        plan.set("proof.most_bits", 20);
        plan.set("proof.lifetime_s", 60);
    })
    .await;
    let service = Measured::start(&house, "service");
    let url = format!("http://{}", service.address);
    let key = house.key(&["--all-sites"]);
    let client = Client { house: &house, url, key };
    // A second callback makes a list of two pages.
    client.accepted(1, true).await;
    let old = client.tokens(2).await;
    let expired = (client.link("acme", "grace", "1s"), house.key(&["--all-sites", "--expires", "1s"]));
    let of_another_site = (client.link("other", "omar", "30d"), house.key(&["--site", "other"]));
    let revoked = house.key(&["--all-sites"]);
    house.command(&["key", "revoke", revoked.get(4..16).expect("an id")]);
    let first = house.command(&["secret", "list"]);
    let first = first.split_whitespace().next().expect("a key").to_owned();
    house.command(&["secret", "rotate"]);
    sleep(LATER).await;
    let run_out = client.tokens(3).await.challenge;
    let new = {
        // The challenge of this round is young, the one before it has run out.
        sleep(LATER).await;
        client.tokens(4).await
    };
    house.command(&["secret", "retire", &first]);
    sleep(KNOWN).await;
    let mut rows = vec![row(["token", "what", "status", "p50, µs", "of one bit changed"])];
    for (kind, requests) in requests(&client, &old, &new, &expired, &of_another_site, &revoked, &run_out) {
        timed(&service, kind, &requests, &mut rows).await;
    }
    service.stop();
    print_table(&format!("Refusals of forged tokens at the door, {TIMED} each in turns"), &rows);
}

/// The requests of each door: first the one with a changed bit, which the others are compared with.
fn requests(
    client: &Client<'_>,
    old: &Tokens,
    new: &Tokens,
    expired: &(String, String),
    of_another_site: &(String, String),
    revoked: &str,
    run_out: &str,
) -> Vec<Door> {
    let link = |token: &str| get(&format!("/v1/sites/acme/form?agent={token}"), "");
    let callback = |id: &str, token: &str| get(&format!("/v1/callbacks/{id}"), token);
    let cursor = |token: &str| get(&format!("/v1/callbacks?limit=1&cursor={token}"), &client.key);
    let start = |token: &str| get(&format!("/auth/webex/start?token={token}"), "");
    let body = visitor::request_with(json!({ "phone": visitor_number(9) })).to_string();
    let challenge = |token: &str| {
        let headers = format!("Origin: {ORIGIN}\r\nRingback-Proof: {token}:1\r\n");
        post("/v1/sites/acme/callbacks", &headers, &body)
    };
    let key = |key: &str| get("/v1/callbacks?limit=1&site=acme", key);
    let checked = |body: String| {
        let sum = <sha2::Sha256 as sha2::Digest>::digest(&body);
        format!("{body}{}", hex::encode(&sum[..4]))
    };
    let another_secret = |id: &str| checked(format!("rbk_{id}{}", "a".repeat(64)));
    let id = &client.key[4..16];
    vec![
        (
            "link",
            vec![
                ("one bit changed", link(&changed(&new.link))),
                ("expired", link(&expired.0)),
                ("of another purpose", link(&disguised(&new.follow, "rba_"))),
                ("of another site", link(&of_another_site.0)),
                ("of a retired key", link(&old.link)),
                ("good", link(&new.link)),
            ],
        ),
        (
            "follow",
            vec![
                ("one bit changed", callback(&new.id, &changed(&new.follow))),
                ("of another purpose", callback(&new.id, &disguised(&new.cursor, "rbf_"))),
                ("of another callback", callback(&old.id, &new.follow)),
                ("of a retired key", callback(&old.id, &old.follow)),
                ("good", callback(&new.id, &new.follow)),
            ],
        ),
        (
            "join",
            vec![
                ("one bit changed", callback(&new.id, &changed(&new.join))),
                ("of another purpose", callback(&new.id, &disguised(&new.cursor, "rbj_"))),
                ("of another callback", callback(&old.id, &new.join)),
                ("of a retired key", callback(&old.id, &old.join)),
                ("good", callback(&new.id, &new.join)),
            ],
        ),
        (
            "cursor",
            vec![
                ("one bit changed", cursor(&changed(&new.cursor))),
                ("of another purpose", cursor(&disguised(&new.follow, "rbc_"))),
                ("of a retired key", cursor(&old.cursor)),
                ("good", cursor(&new.cursor)),
            ],
        ),
        (
            "challenge",
            vec![
                ("one bit changed", challenge(&changed(&new.challenge))),
                ("expired", challenge(run_out)),
                ("of another purpose", challenge(&disguised(&new.cursor, "rbw_"))),
                ("of a retired key", challenge(&old.challenge)),
                ("good, unsolved", challenge(&new.challenge)),
            ],
        ),
        (
            "OAuth start",
            vec![
                ("one bit changed", start(&changed(&new.start))),
                ("of another purpose", start(&disguised(&new.cursor, "rbs_"))),
                ("of a retired key", start(&old.start)),
            ],
        ),
        (
            "API key",
            vec![
                ("another secret", key(&another_secret(id))),
                ("of no key", key(&another_secret("0123456789ab"))),
                ("expired", key(&expired.1)),
                ("revoked", key(revoked)),
                ("of another site", key(&of_another_site.1)),
                ("good", key(&client.key)),
            ],
        ),
    ]
}

/// Times requests in turns, so that all meet the same machine, and each turn in another order: what one leaves behind would
/// always meet the same next one.
async fn timed(service: &Measured, kind: &str, requests: &[(&str, Vec<u8>)], rows: &mut Vec<Vec<String>>) {
    let mut connection = Connection::open(service.address).await;
    let mut took = vec![(0, Vec::with_capacity(TIMED)); requests.len()];
    let mut order: Vec<usize> = (0..requests.len()).collect();
    for _ in 0..TIMED {
        fastrand::shuffle(&mut order);
        for &index in &order {
            let begun_at = Instant::now();
            let status = connection.ask(&requests[index].1).await;
            took[index].0 = status;
            took[index].1.push(begun_at.elapsed().as_secs_f64() * 1e6);
        }
    }
    let took: Vec<(u16, f64)> = took.into_iter().map(|(status, took)| (status, median(took))).collect();
    for ((what, _), (status, micros)) in requests.iter().zip(&took) {
        let ratio = format!("{:.2}", micros / took[0].1);
        let cells = [kind.to_owned(), (*what).to_owned(), status.to_string(), format!("{micros:.1}"), ratio];
        rows.push(cells.into());
    }
}
