//! The hosted pages: the form of a site, for an agent by link (`/a/{token}`) or without one (`/c/{site}`).

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::field::{self, Code};
use ringback_contract::form::Direction;
use ringback_contract::problem::Kind;

use super::extract::header;
use super::problem::Failure;
use super::{Parts, caller};
use crate::agent::AgentLink;
use crate::intake::LinkedAgent;
use crate::locale::{self, Locale};
use crate::site::Site;
use crate::{attributes, entropy};

const PAGE: &str = include_str!("agent_page.html");

/// `GET /c/{site}`.
pub(super) async fn for_site(
    request: HttpRequest,
    parts: web::Data<Parts>,
    site_id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    let unknown = || Failure::new(Kind::SiteUnknown, "Check the site in the address.");
    let site = parts.config.sites.get(site_id.as_str()).ok_or_else(unknown)?;
    let locale = chosen_locale(&request, &site.locale)?;
    let title = text(locale, "form.title").to_owned();
    Page { locale, status: StatusCode::OK, title, notice: None, site: Some((&site_id, site)), token: None }
        .answer()
}

/// `GET /a/{token}`. A link that is not valid says so, and offers the callback without an agent.
pub(super) async fn for_agent(
    request: HttpRequest,
    parts: web::Data<Parts>,
    token: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    let site = offered_site(&parts, &token);
    let locale = chosen_locale(&request, site.map_or("", |(_, site)| &site.locale))?;
    let title = text(locale, "form.title").to_owned();
    let Some((site_id, linked_site)) = site else {
        let notice = Some(text(locale, "page.dead"));
        return Page { locale, status: StatusCode::NOT_FOUND, title, notice, site, token: None }.answer();
    };
    match parts.intake.agent_of_link(site_id, &token) {
        Ok(LinkedAgent { agent: Some(agent), .. }) if !parts.has_left(linked_site, agent) => {
            let title = text(locale, "form.title.agent").replace("{agent}", &agent.name);
            Page { locale, status: StatusCode::OK, title, notice: None, site, token: Some(&token) }.answer()
        }
        refused => {
            let (status, key) = match refused {
                Ok(_) => (StatusCode::GONE, "notice.unavailable"),
                Err(Code::LinkExpired) => (StatusCode::GONE, "notice.expired"),
                Err(_) => (StatusCode::NOT_FOUND, "notice.invalid"),
            };
            Page { locale, status, title, notice: Some(text(locale, key)), site, token: None }.answer()
        }
    }
}

/// The site whose form is shown: the one that the link names, believed or not, since that form is public; else the
/// only one.
fn offered_site<'a>(parts: &'a Parts, token: &str) -> Option<(&'a str, &'a Site)> {
    let sites = &parts.config.sites;
    let named = AgentLink::site_hint(token).and_then(|id| sites.get_key_value(&id));
    let only = || sites.first_key_value().filter(|_| sites.len() == 1);
    named.or_else(only).map(|(id, site)| (id.as_str(), site))
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

/// What a hosted page shows.
struct Page<'a> {
    locale: &'a Locale,
    status: StatusCode,
    title: String,
    notice: Option<&'a str>,
    /// The site whose form it holds.
    site: Option<(&'a str, &'a Site)>,
    /// The link's token, for the form.
    token: Option<&'a str>,
}

impl Page<'_> {
    fn answer(&self) -> Result<HttpResponse, Failure> {
        let nonce = hex::encode(entropy::bytes::<16>()?);
        let direction = match self.locale.direction {
            Direction::Ltr => "ltr",
            Direction::Rtl => "rtl",
        };
        let name = escaped(self.site.map_or("", |(_, site)| &site.name));
        let title = escaped(&self.title);
        let notice = self
            .notice
            .map_or(String::new(), |notice| format!("<p class=\"notice\">{}</p>", escaped(notice)));
        let form = self.form();
        let html = attributes::render(PAGE, |placeholder| {
            Some(match placeholder {
                "lang" => self.locale.name,
                "dir" => direction,
                "nonce" => &nonce,
                "name" => &name,
                "title" => &title,
                "notice" => &notice,
                "form" => &form,
                _ => return None,
            })
        });
        let ancestors = self.site.map_or(String::new(), |(_, site)| site.origins.join(" "));
        let ancestors = if ancestors.is_empty() { "'none'" } else { &ancestors };
        let captcha = self.site.and_then(|(_, site)| site.captcha.as_ref());
        let captcha = captcha.map_or(String::new(), |captcha| format!(" {}", captcha.policy_sources()));
        let frames = if captcha.is_empty() { String::new() } else { format!("frame-src{captcha}; ") };
        let policy = format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{captcha}; style-src 'nonce-{nonce}'; \
             connect-src 'self'{captcha}; {frames}img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
        );
        Ok(HttpResponse::build(self.status)
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, policy))
            // The address may hold a token.
            .insert_header((REFERRER_POLICY, "same-origin"))
            .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
            .insert_header(("X-Robots-Tag", "noindex"))
            .body(html))
    }

    fn form(&self) -> String {
        let Some((id, site)) = self.site else {
            return String::new();
        };
        let agent = self.token.map_or(String::new(), |token| format!(" data-agent=\"{}\"", escaped(token)));
        let phone = match site.phone.as_str() {
            "" => String::new(),
            // Separators as people write them are no part of the address (RFC 3966 section 3).
            phone => format!(" <a href=\"tel:{}\">{}</a>", field::phone_digits(phone), escaped(phone)),
        };
        format!(
            "<ringback-form data-site=\"{}\"{agent} data-locale=\"{}\"></ringback-form>\n\
             <noscript><p class=\"notice\">{}{phone}</p></noscript>\n\
             <script async src=\"/widget.js\"></script>",
            escaped(id),
            self.locale.name,
            escaped(text(self.locale, "page.noscript")),
        )
    }
}

/// Text as it may stand in HTML, in an element or in a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
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
