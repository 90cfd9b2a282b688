//! Says what became of writes to those who wait, everything of a batch in one letter to each thread.
//!
//! To wake another thread is a call of the system, and a batch has hundreds of answers for the few threads that serve. What a letter
//! holds is handed out by a task of the thread itself, which wakes its own without one.

use std::cell::RefCell;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::{Inserted, StoreError};

/// What a write led to.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    /// How many rows it changed.
    pub(super) rows: u64,
    /// Why a callback was not inserted.
    pub(super) before: Option<Inserted>,
}

impl Done {
    /// Whether the request was taken, by itself or together with another.
    pub(super) const fn is_taken(&self) -> bool {
        matches!(self.before, None | Some(Inserted::Joined(_)))
    }
}

/// What became of a write.
pub(super) type Outcome = Result<Done, StoreError>;

/// What became of some writes, for those who wait on one thread.
type Letter = Vec<(oneshot::Sender<Outcome>, Outcome)>;

thread_local! {
    /// The way to the task that hands out letters on this thread.
    static LETTER_BOX: RefCell<Option<UnboundedSender<Letter>>> = const { RefCell::new(None) };
}

/// Somebody who waits for the outcome of a write.
pub(super) struct Waiting {
    reply: oneshot::Sender<Outcome>,
    letter_box: UnboundedSender<Letter>,
}

/// Somebody who waits on this thread, and what they wait for.
pub(super) fn waiting() -> (Waiting, oneshot::Receiver<Outcome>) {
    let (reply, outcome) = oneshot::channel();
    (Waiting { reply, letter_box: letter_box() }, outcome)
}

/// The letter box of this thread; a new one where there is none, or the runtime that served it has ended.
fn letter_box() -> UnboundedSender<Letter> {
    LETTER_BOX.with_borrow_mut(|kept| match kept {
        Some(open) if !open.is_closed() => open.clone(),
        _ => kept.insert(open()).clone(),
    })
}

fn open() -> UnboundedSender<Letter> {
    let (sender, mut letters) = unbounded_channel::<Letter>();
    tokio::spawn(async move {
        while let Some(letter) = letters.recv().await {
            for (reply, outcome) in letter {
                // Whoever asked may have gone; what was written stays.
                drop(reply.send(outcome));
            }
        }
    });
    sender
}

/// The letters that a batch leads to.
#[derive(Default)]
pub(super) struct Post(Vec<(UnboundedSender<Letter>, Letter)>);

impl Post {
    /// Puts an outcome into the letter of whoever waits for it.
    pub(super) fn add(&mut self, Waiting { reply, letter_box }: Waiting, outcome: Outcome) {
        match self.0.iter_mut().find(|(to, _)| to.same_channel(&letter_box)) {
            Some((_, letter)) => letter.push((reply, outcome)),
            None => self.0.push((letter_box, vec![(reply, outcome)])),
        }
    }

    /// Sends every letter.
    pub(super) fn send(self) {
        for (to, letter) in self.0 {
            // The runtime of that thread has ended, and everybody with it who waited there.
            drop(to.send(letter));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(rows: u64) -> Done {
        Done { rows, before: None }
    }

    #[tokio::test]
    async fn everybody_hears_of_their_own_write_whoever_has_gone() {
        let (first, to_first) = waiting();
        let (gone, to_gone) = waiting();
        let (last, to_last) = waiting();
        drop(to_gone);
        let mut post = Post::default();
        post.add(last, Ok(changed(3)));
        post.add(gone, Ok(changed(2)));
        post.add(first, Ok(changed(1)));
        assert_eq!(post.0.len(), 1, "one letter for one thread");
        post.send();
        assert_eq!(to_first.await.unwrap().unwrap().rows, 1);
        assert_eq!(to_last.await.unwrap().unwrap().rows, 3);
    }

    #[test]
    fn a_thread_that_goes_on_with_another_runtime_is_reached() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let asked = |sent: u64| async move {
            let (someone, outcome) = waiting();
            let mut post = Post::default();
            post.add(someone, Ok(changed(sent)));
            post.send();
            outcome.await.unwrap().unwrap().rows
        };
        assert_eq!(runtime().block_on(asked(1)), 1);
        assert_eq!(runtime().block_on(asked(2)), 2);
    }

    #[tokio::test]
    async fn an_outcome_that_never_comes_is_no_endless_wait() {
        let (someone, outcome) = waiting();
        drop(someone);
        assert!(outcome.await.is_err());
    }
}
