//! Reads what a request carries: its JSON body within size and time, its key, its caller's address.

use std::net::IpAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ORIGIN};
use actix_web::{HttpRequest, web};
use futures_util::{StreamExt as _, poll};
use ipnet::IpNet;
use ringback_contract::field::Code;
use ringback_contract::problem::{FieldError, Kind};
use ringback_contract::request::{IDEMPOTENCY_KEY, object};
use serde::de::DeserializeOwned;
use serde_path_to_error::Path;

use super::problem::Failure;
use crate::config::Limits;
use crate::expected;
use crate::guard::origin::Sender;

/// Longest idempotency key, in characters.
const IDEMPOTENCY_KEY_MAX: usize = 128;

/// Reads the body as JSON of that type.
pub(super) async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    body: web::Payload,
    limits: &Limits,
) -> Result<T, Failure> {
    let media_type = header(request, CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Failure::new(Kind::MediaType, "Send the body with `Content-Type: application/json`."));
    }
    let bytes = bytes(request, body, limits).await?;
    // Nearly every body is right, and where a wrong one is wrong is found by reading it again.
    let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
    if let Ok(value) = object(&mut deserializer)
        && deserializer.end().is_ok()
    {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let value = object(tracked).map_err(|error| told(&track.path(), &error))?;
    deserializer
        .end()
        .map_err(|_| Failure::new(Kind::NotJson, "There is more behind the end of the JSON value."))?;
    Ok(value)
}

/// Reads the query.
pub(super) fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Failure> {
    let query = request.query_string();
    let read = |query: &str| web::Query::<T>::from_query(query).map(web::Query::into_inner);
    read(query).map_err(|error| {
        // The message says what it may be, and not which it is; a value is in the address that the caller has sent.
        let error = error.to_string();
        let has_failed = |pair: &&str| read(pair).is_err_and(|alone| alone.to_string() == error);
        let name = query.split('&').find(has_failed).and_then(|pair| pair.split('=').next());
        let name = name.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        let place = name.map_or(String::new(), |name| format!(" at `{name}`"));
        Failure::new(Kind::BadRequest, format!("The query cannot be read{place}: {error}."))
    })
}

/// Reads the body as it is.
pub(super) async fn bytes(
    request: &HttpRequest,
    mut body: web::Payload,
    limits: &Limits,
) -> Result<Vec<u8>, Failure> {
    let largest = limits.body_bytes;
    let too_large = || Failure::new(Kind::TooLarge, format!("The limit is {largest} bytes."));
    let announced = header(request, CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > largest) {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(announced.unwrap_or(0));
    let reading = async {
        while let Some(chunk) = body.next().await {
            // The connection was cut: nobody is there to read the answer.
            let chunk = chunk.map_err(|_| Failure::new(Kind::NotJson, "The body ended before its end."))?;
            if bytes.len() + chunk.len() > largest {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    let mut reading = pin!(reading);
    // Nearly every body has come with its head, and is handed over once this has asked for it: no timer is set for those.
    match poll!(&mut reading) {
        Poll::Ready(read) => read?,
        Poll::Pending => {
            tokio::task::yield_now().await;
            let longest = Duration::from_millis(limits.body_timeout_ms);
            tokio::time::timeout(longest, reading).await.map_err(|_| {
                let limit = longest.as_millis();
                Failure::new(Kind::TooSlow, format!("The body must arrive within {limit} ms."))
            })??;
        }
    }
    Ok(bytes)
}

/// What `serde_json` says, as a problem. Its message may quote a value, so only what it expected is passed on.
fn told(path: &Path, error: &serde_json::Error) -> Failure {
    let message = error.to_string();
    if !error.is_data() || message.starts_with("duplicate field") {
        let what = if error.is_eof() { "it ends too early".to_owned() } else { without_value(&message) };
        return Failure::new(Kind::NotJson, format!("The body cannot be read as JSON: {what}."));
    }
    let field = |kind, pointer, code: Code, message: String| {
        Failure::of_fields(kind, vec![FieldError { pointer, code: code.as_str().to_owned(), message }])
    };
    let inside = pointer(path);
    if let Some(name) = named(&message, "unknown field `") {
        // The path of an unknown member ends with its name already.
        let pointer = if inside.ends_with(&format!("/{name}")) { inside } else { format!("{inside}/{name}") };
        return field(
            Kind::UnknownField,
            pointer,
            Code::UnknownField,
            Code::UnknownField.message().to_owned(),
        );
    }
    if let Some(name) = named(&message, "missing field `") {
        return field(
            Kind::WrongType,
            format!("{inside}/{name}"),
            Code::Required,
            Code::Required.message().to_owned(),
        );
    }
    let expected = message.rsplit_once("expected ").map_or("another type", |(_, expected)| expected);
    let expected = expected.split(" at line ").next().unwrap_or(expected);
    field(Kind::WrongType, inside, Code::WrongType, format!("Give this as {}.", expected::in_words(expected)))
}

/// The name between the start of the message and the next backtick.
fn named<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.split('`').next()
}

/// `serde_json` puts the place at the end of a message and, in some, a piece of the input in backticks.
fn without_value(message: &str) -> String {
    message.split('`').step_by(2).collect::<Vec<_>>().join("…")
}

/// A path as a JSON Pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            serde_path_to_error::Segment::Map { key } => {
                format!("/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            serde_path_to_error::Segment::Seq { index } => format!("/{index}"),
            serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => {
                String::new()
            }
        })
        .collect()
}

/// The value of a header that must be visible ASCII.
pub(super) fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// Where the request says that it comes from.
pub(super) fn sender(request: &HttpRequest) -> Sender<'_> {
    let origin = request.headers().get(ORIGIN).map(|value| value.to_str().unwrap_or("null"));
    Sender { origin, fetch_site: header(request, "sec-fetch-site") }
}

/// The client's key for the request. The IETF draft writes it as a quoted string; most clients leave the quotes out.
pub(super) fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Failure> {
    let Some(value) = request.headers().get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default().trim();
    sound_key(key.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(key)).map(Some)
}

/// The key, where it may be one.
pub(super) fn sound_key(key: &str) -> Result<String, Failure> {
    let sound =
        (1..=IDEMPOTENCY_KEY_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if sound {
        Ok(key.to_owned())
    } else {
        let rule = format!("Give 1 to {IDEMPOTENCY_KEY_MAX} visible ASCII characters, such as a UUID.");
        Err(Failure::new(Kind::IdempotencyKeyInvalid, rule))
    }
}

/// The bearer token of the request (RFC 6750 section 2.1).
pub(super) fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = header(request, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The client's address: the peer, or, where that is a trusted proxy, the last address in `X-Forwarded-For` that no
/// trusted proxy has. Whatever stands before that could be written by anybody.
pub(super) fn client_address(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::from([0; 4]), |peer| peer.ip().to_canonical());
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let chain: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in chain.iter().rev() {
        if !is_trusted(&client) {
            break;
        }
        match parse_hop(hop) {
            Some(address) => client = address,
            // A proxy that we trust wrote something that is no address: its own is the best that is known.
            None => break,
        }
    }
    client
}

/// An address, with or without a port.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let address =
        text.parse::<IpAddr>().ok().or_else(|| Some(text.parse::<std::net::SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "192.0.2.7/32".parse().unwrap()];
        let client = |peer: &str, forwarded: &[&str]| {
            let mut request = TestRequest::default().peer_addr(format!("{peer}:1000").parse().unwrap());
            for value in forwarded {
                request = request.append_header(("x-forwarded-for", *value));
            }
            client_address(&request.to_http_request(), &trusted).to_string()
        };
        assert_eq!(client("203.0.113.5", &["198.51.100.1"]), "203.0.113.5");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, 198.51.100.1, 192.0.2.7"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6", "198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
    }

    #[test]
    fn a_key_is_short_visible_text_with_or_without_quotes() {
        let key = |value: &str| {
            let request = TestRequest::default().insert_header((IDEMPOTENCY_KEY, value)).to_http_request();
            idempotency_key(&request).ok().flatten()
        };
        assert_eq!(key("abc").as_deref(), Some("abc"));
        assert_eq!(key("\"abc\"").as_deref(), Some("abc"));
        for bad in ["", "\"\"", "a b", &"x".repeat(129)] {
            assert_eq!(key(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_error_names_the_place_and_not_the_value() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its shape matters")]
        struct Inner {
            version: String,
        }
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its shape matters")]
        struct Outer {
            name: String,
            inner: Option<Inner>,
        }
        let problem = |text: &str| {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            let error = serde_path_to_error::deserialize::<_, Outer>(&mut deserializer).unwrap_err();
            let failure = told(error.path(), error.inner());
            serde_json::to_value(failure_body(&failure)).unwrap()
        };
        for (text, slug, pointer) in [
            (r#"{"name": 5}"#, "wrong-type", "/name"),
            (r#"{"name": "Ann", "phnoe": "1"}"#, "unknown-field", "/phnoe"),
            (r#"{"name": "Ann", "inner": {"version": "1", "secret": 1}}"#, "unknown-field", "/inner/secret"),
            (r#"{"name": "Ann", "inner": {"version": ["Ann"]}}"#, "wrong-type", "/inner/version"),
            ("{}", "wrong-type", "/name"),
        ] {
            let problem = problem(text);
            assert_eq!(problem["type"], format!("/problems/{slug}"), "{text}");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{text}");
        }
        for text in ["{", "", "nonsense", r#"{"name": "a", "name": "b"}"#, r#"{"name": "\ud800"}"#, "[1e999"]
        {
            let problem = problem(text);
            assert_eq!(problem["type"], "/problems/not-json", "{text}");
        }
        assert_eq!(problem("[]")["errors"][0]["pointer"], "");
        assert_eq!(
            problem("[]")["detail"],
            "Mend the body and send again; `errors` says what is wrong with each."
        );
        assert!(!problem(r#"{"name": {"x": "Ann Example"}}"#).to_string().contains("Ann"));
    }

    fn failure_body(failure: &Failure) -> ringback_contract::problem::Problem {
        use actix_web::ResponseError as _;
        use actix_web::body::MessageBody as _;
        let body = failure.error_response().into_body().try_into_bytes().unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}
