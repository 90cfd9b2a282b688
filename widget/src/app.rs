//! What the form does: from the first key press to the end of the call.

mod unanswered;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Date;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, ShadowRoot};

use crate::accepted_view::AcceptedView;
use crate::attempt::{Attempt, uuid};
use crate::backoff::Backoff;
use crate::captcha::Captcha;
use crate::description::{Agent, Description};
use crate::dom::{focus, is_online, is_repeated, window};
use crate::events;
use crate::form_view::FormView;
use crate::json::{Json, ObjectWriter};
use crate::kept::{self, Keeper};
use crate::listener::Listener;
use crate::live::{self, Live};
use crate::outcome::Outcome;
use crate::prover::Prover;
use crate::rules::{Kind, OTHER_MEMBERS};
use crate::shell::Shell;
use crate::submit::{self, Settled};
use crate::task::{sleep, spawn};
use crate::texts::Texts;

/// What the visitor can do now.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Fill in the form.
    Editing,
    /// Wait for the network. What is to be sent goes when it is back, unless the visitor takes it back.
    Waiting,
    /// Wait for the answer to the post.
    Sending,
    /// Send the same again: whether it has arrived is not known.
    Unclear,
    /// Watch the callback.
    Following,
}

impl Phase {
    const fn name(self) -> &'static str {
        match self {
            Self::Editing => "editing",
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Unclear => "unclear",
            Self::Following => "following",
        }
    }
}

/// A form on a page, and all that belongs to it.
pub(crate) struct App {
    description: Description,
    texts: Texts,
    /// The address of the service.
    service: String,
    /// The token of a preferred-agent link, or empty.
    agent: RefCell<String>,
    shell: Shell,
    /// Whether the last press began beside the dialog: one that ends there may have selected text in it.
    is_outside: Cell<bool>,
    form_view: FormView,
    phase: Cell<Phase>,
    /// When it was drawn, in milliseconds.
    opened_at: f64,
    attempt: RefCell<Option<Rc<Attempt>>>,
    /// When the visitor sent it, in milliseconds.
    sent_at: Cell<f64>,
    /// How often the visitor or the network has begun anew: an answer to what was begun before is not waited for any more.
    turn: Cell<u32>,
    backoff: Backoff,
    keeper: Keeper,
    /// What says that a request was accepted, and the live view in it.
    accepted: RefCell<Option<Rc<AcceptedView>>>,
    live: RefCell<Option<Live>>,
    prover: Rc<Prover>,
    captcha: Option<Rc<Captcha>>,
    listeners: RefCell<Vec<Listener>>,
}

impl App {
    /// Draws the form and begins to listen.
    pub(crate) fn start(
        root: &ShadowRoot,
        description: Description,
        service: String,
        agent: String,
        inline: bool,
    ) -> Rc<Self> {
        let texts = Texts::new(&description);
        let shell = Shell::new(root, &description, &texts, inline);
        let captcha = Captcha::new(shell.host(), &description.captcha());
        let app = Rc::new(Self {
            form_view: FormView::new(&shell.body, &description, &texts),
            keeper: Keeper::new(description.get("site")),
            description,
            texts,
            service,
            agent: RefCell::new(agent),
            shell,
            is_outside: Cell::default(),
            phase: Cell::new(Phase::Editing),
            opened_at: Date::now(),
            attempt: RefCell::default(),
            sent_at: Cell::default(),
            turn: Cell::default(),
            backoff: Backoff::new(&unanswered::WAITS),
            accepted: RefCell::default(),
            live: RefCell::default(),
            prover: Rc::default(),
            captcha,
            listeners: RefCell::default(),
        });
        app.enter(Phase::Editing);
        let weak = Rc::downgrade(&app);
        let types = &["submit", "pointerdown", "click", "input", "change", "focusout"];
        let listener = Listener::new(app.shell.frame(), types, move |event| {
            if let Some(app) = weak.upgrade() {
                app.react(&event);
            }
        });
        let weak = Rc::downgrade(&app);
        let back = Listener::new(&window(), &["online", "pageshow"], move |_| {
            if let Some(app) = weak.upgrade() {
                app.come_back();
            }
        });
        app.listeners.replace(vec![listener, back]);
        app.resume();
        app
    }

    pub(crate) fn open(&self) {
        let accepted = self.accepted.borrow().clone();
        let first = match &accepted {
            Some(accepted) => &accepted.title,
            // What is locked takes no focus.
            None if self.phase.get() != Phase::Editing => self.form_view.send(),
            None => self.form_view.first(Shell::is_touch()),
        };
        if self.shell.open(first) {
            events::opened(self.shell.host());
        }
    }

    pub(crate) fn close(&self) {
        self.shell.close();
    }

    /// Fills in what the page knows. What is being sent stays as it is.
    pub(crate) fn prefill(&self, values: &Json) {
        if self.phase.get() == Phase::Editing {
            self.form_view.prefill(values, &self.description);
        }
    }

    #[inline(never)]
    fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.shell.set_phase(phase.name());
        let sending = phase == Phase::Sending;
        self.form_view.lock(sending || matches!(phase, Phase::Waiting | Phase::Unclear));
        self.form_view.offer_way_back(
            match phase {
                Phase::Waiting => "form.hold",
                Phase::Unclear => "form.stop",
                _ => "",
            },
            &self.texts,
        );
        let label = match phase {
            Phase::Sending => "form.sending",
            Phase::Waiting | Phase::Unclear => "form.retry",
            Phase::Editing | Phase::Following => "form.send",
        };
        self.form_view.set_busy(sending, label, &self.texts);
        self.form_view.show(phase != Phase::Following);
        if let Some(when) = self.form_view.when.as_ref().filter(|_| phase == Phase::Editing) {
            when.choose_again();
        }
    }

    fn react(self: &Rc<Self>, event: &Event) {
        let Some(target) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        match event.type_().as_str() {
            "submit" => {
                event.prevent_default();
                self.submit();
            }
            "pointerdown" => self.is_outside.set(self.shell.is_backdrop(&target)),
            "click" if is_repeated(event) => {}
            "click" => self.click(&target),
            // Not while typing for the first time: only what is already marked is judged again.
            "input" | "change" => {
                self.warm_up();
                if let Some(when) = self.form_view.when.as_ref().filter(|_| event.type_() == "change") {
                    when.changed(&target, &self.service, &self.description, &self.texts);
                }
                let field = self.form_view.field_of(&target);
                if field.is_some_and(|field| matches!(field.control.kind, Kind::Phone | Kind::Country)) {
                    self.form_view.regroup(&self.description, &Json::new(event.into()));
                }
                if let Some(field) = field.filter(|field| field.is_wrong()) {
                    field.judge(&self.description, &self.texts);
                    if !self.form_view.is_any_wrong() && self.phase.get() == Phase::Editing {
                        self.form_view.set_alert("");
                    }
                }
            }
            _ => {
                // An error that appears now would move what is being pressed away from under the pointer, and the click
                // would be lost. Sending judges every field anyway.
                let is_pressing = self
                    .shell
                    .frame()
                    .query_selector("button:active,[type=checkbox]:active,label:active")
                    .is_ok_and(|pressed| pressed.is_some());
                if let Some(field) = self.form_view.field_of(&target).filter(|_| !is_pressing) {
                    // What the service has found wrong stays marked until it is changed.
                    if !field.is_wrong() {
                        field.judge_on_leaving(&self.description, &self.texts);
                    }
                }
            }
        }
    }

    /// Begins with what takes its time before a request can be sent.
    fn warm_up(&self) {
        self.prover.begin_once(&self.description.proof());
        if let Some(captcha) = &self.captcha {
            captcha.begin(&self.description.captcha().string("script"));
        }
    }

    #[inline(never)]
    fn click(self: &Rc<Self>, target: &Element) {
        if self.shell.is_backdrop(target) {
            let safe = self.phase.get() == Phase::Following || !self.form_view.is_touched();
            if safe && self.is_outside.get() && self.phase.get() != Phase::Sending {
                self.close();
            }
            return;
        }
        let action = target.closest("[data-action]").ok().flatten();
        match action.and_then(|element| element.get_attribute("data-action")).as_deref() {
            Some("close") => self.close(),
            Some("again") => self.ask_again(),
            Some("hold") => self.take_back(),
            _ => {}
        }
    }

    #[inline(never)]
    fn submit(self: &Rc<Self>) {
        let phase = self.phase.get();
        let attempt = match phase {
            Phase::Sending | Phase::Following => return,
            Phase::Waiting | Phase::Unclear => self.attempt.take(),
            Phase::Editing => {
                if !self.form_view.judge(&self.description, &self.texts) {
                    self.form_view.set_alert(&self.texts.get("problem.fields"));
                    return;
                }
                let (fields, reason) = self.form_view.filled();
                if !events::submitting(self.shell.host(), &fields, &reason) {
                    return;
                }
                let last = self.attempt.take();
                self.sent_at.set(Date::now());
                Some(Rc::new(Attempt::of(last.as_deref(), self.body(), new_key)))
            }
        };
        let Some(attempt) = attempt else { return };
        self.attempt.replace(Some(attempt.clone()));
        // Who insists is believed: some browsers take themselves for offline and are not.
        if phase == Phase::Editing && !is_online() {
            return self.wait(&attempt);
        }
        self.keep_request(&attempt, true);
        self.form_view.set_alert("");
        self.enter(Phase::Sending);
        live::prepare(&self.service, self.description.value());
        self.begin_turn();
        self.backoff.reset();
        self.post(attempt);
    }

    /// Posts an attempt, and shows what becomes of it.
    fn post(self: &Rc<Self>, attempt: Rc<Attempt>) {
        let url = [&self.service, "/v1/sites/", &self.description.get("site"), "/callbacks"].concat();
        let (weak, prover, turn) = (Rc::downgrade(self), self.prover.clone(), self.turn.get());
        let captcha = self.captcha.as_ref().map(|captcha| captcha.token()).unwrap_or_default();
        let typing = self.description.typing();
        let is_early = Date::now() - self.opened_at < f64::from(typing);
        spawn(async move {
            if is_early {
                // Whose browser fills the form in is a person all the same.
                sleep(typing).await;
            }
            let settled = submit::post(&url, &attempt, &prover, &captcha).await;
            if let Some(app) = weak.upgrade() {
                app.settle(&settled, turn);
            }
        });
    }

    /// The request for what stands in the form. Its members are those of the contract's `NewCallback`.
    fn body(&self) -> String {
        let request = ObjectWriter::new();
        self.form_view.write(&request, &self.description);
        let agent = self.agent.borrow().clone();
        let (locale, opened) = (self.description.get("locale"), self.description.get("opened"));
        let texts = [page(), locale, opened, agent, self.form_view.trap()];
        for (member, text) in OTHER_MEMBERS.into_iter().zip(texts) {
            request.add_text(member, &text);
        }
        request.text()
    }

    /// Shows what became of a post of that turn.
    #[inline(never)]
    fn settle(self: &Rc<Self>, settled: &Settled, turn: u32) {
        let Settled { outcome, status, ref body } = *settled;
        let phase = self.phase.get();
        let is_meant = turn == self.turn.get();
        // What the visitor has taken back too late is told all the same, or it could not be called off.
        if outcome == Outcome::Accepted && (is_meant || phase == Phase::Editing) {
            return self.accept(body);
        }
        if !is_meant {
            return;
        }
        if outcome == Outcome::Unclear && phase == Phase::Unclear {
            // Tried by itself, and nothing has changed: who has closed the form has been told.
            return self.try_later();
        }
        let text = match outcome {
            Outcome::Fields => self.mark(body),
            Outcome::Busy(seconds) => self.texts.with("problem.busy", &self.texts.time_from_now(seconds)),
            _ => self.texts.of("problem", outcome.name()),
        };
        if let Some(captcha) = &self.captcha {
            captcha.reset();
        }
        if outcome == Outcome::Unclear {
            self.enter(Phase::Unclear);
        } else {
            self.keeper.drop_request();
            self.enter(Phase::Editing);
        }
        // Whoever has closed the form or loaded the page anew meanwhile must not believe that all is well.
        self.open();
        if matches!(status, 400..=428) {
            // An answer about this very request: the next one is another.
            self.attempt.take();
        }
        if outcome == Outcome::Fields {
            // The fields can be focused only now that they are no longer locked.
            self.form_view.focus_first_wrong();
        }
        self.form_view.set_alert(&text);
        if outcome == Outcome::Unclear {
            self.try_later();
        }
        events::failed(self.shell.host(), outcome.name(), status);
    }

    /// Marks the fields that the service has refused. Gives what to say about the whole.
    fn mark(&self, body: &Json) -> String {
        let mut told = "problem.fields".to_owned();
        for error in body.list("errors") {
            let (pointer, code) = (error.string("pointer"), error.string("code"));
            if let Some(field) = self.form_view.field_for(&pointer) {
                field.mark(&code, &self.texts);
            } else if let (true, Some(when)) = (pointer.starts_with("/schedule/"), &self.form_view.when) {
                when.refuse(&code);
            } else if pointer == "/agent" {
                // The link ran out while the form was open. The next request is for whoever is free.
                self.agent.take();
                let key = match code.as_str() {
                    "link_expired" => "notice.expired",
                    "agent_unavailable" => "notice.unavailable",
                    _ => "notice.invalid",
                };
                self.form_view.set_notice(key, &self.texts);
                key.clone_into(&mut told);
            } else {
                told = ["error.", &code].concat();
            }
        }
        self.texts.get(&told)
    }

    /// The request was accepted.
    fn accept(self: &Rc<Self>, body: &Json) {
        // What was tried by itself takes the focus from nobody who is elsewhere on the page.
        let is_awaited = self.phase.get() == Phase::Sending || self.shell.has_focus();
        self.attempt.take();
        self.keeper.keep(&[&body.string("id"), " ", &body.string("follow")].concat());
        self.follow(body);
        let accepted = self.accepted.borrow().clone();
        events::submitted(self.shell.host(), &body.string("id"));
        if let Some(accepted) = accepted.filter(|_| is_awaited) {
            focus(&accepted.title);
        }
    }

    /// Goes on with what this tab followed before the page was loaded, or had sent.
    fn resume(self: &Rc<Self>) {
        let left = self.keeper.take_left();
        if kept::is_request(&left) {
            self.resume_request(&left);
        } else if let Some((id, token)) = left.split_once(' ') {
            let body = ObjectWriter::new();
            body.add_text("id", id);
            body.add_text("follow", token);
            self.follow(&Json::new(body.value()));
        }
    }

    /// Says that the request was accepted, and has the callback followed.
    #[inline(never)]
    fn follow(self: &Rc<Self>, body: &Json) {
        let agent = match self.description.agent() {
            // Whoever joins another request is called by whom that one asked for.
            Agent::Named(name) if !self.agent.borrow().is_empty() && !body.flag("joined") => name,
            _ => String::new(),
        };
        let page = [&self.service, "/f/", &body.string("follow")].concat();
        let accepted = Rc::new(AcceptedView::new(&self.shell.body, &page, &self.texts));
        self.accepted.replace(Some(accepted.clone()));
        self.enter(Phase::Following);

        let (weak, service) = (Rc::downgrade(self), self.service.clone());
        let (description, body) = (self.description.value().clone(), body.value().clone());
        spawn(async move {
            let live = live::follow(&service, &description, &accepted.section, &body, &agent).await;
            // The form may be gone meanwhile, or the visitor may want another call.
            if let Some(app) = weak.upgrade()
                && app.accepted.borrow().as_ref().is_some_and(|present| Rc::ptr_eq(present, &accepted))
            {
                app.live.replace(live);
            }
        });
    }

    fn ask_again(&self) {
        // Not where nobody has pressed: what was followed before the page was loaded may be long gone.
        let is_pressed = self.shell.has_focus();
        self.live.take();
        self.accepted.take();
        self.enter(Phase::Editing);
        if is_pressed {
            focus(self.form_view.first(Shell::is_touch()));
        }
    }
}

/// The address of this page without its query, which may hold what is nobody's business.
fn page() -> String {
    let location = window().location();
    let (origin, path) = (location.origin().unwrap_or_default(), location.pathname().unwrap_or_default());
    // A page from a file has no origin; the rule of the field takes no other addresses.
    if origin.starts_with("http") { origin + &path } else { String::new() }
}

fn new_key() -> String {
    let mut random = [0; 16];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut random);
    }
    uuid(random)
}
