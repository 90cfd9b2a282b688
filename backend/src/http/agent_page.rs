//! The hosted pages: the form of a site, for an agent by link (`/a/{token}`) or without one (`/c/{site}`).

use actix_web::http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::form::Direction;
use ringback_contract::problem::Kind;

use super::extract::header;
use super::problem::Failure;
use super::{Parts, caller};
use crate::agent::{AgentLink, LinkRefused};
use crate::locale::{self, Locale};
use crate::site::Site;
use crate::{attributes, entropy};

const PAGE: &str = include_str!("agent_page.html");
const DEAD_LINK_PAGE: &str = include_str!("dead_link.html");

/// `GET /c/{site}`.
pub(super) async fn for_site(
    request: HttpRequest,
    parts: web::Data<Parts>,
    site_id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit)?;
    let unknown = || Failure::new(Kind::SiteUnknown, "Check the site in the address.");
    let site = parts.config.sites.get(site_id.as_str()).ok_or_else(unknown)?;
    page(&request, &site_id, site, None)
}

/// `GET /a/{token}`. The token goes on to the form, which says what it is worth: the page shows the same whether the
/// agent is known or not, and a visitor with a dead link still gets a callback.
pub(super) async fn for_agent(
    request: HttpRequest,
    parts: web::Data<Parts>,
    token: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit)?;
    let site_id = match parts.intake.read_link(&token) {
        Ok(AgentLink { site, .. }) | Err(LinkRefused::Expired { site }) => Some(site),
        Err(LinkRefused::Invalid) => None,
    };
    match site_id.as_ref().and_then(|id| Some((id, parts.config.sites.get(id)?))) {
        Some((site_id, site)) => page(&request, site_id, site, Some(&token)),
        None => dead_link(&request, &parts),
    }
}

/// The page with the form.
fn page(
    request: &HttpRequest,
    site_id: &str,
    site: &Site,
    token: Option<&str>,
) -> Result<HttpResponse, Failure> {
    let locale = chosen_locale(request, &site.locale)?;
    let agent = token.map_or(String::new(), |token| format!(" data-agent=\"{}\"", escaped(token)));
    let phone = match site.phone.as_str() {
        "" => String::new(),
        phone => format!(" <a href=\"tel:{0}\">{0}</a>", escaped(phone)),
    };
    answer(
        PAGE,
        HttpResponse::Ok(),
        locale,
        &[
            ("site", &escaped(site_id)),
            ("name", &escaped(&site.name)),
            ("title", &escaped(text(locale, "form.title"))),
            ("agent", &agent),
            ("noscript", &escaped(text(locale, "page.noscript"))),
            ("phone", &phone),
        ],
    )
}

/// A link that names no site of ours: where there is but one, its form is offered.
fn dead_link(request: &HttpRequest, parts: &Parts) -> Result<HttpResponse, Failure> {
    let mut sites = parts.config.sites.iter();
    let only = sites.next().filter(|_| sites.next().is_none());
    let locale = chosen_locale(request, only.map_or("", |(_, site)| &site.locale))?;
    let offer = only.map_or(String::new(), |(id, site)| {
        let label = text(locale, "page.offer").replace("{site}", &site.name);
        format!("<p><a class=\"button\" href=\"/c/{}\">{}</a></p>", escaped(id), escaped(&label))
    });
    answer(
        DEAD_LINK_PAGE,
        HttpResponse::NotFound(),
        locale,
        &[
            ("title", &escaped(text(locale, "page.dead.title"))),
            ("detail", &escaped(text(locale, "page.dead.detail"))),
            ("offer", &offer),
        ],
    )
}

/// The language that the browser prefers among ours, or the site's.
fn chosen_locale(request: &HttpRequest, of_site: &str) -> Result<&'static Locale, Failure> {
    let accepted = header(request, ACCEPT_LANGUAGE.as_str()).unwrap_or_default();
    // Browsers list languages in the order of preference (RFC 9110 section 12.5.4 advises weights that fall).
    let tags = accepted.split(',').map(|part| part.split(';').next().unwrap_or_default().trim());
    let preferred = tags.filter(|tag| !tag.is_empty()).find_map(locale::matching);
    preferred
        .or_else(|| locale::best([of_site]))
        .ok_or_else(|| Failure::new(Kind::Internal, "This build has no texts."))
}

fn text<'a>(locale: &'a Locale, key: &str) -> &'a str {
    locale.texts.get(key).map_or("", String::as_str)
}

fn answer(
    template: &str,
    mut response: actix_web::HttpResponseBuilder,
    locale: &Locale,
    values: &[(&str, &str)],
) -> Result<HttpResponse, Failure> {
    let nonce = hex::encode(entropy::bytes::<16>()?);
    let direction = match locale.direction {
        Direction::Ltr => "ltr",
        Direction::Rtl => "rtl",
    };
    let general = [("lang", locale.name), ("dir", direction), ("nonce", nonce.as_str())];
    let html = attributes::render(template, |name| {
        general.iter().chain(values).find(|(known, _)| *known == name).map(|(_, value)| *value)
    });
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    Ok(response
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        // The address holds a token.
        .insert_header((REFERRER_POLICY, "same-origin"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .body(html))
}

/// Text as it may stand in HTML, in an element or in a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escaped("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
    }
}
