//! The sections `limits` and `proof`.

use ringback_contract::proof::BITS_MAX;
use secrecy::ExposeSecret as _;
use url::Url;

use super::Findings;
use crate::config::Config;
use crate::rates::{Rate, Rates};
use crate::site::Captcha;

pub(super) fn check(config: &Config, found: &mut Findings) {
    let limits = &config.limits;
    let redis_url = limits.redis_url.expose_secret();
    found.require(
        redis_url.is_empty() || redis::Client::open(redis_url).is_ok(),
        "limits.redis_url",
        "it is not the address of a server with Redis' protocol",
        "write it as redis://:password@host:6379/0, with rediss:// for TLS, or leave it empty",
    );
    for (key, limit) in [
        ("address", &limits.address),
        ("number", &limits.number),
        ("site", &limits.site),
        ("link", &limits.link),
        ("key", &limits.key),
        ("waited", &limits.waited),
        ("waited_site", &limits.waited_site),
        ("reads", &limits.reads),
        ("changes", &limits.changes),
        ("guesses", &limits.guesses),
    ] {
        rates(&format!("limits.{key}"), limit, found);
    }
    for (site, limit) in config.sites.iter().filter_map(|(id, site)| Some((id, site.limit.as_ref()?))) {
        rates(&format!("sites.{site}.limit"), limit, found);
    }
    found.require(
        limits.followers_per_address > 0,
        "limits.followers_per_address",
        "nobody could follow a callback",
        "give at least 1, such as 100",
    );
    found.require(
        limits.typing_ms <= 10_000,
        "limits.typing_ms",
        format!("people whose browser fills the form in would wait for {} ms", limits.typing_ms),
        "use 1000, or 10000 at most",
    );
    found.require(
        (1024..=1_048_576).contains(&limits.body_bytes),
        "limits.body_bytes",
        format!("{} is not between 1024 and 1048576", limits.body_bytes),
        "16384 holds the largest request that the rules allow",
    );
}

pub(super) fn proof(config: &Config, found: &mut Findings) {
    let proof = &config.proof;
    found.require(
        proof.most_bits <= BITS_MAX,
        "proof.most_bits",
        format!("{} bits keep a slow phone busy for minutes", proof.most_bits),
        format!("use {BITS_MAX} at most, or 0 to ask for no proof"),
    );
    found.require(
        proof.most_bits == 0 || (1..=proof.most_bits).contains(&proof.least_bits),
        "proof.least_bits",
        format!("{} is not between 1 and proof.most_bits", proof.least_bits),
        "use 14, or less than the most",
    );
    found.require(
        (60..=86_400).contains(&proof.lifetime_s),
        "proof.lifetime_s",
        format!("{} is not between 60 and 86400", proof.lifetime_s),
        "a form is open for minutes: 900 are usual",
    );
    found.require(
        proof.wait_s <= 120,
        "proof.wait_s",
        format!("nobody waits {} seconds to be allowed to ask", proof.wait_s),
        "use 15, or 120 at most",
    );
}

pub(super) fn captcha(key: &str, captcha: &Captcha, found: &mut Findings) {
    found.require(
        !captcha.site_key.is_empty(),
        format!("{key}.site_key"),
        "the provider would not know the site",
        "copy it from the provider's console",
    );
    found.require(
        !captcha.secret.expose_secret().is_empty(),
        format!("{key}.secret"),
        "tokens could not be judged",
        "copy it from the provider's console, or name a file in `secret_file`",
    );
    for (name, url) in [("verify_url", captcha.verify_url()), ("script_url", captcha.script_url())] {
        let is_address = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        let problem = format!("{url:?} is no address");
        found.require(is_address, format!("{key}.{name}"), problem, "leave it out for the provider's own");
    }
}

fn rates(key: &str, rates: &Rates, found: &mut Findings) {
    let lets_through = |rate: &Rate| rate.requests > 0 && rate.per_s > 0;
    found.require(
        !rates.as_slice().is_empty() && rates.as_slice().iter().all(lets_through),
        key,
        "a limit of 0 lets nothing through, and a list of none limits nothing",
        "give both as at least 1, such as { requests = 20, per_s = 600 }, or a list of these",
    );
}
