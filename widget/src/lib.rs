//! The form that visitors see.
//!
//! Two modules are made of this crate, each by a feature: the form, which opens, and what comes later and only when it is needed. Each
//! has what it uses, and they share nothing but elements and the browser's own values: a compiler for both at once would put all into
//! the first.
//!
//! The main script (`loader/main.js`) fetches the description of the form beside the first module, and calls [`form::mount`]; for
//! the form, it fetches the second, and calls [`lazy::follow`].
//! Everything here works on the given shadow root: no global is read but the page's address and language services,
//! none is written.
//!
//! A callback into a module can come while a call out of it is running: focusing a field blurs another, and a page
//! may answer an event by closing the form. Therefore no borrow of a `RefCell` is held across a call into the browser.

#![cfg_attr(
    not(all(feature = "form", feature = "lazy")),
    expect(dead_code, reason = "what only the other module needs; the linker leaves it out")
)]

mod accepted_view;
mod app;
mod attempt;
mod backoff;
mod captcha;
mod deadline;
mod description;
mod dom;
mod events;
mod follow;
mod follow_view;
mod following;
#[cfg(feature = "form")]
pub mod form;
mod form_view;
mod grouping;
mod http;
mod json;
mod kept;
#[cfg(feature = "lazy")]
pub mod lazy;
mod listener;
mod live;
mod move_view;
mod notification;
mod number_view;
mod outcome;
mod picker;
mod prover;
mod read;
mod rules;
mod shell;
mod sse;
mod styles;
mod submit;
mod task;
mod texts;
mod times;
mod when_view;

/// One thread, and modules that live as long as their page: an allocator of 1 kB is enough.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: lol_alloc::LockedAllocator<lol_alloc::FreeListAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::FreeListAllocator::new());
