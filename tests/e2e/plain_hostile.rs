//! What no browser sends to the pages that need no script.

use reqwest::{Method, RequestBuilder};
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plain::{Members, members, with};
use ringback_tests::visitor;
use ringback_tests::window::window;
use serde_json::json;
use url::form_urlencoded;

/// The three kinds of addresses that take a form.
async fn addresses(house: &House) -> [String; 3] {
    let link = house.agent_token("acme", "grace", "1h");
    let booked = visitor::request_with(json!({ "schedule": window(7200, 3600) }));
    let booked = house.send(house.post(&booked)).await.accepted();
    ["/c/acme".to_owned(), format!("/a/{link}"), format!("/f/{}", booked.follow)]
}

fn encoded(members: &Members) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish()
}

/// A post from a page of the service.
fn post(house: &House, path: &str, media_type: &str, body: Vec<u8>) -> RequestBuilder {
    let request = house.request(Method::POST, path).header("Origin", house.url());
    let request = request.header("Sec-Fetch-Site", "same-origin").body(body);
    if media_type.is_empty() { request } else { request.header("Content-Type", media_type) }
}

/// A page for people, that nobody keeps, frames or learns the address of.
#[track_caller]
fn assert_page(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{what}");
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{what}");
    assert!(["no-referrer", "same-origin"].contains(&answer.header("referrer-policy")), "{what}");
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn what_is_no_form_is_refused_with_a_page_at_every_address() {
    let house = House::with(|plan| {
        plan.set("sites.acme.schedule.through", "store");
        plan.set("sites.acme.schedule.timezone", "UTC");
    })
    .await;
    let addresses = addresses(&house).await;
    for path in &addresses {
        for media_type in ["", "text/plain", "application/json", "multipart/form-data; boundary=x"] {
            let answer = house.send(post(&house, path, media_type, b"do=cancel".to_vec())).await;
            assert_page(&answer, 415, media_type);
        }
        let long = format!("message={}", "a".repeat(20_000)).into_bytes();
        assert_page(&house.send(post(&house, path, FORM, long)).await, 413, "too long");
        for body in [
            // Twice, under another spelling.
            &b"do=cancel&d%6f=cancel"[..],
            // Half a character, a surrogate, and bytes that are no text, bare and encoded.
            b"do=cancel&name=%C3",
            b"do=cancel&name=%ED%A0%80",
            b"do=cancel&name=\xff",
            b"do=cancel&%FF=x",
            b"",
            b"&&=&&",
            b"%=%&%zz=%zz",
            b"do=%00cancel",
            b"do=cancel&schedule=%00",
            b"do=cancel&schedule=2026-12-01T10:00:00/10:30:00[../../etc/passwd]",
        ] {
            let answer = house.send(post(&house, path, FORM, body.to_vec())).await;
            let status = if answer.status.as_u16() == 400 { 400 } else { 422 };
            assert_page(&answer, status, &format!("{path} {}", String::from_utf8_lossy(body)));
        }
    }
    // None of it has called anything off, and the button still does.
    assert!(house.get(&addresses[2]).await.text().contains("Your call is booked"));
    let pressed = house.send(post(&house, &addresses[2], FORM, b"do=cancel".to_vec())).await;
    assert_eq!(pressed.status.as_u16(), 303);
}

#[tokio::test]
async fn addresses_that_are_none_are_told_so_and_not_repeated() {
    let house = House::open().await;
    let long = "a".repeat(4000);
    for kind in ["c", "a", "f"] {
        for part in ["%00", "%ff", "%F0%9F%98", "..%2f..", "%3Cscript%3E", "rbf_.%0d%0aX-Evil:1", &long] {
            let path = format!("/{kind}/{part}");
            let looked = house.get(&path).await;
            let sent = house.send(post(&house, &path, FORM, b"do=cancel".to_vec())).await;
            for answer in [looked, sent] {
                let status = answer.status.as_u16();
                assert!((400..500).contains(&status) || (kind == "a" && status == 200), "{path}: {status}");
                assert!(!answer.text().contains("<script>") && !answer.text().contains(&long), "{path}");
                assert!(!answer.headers.contains_key("x-evil"), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn what_looks_odd_and_can_be_a_persons_is_taken_and_made_harmless() {
    let house = House::with(|plan| {
        plan.set("sites.acme.attributes.Name", "{name}");
        plan.set("sites.acme.attributes.Message", "{message}");
        plan.set("sites.acme.attributes.RingbackRef", "{callback_id}");
    })
    .await;
    // A sign that stands for what could not be read, as it is copied out of old mails; per cent signs; letters of two directions.
    let message = "100% \u{fffd} sure, שלום";
    let sent = with(members(&house.plain_page().await), "message", message);
    let body = encoded(&sent).into_bytes();
    let media_type = "Application/X-WWW-Form-Urlencoded; charset=UTF-8";
    house.follow_path(&house.send(post(&house, "/c/acme", media_type, body)).await);
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.attributes["Message"], message);
    // What turns text around or cuts it off is refused at its field, or does not reach the agent; nothing typed is lost.
    for (name, text) in
        [("name", "Ann\u{0}Example"), ("name", "Ann \u{202e}elpmaxE"), ("message", "a\u{2066}b\u{0}c")]
    {
        let sent = with(members(&house.plain_page().await), name, text);
        let answer = house.send(post(&house, "/c/acme", FORM, encoded(&sent).into_bytes())).await;
        if answer.status.as_u16() == 303 {
            house.follow_path(&answer);
        } else {
            assert_page(&answer, 422, text);
            assert!(answer.text().contains(visitor::EMAIL), "{}", answer.text());
        }
    }
    for task in house.tasks().await {
        let text = format!("{:?}", task.attributes);
        assert!(
            !text.contains("\\u{202e}") && !text.contains("\\u{2066}") && !text.contains("\\0"),
            "{text}"
        );
    }
}
