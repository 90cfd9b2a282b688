//! The widget's files, built in with their compressed forms.

use std::sync::LazyLock;

use actix_web::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringback_contract::problem::Kind;
use sha2::{Digest as _, Sha256, Sha384};

use super::extract::header;
use super::problem::Failure;

mod embedded {
    use super::Embedded;

    include!(concat!(env!("OUT_DIR"), "/widget.rs"));
}

/// A file and its compressed forms.
pub(super) struct Embedded {
    pub(super) name: &'static str,
    pub(super) media_type: &'static str,
    pub(super) plain: &'static [u8],
    pub(super) brotli: &'static [u8],
    pub(super) gzip: &'static [u8],
}

const LOADER: &str = "widget.js";
const TYPES: &str = "ringback.d.ts";

/// Pages ask for the loader at each view; a new version reaches them within five minutes.
const LOADER_KEPT: &str = "public, max-age=300, stale-while-revalidate=86400";
/// The other files have their content's hash in the address (RFC 8246).
pub(super) const PART_KEPT: &str = "public, max-age=31536000, immutable";

/// A file that this version has under the address of another one: whoever looks again gets what is there then.
const OTHERS_KEPT: &str = "no-cache";

/// A hash of the loader, which names the hash of all the others.
static LOADER_DIGEST: LazyLock<String> = LazyLock::new(|| {
    find(LOADER).map_or(String::new(), |file| hex::encode(&Sha256::digest(file.plain)[..8]))
});

fn find(name: &str) -> Option<&'static Embedded> {
    embedded::FILES.iter().find(|file| file.name == name)
}

/// Whether the widget was built into this binary.
pub fn is_built() -> bool {
    !embedded::FILES.is_empty()
}

/// The address that never brings another loader than today's, and what its content is to be (Subresource Integrity);
/// `None` where the widget was not built.
pub fn pinned_loader() -> Option<(String, String)> {
    let digest = Sha384::digest(find(LOADER)?.plain);
    let integrity = format!("sha384-{}", STANDARD.encode(digest));
    Some((format!("/widget/{}/{LOADER}", embedded::HASH), integrity))
}

/// `GET /widget.js` and `GET /widget/v1.js`: the loader.
pub(super) async fn loader(request: HttpRequest) -> Result<HttpResponse, Failure> {
    let file = built(LOADER)?;
    Ok(answer(&request, file, LOADER_KEPT, &LOADER_DIGEST))
}

/// `GET /widget/ringback.d.ts`: what TypeScript needs to know.
pub(super) async fn types(request: HttpRequest) -> Result<HttpResponse, Failure> {
    Ok(answer(&request, built(TYPES)?, LOADER_KEPT, embedded::HASH))
}

fn built(name: &str) -> Result<&'static Embedded, Failure> {
    find(name).ok_or_else(|| {
        Failure::new(Kind::WidgetNotBuilt, "Run `cargo xtask widget`, then build the service again.")
    })
}

/// `GET /widget/{hash}/{file}`: the form.
///
/// A loader in a browser's cache may be of another version than this process, before an update and after it. It gets the parts of
/// this one, which fit each other and any loader of `v1`; only a loader itself, which pages pin by its hash, must be the one.
pub(super) async fn part(
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (hash, name) = path.into_inner();
    let is_ours = hash == embedded::HASH;
    let is_hash = hash.len() == embedded::HASH.len() && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let file = find(&name).filter(|file| is_ours || is_hash && file.name != LOADER);
    let file = file.ok_or_else(|| {
        Failure::new(Kind::NotFound, "This version has no such file; load /widget.js again.")
    })?;
    Ok(answer(&request, file, if is_ours { PART_KEPT } else { OTHERS_KEPT }, embedded::HASH))
}

/// Answers with a file, compressed as well as the browser takes it.
pub(super) fn answer(
    request: &HttpRequest,
    file: &'static Embedded,
    kept: &'static str,
    digest: &str,
) -> HttpResponse {
    let (encoding, body) = match best_encoding(header(request, ACCEPT_ENCODING.as_str()).unwrap_or_default())
    {
        Some("br") => (Some("br"), file.brotli),
        Some("gzip") => (Some("gzip"), file.gzip),
        _ => (None, file.plain),
    };
    // Each encoding is a representation of its own (RFC 9110 section 8.8.3).
    let tag = format!("\"{digest}{}\"", encoding.map_or(String::new(), |encoding| format!("-{encoding}")));
    let known = header(request, IF_NONE_MATCH.as_str()).is_some_and(|tags| {
        tags.split(',').any(|known| known.trim().trim_start_matches("W/") == tag || known.trim() == "*")
    });
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, kept))
        .insert_header((VARY, "Accept-Encoding"))
        // The files hold nothing about anybody, and pages of any origin load them.
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header(("Cross-Origin-Resource-Policy", "cross-origin"));
    if known {
        return response.finish();
    }
    if let Some(encoding) = encoding {
        response.insert_header((CONTENT_ENCODING, encoding));
    }
    response.content_type(file.media_type).body(body)
}

/// The smallest of our encodings that the header allows.
fn best_encoding(accepted: &str) -> Option<&'static str> {
    ["br", "gzip"].into_iter().find(|encoding| accepts(accepted, encoding))
}

/// Whether the header allows the encoding (RFC 9110 section 12.5.3).
pub(super) fn accepts(accepted: &str, wanted: &str) -> bool {
    let mut any = None;
    for part in accepted.split(',') {
        let (name, parameters) = part.trim().split_once(';').unwrap_or((part.trim(), ""));
        let quality = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.parse::<f32>().ok());
        match name.trim() {
            name if name.eq_ignore_ascii_case(wanted) => return quality.is_some_and(|quality| quality > 0.0),
            "*" => any = quality,
            _ => {}
        }
    }
    any.is_some_and(|quality| quality > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_encoding_that_is_accepted_is_taken() {
        assert_eq!(best_encoding("gzip, deflate, br, zstd"), Some("br"));
        assert_eq!(best_encoding("gzip;q=1.0, br;q=0"), Some("gzip"));
        assert_eq!(best_encoding("*"), Some("br"));
        assert_eq!(best_encoding("br;q=0, *;q=0.1"), Some("gzip"));
        assert_eq!(best_encoding("identity"), None);
        assert_eq!(best_encoding(""), None);
    }
}
