//! A way to a server on which what is open can fall silent: nothing gets through any more, and no side is told. So it is where a
//! machine goes without a word, or where something in between forgets a connection.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The way. What is opened after a silence gets through.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) port: u16,
    silences: Arc<watch::Sender<u32>>,
}

impl Wire {
    /// A way to the server at that port.
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let silences = Arc::new(watch::Sender::new(0));
        let watched = Arc::clone(&silences);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut told = watched.subscribe();
                tokio::spawn(async move {
                    let mut client = client;
                    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
                    let is_silent = tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => false,
                        changed = told.changed() => changed.is_ok(),
                    };
                    if is_silent {
                        // Both stay open, and the system goes on to acknowledge what they send.
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { port, silences }
    }

    /// Silences all that is open.
    pub(crate) fn silence(&self) {
        self.silences.send_modify(|count| *count += 1);
    }
}
