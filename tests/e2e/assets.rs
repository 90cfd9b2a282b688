//! The widget's files as browsers and proxies see them.

use std::io::Read as _;

use reqwest::Method;
use ringback_contract::problem::Kind;
use ringback_tests::answer::Answer;
use ringback_tests::house::House;

async fn get(house: &House, path: &str, encodings: &str) -> Answer {
    house.send(house.request(Method::GET, path).header("Accept-Encoding", encodings)).await
}

/// Where the loader finds the other files.
async fn folder(house: &House) -> String {
    let loader = get(house, "/widget.js", "identity").await.text();
    let start = loader.find("/widget/").expect("the loader names its folder");
    // Whichever quotes the minifier has chosen.
    loader[start..].split(['"', '\'', '`']).next().unwrap().trim_end_matches('/').to_owned()
}

#[track_caller]
fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.header("content-encoding") {
        "br" => brotli::Decompressor::new(&answer.body[..], 4096).read_to_end(&mut plain).unwrap(),
        "gzip" => flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut plain).unwrap(),
        other => panic!("{other:?}"),
    };
    plain
}

#[tokio::test]
async fn every_file_comes_in_the_smallest_form_that_the_browser_takes() {
    let house = House::open().await;
    let folder = folder(&house).await;
    for (path, media_type) in [
        ("/widget.js".to_owned(), "text/javascript; charset=utf-8"),
        ("/widget/v1.js".to_owned(), "text/javascript; charset=utf-8"),
        ("/widget/ringback.d.ts".to_owned(), "text/plain; charset=utf-8"),
        (format!("{folder}/widget.js"), "text/javascript; charset=utf-8"),
        (format!("{folder}/main.js"), "text/javascript; charset=utf-8"),
        (format!("{folder}/lazy.js"), "text/javascript; charset=utf-8"),
        (format!("{folder}/plain.js"), "text/javascript; charset=utf-8"),
        (format!("{folder}/check.js"), "text/javascript; charset=utf-8"),
        (format!("{folder}/ringback.wasm"), "application/wasm"),
        (format!("{folder}/lazy.wasm"), "application/wasm"),
    ] {
        let plain = get(&house, &path, "identity").await;
        assert_eq!(plain.status.as_u16(), 200, "{path}: {}", plain.text());
        assert_eq!(plain.header("content-encoding"), "");
        let mut tags = std::collections::HashSet::from([plain.header("etag").to_owned()]);
        for (accepted, encoding) in
            [("gzip, deflate, br, zstd", "br"), ("gzip, deflate", "gzip"), ("br;q=0, gzip;q=0.5", "gzip")]
        {
            let packed = get(&house, &path, accepted).await;
            assert_eq!(packed.header("content-encoding"), encoding, "{path} {accepted}");
            assert_eq!(packed.header("content-type"), media_type);
            assert!(packed.header("vary").to_ascii_lowercase().contains("accept-encoding"));
            assert_eq!(packed.header("cross-origin-resource-policy"), "cross-origin");
            assert_eq!(packed.header("access-control-allow-origin"), "*");
            assert_eq!(packed.header("x-content-type-options"), "nosniff");
            assert!(packed.body.len() < plain.body.len(), "{path} {accepted}");
            assert_eq!(unpacked(&packed), plain.body, "{path} {accepted}");
            tags.insert(packed.header("etag").to_owned());
        }
        // Each form is a representation of its own (RFC 9110 section 8.8.3).
        assert_eq!(tags.len(), 3, "{path}");
    }
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    let house = House::open().await;
    let folder = folder(&house).await;
    for path in ["/widget.js".to_owned(), format!("{folder}/ringback.wasm")] {
        let first = get(&house, &path, "br").await;
        let tag = first.header("etag").to_owned();
        for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}")] {
            let request = house.request(Method::GET, &path).header("Accept-Encoding", "br");
            let again = house.send(request.header("If-None-Match", known)).await;
            assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path}");
            assert_eq!(again.header("etag"), tag);
            assert_eq!(again.header("cache-control"), first.header("cache-control"));
        }
        let request = house.request(Method::GET, &path).header("If-None-Match", "\"other\"");
        assert_eq!(house.send(request).await.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn the_loader_is_kept_for_minutes_and_the_rest_for_ever() {
    let house = House::open().await;
    let loader = get(&house, "/widget.js", "br").await;
    let age = loader.header("cache-control").split("max-age=").nth(1).unwrap();
    let seconds: u32 = age.split(',').next().unwrap().parse().unwrap();
    assert!((60..=3600).contains(&seconds), "{seconds}");
    assert!(!loader.header("cache-control").contains("immutable"));
    let folder = folder(&house).await;
    let module = get(&house, &format!("{folder}/ringback.wasm"), "br").await;
    assert!(module.header("cache-control").contains("immutable"));
    assert!(module.header("cache-control").contains("max-age=31536000"));
}

#[tokio::test]
async fn a_version_or_a_file_that_is_not_here_is_not_found() {
    let house = House::open().await;
    let folder = folder(&house).await;
    for path in [
        "/widget/0000000000000000/widget.js".to_owned(),
        "/widget/0000000000000000/other.js".to_owned(),
        "/widget/nonsense/main.js".to_owned(),
        format!("{folder}/other.js"),
        format!("{folder}/..%2f..%2fCargo.toml"),
    ] {
        house.get(&path).await.problem(Kind::NotFound);
    }
}

#[tokio::test]
async fn every_address_of_the_loader_brings_the_same_bytes() {
    let house = House::open().await;
    let folder = folder(&house).await;
    let loader = get(&house, "/widget.js", "br").await;
    let versioned = get(&house, "/widget/v1.js", "br").await;
    assert_eq!((&versioned.body, versioned.header("etag")), (&loader.body, loader.header("etag")));
    assert_eq!(versioned.header("cache-control"), loader.header("cache-control"));
    // Whoever pins its hash has named its content, which may be kept for ever.
    let pinned = get(&house, &format!("{folder}/widget.js"), "br").await;
    assert_eq!(pinned.body, loader.body);
    assert!(pinned.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn a_loader_of_another_version_gets_the_parts_of_this_one_and_keeps_none() {
    let house = House::open().await;
    let folder = folder(&house).await;
    for file in ["main.js", "ringback.wasm", "lazy.js", "lazy.wasm", "plain.js"] {
        let ours = get(&house, &format!("{folder}/{file}"), "br").await;
        let others = get(&house, &format!("/widget/0123456789abcdef/{file}"), "br").await;
        assert_eq!(others.body, ours.body, "{file}");
        assert_eq!(others.header("cache-control"), "no-cache", "{file}");
    }
}

#[tokio::test]
async fn the_loader_costs_a_page_next_to_nothing() {
    let house = House::open().await;
    let loader = get(&house, "/widget.js", "br").await;
    assert!(loader.body.len() <= 2000, "{} bytes", loader.body.len());
}

/// What a browser takes, on the wire: the bar is set for brotli.
const BROWSER: &str = "gzip, deflate, br, zstd";

#[tokio::test]
async fn a_page_pays_little_before_and_when_the_form_opens_and_is_sent_in_every_language() {
    let house = House::open().await;
    let folder = folder(&house).await;
    let loader = get(&house, "/widget.js", BROWSER).await;
    assert!(loader.body.len() <= 2_000, "{} bytes", loader.body.len());
    let code = async |files: [&str; 2]| {
        let mut code = 0;
        for file in files {
            code += get(&house, &format!("{folder}/{file}"), BROWSER).await.body.len();
        }
        code
    };
    let (opens, follows) = (code(["main.js", "ringback.wasm"]).await, code(["lazy.js", "lazy.wasm"]).await);
    for locale in ringback::locale::names() {
        let described = async |what: &str, start: &[u8]| {
            let answer = get(&house, &format!("/v1/sites/acme/{what}?locale={locale}"), BROWSER).await;
            assert_eq!(answer.header("content-encoding"), "br", "{locale}");
            assert!(unpacked(&answer).starts_with(start), "{locale}");
            answer.body.len()
        };
        let form = described("form", b"{\"site\":\"acme\"").await;
        assert!(opens + form <= 40_000, "{locale}: {} bytes, {form} of them the description", opens + form);
        let texts = described("texts", b"{\"locale\":").await;
        assert!(follows + texts <= 30_000, "{locale}: {} bytes, {texts} of them texts", follows + texts);
    }
}
