//! Whether Webex can be asked, and what the token may do there.

use super::Findings;
use crate::authorization::{Authorization, Status};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::webex::client::Client;
use crate::webex::error::WebexError;

/// How far the clocks may be apart, in seconds, before signatures and deadlines suffer.
const CLOCK_TOLERANCE_S: i64 = 60;

/// Examines the access. `false`: nothing of the organisation can be read.
pub(super) async fn examine(
    config: &Config,
    webex: &Client,
    authorization: Option<&Authorization>,
    clock: &SharedClock,
    found: &mut Findings,
) -> bool {
    if let Some(authorization) = authorization {
        connection(authorization, found).await;
    }
    token_and_clock(webex, clock, found).await
        && organization(config, webex, found).await
        && scopes(config, webex, found).await
}

/// How the tokens stand that the service renews by itself.
async fn connection(authorization: &Authorization, found: &mut Findings) {
    const CHECK: &str = "authorization";
    let told = match authorization.status().await {
        Ok(Status { warning: None, access_ends_at, .. }) => {
            let detail = format!("connected; the access token is good until {access_ends_at}");
            return found.good(CHECK, "webex.oauth", detail);
        }
        Ok(Status { warning: Some(warning), .. }) => warning,
        Err(trouble) => trouble.to_string(),
    };
    let (detail, remedy) = told.split_once("; hint: ").unwrap_or((&told, "run `ringback auth status`"));
    found.wrong(CHECK, "webex.oauth", detail, remedy);
}

/// Whether Webex can be asked at all.
async fn token_and_clock(webex: &Client, clock: &SharedClock, found: &mut Findings) -> bool {
    if let Err(why) = webex.check_token().await {
        found.wrong("token", "webex.access_token", why, "paste a token, or name a file that holds one");
        return false;
    }
    match webex.clock().await {
        Err(error) => {
            found.unanswered("webex", "connection", &error);
            return false;
        }
        Ok(None) => found.doubtful(
            "clock",
            "this machine",
            "Webex does not tell its time",
            "keep the clock in step by NTP",
        ),
        Ok(Some(theirs)) => {
            let apart = theirs.duration_since(clock.now()).as_secs().abs();
            if apart <= CLOCK_TOLERANCE_S {
                found.good("clock", "this machine", format!("within {CLOCK_TOLERANCE_S} s of Webex's"));
            } else {
                found.wrong(
                    "clock",
                    "this machine",
                    format!("{apart} s apart from Webex's"),
                    "set it, and keep it in step by NTP",
                );
            }
        }
    }
    true
}

/// Which organisation is meant: requests name it.
async fn organization(config: &Config, webex: &Client, found: &mut Findings) -> bool {
    const CHECK: &str = "organization";
    const SUBJECT: &str = "webex.organization_id";
    let configured = Some(config.webex.organization_id.as_str()).filter(|id| !id.is_empty());
    match (configured, webex.organization_of_token().await) {
        (None, None) => {
            let detail = "is empty, and the token does not end with the organisation's id";
            found.wrong(CHECK, SUBJECT, detail, "copy it from Control Hub: Management, Account");
            return false;
        }
        (Some(configured), Some(told)) if configured != told => found.doubtful(
            CHECK,
            SUBJECT,
            format!("is {configured}, and the token is one of {told}"),
            "leave it empty, unless the token may manage the other organisation",
        ),
        (Some(id), _) => found.good(CHECK, SUBJECT, format!("is {id}")),
        (None, Some(id)) => found.good(CHECK, SUBJECT, format!("is {id}, as the token says")),
    }
    true
}

/// What the token may do, found out by reading. `false`: nothing of the organisation can be read.
async fn scopes(config: &Config, webex: &Client, found: &mut Findings) -> bool {
    const CHECK: &str = "scope";
    // Of the calls that this scope opens, the one that changes nothing: a read of what is not there.
    let tasks = webex.schedule(&uuid::Uuid::nil().to_string()).await.map(|_| ());
    let remedy = match config.webex.oauth.client_id.as_str() {
        "" => "give a token with this scope, of an agent or supervisor of this organisation",
        _ => "name the scope in webex.oauth.scopes and run `ringback auth login` again",
    };
    judge_scope(CHECK, "cjp:user", tasks, "no task can be made", remedy, found);
    let reads = webex.event_types().await.map(|_| ());
    judge_scope(
        CHECK,
        "cjp:config_read",
        reads,
        "requests whose answer was lost cannot be looked up, and nothing more can be checked",
        remedy,
        found,
    )
}

fn judge_scope(
    check: &'static str,
    scope: &str,
    answer: Result<(), WebexError>,
    consequence: &str,
    remedy: &str,
    found: &mut Findings,
) -> bool {
    match answer {
        Ok(()) => found.good(check, scope, "is granted"),
        Err(error) if error.status == Some(403) => {
            found.wrong(check, scope, format!("is not granted: {consequence} ({error})"), remedy);
            return false;
        }
        Err(error) => {
            found.unanswered(check, scope, &error);
            return false;
        }
    }
    true
}
