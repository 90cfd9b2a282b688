//! The live view of a callback: shows where it stands, and calls it off.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ringback_contract::callback::State;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, ShadowRoot};

use crate::description::Description;
use crate::dom::set_if;
use crate::events;
use crate::follow::{self, Followed, Leash, News, Next};
use crate::follow_view::FollowView;
use crate::json::Json;
use crate::listener::Listener;
use crate::read::Progress;
use crate::styles::Styles;
use crate::task::spawn;
use crate::texts::Texts;

/// The styles, without comments and needless space: the build script has seen to that.
const STYLES: &str = include_str!(concat!(env!("OUT_DIR"), "/follow.css"));

/// A callback that is followed.
pub(crate) struct Following {
    callback: Followed,
    texts: Texts,
    view: FollowView,
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
        let root = section.get_root_node().dyn_into::<ShadowRoot>().ok()?;
        let frame = section.closest(".frame").ok()??;
        let texts = Texts::new(description);
        let following = Rc::new(Self {
            callback: Followed { id, url, token: accepted.string("follow") },
            view: FollowView::new(section, description, &texts)?,
            texts,
            marked: [root.host(), frame],
            shown: Cell::new((-1.0, None)),
            leash: Leash::default(),
            listener: RefCell::default(),
            _styles: Styles::put(&root, STYLES),
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
            let pressed = target.and_then(|target| target.closest("[data-action=cancel]").ok().flatten());
            if let (Some(following), Some(_)) = (weak.upgrade(), pressed) {
                following.cancel();
            }
        });
        self.listener.replace(Some(listener));
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
        if state != Some(progress.state) {
            events::moved(&self.marked[0], &self.callback.id, progress.state.as_str());
        }
    }

    fn mark(&self, state: Option<State>) {
        for element in &self.marked {
            set_if(element, "data-state", state.map(State::as_str));
        }
    }

    #[inline(never)]
    fn cancel(self: &Rc<Self>) {
        self.view.set_cancelling(true, &self.texts);
        let (weak, callback) = (Rc::downgrade(self), self.callback.clone());
        spawn(async move {
            let (status, progress) = follow::cancel(&callback).await;
            let Some(following) = weak.upgrade() else { return };
            following.view.set_cancelling(false, &following.texts);
            if let Some(progress) = progress {
                following.show(&progress);
            }
            let problem = match status {
                200..=299 => return following.view.set_alert(""),
                409 => "follow.cancel.late",
                _ => "follow.cancel.failed",
            };
            following.view.set_alert(&following.texts.get(problem));
            events::failed(&following.marked[0], "cancel", status);
        });
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.leash.pull();
        self.mark(None);
    }
}
