//! What a page of the gallery plays: the answers that the form gets, and what a visitor does with it.
//!
//! Everything that the form is answered is a value of the contract's types, and its description is the service's own with some of it
//! changed: what the gallery shows, the service can say.

use std::collections::BTreeMap;

use ringback_contract::callback::{Accepted, CallbackView, State};
use ringback_contract::field::Code;
use ringback_contract::form::Form;
use ringback_contract::problem::{FieldError, Kind, Problem};
use serde::Serialize;

use crate::organization::SITE;

/// The id of the callback of every scene.
const ID: &str = "019b7a4c-6f00-7a33-9d0e-5b1c2f3a4d5e";
/// Its token.
const TOKEN: &str = "rbf_gallery";
/// A moment of the past.
const THEN: &str = "2026-11-25T12:00:00Z";

/// One scene, as the script of its page (`pages/gallery-play.js`) reads it.
#[derive(Debug, Serialize)]
pub struct Play {
    /// The description of the form.
    pub form: Form,
    /// The answers. What has none here goes to the service.
    replies: BTreeMap<Call, Reply>,
    /// What the visitor does.
    steps: Vec<Step>,
    /// What the browser lacks.
    pub lacks: Vec<Lack>,
    /// What the tab follows already: an id, a space and a token.
    kept: Option<String>,
}

/// What the form asks the service for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// The description of the form.
    Form,
    /// The texts of the live view.
    Texts,
    /// The times to choose from.
    Slots,
    /// A callback.
    Ask,
    /// What becomes of it, live.
    Events,
    /// What has become of it.
    View,
    /// Another time or number for it.
    Change,
    /// To call it off.
    Cancel,
}

/// What comes of asking.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// An answer.
    Json {
        /// The HTTP status.
        status: u16,
        /// The header `Retry-After`, in seconds.
        retry_after: Option<u32>,
        /// The body.
        body: serde_json::Value,
    },
    /// A stream of news that stays open, with what has come so far.
    Stream(Vec<CallbackView>),
    /// Nothing yet.
    Never,
    /// The connection breaks.
    Lost,
}

/// What a visitor does, by a selector in the form.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Looks until it is there.
    See(String),
    /// Waits until the callback is said to stand there.
    Hear(State),
    /// Presses it.
    Press(&'static str),
    /// Puts a value into it.
    Fill(&'static str, &'static str),
}

/// What a browser may lack.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// WebAssembly.
    Wasm,
    /// A network.
    Network,
    /// An answer of the visitor on whether pages may notify them.
    Permission,
}

impl Play {
    /// A form that nobody has opened.
    pub fn new(form: Form) -> Self {
        Self { form, replies: BTreeMap::new(), steps: Vec::new(), lacks: Vec::new(), kept: None }
    }

    /// The form is answered so.
    pub fn reply(&mut self, call: Call, reply: Reply) {
        self.replies.insert(call, reply);
    }

    /// The visitor does this next.
    pub fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The visitor looks until it is there.
    pub fn see(&mut self, selector: &str) {
        self.step(Step::See(selector.to_owned()));
    }

    /// The visitor presses what has that action.
    pub fn act(&mut self, selector: &'static str) {
        self.see(selector);
        self.step(Step::Press(selector));
    }

    /// The visitor opens the form.
    pub fn open(&mut self) {
        self.step(Step::Press("button.launch"));
        self.see("dialog[open]");
    }

    /// The visitor opens the form, fills it in and sends it.
    pub fn send(&mut self) {
        self.open();
        self.fill_in();
    }

    /// The visitor fills the form in and sends it.
    pub fn fill_in(&mut self) {
        for (field, value) in [
            ("#name", "Ann Example"),
            ("#phone", "+1 202 555 0142"),
            ("#email", "ann@example.com"),
            ("#reason", "orders"),
            ("#message", "The tent in green"),
        ] {
            self.step(Step::Fill(field, value));
        }
        self.step(Step::Press("#consent"));
        self.step(Step::Press("[data-action=send]"));
    }

    /// What the visitor sends is answered with a problem, which the form tells.
    pub fn refuse(&mut self, problem: &Problem) {
        self.reply(Call::Ask, Reply::problem(problem));
        self.send();
        self.see(".ask .alert");
    }

    /// The visitor sends the form, and the callback stands as in `view`.
    pub fn follow(&mut self, view: CallbackView) {
        self.accept(&view, false);
        self.stand(view);
    }

    /// What the visitor sends is accepted; `joined` is whether somebody has asked for that call before.
    pub fn accept(&mut self, view: &CallbackView, joined: bool) {
        let accepted = Accepted {
            id: ID.to_owned(),
            state: State::Accepted,
            follow: TOKEN.to_owned(),
            joined,
            schedule: view.schedule.clone(),
            at_opening: view.at_opening,
        };
        self.reply(Call::Ask, Reply::of(202, &accepted));
        self.send();
    }

    /// What is followed stands as in `view`, and stays there.
    pub fn stand(&mut self, view: CallbackView) {
        self.see(&format!("[data-state={}] .steps", view.state.as_str()));
        self.reply(Call::Events, Reply::Stream(vec![view]));
    }

    /// The visitor sends the form, and nothing more happens after what `view` says.
    pub fn over(&mut self, view: CallbackView) {
        self.accept(&view, false);
        self.see(&format!("[data-state={}] [data-action=again]", view.state.as_str()));
        self.reply(Call::Events, Reply::Stream(vec![view]));
    }

    /// The tab follows a callback from before the page was loaded.
    pub fn keep(&mut self) {
        self.kept = Some([ID, TOKEN].join(" "));
    }
}

impl Reply {
    /// An answer in JSON. The contract's types can all be written in it.
    pub fn of(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_value(body).unwrap_or_default();
        Self::Json { status, retry_after: None, body }
    }

    /// A refusal.
    pub fn problem(problem: &Problem) -> Self {
        let body = serde_json::to_value(problem).unwrap_or_default();
        let retry_after = (problem.status == Kind::RateLimited.status()).then_some(RETRY_AFTER_S);
        Self::Json { status: problem.status, retry_after, body }
    }
}

/// When whoever has asked too often may ask again.
const RETRY_AFTER_S: u32 = 120;

/// A refusal of one member of a request.
pub fn refused(pointer: &str, code: Code) -> Problem {
    let error = FieldError { pointer: pointer.to_owned(), code: code.to_string(), message: code.to_string() };
    Problem { errors: vec![error], ..Kind::Validation.problem("") }
}

/// A callback in that state, of which nothing else is known.
pub fn view(state: State) -> CallbackView {
    CallbackView {
        id: ID.to_owned(),
        site: SITE.to_owned(),
        state,
        agent: None,
        fell_back: false,
        failure: None,
        cancellable: false,
        schedule: None,
        at_opening: false,
        wanted_schedule: None,
        changeable: false,
        number_changeable: false,
        calls_from: None,
        wait_time_s: None,
        wait_time_at: None,
        created_at: THEN.to_owned(),
        updated_at: THEN.to_owned(),
        revision: 1,
    }
}
