//! Listeners that are taken away with their owner.

use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventTarget};

/// Listens for events of several types on one element, until it is dropped.
pub(crate) struct Listener {
    target: EventTarget,
    types: &'static [&'static str],
    closure: Closure<dyn Fn(Event)>,
}

impl Listener {
    pub(crate) fn new(
        target: &EventTarget,
        types: &'static [&'static str],
        react: impl Fn(Event) + 'static,
    ) -> Self {
        let closure = Closure::<dyn Fn(Event)>::new(react);
        for name in types {
            let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        }
        Self { target: target.clone(), types, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for name in self.types {
            let _ =
                self.target.remove_event_listener_with_callback(name, self.closure.as_ref().unchecked_ref());
        }
    }
}
