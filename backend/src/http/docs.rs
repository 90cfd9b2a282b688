//! `GET /docs`: the API as a page to read and to try things on, drawn by Swagger UI from our own files.

use std::io::Read as _;

use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY,
};
use actix_web::{HttpRequest, HttpResponse, web};
use flate2::read::GzDecoder;
use ringback_contract::problem::Kind;

use super::assets::accepts;
use super::extract::header;
use super::problem::Failure;

const PAGE: &str = include_str!("docs.html");

/// Everything is ours and stands in files; nothing is sent anywhere but here. The pictures of the styles are `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How long the files may be kept: they change with the version of the service, and their addresses do not.
const KEPT: &str = "public, max-age=3600";

/// Name, media type and gzip of each file. Swagger UI is under the Apache licence, which goes with it.
const FILES: [(&str, &str, &[u8]); 4] = [
    (
        "swagger-ui-bundle.js",
        "text/javascript; charset=utf-8",
        include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz")),
    ),
    (
        "swagger-ui.css",
        "text/css; charset=utf-8",
        include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz")),
    ),
    ("LICENSE", "text/plain; charset=utf-8", include_bytes!(concat!(env!("OUT_DIR"), "/LICENSE.gz"))),
    ("NOTICE", "text/plain; charset=utf-8", include_bytes!(concat!(env!("OUT_DIR"), "/NOTICE.gz"))),
];

/// Starts Swagger UI on the page.
const START: &str = include_str!("docs.js");

/// `GET /docs`.
pub(super) async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CACHE_CONTROL, KEPT))
        .body(PAGE)
}

/// `GET /docs/{file}`.
pub(super) async fn file(request: HttpRequest, name: web::Path<String>) -> Result<HttpResponse, Failure> {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CACHE_CONTROL, KEPT)).insert_header((VARY, ACCEPT_ENCODING.as_str()));
    if name.as_str() == "docs.js" {
        return Ok(answer.content_type("text/javascript; charset=utf-8").body(START));
    }
    let known = FILES.iter().find(|(known, ..)| *known == name.as_str());
    let (_, media_type, packed) =
        known.ok_or_else(|| Failure::new(Kind::NotFound, "The page at /docs has no such file."))?;
    answer.content_type(*media_type);
    if accepts(header(&request, ACCEPT_ENCODING.as_str()).unwrap_or_default(), "gzip") {
        return Ok(answer.insert_header((CONTENT_ENCODING, "gzip")).body(*packed));
    }
    let mut plain = Vec::new();
    GzDecoder::new(*packed).read_to_end(&mut plain).map_err(|error| Failure::internal(&error))?;
    Ok(answer.body(plain))
}
