//! Solves what the service asks for under pressure, while the visitor types: in slices, so that the page never waits.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Date;
use ringback_contract::proof::{Puzzle, header};

use crate::json::Json;
use crate::task::{sleep, spawn};

/// How long a slice takes, in milliseconds: short enough to pass between two frames.
const SLICE: f64 = 8.0;
/// Tries in the first slice, before it is known how fast the device is.
const FIRST: u64 = 256;

/// The work on one challenge, or on none.
#[derive(Default)]
pub(crate) struct Prover {
    work: RefCell<Rc<Work>>,
    /// Whether work was begun for this form.
    has_begun: Cell<bool>,
}

#[derive(Default)]
struct Work {
    challenge: String,
    /// The header that proves it, once it is solved.
    proof: RefCell<Option<String>>,
}

impl Prover {
    /// Begins with the challenge that the form came with, when the visitor begins to type.
    pub(crate) fn begin_once(&self, challenge: &Json) {
        if !self.has_begun.replace(true) {
            self.begin(challenge);
        }
    }

    /// Begins with a challenge of the contract; nothing where there is none. The one before is given up.
    pub(crate) fn begin(&self, challenge: &Json) {
        let text = challenge.string("challenge");
        if text.is_empty() {
            return;
        }
        // No challenge asks for more than a byte says.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bits")]
        let puzzle = Puzzle::new(&text, challenge.number("bits") as u8);
        let work = Rc::new(Work { challenge: text, proof: RefCell::default() });
        self.work.replace(work.clone());
        spawn(async move {
            let (mut from, mut count) = (0, FIRST);
            // Whoever holds it no longer wants no proof.
            while Rc::strong_count(&work) > 1 {
                let begun = Date::now();
                if let Some(number) = puzzle.search(from, count) {
                    work.proof.replace(Some(header(&work.challenge, number)));
                    return;
                }
                from += count;
                // As many as fit into a slice, and never much more than before: the clock is coarse.
                let took = Date::now() - begun;
                count = if took > SLICE { count / 2 } else { count + count / 2 }.max(FIRST / 8);
                sleep(0).await;
            }
        });
    }

    /// The header, once it is there; at once and empty where nothing is asked for.
    pub(crate) async fn proof(&self) -> String {
        let work = self.work.borrow().clone();
        while !work.challenge.is_empty() {
            if let Some(proof) = work.proof.take() {
                // It is good for one request.
                self.work.take();
                return proof;
            }
            sleep(30).await;
        }
        String::new()
    }
}
