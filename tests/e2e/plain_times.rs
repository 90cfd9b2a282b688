//! Times without script: chosen from a list, and moved by a button.

use reqwest::Method;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;
use ringback_tests::plain::{members, with};
use ringback_tests::plan::Plan;
use serde_json::Value;

fn with_slots(plan: &mut Plan) {
    plan.set("sites.acme.schedule.through", "store");
    plan.set("sites.acme.schedule.timezone", "America/New_York");
    plan.set("sites.acme.schedule.slot_capacity", 1);
}

/// The times that a page offers, as it posts them.
fn times(page: &str) -> Vec<String> {
    let (_, select) =
        page.split_once("<select id=\"schedule\"").unwrap_or_else(|| panic!("no times: {page}"));
    let options = select.split("</select>").next().unwrap().split("<option value=\"").skip(1);
    options
        .map(|option| option.split('"').next().unwrap().to_owned())
        .filter(|time| !time.is_empty())
        .collect()
}

async fn send_for(house: &House, time: &str, phone: &str) -> Answer {
    let page = house.plain_page().await;
    house.send_plain(&with(with(members(&page), "schedule", time), "phone", phone)).await
}

async fn move_to(house: &House, path: &str, time: &str) -> Answer {
    let request = house.request(Method::POST, path).header("Origin", "null");
    house.send(request.form(&[("do", "move"), ("schedule", time)])).await
}

/// When the callback of a page that follows it is called, as the page says.
async fn until_booked(house: &House, path: &str) -> Value {
    let page = house.get(path).await.text();
    let (_, id) = page.split_once("data-callback=\"").unwrap();
    let id = id.split('"').next().unwrap();
    house.record(id).await["schedule"].clone()
}

/// The text of a window, as the lists of the pages have it.
fn text(window: &Value) -> String {
    let part = |name: &str| window[name].as_str().unwrap();
    format!("{}T{}/{}[{}]", part("date"), part("start"), part("end"), part("timezone"))
}

#[tokio::test]
async fn a_free_time_is_chosen_from_a_list_and_goes_to_one() {
    let house = House::with(with_slots).await;
    let page = house.plain_page().await;
    assert!(page.contains("(<bdi>America/New_York</bdi>)"), "{page}");
    let offered = times(&page);
    assert!(offered.len() > 100, "{offered:?}");
    let chosen = &offered[3];
    let path = house.follow_path(&send_for(&house, chosen, "+1 202 555 0142").await);
    assert_eq!(text(&until_booked(&house, &path).await), *chosen);
    assert!(house.get(&path).await.text().contains("Your call is booked"));

    // Somebody else had seen it while it was free.
    let full = send_for(&house, chosen, "+1 202 555 0143").await;
    let told = full.text();
    assert_eq!(full.status.as_u16(), 422, "{told}");
    let (_, link) = told.split_once("<a href=\"#schedule\">").unwrap();
    assert!(link.split("</a>").next().unwrap().contains("just been taken"), "{told}");
    assert!(!times(&told).contains(chosen), "{told}");
    // What no list of ours has is no time.
    for wrong in ["tomorrow", "2026-12-01", "<b>"] {
        assert_eq!(send_for(&house, wrong, "+1 202 555 0144").await.status.as_u16(), 422, "{wrong}");
    }
}

#[tokio::test]
async fn a_callback_is_moved_by_a_button_to_a_time_that_is_free() {
    let house = House::with(with_slots).await;
    let offered = times(&house.plain_page().await);
    let path = house.follow_path(&send_for(&house, &offered[3], "+1 202 555 0142").await);
    house.follow_path(&send_for(&house, &offered[5], "+1 202 555 0143").await);
    let page = house.get(&path).await.text();
    assert!(page.contains(&format!("href=\"{path}/calendar.ics\"")), "{page}");
    let choices = times(&page);
    assert!(choices.contains(&offered[4]) && !choices.contains(&offered[5]), "{choices:?}");

    let moved = move_to(&house, &path, &offered[4]).await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (303, path.as_str()), "{}", moved.text());
    assert_eq!(text(&until_booked(&house, &path).await), offered[4]);
    let taken = move_to(&house, &path, &offered[5]).await;
    assert_eq!(taken.status.as_u16(), 422);
    assert!(taken.text().contains("just been taken"), "{}", taken.text());
    assert_eq!(move_to(&house, &path, "").await.status.as_u16(), 422);
    assert_eq!(text(&until_booked(&house, &path).await), offered[4]);

    // What is called off is moved no more.
    let off = house.request(Method::POST, &path).form(&[("do", "cancel")]);
    assert_eq!(house.send(off).await.status.as_u16(), 303);
    let late = move_to(&house, &path, &offered[6]).await;
    assert_eq!(late.status.as_u16(), 409);
    assert!(late.text().contains("can’t be changed any more"), "{}", late.text());
}

#[tokio::test]
async fn a_closed_site_says_when_it_opens() {
    let house = House::with(|plan| {
        let (timezone, noon) = ringback_tests::window::noon();
        plan.set("sites.acme.hours.timezone", timezone);
        // Open in an hour or two, whenever the tests run.
        let (from, until) = (noon.hour() + 2, noon.hour() + 4);
        for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] {
            plan.set(&format!("sites.acme.hours.{day}"), vec![format!("{from:02}:00-{until:02}:00")]);
        }
    })
    .await;
    let page = house.plain_page().await;
    assert!(page.contains("We’re closed at the moment") && page.contains("(Etc/GMT"), "{page}");
    let path = house.follow_path(&house.send_plain(&members(&page)).await);
    assert!(house.get(&path).await.text().contains("Your call is booked"));
}
