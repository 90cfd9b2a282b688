//! The form without any script: a page that a browser draws and sends by itself.

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_contract::proof::PROOF;
use ringback_tests::answer::Answer;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::plain::{action, hidden, members, with};
use ringback_tests::plan::ORIGIN;
use ringback_tests::visitor;
use webex_simulator::{OutboundType, organization};

/// The page shows the form again, with that status.
#[track_caller]
fn assert_form(answer: &Answer, status: u16) -> String {
    let text = answer.text();
    assert_eq!(answer.status.as_u16(), status, "{text}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(text.contains("<form method=\"post\"") && text.contains("<title>Error: "), "{text}");
    text
}

#[tokio::test]
async fn a_plain_form_becomes_the_callback_that_the_other_form_becomes() {
    let house = House::open().await;
    let page = house.plain_page().await;
    let answer = house.send_plain(&members(&page)).await;
    let path = house.follow_path(&answer);
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(
        (task.destination.as_str(), task.outbound_type),
        (visitor::PHONE_E164, OutboundType::Callback)
    );
    assert_eq!(task.attributes["Name"], visitor::NAME);
    // The page that held the form; no other was around it.
    assert_eq!(task.attributes["Page"], format!("{}/c/acme", house.url()));
    let page = house.get(&path).await;
    assert_eq!(page.status.as_u16(), 200, "{}", page.text());
}

#[tokio::test]
async fn to_send_a_form_twice_is_to_send_it_once_and_to_change_it_is_to_ask_again() {
    let house = House::with(|plan| plan.set("delivery.join_s", 0)).await;
    let page = house.plain_page().await;
    let first = house.follow_path(&house.send_plain(&members(&page)).await);
    let second = house.follow_path(&house.send_plain(&members(&page)).await);
    assert_eq!(first, second);
    // Back in the browser, and another number in the same form.
    let changed = with(members(&page), "phone", "+1 202 555 0143");
    let again = assert_form(&house.send_plain(&changed).await, 422);
    assert!(again.contains("already sent this form") && again.contains("+1 202 555 0143"), "{again}");
    let resent = with(changed, "key", &hidden(&again).iter().find(|(name, _)| name == "key").unwrap().1);
    assert_ne!(house.follow_path(&house.send_plain(&resent).await), first);
    house.until_tasks(2).await;
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_field_and_what_was_typed_stays() {
    let house = House::with(|plan| plan.set("sites.acme.phone", "+1 202 555 0180")).await;
    let page = house.plain_page().await;
    let mut wrong = with(members(&page), "phone", "555");
    wrong = with(wrong, "email", "ann@\"><b>");
    wrong.retain(|(name, _)| name != "consent");
    let text = assert_form(&house.send_plain(&wrong).await, 422);
    // First of all a summary with a link to each field, then each field with what is wrong.
    for (field, told) in [("phone", "too short"), ("email", "name@example.com"), ("consent", "Please agree")]
    {
        let (_, linked) =
            text.split_once(&format!("<a href=\"#{field}\">")).unwrap_or_else(|| panic!("{text}"));
        assert!(linked.split("</a>").next().unwrap().contains(told), "{field}: {text}");
        let (_, error) =
            text.split_once(&format!("id=\"{field}-error\">")).unwrap_or_else(|| panic!("{text}"));
        assert!(error.split("</p>").next().unwrap().contains(told), "{field}: {text}");
        let (before, _) = text.split_once(&format!("aria-describedby=\"{field}-error\"")).unwrap();
        let (_, control) = text.split_at(before.rfind('<').unwrap());
        assert!(control.split('>').next().unwrap().contains("aria-invalid=\"true\""), "{field}: {text}");
    }
    assert_eq!(text.matches("aria-invalid").count(), 3, "{text}");
    for typed in ["value=\"555\"", "value=\"Ann Example\"", "ann@&quot;&gt;&lt;b&gt;", visitor::MESSAGE] {
        assert!(text.contains(typed), "{typed}: {text}");
    }
    assert!(text.contains("value=\"orders\" selected"), "{text}");
    // The site's own number, for whom the form is of no help.
    assert!(text.contains("href=\"tel:"), "{text}");
    // The same form, mended.
    let mended = with(with(wrong, "phone", visitor::PHONE), "email", visitor::EMAIL);
    house.follow_path(&house.send_plain(&with(mended, "consent", "yes")).await);
    assert_eq!(house.until_tasks(1).await.len(), 1);
}

#[tokio::test]
async fn only_a_page_of_the_service_may_send_it() {
    let house = House::open().await;
    let page = house.plain_page().await;
    let post = || house.request(Method::POST, "/c/acme").form(&members(&page));
    for (origin, fetch_site) in [
        (Some(ORIGIN), "cross-site"),
        (Some("https://evil.example"), "cross-site"),
        // A frame that is shut off, and a program that names no page.
        (Some("null"), "cross-site"),
        (None, "none"),
    ] {
        let mut request = post().header("Sec-Fetch-Site", fetch_site);
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        let answer = house.send(request).await;
        assert_eq!(answer.status.as_u16(), 403, "{origin:?}: {}", answer.text());
        assert!(answer.text().contains("can’t take call requests"), "{}", answer.text());
    }
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn a_body_that_no_form_of_ours_makes_is_refused_in_plain_words() {
    let house = House::with(|plan| plan.set("limits.body_bytes", 4096)).await;
    let page = house.plain_page().await;
    let refused = async |status: u16, members: &[(String, String)], what: &str| {
        let answer = house.send_plain(&members.to_vec()).await;
        assert_eq!(answer.status.as_u16(), status, "{what}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{what}");
        assert!(!answer.text().contains(visitor::NAME), "{what}: {}", answer.text());
    };
    let good = members(&page);
    let twice = [&good[..], &good[..1]].concat();
    refused(400, &twice, "a member twice").await;
    refused(422, &with(good.clone(), "phnoe", "1"), "an unknown member").await;
    refused(422, &with(good.clone(), "agent", "rba_x"), "an agent in the body").await;
    refused(400, &with(good.clone(), "key", ""), "no key").await;
    refused(413, &with(good.clone(), "message", &"x".repeat(5000)), "too large").await;
    let own = |request: reqwest::RequestBuilder| request.header("Origin", house.url());
    let json = own(house.request(Method::POST, "/c/acme")).json(&visitor::request());
    assert_eq!(house.send(json).await.status.as_u16(), 415);
    let form = "application/x-www-form-urlencoded";
    let bytes =
        own(house.request(Method::POST, "/c/acme")).header("Content-Type", form).body("name=%ff&key=k");
    assert_eq!(house.send(bytes).await.status.as_u16(), 400);
    let nobody = house.send(house.plain_post("/c/nobody", &good)).await;
    assert_eq!(nobody.status.as_u16(), 404);
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn a_link_addresses_the_plain_form_to_its_agent_until_it_runs_out() {
    let house = House::open().await;
    let token = house.agent_token("acme", "grace", "30d");
    house.private.add(&token);
    let page = house.get(&format!("/a/{token}")).await.text();
    assert!(
        page.contains("Grace Loh will call you back") && action(&page) == format!("/a/{token}"),
        "{page}"
    );
    // Nobody learns of the link from what is sent along.
    assert!(hidden(&page).iter().all(|(_, value)| !value.contains(&token)), "{page}");
    let path = house.follow_path(&house.send(house.plain_post(&action(&page), &members(&page))).await);
    assert!(house.get(&path).await.text().contains("Grace Loh will call you"));
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.attributes["preferredAgent"], organization::GRACE_EMAIL);

    let short = house.agent_token("acme", "grace", "2s");
    let page = house.get(&format!("/a/{short}")).await.text();
    let sent = members(&page);
    eventually("the link runs out", async || {
        (house.get(&format!("/a/{short}")).await.status.as_u16() == 410).then_some(())
    })
    .await;
    let text = house.send(house.plain_post(&action(&page), &sent)).await.text();
    assert!(text.contains("no longer valid") && text.contains(visitor::MESSAGE), "{text}");
    // The next post is for whoever is free.
    assert_eq!(action(&text), "/c/acme");
}

#[tokio::test]
async fn a_form_speaks_the_language_of_its_visitor_to_the_end() {
    let house = House::open().await;
    let german = house.request(Method::GET, "/c/acme").header("Accept-Language", "de");
    let page = house.send(german).await.text();
    assert!(page.contains("<html lang=\"de\" dir=\"ltr\"") && page.contains("Deutschland"), "{page}");
    let asked = house.get("/c/acme?locale=xx,ar-EG,de").await.text();
    assert!(asked.contains("<html lang=\"ar\" dir=\"rtl\""), "{asked}");
    let answer = house.send_plain(&with(members(&page), "phone", "1")).await;
    assert!(
        answer.text().contains("<html lang=\"de\"") && answer.text().contains("Fehler: "),
        "{}",
        answer.text()
    );
    let path = house.follow_path(&house.send_plain(&members(&page)).await);
    let english = house.request(Method::GET, &path).header("Accept-Language", "en");
    assert!(house.send(english).await.text().contains("<html lang=\"de\""));
}

#[tokio::test]
async fn a_limit_and_a_store_that_is_away_are_told_and_the_form_stays() {
    let house = House::with(|plan| plan.limit("number", 1, 600)).await;
    let page = house.plain_page().await;
    house.follow_path(&house.send_plain(&members(&page)).await);
    house.until_tasks(1).await;
    let second = with(with(members(&house.plain_page().await), "message", "again"), "name", "Bob Example");
    let answer = house.send_plain(&second).await;
    let text = assert_form(&answer, 429);
    assert!(!answer.header("retry-after").is_empty() && text.contains("minutes"), "{text}");
    assert!(text.contains("Bob Example"), "{text}");
    let reads = House::with(|plan| plan.limit("reads", 1, 600)).await;
    reads.plain_page().await;
    let limited = reads.get("/c/acme").await;
    assert_eq!(limited.status.as_u16(), 429);
    assert!(
        limited.text().contains("too many requests") && !limited.text().contains("<form"),
        "{}",
        limited.text()
    );
}

#[tokio::test]
async fn a_pressed_site_has_those_wait_who_can_prove_nothing_and_lets_few_of_them_in() {
    let house = House::with(|plan| {
        plan.set("proof.calm_per_minute", 0);
        plan.set("proof.least_bits", 8);
        plan.set("proof.most_bits", 8);
        plan.set("proof.wait_s", 1);
        plan.limit("waited", 2, 600);
    })
    .await;
    let page = house.plain_page().await;
    let text = assert_form(&house.send_plain(&members(&page)).await, 429);
    assert!(text.contains("Please wait 1 second, then send again"), "{text}");
    let waited = hidden(&text).into_iter().find(|(name, _)| name == "waited").unwrap().1;
    // Too soon: the same wait goes on.
    let sent = with(members(&text), "waited", &waited);
    let early = house.send_plain(&sent).await;
    if early.status.as_u16() == 429 {
        assert!(hidden(&early.text()).contains(&("waited".to_owned(), waited.clone())), "{}", early.text());
    }
    eventually("the wait is over", async || {
        (house.send_plain(&sent).await.status.as_u16() == 303).then_some(())
    })
    .await;
    house.until_tasks(1).await;
    // A wait is good once, and one of another site is none.
    let other = |number: &str| with(with(sent.clone(), "phone", number), "key", number.trim());
    assert_form(&house.send_plain(&other("+12025550143")).await, 429);
    // Waiting costs nothing but time: so few may come in by it from one address.
    let mut taken = 1;
    for number in ["+12025550144", "+12025550145"] {
        let asked = house.send_plain(&other(number)).await.text();
        let again = with(
            other(number),
            "waited",
            &hidden(&asked).into_iter().find(|(name, _)| name == "waited").unwrap().1,
        );
        let answer = eventually("the wait is over", async || {
            let answer = house.send_plain(&again).await;
            (!answer.text().contains("Please wait")).then_some(answer)
        })
        .await;
        taken += usize::from(answer.status.as_u16() == 303);
    }
    assert_eq!(taken, 2);
    assert!(house.get_ops("/metrics").await.text().contains("ringback_waits_total{site=\"acme\"}"));
    // Whoever runs scripts is not concerned: they are asked for work.
    let asked = house.send(house.post(&visitor::request())).await;
    assert!(asked.json()["proof"].is_object() && asked.header(PROOF).is_empty());
}

#[tokio::test]
async fn the_styles_and_the_script_of_a_page_are_kept_for_ever_and_known_by_what_they_hold() {
    let house = House::open().await;
    let page = house.plain_page().await;
    for (tag, media_type) in [("href", "text/css; charset=utf-8"), ("src", "text/javascript; charset=utf-8")]
    {
        let (_, path) = page.split_once(&format!("{tag}=\"/plain/")).unwrap();
        let path = format!("/plain/{}", path.split('"').next().unwrap());
        let file = house.get(&path).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, media_type), "{path}");
        assert!(file.header("cache-control").contains("immutable"), "{path}");
        let packed = house.request(Method::GET, &path).header("Accept-Encoding", "br");
        let packed = house.send(packed).await;
        assert_eq!(packed.header("content-encoding"), "br", "{path}");
        assert!(packed.body.len() * 2 < file.body.len(), "{path}");
        let other = path.replace("/plain/", "/plain/0");
        assert_eq!(house.get(&other).await.status.as_u16(), 404, "{other}");
    }
}

#[tokio::test]
async fn the_callback_of_a_plain_form_is_a_callback_like_any_other() {
    let house = House::open().await;
    let page = house.plain_page().await;
    house.follow_path(&house.send_plain(&members(&page)).await);
    let listed = house.request(Method::GET, "/v1/callbacks").bearer_auth(ringback_tests::plan::API_KEY);
    let listed = house.send(listed).await.ok();
    let id = listed["callbacks"][0]["id"].as_str().unwrap().to_owned();
    house.until(&id, State::Completed).await;
}
