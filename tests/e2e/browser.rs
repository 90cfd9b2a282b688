//! The form in a real browser, on a page of another origin.

mod after;
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
mod picker;
mod pictures;
mod plain;
mod plain_frame;
mod plain_pictures;
mod pressed;
mod strict;
mod trouble;
mod waiting;

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

/// Moves the only call on.
async fn play_to(house: &House, state: TaskState) {
    let task = house.until_tasks(1).await.remove(0);
    house.control().advance_to(&task.id, state).await.unwrap();
}
