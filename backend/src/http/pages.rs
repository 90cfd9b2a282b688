//! The pages that the service shows itself. They are whole without any script of ours: a visitor whose browser runs none, or no
//! WebAssembly, asks for a call and follows it all the same. Where the form of `widget/` can be drawn, it takes the place of the plain
//! one.

mod files;
pub(super) mod follow;
mod follow_view;
pub(super) mod form;
mod form_view;
mod posted;
mod slots;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, RETRY_AFTER,
};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ringback_contract::color::Color;
use ringback_contract::field;
use ringback_contract::form::{Direction, Preset, Theme};
use ringback_contract::problem::Kind;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

pub(super) use self::files::file;
use super::extract::header;
use super::problem::Failure;
use crate::locale::{self, Locale};
use crate::site::Site;
use crate::words::Words;

/// What the query of a page may say. A page whose address has been decorated by others is shown all the same, so nothing
/// unknown is refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    /// The languages of the page around the frame, the best first.
    locale: String,
    /// The address of the page around the frame.
    page: String,
    /// At which level the form is shown: `plain` in a frame, by its loader.
    level: String,
    /// The site whose page is around the frame, for what is shown before a token has told it.
    site: String,
    /// The main colour that the page around says, such as `#1a56c4`.
    color: String,
    /// The preset that the page around says.
    preset: String,
    /// `light` or `dark`, where the page around says which.
    theme: String,
}

impl Asked {
    fn of(request: &HttpRequest) -> Self {
        web::Query::from_query(request.query_string()).map(web::Query::into_inner).unwrap_or_default()
    }

    /// Whether the page is in a frame.
    fn is_framed(&self) -> bool {
        self.level == "plain"
    }

    /// What of it the next page of the same visitor must know, as the query of its address, and for which site it is.
    fn query(&self, site: &str) -> String {
        if !self.is_framed() {
            return String::new();
        }
        let looks = [("color", &self.color), ("preset", &self.preset), ("theme", &self.theme)];
        let looks = looks.into_iter().filter(|(_, said)| !said.is_empty());
        let mut query = form_urlencoded::Serializer::new("?".to_owned());
        query.append_pair("level", "plain").append_pair("site", site).extend_pairs(looks);
        query.finish()
    }

    /// How the form looks: as the page around says, else as its site does.
    fn dressed(&self, site: Option<&Site>) -> Theme {
        let theme = site.map(|site| &site.theme).cloned().unwrap_or_default();
        let shown = theme.shown(Color::parse(&self.color));
        let preset = Preset::ALL.into_iter().find(|preset| preset.as_str() == self.preset);
        Theme { preset: preset.unwrap_or(shown.preset), ..shown }
    }

    /// The colours that the page around says.
    fn scheme(&self) -> Option<&str> {
        Some(self.theme.as_str()).filter(|theme| ["light", "dark"].contains(theme))
    }
}

/// A page.
struct Page<'a> {
    locale: &'a Locale,
    status: StatusCode,
    /// The headers of a refusal.
    headers: Vec<(HeaderName, HeaderValue)>,
    title: String,
    /// The site on whose behalf it is shown.
    site: Option<&'a Site>,
    asked: &'a Asked,
    /// What the look of its panel has beside the styles of all.
    style: String,
    /// After how many seconds it is asked for anew where no script does so.
    refresh_s: Option<u32>,
    /// Who may learn its address.
    referrer: &'static str,
    main: Markup,
    /// Whether the form of `widget/` is to be drawn on it.
    has_widget: bool,
}

impl<'a> Page<'a> {
    fn new(
        locale: &'a Locale,
        site: Option<&'a Site>,
        asked: &'a Asked,
        title: String,
        panel: &Panel<'_>,
    ) -> Self {
        let theme = asked.dressed(site);
        let main = panel.draw(locale, theme.preset);
        let style = if theme.style.is_empty() { theme.style } else { format!(".frame{{{}}}", theme.style) };
        Self {
            locale,
            status: StatusCode::OK,
            headers: Vec::new(),
            title,
            site,
            asked,
            style,
            refresh_s: None,
            // The address may hold a token. Forms name no origin where not even we learn of their address.
            referrer: "same-origin",
            main,
            has_widget: false,
        }
    }

    fn answer(self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        answer
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, self.policy()))
            .insert_header((REFERRER_POLICY, self.referrer))
            .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
            .insert_header(("X-Robots-Tag", "noindex"));
        let html = self.html().into_string();
        for header in self.headers {
            answer.insert_header(header);
        }
        answer.body(html)
    }

    /// Everything comes from us; only pages of the site may put it into a frame.
    fn policy(&self) -> String {
        let ancestors = self.site.map_or(String::new(), |site| site.origins.join(" "));
        let ancestors = if ancestors.is_empty() { "'none'" } else { &ancestors };
        let captcha = self.site.filter(|_| self.has_widget).and_then(|site| site.captcha.as_ref());
        let captcha = captcha.map_or(String::new(), |captcha| format!(" {}", captcha.policy_sources()));
        let frames = if captcha.is_empty() { String::new() } else { format!("frame-src{captcha}; ") };
        let wasm = if self.has_widget { " 'wasm-unsafe-eval'" } else { "" };
        // What this page alone has, by its hash (CSP 3, section 6.7.2.3).
        let style = if self.style.is_empty() {
            String::new()
        } else {
            format!(" 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(&self.style)))
        };
        format!(
            "default-src 'none'; script-src 'self'{wasm}{captcha}; style-src 'self'{style}; connect-src 'self'{captcha}; \
             {frames}img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
        )
    }

    fn html(&self) -> Markup {
        let direction = direction(self.locale);
        let framed = self.asked.is_framed();
        let name = self.site.map_or("", |site| &site.name);
        html! {
            (DOCTYPE)
            html lang=(self.locale.name) dir=(direction) class=[framed.then_some("framed")]
                data-theme=[self.asked.scheme()] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) @if !name.is_empty() { " · " (name) } }
                    link rel="stylesheet" href=(files::address("plain.css"));
                    // Of the configuration, whose colours and fonts can end neither a declaration nor this.
                    @if !self.style.is_empty() { style { (PreEscaped(&self.style)) } }
                    @if let Some(seconds) = self.refresh_s {
                        // The script looks for news without taking the page away from under anybody's hands.
                        noscript { meta http-equiv="refresh" content=(seconds); }
                    }
                    @if self.has_widget { script async src="/widget.js" {} }
                    script defer src=(files::address("plain.js")) {}
                }
                body {
                    @if !framed && !name.is_empty() { header { h1 { (name) } } }
                    main { (self.main) }
                }
            }
        }
    }
}

/// The value of HTML's `dir`.
fn direction(locale: &Locale) -> &'static str {
    match locale.direction {
        Direction::Ltr => "ltr",
        Direction::Rtl => "rtl",
    }
}

/// The panel that the form of `widget/` has too, so that one sheet of styles is for both.
struct Panel<'a> {
    body: Markup,
    /// The state of the callback that it shows.
    state: Option<&'a str>,
}

impl Panel<'_> {
    const fn of(body: Markup) -> Self {
        Self { body, state: None }
    }

    fn draw(&self, locale: &Locale, preset: Preset) -> Markup {
        html! {
            div.frame lang=(locale.name) dir=(direction(locale)) data-preset=(preset.as_str()) data-state=[self.state] {
                section aria-labelledby="title" { div.body { (self.body) } }
            }
        }
    }
}

/// The site's own number, for whom the page is of no help.
fn phone(locale: &Locale, site: Option<&Site>) -> Markup {
    let phone = site.map_or("", |site| &site.phone);
    html! {
        @if !phone.is_empty() {
            p.phone {
                (locale.text("form.phone")) " "
                // Separators as people write them are no part of the address (RFC 3966 section 3).
                a dir="ltr" href={ "tel:" (field::phone_digits(phone)) } { (phone) }
            }
        }
    }
}

/// The texts in the language that the page around asks for, or the browser prefers among ours, or the site's, as the site
/// says them.
fn chosen_locale<'a>(
    request: &HttpRequest,
    asked: &str,
    site: Option<&'a Site>,
) -> Result<&'a Locale, Failure> {
    let accepted = header(request, ACCEPT_LANGUAGE.as_str()).unwrap_or_default();
    // Browsers list languages in the order of preference (RFC 9110 section 12.5.4 advises weights that fall).
    let tags = accepted.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    let mut wanted = asked.split(',').chain(tags).filter(|tag| !tag.is_empty());
    let locale = wanted
        .find_map(locale::matching)
        .or_else(|| locale::best(site.map(|site| site.locale.as_str())))
        .ok_or_else(|| Failure::new(Kind::Internal, "This build has no texts."))?;
    Ok(site.map_or(locale, |site| site.texts.of(locale)))
}

/// What a refusal is in the words of the language.
fn told(locale: &Locale, failure: &Failure) -> String {
    match failure.status() {
        StatusCode::TOO_MANY_REQUESTS => {
            let wait = failure.header(&RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
            locale.with("problem.busy", &Words::of(locale.name).from_now(wait.unwrap_or(60)))
        }
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            locale.text("problem.service").to_owned()
        }
        StatusCode::NOT_FOUND => locale.text("page.dead").to_owned(),
        _ => locale.text("problem.refused").to_owned(),
    }
}

/// The page of a request that came to nothing, for people: what a program would be told as a problem.
fn of_failure(
    request: &HttpRequest,
    site: Option<&Site>,
    failure: &Failure,
) -> Result<HttpResponse, Failure> {
    let asked = Asked::of(request);
    let locale = chosen_locale(request, &asked.locale, site)?;
    let told = told(locale, failure);
    let title = locale.with("page.error", locale.text("form.title"));
    let body = html! {
        p.alert #title { (told) }
        (phone(locale, site))
    };
    let mut page = Page::new(locale, site, &asked, title, &Panel::of(body));
    page.status = failure.status();
    page.headers = failure.headers().to_vec();
    Ok(page.answer())
}
