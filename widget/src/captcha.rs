//! A captcha of others, where the site has one. Its provider draws it on the page itself and not in a shadow root, which it
//! cannot look into; a slot shows it in the form.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, HtmlElement};

use crate::dom::{add, set, window};
use crate::json::{Json, ObjectWriter};
use crate::listener::Listener;

/// The name of the slot in the form.
pub(crate) const SLOT: &str = "ringback-captcha";

/// A captcha on the page.
pub(crate) struct Captcha {
    /// The object that the provider's script puts on the page: its name is the provider's.
    provider: String,
    holder: HtmlElement,
    /// What the provider knows it by, once it is drawn.
    drawn: RefCell<JsValue>,
    key: String,
    is_begun: Cell<bool>,
    listener: RefCell<Option<Listener>>,
}

impl Captcha {
    /// The captcha of the contract's description; `None` where there is none.
    pub(crate) fn new(host: &Element, described: &Json) -> Option<Rc<Self>> {
        let (provider, key) = (described.text("provider")?, described.string("site_key"));
        let holder = add(host, "div", &[("slot", SLOT)]);
        let captcha = Rc::new(Self {
            provider,
            holder,
            drawn: RefCell::new(JsValue::UNDEFINED),
            key,
            is_begun: Cell::new(false),
            listener: RefCell::default(),
        });
        Some(captcha)
    }

    /// Has it drawn, once: by the provider's script, which is loaded only now.
    pub(crate) fn begin(self: &Rc<Self>, script: &str) {
        if self.is_begun.replace(true) {
            return;
        }
        if self.call("render", &self.holder, Some(&self.options())).is_some() {
            return;
        }
        let element = add(&self.holder, "script", &[]);
        let weak = Rc::downgrade(self);
        let listener = Listener::new(&element, &["load"], move |_| {
            if let Some(captcha) = weak.upgrade() {
                captcha.call("render", &captcha.holder, Some(&captcha.options()));
            }
        });
        self.listener.replace(Some(listener));
        set(&element, "src", script);
    }

    /// The token, once the visitor has passed; else empty.
    pub(crate) fn token(&self) -> String {
        let drawn = self.drawn.borrow().clone();
        let token = self.call("getResponse", &drawn, None);
        token.and_then(|token| token.as_string()).unwrap_or_default()
    }

    /// Asks anew: a token is good once.
    pub(crate) fn reset(&self) {
        let drawn = self.drawn.borrow().clone();
        self.call("reset", &drawn, None);
    }

    fn options(&self) -> JsValue {
        let options = ObjectWriter::new();
        options.add_text("sitekey", &self.key);
        options.value()
    }

    /// Calls the provider; `None` where its script is not there, or it fails.
    fn call(&self, name: &str, first: &JsValue, second: Option<&JsValue>) -> Option<JsValue> {
        let provider = Reflect::get(&window(), &self.provider.as_str().into()).ok()?;
        let function: Function = Reflect::get(&provider, &name.into()).ok()?.dyn_into().ok()?;
        let answer = match second {
            Some(second) => function.call2(&provider, first, second),
            None => function.call1(&provider, first),
        };
        let answer = answer.ok()?;
        if name == "render" {
            self.drawn.replace(answer.clone());
        }
        Some(answer)
    }
}

impl Drop for Captcha {
    fn drop(&mut self) {
        self.holder.remove();
    }
}
