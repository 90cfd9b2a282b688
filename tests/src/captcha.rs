//! A captcha's provider: a script that draws a button, and a door that judges tokens.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

/// The secret that tokens are judged with.
pub const SECRET: &str = "test-secret-of-the-captcha-0123456789";
/// What every good token begins with.
pub const GOOD: &str = "good-";

/// As the providers' scripts do: an object with three functions, which draws where it is told to.
const SCRIPT: &str = r"
    let token = '', count = 0;
    window.turnstile = {
        render(holder, { sitekey }) {
            const button = holder.appendChild(document.createElement('button'));
            button.type = 'button';
            button.id = 'person';
            button.textContent = 'I am a person (' + sitekey + ')';
            button.onclick = () => { token = 'good-' + Math.random() + ++count; };
            return 'widget-1';
        },
        getResponse: id => id === 'widget-1' ? token : undefined,
        reset: () => { token = ''; },
    };
";

/// The provider.
#[derive(Debug)]
pub struct Provider {
    /// Its address.
    pub url: String,
    asked: Arc<Mutex<Vec<Value>>>,
    _server: AbortOnDropHandle<std::io::Result<()>>,
}

impl Provider {
    /// Starts one.
    pub fn start() -> Self {
        let asked = Arc::<Mutex<Vec<Value>>>::default();
        let used = Arc::<Mutex<HashSet<String>>>::default();
        let noted = Arc::clone(&asked);
        let server = HttpServer::new(move || {
            let (noted, used) = (Arc::clone(&noted), Arc::clone(&used));
            let judge = move |form: web::Form<HashMap<String, String>>| {
                let (secret, response) = (form["secret"].clone(), form["response"].clone());
                let errors = if secret != SECRET {
                    vec!["invalid-input-secret"]
                } else if !response.starts_with(GOOD) {
                    vec!["invalid-input-response"]
                } else if !used.lock().unwrap_or_else(PoisonError::into_inner).insert(response.clone()) {
                    vec!["timeout-or-duplicate"]
                } else {
                    vec![]
                };
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(json!({ "response": response }));
                let answer = json!({ "success": errors.is_empty(), "error-codes": errors });
                async move { HttpResponse::Ok().json(answer) }
            };
            App::new().route("/siteverify", web::post().to(judge)).route(
                "/api.js",
                web::get().to(async || HttpResponse::Ok().content_type("text/javascript").body(SCRIPT)),
            )
        });
        let server = server.workers(1).bind(("127.0.0.1", 0)).expect("a port");
        let url = format!("http://{}", server.addrs()[0]);
        let server = AbortOnDropHandle::new(tokio::spawn(server.disable_signals().run()));
        Self { url, asked, _server: server }
    }

    /// The tokens that it was asked about.
    pub fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
