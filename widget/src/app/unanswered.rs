//! A request that the service has not answered: it waits for the network, outlives its page, and is sent again under the one key, of which the
//! service makes one callback however many tabs send it.

use std::rc::Rc;

use js_sys::Date;

use super::{App, Phase};
use crate::attempt::Attempt;
use crate::dom::{focus, is_online};
use crate::events;
use crate::json::{Json, ObjectWriter};
use crate::shell::Shell;
use crate::task::{sleep, spawn};

/// How long after the visitor has sent it a request is sent by itself, in milliseconds: who comes back later may not be at the telephone any
/// more. How long the clock has run counts, and not what it shows.
const LONGEST_WAIT: f64 = 30.0 * 60.0 * 1000.0;

/// How long after a try without an answer the next one comes by itself, in milliseconds: visitors of a service that is away must not be what
/// keeps it down.
pub(super) const WAITS: [u32; 4] = [5_000, 15_000, 30_000, 60_000];

impl App {
    /// Keeps a request until it is answered. `is_sent` is whether it may have left.
    pub(super) fn keep_request(&self, attempt: &Attempt, is_sent: bool) {
        let request = ObjectWriter::new();
        request.add_text("key", &attempt.key);
        request.add_text("body", &attempt.body);
        request.add("at", &self.sent_at.get().into());
        request.add("sent", &is_sent.into());
        // The request names it by the site's clock alone.
        if let Some(when) = &self.form_view.when {
            request.add_text("when", &when.told());
        }
        self.keeper.keep_request(&request.text());
    }

    /// Without a network, a request waits, and the visitor knows.
    pub(super) fn wait(&self, attempt: &Attempt) {
        self.keep_request(attempt, false);
        self.begin_turn();
        self.enter(Phase::Waiting);
        // From here on what is shown has its place, also where the page was just loaded.
        self.open();
        self.form_view.set_alert(&self.texts.get("problem.offline"));
        events::failed(self.shell.host(), "offline", 0);
    }

    /// The network is back, or the page is, from where browsers keep pages that were left.
    pub(super) fn come_back(self: &Rc<Self>) {
        if !matches!(self.phase.get(), Phase::Waiting | Phase::Unclear) || !is_online() {
            return;
        }
        if self.is_fresh() {
            self.submit();
        } else if self.phase.get() == Phase::Waiting {
            self.ask_to_send();
        }
    }

    /// From now on, something else is meant than what was begun before.
    pub(super) fn begin_turn(&self) {
        self.turn.set(self.turn.get().wrapping_add(1));
    }

    /// Tries again after a while, and says so; as long as the visitor may still be at the telephone.
    pub(super) fn try_later(self: &Rc<Self>) {
        self.enter(Phase::Unclear);
        if !self.is_fresh() {
            return self.form_view.set_alert(&self.texts.get("problem.unclear"));
        }
        let wait = self.backoff.next(js_sys::Math::random());
        let when = self.texts.time_from_now(wait.div_ceil(1_000));
        self.form_view.set_alert(&self.texts.with("problem.retry", &when));
        let (weak, turn) = (Rc::downgrade(self), self.turn.get());
        spawn(async move {
            sleep(wait).await;
            if let Some(app) = weak.upgrade().filter(|app| app.turn.get() == turn) {
                app.try_again();
            }
        });
    }

    /// Tries by itself: the focus and the page stay where they are, and what is tried can be stopped.
    fn try_again(self: &Rc<Self>) {
        if !is_online() {
            // The network that comes back is heard.
            return self.form_view.set_alert(&self.texts.get("problem.offline"));
        }
        let attempt = self.attempt.borrow().clone();
        if let Some(attempt) = attempt.filter(|_| self.is_fresh()) {
            self.form_view.set_busy(true, "form.sending", &self.texts);
            self.post(attempt);
        } else {
            self.form_view.set_alert(&self.texts.get("problem.unclear"));
        }
    }

    /// What waits is not sent, or no longer, and can be changed.
    pub(super) fn take_back(&self) {
        self.begin_turn();
        self.keeper.drop_request();
        self.form_view.set_alert("");
        self.enter(Phase::Editing);
        focus(self.form_view.first(Shell::is_touch()));
    }

    /// Goes on with a request that was not answered when the page was left.
    pub(super) fn resume_request(self: &Rc<Self>, kept: &str) {
        let request = Json::parse(kept).unwrap_or_default();
        let body = request.string("body");
        self.sent_at.set(request.number("at"));
        self.form_view.restore(&Json::parse(&body).unwrap_or_default(), &request.string("when"));
        self.warm_up();
        if !self.is_fresh() {
            return self.ask_to_send();
        }
        let attempt = Rc::new(Attempt { key: request.string("key"), body });
        self.attempt.replace(Some(attempt.clone()));
        if is_online() {
            self.enter(Phase::Unclear);
            self.submit();
        } else if request.flag("sent") {
            self.enter(Phase::Unclear);
            self.open();
            self.form_view.set_alert(&self.texts.get("problem.unclear"));
        } else {
            self.wait(&attempt);
        }
    }

    fn is_fresh(&self) -> bool {
        (0.0..LONGEST_WAIT).contains(&(Date::now() - self.sent_at.get()))
    }

    /// Nothing was sent: says so, and leaves it to the visitor.
    fn ask_to_send(&self) {
        self.keeper.drop_request();
        self.enter(Phase::Editing);
        self.form_view.set_alert(&self.texts.get("problem.network"));
    }
}
