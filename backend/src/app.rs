//! Builds every part from the configuration and runs them.

mod housekeeping;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web};
use jiff::SignedDuration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_actix_web::TracingLogger;

use crate::authorization::{Authorization, AuthorizationError, TokenSource};
use crate::clock::{SharedClock, SystemClock};
use crate::config::Config;
use crate::delivery::dispatcher::Dispatcher;
use crate::delivery::instances::Instances;
use crate::delivery::poller::Poller;
use crate::delivery::progress::Progress;
use crate::guard::captcha::{CaptchaError, Captchas};
use crate::guard::destination;
use crate::guard::followers::Followers;
use crate::guard::rate::Limit;
use crate::guard::shared::SharedLimits;
use crate::http::{self, ApiKeys, Parts};
use crate::intake::{self, Intake, NoLink};
use crate::metrics::{Metrics, MetricsError};
use crate::notify::delivery::WebhookError;
use crate::notify::{self, Notifier};
use crate::store::ledger::ConsentText;
use crate::store::{self, StoreError, Use};
use crate::token::Signer;
use crate::trust::{Trust, TrustError};
use crate::webex::client::{Client, ClientError};
use crate::webex::directory::Directory;
use crate::webex::wait_time::WaitTimes;

/// The service cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({key}): {source}; hint: stop what listens there, or change {key}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The key that names it.
        key: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not known what tokens are believed by.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The client of Webex cannot be made.
    #[error(transparent)]
    Webex(#[from] ClientError),
    /// Webhooks cannot be delivered.
    #[error(transparent)]
    Webhooks(#[from] WebhookError),
    /// The tokens for Webex cannot be kept.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// Captchas cannot be judged.
    #[error(transparent)]
    Captcha(#[from] CaptchaError),
    /// Limits cannot be shared.
    #[error("limits.redis_url cannot be used: {0}")]
    SharedLimits(#[from] redis::RedisError),
    /// Nothing can be counted.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A server has failed.
    #[error("the HTTP server has failed: {0}")]
    Server(#[from] std::io::Error),
    /// A part of the service has panicked.
    #[error("a part of the service has failed: {0}")]
    Part(#[from] tokio::task::JoinError),
    /// A part of the service ended without being told to.
    #[error("the {0} has stopped by itself")]
    Stopped(&'static str),
    /// No link can be made.
    #[error(transparent)]
    Link(#[from] NoLink),
}

/// The service, bound to its addresses and not yet running.
#[derive(Debug)]
pub struct App {
    parts: web::Data<Parts>,
    signer: Arc<Signer>,
    public: TcpListener,
    operators: TcpListener,
    ops_url: String,
}

impl App {
    /// Opens the store and binds the addresses.
    pub async fn build(config: Config) -> Result<Self, AppError> {
        let clock: SharedClock = Arc::new(SystemClock);
        let public = listen(config.server.listen, "server.listen")?;
        let operators = listen(config.server.ops_listen, "server.ops_listen")?;
        let public_url = match config.server.public_url.as_str() {
            "" => format!("http://{}", public.local_addr()?),
            url => url.to_owned(),
        };
        let ops_url = format!("http://{}", operators.local_addr()?);
        let store = store::open(&config.store, Use::Serve).await?;
        store.subscribe(notify::subscribers(&config.webhooks));
        for consent in config.sites.values().filter_map(|site| site.consent.as_ref()) {
            let (text, policy_url) = (consent.text.clone(), consent.policy_url.clone());
            store
                .keep_text(&ConsentText { hash: consent.text_hash(), text, policy_url }, clock.now())
                .await?;
        }
        let trust = Trust::load(&*store, clock.now()).await?;
        let signer = Arc::clone(&trust.signer);
        let TokenSource { tokens, authorization } = TokenSource::of(&config, &store, &clock)?;
        let webex = Arc::new(Client::new(&config.webex, Arc::clone(&clock), tokens)?);
        let agents_cached_s = config.webex.agents_cached_s;
        let directory = Arc::new(Directory::new(Arc::clone(&webex), Arc::clone(&clock), agents_cached_s));
        let wait_times = Arc::new(WaitTimes::new(Arc::clone(&webex), Arc::clone(&clock)));
        destination::warm_up();
        let shared_limits =
            SharedLimits::open(&config.limits.redis_url, Arc::clone(&signer), Arc::clone(&clock)).await?;
        let metrics = Metrics::install()?;
        metrics.expect_sites(config.sites.keys());
        let parts = web::Data::new(Parts {
            intake: Intake::new(
                &config,
                Arc::clone(&store),
                Arc::clone(&clock),
                trust.clone(),
                shared_limits.as_ref(),
                Captchas::new(&config.sites)?,
                &public_url,
            ),
            authorization,
            trust,
            signer: Arc::clone(&signer),
            api_keys: ApiKeys::new(&config.api_keys),
            address_limit: Limit::new("address", &config.limits.address, shared_limits.clone()),
            read_limit: Limit::new("reads", &config.limits.reads, shared_limits.clone()),
            change_limit: Limit::new("changes", &config.limits.changes, shared_limits.clone()),
            guess_limit: Limit::new("guesses", &config.limits.guesses, shared_limits.clone()),
            key_limit: Limit::new("key", &config.limits.key, shared_limits.clone()),
            shared_limits,
            followers: Followers::new(config.limits.followers, config.limits.followers_per_address),
            stop: CancellationToken::new(),
            metrics,
            progress: Progress::new(Arc::clone(&store), Arc::clone(&clock), &config.delivery),
            public_url,
            clock,
            store,
            webex,
            directory,
            wait_times,
            config,
        });
        Ok(Self { parts, signer, public, operators, ops_url })
    }

    /// The address under which the public reaches the service.
    pub fn url(&self) -> &str {
        &self.parts.public_url
    }

    /// The address under which operators reach the service.
    pub fn ops_url(&self) -> &str {
        &self.ops_url
    }

    /// A preferred-agent link that lives for so long.
    pub fn agent_link(&self, site: &str, agent: &str, lifetime: SignedDuration) -> Result<String, AppError> {
        let (parts, now) = (&self.parts, self.parts.clock.now());
        Ok(intake::agent_link(&parts.config, &self.signer, now, self.url(), site, agent, lifetime)?)
    }

    /// Serves until `stop` is cancelled; then takes nothing more, finishes what is under way, and returns.
    pub async fn run(self, stop: CancellationToken) -> Result<(), AppError> {
        let parts = self.parts;
        if !http::widget_is_built() {
            tracing::warn!("this build has no widget; hint: run `cargo xtask widget` and build again");
        }
        tracing::info!(url = parts.public_url, ops_url = self.ops_url, "serving");
        let grace = Duration::from_secs(parts.config.server.shutdown_grace_s);
        let public = public_server(&parts, self.public)?;
        let operators = operators_server(&parts, self.operators)?;
        let (public_handle, operators_handle) = (public.handle(), operators.handle());
        let mut public = tokio::spawn(public);
        let mut operators = tokio::spawn(operators);
        let dispatcher = Dispatcher::new(
            &parts.config,
            Arc::clone(&parts.store),
            Arc::clone(&parts.webex),
            Arc::clone(&parts.directory),
            Arc::clone(&parts.clock),
            parts.stop.clone(),
        );
        let poller = Poller::new(&dispatcher, parts.progress.clone());
        let mut dispatcher = tokio::spawn(dispatcher.run());
        let mut poller = tokio::spawn(poller.run());
        let instances = Instances::new(
            Arc::clone(&parts.store),
            Arc::clone(&parts.webex),
            Arc::clone(&parts.clock),
            parts.trust.clone(),
            parts.stop.clone(),
        );
        let mut instances = tokio::spawn(instances.run());
        let notifier = Notifier::new(
            &parts.config,
            Arc::clone(&parts.store),
            Arc::clone(&parts.clock),
            parts.stop.clone(),
        )?;
        let mut notifier = tokio::spawn(notifier.run());
        let mut renewal = tokio::spawn(renew(parts.authorization.clone(), parts.stop.clone()));
        let mut housekeeping = tokio::spawn(housekeeping::keep_house(web::Data::clone(&parts)));
        let mut tidying = tokio::spawn(housekeeping::tidy(parts.metrics.clone()));

        let outcome = tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = &mut public => ended?.map_err(AppError::from).and(Err(AppError::Stopped("public server"))),
            ended = &mut operators => ended?.map_err(AppError::from).and(Err(AppError::Stopped("operators' server"))),
            ended = &mut dispatcher => ended?.map_err(AppError::from).and(Err(AppError::Stopped("dispatcher"))),
            ended = &mut notifier => ended?.map_err(AppError::from).and(Err(AppError::Stopped("notifier"))),
            ended = &mut poller => ended.map_err(AppError::from).and(Err(AppError::Stopped("poller"))),
            ended = &mut renewal => ended.map_err(AppError::from).and(Err(AppError::Stopped("renewal of tokens"))),
            ended = &mut housekeeping => ended.map_err(AppError::from).and(Err(AppError::Stopped("housekeeping"))),
            ended = &mut tidying => ended.map_err(AppError::from).and(Err(AppError::Stopped("tidying of measurements"))),
            ended = &mut instances => ended.map_err(AppError::from).and(Err(AppError::Stopped("heartbeat"))),
        };
        if outcome.is_ok() {
            tracing::info!("stopping: no new requests; finishing what is under way");
        }
        // Not ready, followers sent away, nothing new leased; the operators' door stays open to say so.
        parts.stop.cancel();
        housekeeping.abort();
        tidying.abort();
        let deliveries = async {
            if !dispatcher.is_finished() && tokio::time::timeout(grace, &mut dispatcher).await.is_err() {
                tracing::warn!("deliveries did not finish in time; they are looked up at the next start");
                dispatcher.abort();
            }
        };
        let notices = async {
            if !notifier.is_finished() && tokio::time::timeout(grace, &mut notifier).await.is_err() {
                tracing::warn!(
                    "messages to CRMs did not finish in time; they are sent again after the next start"
                );
                notifier.abort();
            }
        };
        tokio::join!(public_handle.stop(true), deliveries, notices);
        operators_handle.stop(true).await;
        housekeeping::write_uses(&parts).await;
        if outcome.is_ok() {
            // Last of all: from now on the store may be moved, and the others have its part of the pace.
            leave(&parts, instances).await;
        }
        tracing::info!("stopped");
        outcome
    }
}

/// Renews the tokens for Webex until the stop, where the service keeps them.
async fn renew(authorization: Option<Arc<Authorization>>, stop: CancellationToken) {
    match authorization {
        Some(authorization) => authorization.run(stop).await,
        None => stop.cancelled().await,
    }
}

fn listen(address: SocketAddr, key: &'static str) -> Result<TcpListener, AppError> {
    let failed = |source| AppError::Listen { address, key, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// A client of Webex for a short command. Opens the database only where the tokens are kept there.
pub async fn client(
    config: &Config,
    clock: &SharedClock,
) -> Result<(Client, Option<Arc<Authorization>>), AppError> {
    let TokenSource { tokens, authorization } = if config.webex.oauth.is_used() {
        let store = store::open(&config.store, Use::Command).await?;
        TokenSource::of(config, &store, clock)?
    } else {
        TokenSource::pasted(config)
    };
    Ok((Client::new(&config.webex, Arc::clone(clock), tokens)?, authorization))
}

fn public_server(parts: &web::Data<Parts>, listener: TcpListener) -> Result<Server, std::io::Error> {
    let shared = web::Data::clone(parts);
    let server = HttpServer::new(move || {
        let parts = web::Data::clone(&shared);
        actix_web::App::new()
            .app_data(web::Data::clone(&parts))
            .configure(|service| http::public(&parts, service))
            .wrap(from_fn(http::every_response))
            .wrap(from_fn(http::measured))
            .wrap(TracingLogger::<http::RequestSpan>::new())
    });
    let server = server.listen(listener)?.disable_signals();
    let server = server.shutdown_timeout(parts.config.server.shutdown_grace_s);
    Ok(match parts.config.server.workers {
        0 => server.run(),
        workers => server.workers(workers).run(),
    })
}

fn operators_server(parts: &web::Data<Parts>, listener: TcpListener) -> Result<Server, std::io::Error> {
    let parts = web::Data::clone(parts);
    let server = HttpServer::new(move || {
        actix_web::App::new().app_data(web::Data::clone(&parts)).configure(http::ops::operators)
    });
    Ok(server.listen(listener)?.workers(1).disable_signals().shutdown_timeout(1).run())
}

/// Takes leave of the other processes. One that cannot is known to be gone after a while.
async fn leave(parts: &Parts, instances: JoinHandle<String>) {
    let Ok(instance) = instances.await else { return };
    if let Err(error) = parts.store.leave(&instance).await {
        tracing::warn!(%error, "the other instances learn of the stop in a while");
    }
}
