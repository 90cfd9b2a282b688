//! What a tab keeps of a callback: in its session storage, so that it outlives the page and ends with the tab.
//!
//! The callback's id and its token, and nothing that was typed; no cookie. Nor a time at which it runs out: the service knows when a
//! callback is over, and a visitor's clock need not. Until the service has answered a request, the request itself, so that it is neither lost
//! nor sent under another key. Where storage is forbidden or full, the form does without.

use std::cell::Cell;

use crate::dom::page_window;
use crate::json::{Json, ObjectWriter, put, remove};

/// Access alone is an error where the browser forbids storage, and reads as nothing then.
fn storage() -> Json {
    page_window().get("sessionStorage")
}

fn key(site: &str) -> String {
    ["ringback/", site].concat()
}

/// Keeps what is followed: its id, a space, its token.
#[inline(never)]
pub(crate) fn keep(site: &str, followed: &str) {
    put(&storage(), &key(site), followed);
}

/// Keeps nothing any more: it is over.
#[inline(never)]
pub(crate) fn forget(site: &str) {
    remove(&storage(), &key(site));
}

/// What is kept.
#[inline(never)]
pub(crate) fn kept(site: &str) -> String {
    storage().string(&key(site))
}

/// Whether what is kept is a request without an answer: JSON, which no id is.
pub(crate) fn is_request(kept: &str) -> bool {
    kept.starts_with('{')
}

thread_local! {
    /// The sites of which a form of this page goes on with what is kept: each is a member that holds some text.
    static TAKEN: Json = Json::new(ObjectWriter::new().value());
}

/// Keeps for one form. Of several of one site on a page, one goes on with what was kept when the page was left; all others stand by
/// themselves.
pub(crate) struct Keeper {
    site: String,
    is_ours: Cell<bool>,
}

impl Keeper {
    pub(crate) fn new(site: String) -> Self {
        Self { site, is_ours: Cell::new(false) }
    }

    /// Keeps what the form follows from now on.
    pub(crate) fn keep(&self, followed: &str) {
        self.claim();
        keep(&self.site, followed);
    }

    /// Keeps a request, unless another form of the page follows a callback.
    pub(crate) fn keep_request(&self, request: &str) {
        let kept = kept(&self.site);
        if kept.is_empty() || is_request(&kept) {
            self.keep(request);
        }
    }

    /// The request is answered, or taken back.
    pub(crate) fn drop_request(&self) {
        if is_request(&kept(&self.site)) {
            forget(&self.site);
        }
    }

    /// What was kept when the page was left, for the form that asks first; empty for all others.
    pub(crate) fn take_left(&self) -> String {
        let is_taken = TAKEN.with(|taken| taken.flag(&self.site));
        let left = if is_taken { String::new() } else { kept(&self.site) };
        if !left.is_empty() {
            self.claim();
        }
        left
    }

    fn claim(&self) {
        self.is_ours.set(true);
        TAKEN.with(|taken| put(taken, &self.site, "yes"));
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // A page that takes a form away and puts it back finds its callback again.
        if self.is_ours.get() {
            TAKEN.with(|taken| put(taken, &self.site, ""));
        }
    }
}
