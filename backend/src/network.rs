//! How requests leave the service, and which addresses are public. A server that sends requests to where it is told must
//! not reach what lies behind it: itself, its neighbours, the metadata service of its cloud.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

/// The blocks of IPv4 that are not globally reachable, or not one machine (IANA, "IPv4 Special-Purpose Address Registry",
/// and RFC 5771 for multicast).
const SPECIAL_V4: [&str; 15] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// What is given out to the public of IPv6 (IANA, "IPv6 Global Unicast Address Assignments"). Everything outside is local,
/// multicast, or a translation that may lead anywhere.
const UNICAST_V6: &str = "2000::/3";

/// Chooses what TLS connections of this process reckon with.
pub fn choose_cryptography() {
    // Another part of the process may have chosen already; that one serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What every HTTP client of the service begins with: no redirect is followed, since it leads to where nobody has looked,
/// and no request is repeated unseen.
pub fn http_client() -> reqwest::ClientBuilder {
    choose_cryptography();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .user_agent(concat!("ringback/", env!("CARGO_PKG_VERSION")))
}

/// The blocks within that are not globally reachable (IANA, "IPv6 Special-Purpose Address Registry"): protocol assignments
/// with Teredo, documentation, 6to4, documentation.
const SPECIAL_V6: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

/// Whether anybody on the internet could reach the address as well.
pub fn is_public(address: IpAddr) -> bool {
    // An IPv4 address in the clothes of IPv6 is what it is.
    let address = address.to_canonical();
    match address {
        IpAddr::V4(_) => !is_in(&SPECIAL_V4, address),
        IpAddr::V6(_) => is_in(&[UNICAST_V6], address) && !is_in(&SPECIAL_V6, address),
    }
}

fn is_in(blocks: &[&str], address: IpAddr) -> bool {
    // A block that could not be read would hold everything: what is not understood is not public.
    blocks.iter().any(|block| block.parse::<IpNet>().map_or(true, |block| block.contains(&address)))
}

/// Whether the address is in one of these networks.
pub fn is_allowed(address: IpAddr, allowed: &[IpNet]) -> bool {
    let address = address.to_canonical();
    allowed.iter().any(|network| network.contains(&address))
}

/// The address that stands in the URL itself, where it is one that requests must not go to. Names are judged when they
/// are resolved.
pub fn refused_literal(url: &Url, allowed: &[IpNet]) -> Option<IpAddr> {
    let address = match url.host()? {
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
        Host::Domain(_) => return None,
    };
    let may_be_reached = is_allowed(address, allowed) || (url.scheme() == "https" && is_public(address));
    (!may_be_reached).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_is_known_in_every_spelling() {
        for hidden in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
        ] {
            assert!(!is_public(hidden.parse().unwrap()), "{hidden}");
        }
        for public in [
            "1.1.1.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.169.0.1",
            "2606:4700::1",
            "2a00::1",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_address_in_a_url_is_judged_however_it_is_written() {
        let refused =
            |url: &str, allowed: &[IpNet]| refused_literal(&Url::parse(url).unwrap(), allowed).is_some();
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://①②⑦.0.0.1/",
            "http://1.1.1.1/",
        ] {
            assert!(refused(url, &[]), "{url}");
        }
        assert!(!refused("https://1.1.1.1/", &[]));
        let allowed = ["127.0.0.0/8".parse().unwrap()];
        assert!(!refused("http://127.0.0.1:8080/", &allowed));
        assert!(!refused("https://[::ffff:127.0.0.1]/", &allowed));
        assert!(refused("https://10.0.0.1/", &allowed));
    }
}
