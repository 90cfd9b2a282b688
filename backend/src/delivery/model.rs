//! The life of a callback against a small model of the world: any process may take it, any answer may be lost or come too late,
//! events come in any order and more than once, and the clock goes on meanwhile. The model knows what nobody in the
//! service knows: which requests Webex has made a task of.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::reconcile::{self, Finding};
use super::{progress, settle};
use crate::callback::{Callback, Failure, State, sample};
use crate::clock::after_s;
use crate::config::{self, WhenUnsearchable};
use crate::schedule::{self, Keeper};
use crate::store::KeptEvent;
use crate::task_event::{TaskChange, TaskEvent};
use crate::webex::error::WebexError;
use crate::webex::listing::TaskStatus;
use crate::webex::policy::{Operation, Policy};

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// The clock goes on, in seconds.
    Pass(u16),
    /// The clock goes on to the next moment at which there is something to do.
    PassToDue,
    /// A process takes it, where it is due. Should that send a request: whether Webex makes a task of it.
    Take { arrives: bool },
    /// A process that once took it learns what came of that, and writes it down; it may be long too late.
    Settle { which: usize, answer: Answer },
    /// The process ends, and the next one finds what it was sending.
    Restart,
    /// Webex tells.
    Event { change: TaskChange, at: u8 },
    /// Webex tells once more what it has told.
    Repeat(usize),
    /// Webex is asked about the task.
    Ask(TaskStatus),
    /// The visitor calls it off.
    CallOff,
}

/// What came of it, as far as the model lets the process know: a request that made a task is not refused.
#[derive(Clone, Debug)]
enum Answer {
    /// In full.
    Told,
    /// Refused for now, or not at all where there is a task.
    Refused { retry_after_s: Option<u8> },
    /// Refused for good, or not at all where there is a task.
    GivenUp,
    /// Lost.
    Lost,
    /// The search failed.
    Unsearchable { for_good: bool },
    /// Not asked: the process stops.
    GivenBack,
}

/// A copy of the callback in the hands of a process.
#[derive(Clone, Debug)]
struct InHand {
    callback: Callback,
    /// Whether Webex made a task of this very request.
    made: bool,
}

/// The callback, and all that goes on around it.
#[derive(Debug)]
struct World {
    config: config::Delivery,
    now: Timestamp,
    callback: Callback,
    hands: Vec<InHand>,
    events: Vec<KeptEvent>,
    tasks: u32,
    made_at: Option<Timestamp>,
    /// How long the search does not show a task.
    lag_s: u64,
    /// Requests of which it is not known that they made no task.
    may_have_left: u32,
}

const TASK: &str = "task-1";

impl World {
    fn new(kept_by_us: bool, lag_s: u64) -> Self {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let callback = if kept_by_us {
            let window = schedule::sample::window("2026-01-01T01:00:00/02:00:00[UTC]");
            Callback::book(sample::request(), now, window, Keeper::Store).unwrap()
        } else {
            sample::callback(now)
        };
        let config = config::Delivery {
            concurrency: 8,
            lease_s: 30,
            retry_s: vec![2, 10, 60],
            deadline_s: 7200,
            join_s: 7200,
            search_grace_s: 60,
            when_unsearchable: WhenUnsearchable::Hold,
            quiet_s: 15,
            schedule_check_s: 3600,
        };
        let (hands, events) = (Vec::new(), Vec::new());
        Self { config, now, callback, hands, events, tasks: 0, made_at: None, lag_s, may_have_left: 0 }
    }

    /// As a store writes: whoever was not first is refused.
    fn write(&mut self, next: Option<Callback>) -> bool {
        let Some(next) = next else { return false };
        if next.revision != self.callback.revision + 1 {
            return false;
        }
        self.callback = next;
        true
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Pass(seconds) => self.now = after_s(self.now, u64::from(*seconds)),
            Step::PassToDue => self.pass_to_due(),
            Step::Take { arrives } => self.take(*arrives),
            Step::Settle { which, answer } if !self.hands.is_empty() => {
                let hand = self.hands.swap_remove(which % self.hands.len());
                self.settle(&hand, answer);
            }
            Step::Restart if self.callback.state == State::Sending => {
                self.write(settle::orphaned(&self.callback, self.now));
            }
            Step::Event { change, at } if self.tasks > 0 => {
                let event = TaskEvent {
                    id: format!("{change:?} {at}"),
                    task_id: TASK.to_owned(),
                    change: *change,
                    at: after_s(self.now, u64::from(*at)),
                    reason: None,
                };
                if self.events.iter().all(|kept| kept.event.id != event.id) {
                    self.events.push(KeptEvent { event, applied: false });
                }
            }
            // It is kept once by its id, and acted on again.
            Step::Repeat(which) if !self.events.is_empty() => {
                let repeated = which % self.events.len();
                self.events[repeated].applied = false;
            }
            Step::Ask(status) if self.callback.poll_at.is_some_and(|at| at <= self.now) => {
                if let Some(mut next) = progress::caught_up(&self.callback, *status) {
                    progress::follow_on(&self.callback, &mut next, self.now, self.config.quiet_s);
                    self.write(Some(next));
                }
            }
            Step::CallOff => {
                self.write(self.callback.called_off(self.now));
            }
            Step::Settle { .. } | Step::Restart | Step::Event { .. } | Step::Repeat(_) | Step::Ask(_) => {}
        }
        self.catch_up();
    }

    fn pass_to_due(&mut self) {
        self.now = self.now.max(self.callback.due_at.or(self.callback.poll_at).unwrap_or(self.now));
    }

    fn take(&mut self, arrives: bool) {
        if self.callback.due_at.is_none_or(|due_at| due_at > self.now) {
            return;
        }
        self.write(settle::taken(&self.callback, self.now, &self.config));
        if !settle::is_leased(&self.callback) {
            return;
        }
        let made = arrives && self.callback.state == State::Sending;
        if self.callback.state == State::Sending {
            assert_eq!(self.may_have_left, 0, "sent again though a request may have left: {self:#?}");
            self.may_have_left += 1;
        }
        if made {
            self.tasks += 1;
            self.made_at = Some(self.now);
        }
        self.hands.push(InHand { callback: self.callback.clone(), made });
    }

    fn settle(&mut self, hand: &InHand, answer: &Answer) {
        let (callback, config, now) = (&hand.callback, &self.config, self.now);
        let error = |policy, retry_after_s: Option<u8>| WebexError {
            operation: Operation::CreateTask,
            policy,
            status: None,
            retry_after: retry_after_s.map(u64::from).map(Duration::from_secs),
            tracking_id: "t".to_owned(),
            message: "why".to_owned(),
        };
        let mut surely_absent = false;
        let next = if callback.state == State::Sending {
            surely_absent = !hand.made && !matches!(answer, Answer::Lost | Answer::Unsearchable { .. });
            match answer {
                Answer::Lost | Answer::Unsearchable { .. } => {
                    settle::after_error(callback, now, config, error(Policy::Ambiguous, None))
                }
                _ if hand.made => settle::requested(callback, now, config, TASK.to_owned()),
                Answer::Told | Answer::Refused { retry_after_s: None } => {
                    settle::after_error(callback, now, config, error(Policy::Repeat, None))
                }
                Answer::Refused { retry_after_s } => {
                    settle::after_error(callback, now, config, error(Policy::Wait, *retry_after_s))
                }
                Answer::GivenUp => settle::after_error(callback, now, config, error(Policy::GiveUp, None)),
                Answer::GivenBack => settle::given_back(callback, now),
            }
        } else {
            match answer {
                Answer::Unsearchable { for_good } => {
                    let policy = if *for_good { Policy::GiveUp } else { Policy::Repeat };
                    reconcile::unanswered(callback, now, config, &error(policy, None))
                }
                // The process ends with the search under way.
                Answer::Lost | Answer::GivenBack => None,
                Answer::Told | Answer::Refused { .. } | Answer::GivenUp => {
                    let is_shown = self.made_at.is_some_and(|made_at| after_s(made_at, self.lag_s) <= now);
                    let finding = if is_shown { Finding::Task(TASK.to_owned()) } else { Finding::Absent };
                    let next = reconcile::found_out(callback, now, config, finding).0;
                    surely_absent = next
                        .as_ref()
                        .is_some_and(|next| matches!(next.state, State::Accepted | State::Expired));
                    next
                }
            }
        };
        if self.write(next) && surely_absent {
            self.may_have_left = 0;
        }
    }

    /// Events of a task wait until its callback is known, and are acted on then.
    fn catch_up(&mut self) {
        if self.callback.task_id.is_none() {
            return;
        }
        if let Some(mut next) = progress::advanced(&self.callback, &self.events) {
            progress::follow_on(&self.callback, &mut next, self.now, self.config.quiet_s);
            assert!(self.write(Some(next)));
        }
        self.events.iter_mut().for_each(|kept| kept.applied = true);
    }

    fn must_hold_after(&self, before: &Callback) {
        assert!(self.tasks <= 1, "rung twice: {self:#?}");
        let after = &self.callback;
        if before.state.is_final() {
            assert_eq!((after.state, &after.failure), (before.state, &before.failure), "{self:#?}");
        }
        let waits = after.due_at.is_some() || after.poll_at.is_some();
        assert_ne!(waits, after.state.is_final(), "stranded, or ended with work left: {self:#?}");
        if self.tasks > 0 {
            let never_called = matches!(after.state, State::Cancelled | State::Expired)
                || matches!(after.failure, Some((Failure::Refused, _)));
            assert!(!never_called, "said to have come to nothing though there is a task: {self:#?}");
        }
    }

    /// From now on all goes well, and the call is made.
    fn go_well(&mut self) {
        for _ in 0..50 {
            let before = self.callback.clone();
            self.pass_to_due();
            self.step(&Step::Take { arrives: true });
            self.must_hold_after(&before);
            let before = self.callback.clone();
            self.hands.retain(|hand| hand.callback.revision == before.revision);
            self.step(&Step::Settle { which: 0, answer: Answer::Told });
            self.must_hold_after(&before);
            self.step(&Step::Ask(TaskStatus::Completed));
            if self.callback.state.is_final() {
                return;
            }
        }
        panic!("it does not come to an end: {self:#?}");
    }
}

fn change() -> impl Strategy<Value = TaskChange> {
    prop::sample::select(vec![
        TaskChange::New,
        TaskChange::Parked,
        TaskChange::Offered,
        TaskChange::Connected,
        TaskChange::NotPickedUp,
        TaskChange::EndedByPeople,
        TaskChange::EndedBySystem,
        TaskChange::Failed,
    ])
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Told),
        3 => prop::option::of(0_u8..120).prop_map(|retry_after_s| Answer::Refused { retry_after_s }),
        1 => Just(Answer::GivenUp),
        4 => Just(Answer::Lost),
        2 => any::<bool>().prop_map(|for_good| Answer::Unsearchable { for_good }),
        1 => Just(Answer::GivenBack),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    use TaskStatus::{Abandoned, Assigned, Completed, Created, Offered, Queued};
    let statuses = vec![Created, Queued, Offered, Assigned, Completed, Abandoned];
    prop_oneof![
        2 => (0_u16..100).prop_map(Step::Pass),
        1 => (0_u16..4000).prop_map(Step::Pass),
        4 => Just(Step::PassToDue),
        8 => any::<bool>().prop_map(|arrives| Step::Take { arrives }),
        6 => (any::<usize>(), answer()).prop_map(|(which, answer)| Step::Settle { which, answer }),
        1 => Just(Step::Restart),
        3 => (change(), any::<u8>()).prop_map(|(change, at)| Step::Event { change, at }),
        1 => any::<usize>().prop_map(Step::Repeat),
        1 => prop::sample::select(statuses).prop_map(Step::Ask),
        1 => Just(Step::CallOff),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_in_whatever_order_no_callback_is_rung_twice_or_stranded_and_each_comes_to_an_end(
        kept_by_us: bool,
        // A search that shows a task later than the grace is one that the operator has been warned of.
        lag_s in 0_u64..60,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new(kept_by_us, lag_s);
        for step in &steps {
            let before = world.callback.clone();
            world.step(step);
            world.must_hold_after(&before);
        }
        world.go_well();
    }
}
