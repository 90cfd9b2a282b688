//! A time limit on a request.

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, UnwrapThrowExt as _};
use web_sys::{AbortController, AbortSignal};

use crate::dom::window;

/// Aborts what it is given to when its time is over, or when it is dropped.
pub(crate) struct Deadline {
    controller: AbortController,
    expire: Closure<dyn Fn()>,
    timer: i32,
}

impl Deadline {
    /// A limit of so many milliseconds from now.
    pub(crate) fn new(milliseconds: i32) -> Self {
        // Every browser that runs this module has it, and it cannot fail.
        let controller = AbortController::new().unwrap_throw();
        let expire = Closure::<dyn Fn()>::new({
            let controller = controller.clone();
            move || controller.abort()
        });
        let mut deadline = Self { controller, expire, timer: 0 };
        deadline.set(milliseconds);
        deadline
    }

    /// Sets the time anew.
    pub(crate) fn set(&mut self, milliseconds: i32) {
        self.clear();
        let expire = self.expire.as_ref().unchecked_ref();
        let timer = window().set_timeout_with_callback_and_timeout_and_arguments_0(expire, milliseconds);
        self.timer = timer.unwrap_or_default();
    }

    /// What to hand to the request.
    pub(crate) fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }

    /// What ends the request from elsewhere.
    pub(crate) fn controller(&self) -> AbortController {
        self.controller.clone()
    }

    fn clear(&self) {
        window().clear_timeout_with_handle(self.timer);
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.clear();
        self.controller.abort();
    }
}
