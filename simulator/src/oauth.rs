//! Tokens: `/v1/authorize` and `/v1/access_token`, and which token may do what.
//!
//! Source: developer.webex.com, "Integrations & Authorization".

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use crate::answer::Answer;
use crate::call::Call;
use crate::clock;
use crate::envelope::Refusal;
use crate::organization::{
    ACCESS_TOKEN, ADMINISTRATOR, CLIENT_ID, CLIENT_SECRET, CLUSTER, EXPIRED_TOKEN, ORG_ID, REFRESH_TOKEN,
    SCOPES, TOKEN_WITHOUT_READ, TOKEN_WITHOUT_USER, TOKEN_WITHOUT_WRITE,
};
use crate::world::World;

/// A code must be used within this time.
const CODE_LIFETIME_MS: i64 = 600_000;
/// Unused codes and old tokens are forgotten above this number.
const MOST_TOKENS: usize = 10_000;

/// Who a token speaks for, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) client: String,
    pub(crate) user: String,
    pub(crate) scopes: Vec<String>,
}

impl Grant {
    pub(crate) fn nobody() -> Self {
        Self { client: String::new(), user: String::new(), scopes: Vec::new() }
    }

    fn with_scopes(scopes: &[&str]) -> Self {
        Self {
            client: CLIENT_ID.to_owned(),
            user: ADMINISTRATOR.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }
}

#[derive(Debug, Clone)]
struct Lease {
    grant: Grant,
    expires_at: i64,
}

#[derive(Debug, Clone)]
struct Code {
    grant: Grant,
    redirect_uri: String,
    /// The challenge of PKCE (RFC 7636), where the client sent one.
    challenge: Option<String>,
    expires_at: i64,
}

/// What was issued.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    access: HashMap<String, Lease>,
    refresh: HashMap<String, Lease>,
    codes: HashMap<String, Code>,
}

impl Tokens {
    /// The tokens of the organisation.
    pub(crate) fn fixture() -> Self {
        let mut tokens = Self::default();
        let lasting = i64::MAX;
        for (token, scopes, expires_at) in [
            (ACCESS_TOKEN, &SCOPES[..], lasting),
            (TOKEN_WITHOUT_USER, &["cjp:config_read", "cjp:config_write", "cjp:config"], lasting),
            (TOKEN_WITHOUT_WRITE, &["cjp:user", "cjp:config_read"], lasting),
            (TOKEN_WITHOUT_READ, &["cjp:user"], lasting),
            (EXPIRED_TOKEN, &SCOPES[..], 0),
        ] {
            tokens.access.insert(token.to_owned(), Lease { grant: Grant::with_scopes(scopes), expires_at });
        }
        let lease = Lease { grant: Grant::with_scopes(&SCOPES), expires_at: lasting };
        tokens.refresh.insert(REFRESH_TOKEN.to_owned(), lease);
        tokens
    }

    /// Ends every access token; a refresh token gives a new one.
    pub(crate) fn end_access(&mut self) {
        self.access.clear();
    }

    /// Ends every refresh token; only a new consent helps.
    pub(crate) fn end_refresh(&mut self) {
        self.refresh.clear();
    }

    fn forget_old(&mut self, now: i64) {
        if self.access.len() + self.refresh.len() + self.codes.len() > MOST_TOKENS {
            self.access.retain(|_, lease| lease.expires_at > now);
            self.refresh.retain(|_, lease| lease.expires_at > now);
            self.codes.retain(|_, code| code.expires_at > now);
        }
    }
}

/// The grant behind the bearer token of a call.
pub(crate) fn grant_of(world: &World, call: &Call) -> Result<Grant, Refusal> {
    let Some(authorization) = call.header("authorization") else {
        return Err(Refusal::new(401, "Authentication is needed."));
    };
    let token = authorization
        .split_once(' ')
        .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty())
        .map(|(_, token)| token.trim())
        .ok_or_else(|| Refusal::bad("The Authorization header is malformed."))?;
    let tokens = world.tokens.lock();
    match tokens.access.get(token) {
        Some(lease) if lease.expires_at > clock::now_ms() => Ok(lease.grant.clone()),
        _ => Err(Refusal::new(401, "The access token is invalid or has expired.")),
    }
}

/// `GET /v1/authorize`: the administrator consents without being asked.
pub(crate) fn authorize(world: &World, call: &Call) -> Result<Answer, Refusal> {
    if call.parameter("client_id") != Some(CLIENT_ID) {
        return Err(Refusal::bad("client_id: no such integration."));
    }
    let redirect_uri = call.parameter("redirect_uri").unwrap_or_default();
    let Ok(mut target) = Url::parse(redirect_uri) else {
        return Err(Refusal::bad("redirect_uri is not registered."));
    };
    let wanted: Vec<&str> = call.parameter("scope").unwrap_or_default().split_whitespace().collect();
    let refused = if call.parameter("response_type") != Some("code") {
        Some("unsupported_response_type")
    } else if wanted.is_empty() || wanted.iter().any(|scope| !SCOPES.contains(scope)) {
        Some("invalid_scope")
    } else if world.settings.lock().deny_authorization {
        Some("access_denied")
    } else {
        None
    };
    if let Some(error) = refused {
        target.query_pairs_mut().append_pair("error", error);
    } else {
        let code = Uuid::new_v4().simple().to_string();
        target.query_pairs_mut().append_pair("code", &code);
        let now = clock::now_ms();
        let mut tokens = world.tokens.lock();
        tokens.forget_old(now);
        tokens.codes.insert(
            code,
            Code {
                grant: Grant::with_scopes(&wanted),
                redirect_uri: redirect_uri.to_owned(),
                challenge: call.parameter("code_challenge").map(str::to_owned),
                expires_at: now + CODE_LIFETIME_MS,
            },
        );
    }
    if let Some(state) = call.parameter("state") {
        target.query_pairs_mut().append_pair("state", state);
    }
    Ok(Answer::empty(302).with_header("Location", target.to_string()))
}

/// `POST /v1/access_token`
pub(crate) fn issue(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let members = members(call)?;
    let member = |name: &str| members.get(name).map(String::as_str).unwrap_or_default();
    if member("client_id") != CLIENT_ID || member("client_secret") != CLIENT_SECRET {
        return Err(Refusal::new(401, "client_id or client_secret is wrong."));
    }
    match member("grant_type") {
        "authorization_code" => {
            exchange(world, member("code"), member("redirect_uri"), member("code_verifier"))
        }
        "refresh_token" => refresh(world, member("refresh_token")),
        other => Err(Refusal::bad(format!("grant_type '{other}' is not supported."))),
    }
}

/// The members of a form or of a JSON object; Webex takes both.
fn members(call: &Call) -> Result<HashMap<String, String>, Refusal> {
    match call.media_type().as_str() {
        "application/x-www-form-urlencoded" => {
            Ok(url::form_urlencoded::parse(&call.body).into_owned().collect())
        }
        "application/json" => call
            .json_object()?
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(text) => Ok((name, text)),
                _ => Err(Refusal::bad(format!("{name} must be a string."))),
            })
            .collect(),
        other => Err(Refusal::new(415, format!("Content-Type '{other}' is not supported."))),
    }
}

fn exchange(world: &World, code: &str, redirect_uri: &str, verifier: &str) -> Result<Answer, Refusal> {
    let now = clock::now_ms();
    let refresh_lifetime = world.settings.lock().refresh_token_lifetime_s;
    let mut tokens = world.tokens.lock();
    // A code is good for one attempt.
    let code = tokens
        .codes
        .remove(code)
        .filter(|code| code.expires_at > now && code.redirect_uri == redirect_uri)
        .filter(|code| code.challenge.as_ref().is_none_or(|challenge| *challenge == challenge_of(verifier)))
        .ok_or_else(|| {
            Refusal::bad("The authorization code is invalid, used, or of another redirect_uri.")
        })?;
    let refresh_token = Uuid::new_v4().simple().to_string();
    let lease = Lease { grant: code.grant.clone(), expires_at: now + refresh_lifetime * 1000 };
    tokens.refresh.insert(refresh_token.clone(), lease);
    drop(tokens);
    Ok(issued(world, code.grant, &refresh_token, refresh_lifetime))
}

/// The challenge for a verifier by the method S256 (RFC 7636, section 4.2).
fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// The remaining life of the refresh token counts down across refreshes, unless it rotates.
fn refresh(world: &World, refresh_token: &str) -> Result<Answer, Refusal> {
    let now = clock::now_ms();
    let (rotate, lifetime) = {
        let settings = world.settings.lock();
        (settings.rotate_refresh_token, settings.refresh_token_lifetime_s)
    };
    let mut tokens = world.tokens.lock();
    let lease = tokens
        .refresh
        .get(refresh_token)
        .filter(|lease| lease.expires_at > now)
        .cloned()
        .ok_or_else(|| Refusal::bad("The refresh token is invalid or has expired."))?;
    if rotate {
        tokens.refresh.remove(refresh_token);
        let next = Uuid::new_v4().simple().to_string();
        let expires_at = now + lifetime * 1000;
        tokens.refresh.insert(next.clone(), Lease { grant: lease.grant.clone(), expires_at });
        drop(tokens);
        return Ok(issued(world, lease.grant, &next, lifetime));
    }
    drop(tokens);
    let remaining = if lease.expires_at == i64::MAX { lifetime } else { (lease.expires_at - now) / 1000 };
    Ok(issued(world, lease.grant, refresh_token, remaining))
}

fn issued(world: &World, grant: Grant, refresh_token: &str, refresh_expires_in: i64) -> Answer {
    let lifetime = world.settings.lock().access_token_lifetime_s;
    let now = clock::now_ms();
    let access_token = format!("{}_{CLUSTER}_{ORG_ID}", Uuid::new_v4().simple());
    let mut tokens = world.tokens.lock();
    tokens.forget_old(now);
    tokens.access.insert(access_token.clone(), Lease { grant, expires_at: now + lifetime * 1000 });
    drop(tokens);
    Answer::json(
        200,
        &json!({
            "access_token": access_token,
            "expires_in": lifetime,
            "refresh_token": refresh_token,
            "refresh_token_expires_in": refresh_expires_in,
            "token_type": "Bearer",
        }),
    )
}
