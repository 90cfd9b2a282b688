//! The customer's website: a small shop whose only tie to the service is a script tag.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::demo::http;
use crate::gallery;

const SHOP: &str = include_str!("../pages/shop.html");
const SHOP_RTL: &str = include_str!("../pages/shop-rtl.html");
const EXAMPLES: &str = include_str!("../pages/examples.html");

/// The files that the pages use, and their types.
const FILES: [(&str, &str, &str); 10] = [
    ("shop.css", "text/css; charset=utf-8", include_str!("../pages/shop.css")),
    ("examples.css", "text/css; charset=utf-8", include_str!("../pages/examples.css")),
    ("examples.js", "text/javascript; charset=utf-8", include_str!("../pages/examples.js")),
    ("gallery.css", "text/css; charset=utf-8", include_str!("../pages/gallery.css")),
    ("gallery-play.js", "text/javascript; charset=utf-8", include_str!("../pages/gallery-play.js")),
    ("mark.svg", "image/svg+xml", include_str!("../pages/mark.svg")),
    ("ridge.svg", "image/svg+xml", include_str!("../pages/ridge.svg")),
    ("tent.svg", "image/svg+xml", include_str!("../pages/tent.svg")),
    ("pack.svg", "image/svg+xml", include_str!("../pages/pack.svg")),
    ("stove.svg", "image/svg+xml", include_str!("../pages/stove.svg")),
];

/// The website, bound to its port and not yet serving.
#[derive(Debug)]
pub struct Website {
    listener: TcpListener,
    port: u16,
}

/// What the pages name.
pub(crate) struct Names {
    /// The address of the service.
    pub(crate) service: String,
    /// For what the pages ask the service.
    pub(crate) http: reqwest::Client,
}

impl Website {
    /// Takes a port of this machine; 0 takes a free one.
    pub fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// The website's address, which is also the origin of its pages.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every origin that its pages can have: people also write `localhost`.
    pub fn origins(&self) -> [String; 2] {
        [self.url(), format!("http://localhost:{}", self.port)]
    }

    /// Serves the pages with the script tag of that service, until `stop`.
    pub async fn serve(self, service: &str, stop: CancellationToken) -> io::Result<()> {
        let names = web::Data::new(Names { service: service.to_owned(), http: http() });
        let server = HttpServer::new(move || {
            let app = App::new()
                .app_data(web::Data::clone(&names))
                .route("/", web::get().to(shop))
                .route("/strict", web::get().to(strict))
                .route("/policy", web::get().to(policed))
                .route("/rtl", web::get().to(rtl))
                .route("/examples", web::get().to(examples))
                .route("/gallery", web::get().to(gallery::page))
                .route("/gallery/frame", web::get().to(gallery::frame));
            FILES.into_iter().fold(app, |app, (name, media_type, content)| {
                let answer = move || async move { HttpResponse::Ok().content_type(media_type).body(content) };
                app.route(&format!("/{name}"), web::get().to(answer))
            })
        });
        let server = server.listen(self.listener)?.workers(1).disable_signals().shutdown_timeout(1).run();
        let handle = server.handle();
        let mut serving = tokio::spawn(server);
        tokio::select! {
            ended = &mut serving => return ended.map_err(io::Error::other)?,
            () = stop.cancelled() => {}
        }
        handle.stop(false).await;
        serving.await.map_err(io::Error::other)?
    }
}

/// `GET /`: a page as most are, without a policy.
async fn shop(names: web::Data<Names>) -> HttpResponse {
    page(SHOP, &names, "")
}

/// `GET /rtl`: the same in a script that runs from right to left.
async fn rtl(names: web::Data<Names>) -> HttpResponse {
    page(SHOP_RTL, &names, "")
}

/// `GET /examples`: the ways in which pages put the form to use.
async fn examples(names: web::Data<Names>) -> HttpResponse {
    page(EXAMPLES, &names, "")
}

/// `GET /strict`: the same under a policy that forbids everything but what the form needs.
async fn strict(names: web::Data<Names>) -> Result<HttpResponse, actix_web::Error> {
    under(STRICT, &names)
}

/// The query of `GET /policy`.
#[derive(Deserialize)]
struct Policed {
    /// The policy, in which `{nonce}` and `{service}` stand for those of the page.
    #[serde(default)]
    with: String,
}

/// `GET /policy?with=`: the same under whatever policy the reader wants to try.
async fn policed(
    names: web::Data<Names>,
    policed: web::Query<Policed>,
) -> Result<HttpResponse, actix_web::Error> {
    under(&policed.with, &names)
}

/// The strictest policy that the form works under. The first line is the page's own; of the form come:
/// `'strict-dynamic'`, so that the loader may load the module; `'wasm-unsafe-eval'`, so that the module may be compiled
/// (it allows no script text); and the service in `connect-src`.
const STRICT: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
                      script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; connect-src {service}";

/// The page under a policy.
fn under(policy: &str, names: &Names) -> Result<HttpResponse, actix_web::Error> {
    let nonce = nonce()?;
    let policy = policy.replace("{nonce}", &nonce).replace("{service}", &names.service);
    let mut answer = page(SHOP, names, &format!(" nonce=\"{nonce}\""));
    let value = policy.parse().map_err(actix_web::error::ErrorBadRequest)?;
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, value);
    Ok(answer)
}

/// What tells the scripts of one page from others.
pub(crate) fn nonce() -> Result<String, actix_web::Error> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(actix_web::error::ErrorInternalServerError)?;
    Ok(hex::encode(nonce))
}

fn page(template: &str, names: &Names, nonce: &str) -> HttpResponse {
    let html = template.replace("{nonce}", nonce).replace("{service}", &names.service);
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(html)
}
