//! The page that follows a callback without any script: an address that only its visitor knows.

use reqwest::Method;
use ringback_contract::callback::{Accepted, State};
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plan::{ORIGIN, Plan};
use ringback_tests::visitor;
use ringback_tests::window::window;
use serde_json::json;
use webex_simulator::Outcome;

fn kept_by_us(plan: &mut Plan) {
    plan.set("sites.acme.schedule.through", "store");
    plan.set("sites.acme.schedule.timezone", "America/New_York");
}

/// A callback that waits for its time, so that it can be called off.
async fn booked(house: &House) -> Accepted {
    let body = visitor::request_with(json!({ "schedule": window(7200, 3600) }));
    house.send(house.post(&body)).await.accepted()
}

fn path(callback: &Accepted) -> String {
    format!("/f/{}", callback.follow)
}

/// Presses a button, as browsers do on a page that tells nobody its address.
async fn press(house: &House, path: &str, button: &str) -> Answer {
    let request = house.request(Method::POST, path).header("Origin", "null");
    house.send(request.header("Sec-Fetch-Site", "same-origin").form(&[("do", button)])).await
}

#[tokio::test]
async fn the_page_says_where_the_callback_stands_until_it_is_over() {
    let house = House::with(|plan| plan.outcome(Outcome::StaysParked)).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Queued).await;
    let page = house.get(&path(&accepted)).await;
    let text = page.text();
    assert_eq!(page.status.as_u16(), 200, "{text}");
    assert!(text.contains("<title>You’re in the queue · Acme Outdoor</title>"), "{text}");
    // It comes anew by itself, as soon as an agent could have it, and can be told not to.
    assert!(text.contains("http-equiv=\"refresh\" content=\"5\""), "{text}");
    let still = house.get(&format!("{}?still", path(&accepted))).await.text();
    assert!(!still.contains("http-equiv=\"refresh\"") && still.contains("You’re in the queue"), "{still}");
    assert!(!text.contains(visitor::NAME) && !text.contains("555"), "{text}");
}

#[tokio::test]
async fn nothing_is_told_to_whoever_does_not_know_the_address_and_nobody_learns_it() {
    let house = House::open().await;
    let accepted = house.ask().await;
    let page = house.get(&path(&accepted)).await;
    for (name, value) in
        [("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-robots-tag", "noindex")]
    {
        assert_eq!(page.header(name), value);
    }
    assert!(page.header("content-security-policy").ends_with(&format!("frame-ancestors {ORIGIN}")));
    let mut forged = path(&accepted);
    forged.pop();
    for path in [forged.as_str(), "/f/nonsense", "/f/%3Cb%3E"] {
        let answer = house.get(path).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
        assert!(answer.text().contains("This link is not valid"), "{}", answer.text());
        assert_eq!(press(&house, path, "cancel").await.status.as_u16(), 404, "{path}");
    }
    house.until(&accepted.id, State::Completed).await;
}

#[tokio::test]
async fn whoever_guesses_at_addresses_is_counted() {
    let house = House::with(|plan| plan.limit("guesses", 2, 600)).await;
    for _ in 0..2 {
        assert_eq!(house.get("/f/rbf_00000000.AAAA.AAAA").await.status.as_u16(), 404);
    }
    assert_eq!(house.get("/f/rbf_00000000.AAAA.AAAA").await.status.as_u16(), 429);
}

#[tokio::test]
async fn a_callback_is_called_off_by_a_button_and_never_by_opening_its_address() {
    let house = House::with(kept_by_us).await;
    let accepted = booked(&house).await;
    // A program that looks through mail opens what it finds, and follows what it finds there.
    let page = house.get(&path(&accepted)).await.text();
    for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        house.get(link).await;
    }
    assert_eq!(house.view(&accepted).await["state"], "scheduled");
    assert!(page.contains("Your call is booked") && page.contains("(Etc/GMT"), "{page}");

    let answer = press(&house, &path(&accepted), "cancel").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, path(&accepted).as_str()));
    let page = house.get(&path(&accepted)).await.text();
    assert!(page.contains("Your call was called off") && !page.contains("http-equiv"), "{page}");
    assert!(page.contains("href=\"/c/acme\""), "{page}");
    // Once more is as good as once.
    assert_eq!(press(&house, &path(&accepted), "cancel").await.status.as_u16(), 303);
}

#[tokio::test]
async fn a_button_of_another_page_does_nothing() {
    let house = House::with(kept_by_us).await;
    let accepted = booked(&house).await;
    for (origin, fetch_site) in
        [(Some(ORIGIN), None), (Some("null"), Some("cross-site")), (None, Some("same-site"))]
    {
        let mut request = house.request(Method::POST, &path(&accepted)).form(&[("do", "cancel")]);
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        if let Some(fetch_site) = fetch_site {
            request = request.header("Sec-Fetch-Site", fetch_site);
        }
        assert_eq!(house.send(request).await.status.as_u16(), 403, "{origin:?} {fetch_site:?}");
    }
    for wish in ["", "resend"] {
        assert_eq!(press(&house, &path(&accepted), wish).await.status.as_u16(), 422, "{wish}");
    }
    assert_eq!(house.view(&accepted).await["state"], "scheduled");
}

#[tokio::test]
async fn what_is_too_late_to_call_off_is_told_beside_where_it_stands() {
    let house = House::with(|plan| plan.outcome(Outcome::StaysParked)).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Queued).await;
    let answer = press(&house, &path(&accepted), "cancel").await;
    let text = answer.text();
    assert_eq!(answer.status.as_u16(), 409, "{text}");
    assert!(text.contains("can’t be called off any more") && text.contains("You’re in the queue"), "{text}");
}

#[tokio::test]
async fn who_joined_a_callback_sees_it_and_has_no_button() {
    let house = House::with(kept_by_us).await;
    let window = window(7200, 3600);
    let body = visitor::request_with(json!({ "schedule": window }));
    let first = house.send(house.post(&body)).await.accepted();
    let second = house.send(house.post(&body)).await.accepted();
    assert!(second.joined);
    let page = house.get(&path(&second)).await.text();
    assert!(page.contains("Your call is booked") && !page.contains("<button"), "{page}");
    assert!(house.get(&path(&first)).await.text().contains("value=\"cancel\""));
    assert_eq!(press(&house, &path(&second), "cancel").await.status.as_u16(), 409);
    assert_eq!(house.view(&first).await["state"], "scheduled");
}

#[tokio::test]
async fn whoever_was_not_reached_is_told_what_to_do() {
    let house = House::with(|plan| {
        plan.outcome(Outcome::NoAnswer);
        plan.set("sites.acme.phone", "+1 202 555 0180");
    })
    .await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Failed).await;
    let page = house.get(&path(&accepted)).await.text();
    assert!(page.contains("nobody picked up") && page.contains("href=\"/c/acme\""), "{page}");
    assert!(page.contains("href=\"tel:+12025550180\""), "{page}");
}

#[tokio::test]
async fn a_framed_page_says_what_went_wrong_before_its_callback_is_known() {
    let house = House::with(|plan| plan.limit("reads", 1, 600)).await;
    let accepted = house.ask().await;
    let framed = format!("{}?level=plain&site=acme", path(&accepted));
    assert_eq!(house.get(&framed).await.status.as_u16(), 200);
    let shown_by = async |address: &str| {
        let page = house.get(address).await;
        assert_eq!(page.status.as_u16(), 429, "{address}");
        let policy = page.header("content-security-policy").to_owned();
        policy.rsplit_once("frame-ancestors ").expect("who may show it").1.to_owned()
    };
    assert_eq!(shown_by(&framed).await, ORIGIN);
    // Who shows a page that is in no frame, or in that of no site, is nobody.
    assert_eq!(shown_by(&path(&accepted)).await, "'none'");
    assert_eq!(shown_by(&format!("{}?site=acme", path(&accepted))).await, "'none'");
    assert_eq!(shown_by(&format!("{}?level=plain&site=unknown", path(&accepted))).await, "'none'");
}
