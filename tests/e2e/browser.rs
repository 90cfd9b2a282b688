//! The form in a real browser, on a page of another origin.

mod after;
mod again;
mod at_once;
mod autofill;
mod bad_days;
mod docs;
mod embedding;
mod form;
mod gallery;
mod gallery_names;
mod gallery_pictures;
mod gallery_plain;
mod guest;
mod keyboard;
mod launcher;
mod lazy;
mod levels;
mod links;
mod phone;
mod picker;
mod pictures;
mod plain;
mod plain_frame;
mod plain_pictures;
mod pressed;
mod rounds;
mod strict;
mod trouble;
mod two_sites;
mod waiting;

use ringback_tests::browser::Browser;
use ringback_tests::house::House;
use webex_simulator::{Pace, TaskState};

/// A house with a website, whose calls move only when they are told to.
async fn house() -> House {
    House::with(|plan| {
        plan.with_website();
        plan.pace(Pace::Manual);
    })
    .await
}

/// What a form does by itself after seconds, it does not do: only whoever acts does.
const PATIENT: &str = "
    const soon = window.setTimeout;
    window.setTimeout = (go, milliseconds, ...more) => milliseconds < 4000 ? soon(go, milliseconds, ...more) : 0;
";

/// A browser on the website of the house.
async fn visit(house: &House) -> Browser {
    visit_after(house, "").await
}

/// The same, where a script runs before each page.
async fn visit_after(house: &House, script: &str) -> Browser {
    let browser = Browser::open().await;
    browser.before_each_page(script).await;
    browser.goto(house.website()).await;
    browser
}

/// The same with the form open.
async fn opened(house: &House) -> Browser {
    let browser = visit(house).await;
    browser.page().open().await;
    browser
}

/// The same with the form filled in.
async fn filled(house: &House) -> Browser {
    filled_after(house, "").await
}

async fn filled_after(house: &House, script: &str) -> Browser {
    let browser = visit_after(house, script).await;
    browser.page().open().await;
    browser.page().fill_in().await;
    browser
}

/// The same, sent, and accepted.
async fn asked(house: &House) -> Browser {
    let browser = filled(house).await;
    browser.page().send().await;
    browser.page().until_phase("following").await;
    browser
}

/// Moves the only call on.
async fn play_to(house: &House, state: TaskState) {
    let task = house.until_tasks(1).await.remove(0);
    house.control().advance_to(&task.id, state).await.unwrap();
}
