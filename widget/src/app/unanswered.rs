//! A request that the service has not answered: it waits for the network, outlives its page, and is sent under the one key.

use std::rc::Rc;

use js_sys::Date;

use super::{App, Phase};
use crate::attempt::Attempt;
use crate::dom::{focus, is_online};
use crate::events;
use crate::json::{Json, ObjectWriter};
use crate::shell::Shell;

/// How long after the visitor has sent it a request is sent by itself, in milliseconds: who comes back later may not be at the telephone any
/// more. How long the clock has run counts, and not what it shows.
const LONGEST_WAIT: f64 = 30.0 * 60.0 * 1000.0;

impl App {
    /// Keeps a request until it is answered. `is_sent` is whether it may have left.
    pub(super) fn keep_request(&self, attempt: &Attempt, is_sent: bool) {
        let request = ObjectWriter::new();
        request.add_text("key", &attempt.key);
        request.add_text("body", &attempt.body);
        request.add("at", &self.sent_at.get().into());
        request.add("sent", &is_sent.into());
        self.keeper.keep_request(&request.text());
    }

    /// Without a network, a request waits, and the visitor knows.
    pub(super) fn wait(&self, attempt: &Attempt) {
        self.keep_request(attempt, false);
        self.enter(Phase::Waiting);
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

    /// What waits is not sent, and can be changed.
    pub(super) fn take_back(&self) {
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
        self.form_view.restore(&Json::parse(&body).unwrap_or_default());
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
            self.form_view.set_alert(&self.texts.get("problem.unclear"));
            self.open();
        } else {
            self.wait(&attempt);
            self.open();
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
