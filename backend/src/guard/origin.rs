//! Which pages may use a site's form.

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
    origin == own || site.origins.iter().any(|listed| listed == origin)
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
    fn only_a_read_from_the_same_origin_may_name_none() {
        let none = |fetch_site| Sender { origin: None, fetch_site };
        assert_eq!(check_post(&site(), OWN, none(Some("same-origin"))), Err(OriginRefused::Missing));
        assert_eq!(check_read(&site(), OWN, none(Some("same-origin"))), Ok(()));
        assert_eq!(check_read(&site(), OWN, none(None)), Ok(()));
        assert_eq!(check_read(&site(), OWN, none(Some("cross-site"))), Err(OriginRefused::Missing));
    }

    #[test]
    fn what_is_told_back_is_harmless() {
        let refused = check_post(&site(), OWN, from("<script>\r\nx")).unwrap_err();
        assert_eq!(refused, OriginRefused::NotListed("scriptx".to_owned()));
    }
}
