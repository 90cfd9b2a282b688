//! The live view of a callback: shows where it stands, and calls it off.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ringback_contract::callback::State;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

use crate::description::Description;
use crate::dom::set_if;
use crate::events;
use crate::follow::{self, Followed, Leash, News, Next};
use crate::follow_view::FollowView;
use crate::json::Json;
use crate::listener::Listener;
use crate::move_view::MoveView;
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
    /// What names the state for the styles, and for whoever looks from outside.
    marked: [Element; 2],
    /// The revision of the callback that is shown, and its state.
    shown: Cell<(f64, Option<State>)>,
    leash: Leash,
    listener: RefCell<Option<Listener>>,
    _styles: Styles,
}

impl Following {
    /// Follows the callback of the service's answer `accepted`, in the section of the form that says so. `agent` is the name of whoever
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
            move_view: MoveView::new(view.cancel(), &page, service, description, &texts),
            view,
            texts,
            marked: [root.host(), frame],
            shown: Cell::new((-1.0, None)),
            leash: Leash::default(),
            listener: RefCell::default(),
            _styles: Styles::put(&root, LAZY),
        });
        let state = State::parse(&accepted.string("state")).unwrap_or(State::Accepted);
        let agent = Some(agent).filter(|agent| !agent.is_empty());
        following.show(&Progress { state, agent, ..Progress::default() });
        following.listen(section);
        following.run();
        Some(following)
    }

    /// Whatever else is pressed is the form's.
    fn listen(self: &Rc<Self>, section: &HtmlElement) {
        let weak = Rc::downgrade(self);
        let listener = Listener::new(section, &["click"], move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let pressed = target.and_then(|target| target.closest("[data-action]").ok().flatten());
            let action = pressed.and_then(|pressed| pressed.get_attribute("data-action"));
            if let (Some(following), Some(action)) = (weak.upgrade(), action) {
                following.act(&action);
            }
        });
        self.listener.replace(Some(listener));
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
            (409, _) => self.move_view.close(),
            _ => self.move_view.times.picker.tell(&self.texts.get("problem.network")),
        }
        events::failed(&self.marked[0], "move", status);
    }

    fn run(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let tell = move |news| {
            let Some(following) = weak.upgrade() else { return Next::Stop };
            match news {
                News::At(progress) => {
                    following.view.set_alert("");
                    following.show(&progress);
                    if progress.state.is_final() { Next::Stop } else { Next::GoOn }
                }
                News::Lost => {
                    following.view.set_alert(&following.texts.get("follow.lost"));
                    Next::GoOn
                }
            }
        };
        spawn(follow::run(self.callback.clone(), self.leash.clone(), tell));
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
        self.view.set(progress, &self.texts);
        self.move_view.set(progress);
        if state != Some(progress.state) {
            events::moved(&self.marked[0], &self.callback.id, progress.state.as_str());
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
        self.leash.pull();
        self.mark(None);
    }
}
