//! The live view of a callback: shows where it stands, and calls it off.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, ShadowRoot};

use crate::description::Description;
use crate::dom::{focus, is_repeated, set_if, window};
use crate::events;
use crate::follow::{self, Followed, Leash, News, Next};
use crate::follow_view::FollowView;
use crate::json::Json;
use crate::kept;
use crate::listener::Listener;
use crate::move_view::MoveView;
use crate::notification;
use crate::number_view::NumberView;
use crate::read::{self, Progress};
use crate::styles::{LAZY, Styles};
use crate::task::spawn;
use crate::texts::Texts;

/// A callback that is followed.
pub(crate) struct Following {
    callback: Followed,
    texts: Texts,
    view: FollowView,
    move_view: MoveView,
    number_view: NumberView,
    site: String,
    /// What names the state for the styles, and for whoever looks from outside.
    marked: [Element; 2],
    root: ShadowRoot,
    /// The revision of the callback that is shown, and its state.
    shown: Cell<(f64, Option<State>)>,
    leash: RefCell<Leash>,
    listeners: RefCell<Vec<Listener>>,
    _styles: Styles,
}

impl Following {
    /// Follows the callback of the service's answer `accepted`, which may lack its state, in the section of the form that says so. `agent` is the name of whoever
    /// will call, or empty. `None` when the section does not stand in a form.
    pub(crate) fn start(
        service: &str,
        description: &Description,
        section: &HtmlElement,
        accepted: &Json,
        agent: String,
    ) -> Option<Rc<Self>> {
        let id = accepted.string("id");
        let url = [service, "/v1/callbacks/", &id].concat();
        let root = Styles::root_of(section)?;
        let frame = section.closest(".frame").ok()??;
        let texts = Texts::new(description);
        let token = accepted.string("follow");
        let page = [service, "/f/", &token].concat();
        let view = FollowView::new(section, description, &texts)?;
        let following = Rc::new(Self {
            callback: Followed { id, url, token },
            number_view: NumberView::new(view.number(), description, &texts)?,
            site: description.get("site"),
            move_view: MoveView::new(view.cancel(), &page, service, description, &texts),
            view,
            texts,
            marked: [root.host(), frame],
            root: root.clone(),
            shown: Cell::new((-1.0, None)),
            leash: RefCell::default(),
            listeners: RefCell::default(),
            _styles: Styles::put(&root, LAZY),
        });
        let agent = Some(agent).filter(|agent| !agent.is_empty());
        match State::parse(&accepted.string("state")) {
            Some(state) => following.show(&Progress { state, agent, ..Progress::default() }),
            // From before the page was loaded: where it stands is not known yet.
            None => following.view.set(&Progress::default(), &following.texts),
        }
        following.listen(section);
        following.run();
        Some(following)
    }

    /// Whatever else is pressed is the form's.
    fn listen(self: &Rc<Self>, section: &HtmlElement) {
        let weak = Rc::downgrade(self);
        let listener = Listener::new(section, &["click", "input", "change"], move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let (Some(following), Some(target)) = (weak.upgrade(), target) else { return };
            if event.type_() != "click" {
                return following.number_view.changed(&target, &Json::new(event.into()));
            }
            // Of two presses of the button that sends, the second may fall on what stands in its place now.
            if is_repeated(&event) {
                return;
            }
            let pressed = target.closest("[data-action]").ok().flatten();
            if let Some(action) = pressed.and_then(|pressed| pressed.get_attribute("data-action")) {
                following.act(&action);
            }
        });
        let weak = Rc::downgrade(self);
        // A connection from before the network or the page was away may be dead without knowing it.
        let back = Listener::new(&window(), &["online", "pageshow", "pagehide"], move |event| {
            let Some(following) = weak.upgrade() else { return };
            if event.type_() == "pagehide" {
                // Browsers keep no page that is listening: going back would load it anew.
                following.leash.borrow().pull();
            } else if !following.is_over() {
                following.run();
            }
        });
        self.listeners.replace(vec![listener, back]);
    }

    fn act(self: &Rc<Self>, action: &str) {
        match action {
            "cancel" => {
                self.view.set_cancelling(true, &self.texts);
                self.ask("DELETE", String::new(), Self::cancelled);
            }
            "move" => self.move_view.open(),
            "save" if self.move_view.times.judge() => {
                self.ask("PATCH", self.move_view.body(), Self::moved);
            }
            "number" => self.number_view.open(),
            "keep" => {
                self.number_view.close();
                focus(self.view.title());
            }
            "renumber" if !self.number_view.is_busy() => {
                if let Some(body) = self.number_view.body(&self.texts) {
                    self.number_view.set_busy(true);
                    self.ask("PATCH", body, Self::renumbered);
                }
            }
            "notify" => {
                notification::ask();
                self.view.take_offer_back();
            }
            _ => {}
        }
    }

    /// Asks for a change, shows where the callback stands by the answer, and goes on with that.
    #[inline(never)]
    fn ask(self: &Rc<Self>, method: &'static str, body: String, then: fn(&Self, u16, &Json)) {
        let (weak, callback) = (Rc::downgrade(self), self.callback.clone());
        spawn(async move {
            let (status, answer) = follow::change(method, &callback, &body).await;
            let Some(following) = weak.upgrade() else { return };
            if let Some(progress) = read::progress(&answer) {
                following.show(&progress);
            }
            then(&following, status, &answer);
        });
    }

    fn cancelled(&self, status: u16, _: &Json) {
        self.view.set_cancelling(false, &self.texts);
        let problem = match status {
            200..=299 => return self.view.set_alert(""),
            409 => "follow.cancel.late",
            _ => "follow.cancel.failed",
        };
        self.view.set_alert(&self.texts.get(problem));
        events::failed(&self.marked[0], "cancel", status);
    }

    fn moved(&self, status: u16, answer: &Json) {
        match (status, answer.list("errors").first()) {
            (200..=299, _) => return self.move_view.done(),
            (422, Some(error)) => self.move_view.times.refuse(&error.string("code")),
            // It is on its way, and where it stands is shown.
            (409, _) => {
                self.move_view.close();
                focus(self.view.title());
            }
            _ => self.move_view.times.picker.tell(&self.texts.get("problem.network")),
        }
        events::failed(&self.marked[0], "move", status);
    }

    fn renumbered(&self, status: u16, answer: &Json) {
        self.number_view.set_busy(false);
        let codes = answer.list("errors");
        let problem = match (status, codes.first()) {
            (200..=299, _) => {
                self.number_view.close();
                self.view.set_alert("");
                self.view.set_note(&self.texts.get("follow.number.done"));
                return focus(self.view.title());
            }
            (422, Some(error)) => self.texts.of("error", &error.string("code")),
            (409, _) if answer.string("type").ends_with(Kind::NumberClaimed.slug()) => {
                self.texts.get("follow.number.claimed")
            }
            (409, _) => {
                self.number_view.close();
                self.view.set_alert(&self.texts.get("follow.number.late"));
                focus(self.view.title());
                String::new()
            }
            _ => self.texts.get("problem.network"),
        };
        if !problem.is_empty() {
            self.number_view.refuse(&problem);
        }
        events::failed(&self.marked[0], "number", status);
    }

    fn is_over(&self) -> bool {
        self.shown.get().1.is_some_and(State::is_final)
    }

    /// Follows, and no longer as before.
    fn run(self: &Rc<Self>) {
        let leash = Leash::default();
        self.leash.replace(leash.clone()).pull();
        let weak = Rc::downgrade(self);
        let tell = move |news| {
            let Some(following) = weak.upgrade() else { return Next::Stop };
            match news {
                News::At(progress) => {
                    following.view.take_back(&following.texts.get("follow.lost"));
                    following.show(&progress);
                    if progress.state.is_final() { Next::Stop } else { Next::GoOn }
                }
                News::Lost => {
                    following.view.set_alert(&following.texts.get("follow.lost"));
                    Next::GoOn
                }
                News::Unknown => {
                    following.lose();
                    Next::Stop
                }
            }
        };
        spawn(follow::run(self.callback.clone(), leash, tell));
    }

    /// Shows where the callback stands, unless something newer is shown already.
    #[inline(never)]
    fn show(&self, progress: &Progress) {
        let (revision, state) = self.shown.get();
        if progress.revision < revision {
            return;
        }
        self.shown.set((progress.revision, Some(progress.state)));
        self.mark(Some(progress.state));
        let focused = self.root.active_element();
        self.view.set(progress, &self.texts);
        self.move_view.set(progress);
        // While it is being sent, and until it is known what came of that, it cannot be changed either; whoever types goes on typing.
        if progress.state.is_final() {
            self.number_view.close();
            self.forget();
        }
        self.view.keep_focus(focused.as_ref());
        if state != Some(progress.state) {
            events::moved(&self.marked[0], &self.callback.id, progress.state.as_str());
            // Not for what a page that was just loaded shows first.
            if state.is_some() {
                notification::tell(progress.state, &self.view.told(), &self.callback.id);
            }
        }
    }

    /// The service knows nothing of the callback any more. What was never shown needs no word.
    fn lose(&self) {
        self.forget();
        if self.shown.get().1.is_some() {
            let focused = self.root.active_element();
            self.number_view.close();
            self.move_view.set(&Progress::default());
            self.view.lose(&self.texts);
            self.view.keep_focus(focused.as_ref());
            events::failed(&self.marked[0], "unknown", 404);
        } else {
            self.view.ask_again();
        }
    }

    /// The callback is over in this tab, unless another form on the page follows another by now.
    fn forget(&self) {
        if kept::kept(&self.site).starts_with(&self.callback.id) {
            kept::forget(&self.site);
        }
    }

    fn mark(&self, state: Option<State>) {
        for element in &self.marked {
            set_if(element, "data-state", state.map(State::as_str));
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.leash.borrow().pull();
        self.mark(None);
    }
}
