//! Which callback a tab follows: kept in its session storage, so that it outlives the page and ends with the tab.
//!
//! The callback's id and its token, and nothing that was typed; no cookie. Nor a time at which it runs out: the service knows when a
//! callback is over, and a visitor's clock need not. Where storage is forbidden or full, the form does without.

use std::cell::Cell;

use crate::dom::page_window;
use crate::json::{Json, put};

/// Access alone is an error where the browser forbids storage, and reads as nothing then.
fn storage() -> Json {
    page_window().get("sessionStorage")
}

fn key(site: &str) -> String {
    ["ringback/", site].concat()
}

/// Keeps what is followed: its id, a space, its token. Nothing, which is an empty text, is kept when it is over.
#[inline(never)]
pub(crate) fn keep(site: &str, followed: &str) {
    put(&storage(), &key(site), followed);
}

thread_local! {
    /// Whether a form of this page follows what is kept.
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Keeps what a form of this page follows from now on.
pub(crate) fn keep_ours(site: &str, followed: &str) {
    IS_OURS.set(true);
    keep(site, followed);
}

/// What was followed when the page was left, for one of the forms of this page; empty for all others, which stand by themselves.
pub(crate) fn take_left(site: &str) -> String {
    let left = if IS_OURS.get() { String::new() } else { kept(site) };
    if !left.is_empty() {
        IS_OURS.set(true);
    }
    left
}

/// What is followed.
#[inline(never)]
pub(crate) fn kept(site: &str) -> String {
    storage().string(&key(site))
}
