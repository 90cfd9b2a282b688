//! The gallery: every state of the form, in every language, preset and colour scheme.
//!
//! Each picture is a page of its own in a frame, and what it shows is the form itself, which is answered as the scene says. Nothing is
//! drawn here.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::{HttpResponse, error, web};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ringback::locale;
use ringback_contract::form::{Form, Preset};
use serde::Deserialize;
use url::form_urlencoded;

pub mod play;
pub mod scenes;

use self::play::Play;
use self::scenes::{ALL, Scene};
use crate::organization::SITE;
use crate::website::{Names, nonce};

/// How the form is to look.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Look {
    /// The language.
    lang: String,
    /// The preset.
    preset: Preset,
    /// The colour scheme.
    scheme: Scheme,
    /// The main colour; empty: the site's own.
    color: String,
}

/// A colour scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    const ALL: [Self; 2] = [Self::Light, Self::Dark];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl Default for Look {
    fn default() -> Self {
        Self { lang: "en".to_owned(), preset: Preset::default(), scheme: Scheme::Light, color: String::new() }
    }
}

impl Look {
    /// The address of a scene in this look.
    fn address(&self, scene: &Scene) -> String {
        let (preset, scheme) = (self.preset.as_str(), self.scheme.as_str());
        let query = [
            ("state", scene.name),
            ("lang", &self.lang),
            ("preset", preset),
            ("scheme", scheme),
            ("color", &self.color),
        ];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("/gallery/frame?{query}")
    }

    /// The address of the hosted page in this look, without the form of the widget.
    fn hosted(&self, service: &str) -> String {
        let query = [
            ("level", "plain"),
            ("locale", &self.lang),
            ("preset", self.preset.as_str()),
            ("theme", self.scheme.as_str()),
            ("color", &self.color),
        ];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        format!("{service}/c/{SITE}?{query}")
    }
}

/// The query of `GET /gallery/frame`.
#[derive(Debug, Deserialize)]
pub(crate) struct Framed {
    /// The name of the scene.
    state: String,
    #[serde(flatten)]
    look: Look,
}

/// `GET /gallery`: every scene in one look.
pub(crate) async fn page(names: web::Data<Names>, look: web::Query<Look>) -> HttpResponse {
    let look = look.into_inner();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self' {}; base-uri 'none'; \
         form-action 'self'",
        names.service
    );
    let hosted = look.hosted(&names.service);
    let body = html! {
        header.bar {
            a.brand href="/" { img src="/mark.svg" alt="" width="30" height="30"; "Acme Outdoor" }
        }
        main {
            section.example {
                h1 { "Every state of the form" }
                p.lead { "Each is the form itself, answered as it would be then." }
                (choices(&look))
                p { "For forced colours, switch them on in your system or in the developer tools." }
            }
            section.wall aria-label="States" {
                @for scene in ALL {
                    (picture(scene.title, &look.address(scene)))
                }
                (picture("Without scripts: the hosted page", &hosted))
            }
        }
    };
    let page = document("en", look.scheme, "Gallery · Ringback", "/gallery.css", &body);
    answer(&page, &policy)
}

/// What to choose the look by.
fn choices(look: &Look) -> Markup {
    html! {
        form.choices action="/gallery" {
            label {
                "Language "
                select name="lang" {
                    @for name in locale::names() { option selected[name == look.lang] { (name) } }
                }
            }
            label {
                "Preset "
                select name="preset" {
                    @for preset in Preset::ALL {
                        option selected[preset == look.preset] { (preset.as_str()) }
                    }
                }
            }
            label {
                "Colours "
                select name="scheme" {
                    @for scheme in Scheme::ALL {
                        option selected[scheme == look.scheme] { (scheme.as_str()) }
                    }
                }
            }
            label {
                "Main colour "
                input name="color" value=(look.color) placeholder="#1a56c4" pattern="#[0-9a-fA-F]{6}" size="8";
            }
            button.button { "Show" }
        }
    }
}

/// A scene on the wall. Who goes through the page by keyboard goes past it, and opens it by its link.
fn picture(title: &str, address: &str) -> Markup {
    html! {
        figure.shown {
            figcaption { a href=(address) { (title) } }
            iframe src=(address) title=(title) loading="lazy" inert {}
        }
    }
}

/// `GET /gallery/frame`: one scene on a page of its own, under the strictest policy that the form works under.
pub(crate) async fn frame(
    names: web::Data<Names>,
    framed: web::Query<Framed>,
) -> Result<HttpResponse, actix_web::Error> {
    let Framed { state, look } = framed.into_inner();
    let scene = Scene::of(&state).ok_or_else(|| error::ErrorNotFound("there is no such scene"))?;
    let form = described(&names, &look).await.map_err(error::ErrorBadGateway)?;
    let mut play = Play::new(form);
    scene.play(&mut play);
    // In a script element, only this could end it (HTML, section 4.12.1.3).
    let play = serde_json::to_string(&play)?.replace('<', "\\u003c");
    let nonce = nonce()?;
    let color = Some(look.color.as_str()).filter(|color| !color.is_empty());
    let (preset, scheme) = (look.preset.as_str(), look.scheme.as_str());
    let element = scene.inline.then(|| {
        html! {
            ringback-form data-site=(SITE) data-locale=(look.lang) data-preset=(preset) data-theme=(scheme)
                data-color=[color] {}
        }
    });
    let site = (!scene.inline).then_some(SITE);
    let body = html! {
        main.scene {
            h1 { (scene.title) }
            @if let Some(element) = element { (element) }
        }
        script type="application/json" id="play" { (PreEscaped(play)) }
        script nonce=(nonce) src="/gallery-play.js" data-service=(names.service) {}
        script nonce=(nonce) async crossorigin src={ (names.service) "/widget/v1.js" } data-site=[site]
            data-locale=(look.lang) data-preset=(preset) data-theme=(scheme) data-color=[color] {}
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         connect-src {0}; frame-src {0}; require-trusted-types-for 'script'",
        names.service
    );
    // The heading is in English, whatever the form speaks.
    let page = document("en", look.scheme, scene.title, "/gallery.css", &body);
    Ok(answer(&page, &policy))
}

/// The service's own description of the form, which a scene then changes.
async fn described(names: &Names, look: &Look) -> reqwest::Result<Form> {
    let address = format!("{}/v1/sites/{SITE}/form", names.service);
    let query = [("locale", look.lang.as_str()), ("color", &look.color)];
    names.http.get(address).query(&query).send().await?.error_for_status()?.json().await
}

/// A page of the gallery.
fn document(lang: &str, scheme: Scheme, title: &str, style: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang) data-scheme=(scheme.as_str()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="icon" href="/mark.svg" type="image/svg+xml";
                link rel="stylesheet" href="/shop.css";
                link rel="stylesheet" href="/examples.css";
                link rel="stylesheet" href=(style);
            }
            body { (body) }
        }
    }
}

fn answer(page: &Markup, policy: &str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .body(page.0.clone())
}
