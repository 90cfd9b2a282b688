//! The styles and the script of the pages. `build.rs` makes the styles of those of the form and what pages have beside.

use actix_web::{HttpRequest, HttpResponse, web};
use ringback_contract::problem::Kind;

use super::super::assets::{Embedded, PART_KEPT, answer};
use super::super::problem::Failure;

mod embedded {
    use super::Embedded;

    include!(concat!(env!("OUT_DIR"), "/pages.rs"));
}

/// The address of one of the files.
pub(super) fn address(name: &str) -> String {
    format!("/plain/{}/{name}", embedded::HASH)
}

/// `GET /plain/{hash}/{file}`.
pub(crate) async fn file(
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Failure> {
    let (hash, name) = path.into_inner();
    let file = embedded::FILES.iter().find(|file| file.name == name && hash == embedded::HASH);
    let file = file
        .ok_or_else(|| Failure::new(Kind::NotFound, "This version has no such file; load the page again."))?;
    Ok(answer(&request, file, PART_KEPT, embedded::HASH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_styles_of_the_form_are_those_of_a_page() {
        let styles = embedded::FILES.iter().find(|file| file.name == "plain.css").unwrap();
        let styles = std::str::from_utf8(styles.plain).unwrap();
        // What is the host of a shadow root there is the root of the page here.
        assert!(!styles.contains(":host"), "{styles}");
        assert!(styles.contains(":root:not([data-theme=\"light\"]) .frame{"), "{styles}");
        assert_eq!(styles.matches('{').count(), styles.matches('}').count());
    }
}
