//! Runs futures on the browser's promises. Nothing here is faster than wasm-bindgen-futures; it is a tenth of its size,
//! because it needs no queue and no wakers: only promises are awaited, and each goes on with its task when it settles.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};

use crate::dom::window;

thread_local! {
    /// The task that is running now.
    static CURRENT: RefCell<Option<Rc<Task>>> = const { RefCell::new(None) };
}

struct Task {
    /// Taken out while it runs, and gone when it is done.
    future: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
}

impl Task {
    fn run(self: &Rc<Self>) {
        let Some(mut future) = self.future.take() else { return };
        let outer = CURRENT.replace(Some(self.clone()));
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            self.future.replace(Some(future));
        }
        CURRENT.set(outer);
    }
}

/// Runs a future to its end.
pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) {
    Rc::new(Task { future: RefCell::new(Some(Box::pin(future))) }).run();
}

/// Waits so many milliseconds. To be awaited by a task of [`spawn`] only.
pub(crate) async fn sleep(milliseconds: u32) {
    let over = Rc::new(Cell::new(false));
    let task = CURRENT.with_borrow(Clone::clone);
    let go_on = Closure::<dyn Fn()>::new({
        let over = over.clone();
        move || {
            over.set(true);
            if let Some(task) = &task {
                task.run();
            }
        }
    });
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    let callback = go_on.as_ref().unchecked_ref();
    let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(callback, milliseconds);
    poll_fn(|_| if over.get() { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// What a promise brings; `None` when it is broken. To be awaited by a task of [`spawn`] only.
pub(crate) async fn result(promise: Promise) -> Option<JsValue> {
    let settled = Rc::new(Cell::new(None));
    let task = CURRENT.with_borrow(Clone::clone);
    let go_on = |broken: bool| {
        let (settled, task) = (settled.clone(), task.clone());
        Closure::<dyn FnMut(JsValue)>::new(move |value| {
            settled.set(Some(if broken { None } else { Some(value) }));
            if let Some(task) = &task {
                task.run();
            }
        })
    };
    let (kept, broken) = (go_on(false), go_on(true));
    let _ = promise.then2(&kept, &broken);
    poll_fn(|_| settled.take().map_or(Poll::Pending, Poll::Ready)).await
}
