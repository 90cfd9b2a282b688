//! `ringback auth login | import | status | logout`.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer, web};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use tokio::sync::mpsc;

use super::audit::record;
use super::{ConfigFile, first_store, print};

use crate::authorization::{Authorization, ConsentError, Status};
use crate::clock::{SharedClock, SystemClock, after_s};
use crate::config::Config;
use crate::http::auth::{CALLBACK_PATH, Consented, START_PATH, START_S, start_token};
use crate::store::{self, Store, Use};
use crate::trust::Trust;

/// How long `auth login` waits for the administrator.
const LOGIN_WAIT: Duration = Duration::from_mins(10);

/// Connect the Webex organisation.
#[derive(Debug, Subcommand)]
pub(super) enum Auth {
    /// Connect by an administrator's consent in a browser (an integration).
    Login {
        #[command(flatten)]
        config: ConfigFile,
        /// Print a start address of the running service instead, for a browser on another machine.
        #[arg(long)]
        hosted: bool,
    },
    /// Connect with the tokens of a service app: reads a JSON object with `access_token`, `expires_in`, `refresh_token`
    /// and `refresh_token_expires_in` from the standard input.
    Import(ConfigFile),
    /// Print how the connection stands.
    Status {
        #[command(flatten)]
        config: ConfigFile,
        /// Print one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Forget the tokens.
    Logout(ConfigFile),
}

impl Auth {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (Self::Login { config, .. }
        | Self::Import(config)
        | Self::Status { config, .. }
        | Self::Logout(config)) = &self;
        let config = config.load()?;
        if !config.webex.oauth.is_used() {
            bail!(
                "webex.oauth.client_id is empty\n  hint: set it to the id of an integration or a service app"
            );
        }
        let clock: SharedClock = Arc::new(SystemClock);
        let store = match &self {
            Self::Login { .. } | Self::Import(_) => first_store(&config.store).await?,
            Self::Status { .. } | Self::Logout(_) => store::open(&config.store, Use::Command).await?,
        };
        let authorization = Arc::new(Authorization::new(&config, Arc::clone(&store), Arc::clone(&clock))?);
        match self {
            Self::Login { hosted: true, .. } => {
                let address = hosted_start(&config, &*store, &clock).await?;
                record(&*store, "auth.start", &config.server.public_url, "").await?;
                print(&address)
            }
            Self::Login { .. } => {
                let status = login(&config, authorization).await?;
                record(&*store, "auth.login", status.organization.as_deref().unwrap_or_default(), "").await?;
                print(&told(&status))
            }
            Self::Import(_) => {
                let mut json = String::new();
                std::io::stdin().read_to_string(&mut json).context("the standard input cannot be read")?;
                let status = authorization.import(&json).await?;
                record(&*store, "auth.import", status.organization.as_deref().unwrap_or_default(), "")
                    .await?;
                print(&told(&status))
            }
            Self::Status { json, .. } => {
                let status = authorization.status().await?;
                print(&if json { serde_json::to_string(&status)? } else { told(&status) })
            }
            Self::Logout(_) if authorization.logout().await? => {
                record(&*store, "auth.logout", "", "").await?;
                print("the tokens are forgotten; revoke the app in Control Hub as well to end them at Webex")
            }
            Self::Logout(_) => print("there were no tokens"),
        }
    }
}

/// An address that begins a login at the running service.
async fn hosted_start(config: &Config, store: &dyn Store, clock: &SharedClock) -> anyhow::Result<String> {
    let public_url = &config.server.public_url;
    anyhow::ensure!(
        !public_url.is_empty(),
        "server.public_url is empty\n  hint: set it to the address of the service"
    );
    let signer = Trust::load(store, clock.now()).await?.signer;
    let token = start_token(&signer, after_s(clock.now(), START_S).as_second());
    Ok(format!("{public_url}{START_PATH}?token={token}"))
}

/// Waits on this machine for Webex's answer.
async fn login(config: &Config, authorization: Arc<Authorization>) -> anyhow::Result<Status> {
    let port = config.webex.oauth.redirect_port;
    let address = authorization.begin_consent(&format!("http://localhost:{port}{CALLBACK_PATH}"))?;
    let (sender, mut outcomes) = mpsc::channel::<Result<Status, ConsentError>>(1);
    let server = HttpServer::new(move || {
        let (authorization, sender) = (Arc::clone(&authorization), sender.clone());
        let answer = move |query: web::Query<Consented>| {
            let (authorization, sender) = (Arc::clone(&authorization), sender.clone());
            async move {
                let (outcome, page) = query.finish(&authorization).await;
                // An answer that is not to this login is no end of it: the true one may still come.
                if outcome != Err(ConsentError::State) {
                    drop(sender.send(outcome).await);
                }
                page
            }
        };
        App::new().route(CALLBACK_PATH, web::get().to(answer))
    });
    let server = server
        .bind(("127.0.0.1", port))
        .with_context(|| format!("cannot listen on port {port}\n  hint: change webex.oauth.redirect_port, and register that address"))?
        .workers(1)
        .disable_signals()
        .run();
    let handle = server.handle();
    tokio::spawn(server);
    print(&format!("open this address as an administrator of the organisation:\n{address}"))?;
    let outcome = tokio::time::timeout(LOGIN_WAIT, outcomes.recv()).await;
    handle.stop(true).await;
    let outcome = outcome.context("nobody has answered for ten minutes\n  hint: begin again")?;
    Ok(outcome.context("the listener has stopped")??)
}

fn told(status: &Status) -> String {
    let unknown = || "not told by Webex".to_owned();
    let mut lines = vec![
        format!("organisation   {}", status.organization.clone().unwrap_or_else(unknown)),
        format!("access token   until {}", status.access_ends_at),
        format!("refresh token  until {}", status.refresh_ends_at.map_or_else(unknown, |at| at.to_string())),
        format!(
            "scopes         {}",
            if status.scopes.is_empty() { unknown() } else { status.scopes.join(" ") }
        ),
    ];
    lines.extend(status.warning.as_ref().map(|warning| format!("warning        {warning}")));
    lines.join("\n")
}
