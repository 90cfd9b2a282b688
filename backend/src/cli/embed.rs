//! `ringback embed`.

use anyhow::Context as _;
use clap::Args;
use ringback_contract::color::Color;

use super::link::public_url;
use super::{ConfigFile, print};
use crate::http::pinned_loader;

/// Print what a page needs to show the form.
#[derive(Debug, Args)]
pub(super) struct Embed {
    #[command(flatten)]
    config: ConfigFile,
    /// The site whose form it is.
    #[arg(long)]
    site: String,
    /// The service's public address, where it is not in the configuration.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
}

impl Embed {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let site = config.sites.get(&self.site).with_context(|| {
            format!("there is no site {:?}\n  hint: name one that has a [sites.…] section", self.site)
        })?;
        let service = self.base_url.map_or_else(|| public_url(&config), Ok)?;
        let pinned = pinned_loader().context(
            "this build has no widget\n  hint: run `cargo xtask widget`, then build the service again",
        )?;
        let page = page(service.trim_end_matches('/'), &self.site, &site.origins, &pinned);
        let colored = Color::parse(&site.theme.color).map(|color| colors(&self.site, color));
        print(&(page + &colored.unwrap_or_default()))
    }
}

/// Everything as one piece of HTML, so that pasting all of it does no harm. `pinned` is the path of the loader that never
/// changes, and what its content is to be.
fn page(service: &str, site: &str, origins: &[String], (path, integrity): &(String, String)) -> String {
    let listed = if origins.is_empty() {
        format!("none yet; list them in [sites.{site}] as `origins`")
    } else {
        origins.join(" ")
    };
    format!(
        "<!-- The form of {site:?}, for pages of: {listed} -->
<script async crossorigin src=\"{service}/widget/v1.js\" data-site=\"{site}\"></script>

<!-- Or pinned to this version of the loader, which the browser checks. With each update of the service its address ends: \
         print this anew then.
<script async crossorigin src=\"{service}{path}\" integrity=\"{integrity}\" data-site=\"{site}\"></script>
-->

<!-- What a Content-Security-Policy needs, with a nonce on the script tag:
script-src 'nonce-…' 'strict-dynamic' 'wasm-unsafe-eval'; connect-src {service}; frame-src {service}

Or with a list of hosts:
script-src {service} 'wasm-unsafe-eval'; connect-src {service}; frame-src {service}
-->"
    )
}

/// What gives the button its site's colours before anything of the site is fetched: the loader is the same for all sites.
fn colors(site: &str, color: Color) -> String {
    format!(
        "

<!-- For the button to have the site's colours from the first paint, in a style sheet of the page:
ringback-launcher[data-site=\"{site}\"] {{ --ringback-color: {color}; --ringback-on-color: {} }}
-->",
        color.text_on()
    )
}

#[cfg(test)]
mod tests {
    use ringback_contract::color::Color;

    use super::{colors, page};

    #[test]
    fn what_is_printed_is_one_script_tag_and_comments() {
        let pinned = ("/widget/0123456789abcdef/widget.js".to_owned(), "sha384-AAAA".to_owned());
        let text = page("https://callback.example.com", "acme", &[], &pinned) + &colors("acme", Color::WHITE);
        let mut outside = String::new();
        for part in text.split("<!--") {
            outside += part.split_once("-->").map_or(part, |(comment, rest)| {
                assert!(!comment.contains("<!--"), "{comment}");
                rest
            });
        }
        let tag = "<script async crossorigin src=\"https://callback.example.com/widget/v1.js\" data-site=\"acme\"></script>";
        assert_eq!(outside.trim(), tag);
        assert!(text.contains("none yet"), "{text}");
    }
}
