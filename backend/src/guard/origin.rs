//! Which pages may use a site's form.

use url::Url;

use crate::site::Site;

/// Where a request says that it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The header `Origin`.
    pub origin: Option<&'a str>,
    /// The header `Sec-Fetch-Site`, which a page cannot set.
    pub fetch_site: Option<&'a str>,
}

/// The request comes from a page that may not use the form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginRefused {
    /// The page's origin is not on the list.
    #[error("the origin {0} is not on the site's list; the operator adds it to `origins` of the site")]
    NotListed(String),
    /// The request names no origin. Browsers name one with every post.
    #[error("the request has no Origin header; a server uses POST /v1/callbacks with an API key")]
    Missing,
}

/// Judges a request that changes something: it must name a listed origin. `own` is the service's own, whose hosted
/// pages hold the form too.
pub fn check_post(site: &Site, own: &str, sender: Sender<'_>) -> Result<(), OriginRefused> {
    match sender.origin {
        Some(origin) => check_listed(site, own, origin),
        None => Err(OriginRefused::Missing),
    }
}

/// Judges a form that a page of our own posts: browsers name its origin, which is ours. A page of ours in a frame that is shut off
/// (`sandbox`) has none.
pub fn check_own(own: &str, sender: Sender<'_>) -> Result<(), OriginRefused> {
    match sender.origin {
        Some(origin) if origin == own => Ok(()),
        Some(origin) => Err(OriginRefused::NotListed(shown(origin))),
        None => Err(OriginRefused::Missing),
    }
}

/// Judges a form that only who knows a secret address can post: no page of others may send it, and ours need not say who they are.
pub fn check_known(own: &str, sender: Sender<'_>) -> Result<(), OriginRefused> {
    match (sender.origin, sender.fetch_site) {
        (_, Some("cross-site" | "same-site")) => Err(OriginRefused::Missing),
        (None | Some("null"), _) => Ok(()),
        _ => check_own(own, sender),
    }
}

/// Judges a request that only reads: browsers leave the origin out where a page reads from its own.
pub fn check_read(site: &Site, own: &str, sender: Sender<'_>) -> Result<(), OriginRefused> {
    match sender.origin {
        Some(origin) => check_listed(site, own, origin),
        None if matches!(sender.fetch_site, Some("cross-site" | "same-site")) => Err(OriginRefused::Missing),
        None => Ok(()),
    }
}

fn check_listed(site: &Site, own: &str, origin: &str) -> Result<(), OriginRefused> {
    if is_listed(site, own, origin) { Ok(()) } else { Err(OriginRefused::NotListed(shown(origin))) }
}

/// Whether the origin may use the site's form.
pub fn is_listed(site: &Site, own: &str, origin: &str) -> bool {
    origin == own || site.origins.iter().any(|listed| covers(listed, origin))
}

/// The address of a page without what may hold personal data, where the page is one of the site's or our own; empty otherwise. Agents
/// see it, and a program could post the address of any page.
pub fn own_page<'a>(site: &Site, own: &str, page: &'a str) -> &'a str {
    let is_own = Url::parse(page).is_ok_and(|url| is_listed(site, own, &url.origin().ascii_serialization()));
    if is_own { page.split(['?', '#']).next().unwrap_or(page) } else { "" }
}

/// Whether what is listed is the origin, or stands for it: `https://*.example.com` is every name below example.com, at any
/// depth, and not example.com itself (as in a Content-Security-Policy: CSP level 3, section 6.7.2.8).
fn covers(listed: &str, origin: &str) -> bool {
    let Some((scheme, rest)) = listed.split_once("://*.") else {
        return listed == origin;
    };
    let below = origin.strip_prefix(scheme).and_then(|origin| origin.strip_prefix("://"));
    let below = below.and_then(|host| host.strip_suffix(rest)).and_then(|host| host.strip_suffix('.'));
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    below.is_some_and(|below| below.split('.').all(is_label))
}

/// What of a header may be told back and logged: a short run of the characters that origins have.
fn shown(origin: &str) -> String {
    origin
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || "-.:/[]".contains(*character))
        .take(120)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://callback.example.com";

    fn site() -> Site {
        toml::from_str(
            "name = 'Acme'\nentry_point = 'x'\norigins = ['https://www.acme.example', 'http://localhost:8080']",
        )
        .unwrap()
    }

    fn from(origin: &str) -> Sender<'_> {
        Sender { origin: Some(origin), fetch_site: Some("cross-site") }
    }

    #[test]
    fn listed_pages_and_our_own_may_post() {
        for good in ["https://www.acme.example", "http://localhost:8080", OWN] {
            assert_eq!(check_post(&site(), OWN, from(good)), Ok(()), "{good}");
        }
        for bad in [
            "https://acme.example",
            "http://www.acme.example",
            "https://www.acme.example:444",
            "https://www.acme.example.evil.example",
            "null",
            "",
        ] {
            assert!(check_post(&site(), OWN, from(bad)).is_err(), "{bad}");
            assert!(check_read(&site(), OWN, from(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_of_ours_posts_for_itself_alone() {
        let named = |origin, fetch_site| Sender { origin, fetch_site };
        assert_eq!(check_own(OWN, named(Some(OWN), Some("same-origin"))), Ok(()));
        for bad in [Some("https://www.acme.example"), Some("null"), None] {
            assert!(check_own(OWN, named(bad, None)).is_err(), "{bad:?}");
        }
        for good in [(Some(OWN), None), (Some("null"), Some("same-origin")), (None, None)] {
            assert_eq!(check_known(OWN, named(good.0, good.1)), Ok(()), "{good:?}");
        }
        for bad in [
            (Some("https://www.acme.example"), None),
            (Some("null"), Some("cross-site")),
            (None, Some("same-site")),
        ] {
            assert!(check_known(OWN, named(bad.0, bad.1)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_star_stands_for_every_name_below_and_for_nothing_else() {
        let listed = "https://*.acme.example:8443";
        for good in ["https://www.acme.example:8443", "https://a.b-c.acme.example:8443"] {
            assert!(covers(listed, good), "{good}");
        }
        for bad in [
            "https://acme.example:8443",
            "https://.acme.example:8443",
            "https://a..acme.example:8443",
            "https://evilacme.example:8443",
            "https://www.acme.example",
            "http://www.acme.example:8443",
            "https://evil.example:8443/.acme.example:8443",
            "https://evil.example:443.acme.example:8443",
            "https://user@www.acme.example:8443",
            "null",
            "",
        ] {
            assert!(!covers(listed, bad), "{bad}");
        }
    }

    #[test]
    fn only_a_read_from_the_same_origin_may_name_none() {
        let none = |fetch_site| Sender { origin: None, fetch_site };
        assert_eq!(check_post(&site(), OWN, none(Some("same-origin"))), Err(OriginRefused::Missing));
        assert_eq!(check_read(&site(), OWN, none(Some("same-origin"))), Ok(()));
        assert_eq!(check_read(&site(), OWN, none(None)), Ok(()));
        assert_eq!(check_read(&site(), OWN, none(Some("cross-site"))), Err(OriginRefused::Missing));
    }

    #[test]
    fn a_page_is_kept_without_its_query_where_it_is_of_the_site() {
        for (page, kept) in [
            ("https://www.acme.example/tents?visitor=ann#top", "https://www.acme.example/tents"),
            ("https://WWW.acme.example:443/", "https://WWW.acme.example:443/"),
            ("https://callback.example.com/c/acme", "https://callback.example.com/c/acme"),
            ("https://evil.example/www.acme.example", ""),
            ("https://www.acme.example@evil.example/", ""),
            ("https://www.acme.example.evil.example/", ""),
            ("http://www.acme.example/", ""),
            ("javascript:alert(1)//https://www.acme.example", ""),
            ("", ""),
        ] {
            assert_eq!(own_page(&site(), OWN, page), kept, "{page}");
        }
    }

    #[test]
    fn what_is_told_back_is_harmless() {
        let refused = check_post(&site(), OWN, from("<script>\r\nx")).unwrap_err();
        assert_eq!(refused, OriginRefused::NotListed("scriptx".to_owned()));
    }
}
