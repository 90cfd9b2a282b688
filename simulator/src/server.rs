//! A running simulator.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data, PayloadConfig};
use actix_web::{App, HttpServer};
use tokio::task::JoinHandle;

use crate::client::{Control, ControlError};
use crate::connection;
use crate::door;
use crate::http;
use crate::options::Options;
use crate::world::World;

/// Larger bodies are refused with 413.
const LARGEST_BODY: usize = 1024 * 1024;

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or is not of this machine.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The client that delivers webhooks could not be set up.
    #[error("the client for webhooks could not be set up")]
    Client(#[from] reqwest::Error),
}

/// A running simulator. It stops when it is dropped.
pub struct Simulator {
    address: SocketAddr,
    world: Arc<World>,
    handle: ServerHandle,
    serving: Option<JoinHandle<std::io::Result<()>>>,
}

impl Simulator {
    /// Binds, and serves on threads of its own; calls are played on the tokio runtime that this is called in.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[expect(clippy::unused_async, reason = "it must be called within a runtime, and its callers await it")]
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let listen = options.listen;
        let workers = options.workers.max(1);
        let world = World::new(options, http::client()?).shared();
        let data = Data::from(Arc::clone(&world));
        let refused = |source| StartError::Listen { address: listen, source };
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(PayloadConfig::new(LARGEST_BODY))
                .default_service(web::to(door::enter))
        })
        .workers(workers)
        .disable_signals()
        .on_connect(connection::keep)
        .bind(listen)
        .map_err(refused)?;
        let address = server.addrs().first().copied().unwrap_or(listen);
        let server = server.run();
        let handle = server.handle();
        Ok(Self { address, world, handle, serving: Some(tokio::spawn(server)) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of every address of the Webex API, and of `webexapis.com`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client of its control door.
    pub fn control(&self) -> Result<Control, ControlError> {
        Control::new(&self.base_url())
    }

    /// Stops listening, cuts what is open, ends every call that is played.
    pub async fn stop(mut self) {
        self.world.stopped.cancel();
        self.handle.stop(false).await;
        if let Some(serving) = self.serving.take() {
            // The server has nothing to say that matters once it is stopped.
            let _ = serving.await;
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.world.stopped.cancel();
        // The command is sent by the call; only its completion would have to be awaited.
        drop(self.handle.stop(false));
    }
}
