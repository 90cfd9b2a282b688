//! The doors. A handler reads its input into domain types, calls one function, and answers.

mod assets;
pub mod auth;
mod calendar;
mod caller;
mod crm;
mod docs;
mod event_stream;
mod extract;
mod follow;
pub mod openapi;
pub mod ops;
mod pages;
mod prefer;
mod problem;
mod request_log;
mod request_metrics;
mod site;
mod slots;
mod webex_hook;

use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::RequestHead;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::middleware::Compress;
use actix_web::web::{self, ServiceConfig};
use ipnet::IpNet;
use ringback_contract::captcha::CAPTCHA;
use ringback_contract::proof::PROOF;
use ringback_contract::request::IDEMPOTENCY_KEY;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

pub use self::assets::{is_built as widget_is_built, pinned_loader};
pub use self::caller::ApiKeys;
pub use self::problem::every_response;
pub use self::request_log::RequestSpan;
pub use self::request_metrics::measured;
use crate::agent::Agent;
use crate::authorization::Authorization;
use crate::clock::SharedClock;
use crate::config::{self, Config};
use crate::delivery::progress::Progress;
use crate::guard::followers::Followers;
use crate::guard::origin;
use crate::guard::rate::Limit;
use crate::guard::shared::SharedLimits;
use crate::intake::Intake;
use crate::metrics::Metrics;
use crate::site::Site;
use crate::store::Store;
use crate::token::Signer;
use crate::trust::Trust;
use crate::webex::client::Client;
use crate::webex::directory::Directory;
use crate::webex::wait_time::WaitTimes;

/// What the handlers work with.
#[derive(Debug)]
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The address under which the public reaches the service.
    pub public_url: String,
    /// Time.
    pub clock: SharedClock,
    /// Where callbacks are kept.
    pub store: Arc<dyn Store>,
    /// The way in.
    pub intake: Intake,
    /// Where events of Webex go.
    pub progress: Progress,
    /// The client of Webex, for the readiness check.
    pub webex: Arc<Client>,
    /// Who the agents are, as far as Webex was asked.
    pub directory: Arc<Directory>,
    /// How long people wait for an agent.
    pub wait_times: Arc<WaitTimes>,
    /// Who keeps the tokens for Webex, where the service does so itself.
    pub authorization: Option<Arc<Authorization>>,
    /// What tokens are believed by.
    pub trust: Trust,
    /// Signs tokens.
    pub signer: Arc<Signer>,
    /// Who may use the REST door.
    pub api_keys: ApiKeys,
    /// Posts a client address may make.
    pub address_limit: Limit,
    /// Reads a client address may make.
    pub read_limit: Limit,
    /// Changes to callbacks that a client address may make, and that may be made to one callback.
    pub change_limit: Limit,
    /// Tokens and keys that open nothing which a client address may try.
    pub guess_limit: Limit,
    /// Requests an API key may make.
    pub key_limit: Limit,
    /// What is counted and measured.
    pub metrics: Metrics,
    /// Where limits are counted together with other processes.
    pub shared_limits: Option<Arc<SharedLimits>>,
    /// Places for followers.
    pub followers: Followers,
    /// Cancelled when the service stops.
    pub stop: CancellationToken,
}

impl Parts {
    fn trusted_proxies(&self) -> &[IpNet] {
        &self.config.server.trusted_proxies
    }

    fn webhook_secrets(&self) -> &[SecretString] {
        &self.config.webex.webhook_secrets
    }

    /// Whether it is known that the agent takes no calls any more. Nobody is kept waiting for the answer: where it is not
    /// known yet, it is found out before the call.
    fn has_left(&self, site: &Site, agent: &Agent) -> bool {
        let known = if site.looks_agents_up() { self.directory.known(&agent.email) } else { None };
        known.is_some_and(|user| !user.is_some_and(|user| user.is_agent()))
    }

    fn limits(&self) -> &config::Limits {
        &self.config.limits
    }

    /// Forgets callers of the limits that are as good as new.
    pub fn sweep(&self) {
        let of_callers =
            [&self.address_limit, &self.read_limit, &self.change_limit, &self.guess_limit, &self.key_limit];
        for limit in of_callers {
            limit.sweep();
        }
        self.intake.sweep();
    }
}

/// Where Webex sends its events.
pub const WEBHOOK_PATH: &str = "/webhooks/webex";

/// How long a browser may keep the answer of a preflight.
const PREFLIGHT_AGE: Duration = Duration::from_hours(1);

/// The public doors.
pub fn public(parts: &web::Data<Parts>, service: &mut ServiceConfig) {
    // A resource answers 405 to a method that it does not have; a bare route would answer 404.
    let resource = web::resource::<&str>;
    service
        .service(
            web::scope("/v1/sites/{site}")
                .wrap(cross_origin(parts))
                // The texts are the largest part of what opening the form costs. They hold no secret that a
                // length could tell.
                .service(resource("/form").wrap(Compress::default()).get(site::form))
                .service(resource("/texts").wrap(Compress::default()).get(site::texts))
                .service(resource("/slots").wrap(Compress::default()).get(slots::list))
                .service(resource("/shown").post(site::shown))
                .service(resource("/callbacks").post(site::create)),
        )
        .service(
            web::scope("/v1/callbacks")
                .wrap(cross_origin(parts))
                .service(resource("").post(crm::create).get(crm::list))
                .service(resource("/{id}").get(follow::read).delete(follow::cancel).patch(follow::change))
                .service(resource("/{id}/events").get(event_stream::events)),
        )
        .service(resource("/v1/agent-links").post(crm::link))
        .service(resource("/v1/openapi.json").get(openapi::document))
        .service(resource("/docs").get(docs::page))
        .service(resource("/docs/{file}").get(docs::file))
        .service(resource(WEBHOOK_PATH).post(webex_hook::receive))
        .service(resource("/widget.js").get(assets::loader).head(assets::loader))
        .service(resource("/widget/v1.js").get(assets::loader).head(assets::loader))
        .service(resource("/widget/ringback.d.ts").get(assets::types).head(assets::types))
        .service(resource("/widget/{hash}/{file}").get(assets::part).head(assets::part))
        .service(
            resource("/a/{token}")
                .get(pages::form::for_agent)
                .head(pages::form::for_agent)
                .post(pages::form::sent_to_agent),
        )
        .service(
            resource("/c/{site}")
                .get(pages::form::for_site)
                .head(pages::form::for_site)
                .post(pages::form::sent_to_site),
        )
        .service(
            resource("/f/{token}")
                .get(pages::follow::show)
                .head(pages::follow::show)
                .post(pages::follow::act),
        )
        .service(resource("/f/{token}/calendar.ics").get(calendar::file).head(calendar::file))
        .service(resource("/plain/{hash}/{file}").get(pages::file).head(pages::file))
        .service(resource(auth::START_PATH).get(auth::start))
        .service(resource(auth::CALLBACK_PATH).get(auth::callback))
        .service(resource("/problems/{slug}").get(problem::explain));
}

/// Lets the pages of listed origins read answers. Which pages may ask at all is for the handlers: a refusal is a
/// problem, not a missing header; that of a form's description is for every page to read.
fn cross_origin(parts: &web::Data<Parts>) -> Cors {
    let parts = web::Data::clone(parts);
    Cors::default()
        .allowed_origin_fn(move |origin, head| may_read(&parts, origin, head))
        .block_on_origin_mismatch(false)
        .allowed_methods(["GET", "POST", "PATCH", "DELETE"])
        .allowed_headers([CONTENT_TYPE, AUTHORIZATION])
        .allowed_header(IDEMPOTENCY_KEY)
        .allowed_header(PROOF)
        .allowed_header(CAPTCHA)
        .expose_headers([RETRY_AFTER, LOCATION])
        .expose_headers(problem::RATE_LIMIT_HEADERS.map(HeaderName::from_static))
        .expose_headers([problem::REQUEST_ID])
        .max_age(usize::try_from(PREFLIGHT_AGE.as_secs()).ok())
}

fn may_read(parts: &Parts, origin: &HeaderValue, head: &RequestHead) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let listed = |site| origin::is_listed(site, &parts.public_url, origin);
    let mut segments = head.uri.path().trim_start_matches('/').split('/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some("v1"), Some("sites"), Some(site)) => parts.config.sites.get(site).is_some_and(listed),
        // A callback's address does not name its site. Its token opens it; the page must be one of ours at least.
        _ => parts.config.sites.values().any(listed),
    }
}
