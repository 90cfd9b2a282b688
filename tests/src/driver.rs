//! One chromedriver for the test process, and a bound on how many browsers run beside each other.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use crate::eventually::eventually;

/// Browsers at one time: each is a handful of processes.
static PLACES: Semaphore = Semaphore::const_new(2);

/// The driver, as long as a browser uses it: it ends with the last.
static DRIVER: Mutex<Weak<Driver>> = Mutex::const_new(Weak::new());

/// A running chromedriver.
#[derive(Debug)]
pub(crate) struct Driver {
    child: Child,
    pub(crate) port: u16,
    /// Where the browsers keep their profiles.
    _folder: TempDir,
}

/// A place for a browser, and the driver that starts it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) driver: Arc<Driver>,
    _permit: SemaphorePermit<'static>,
}

impl Place {
    /// Waits for a place.
    pub(crate) async fn take() -> Self {
        let permit = PLACES.acquire().await.expect("the places are never closed");
        let mut shared = DRIVER.lock().await;
        let driver = match shared.upgrade() {
            Some(driver) => driver,
            None => Arc::new(Driver::start().await),
        };
        *shared = Arc::downgrade(&driver);
        Self { driver, _permit: permit }
    }
}

impl Driver {
    async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("ringback-browser-").tempdir().expect("a folder");
        let program = std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let port = ringback_test_postgres::free_port();
        let child = Command::new(&program)
            .arg(format!("--port={port}"))
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{} cannot be started: {error}; run cargo xtask test", program.display())
            });
        eventually("chromedriver listens", async || TcpStream::connect(("127.0.0.1", port)).ok()).await;
        Self { child, port, _folder: folder }
    }

    /// Ends a session and its browser. Without a runtime: it is called where things are dropped.
    pub(crate) fn end_session(&self, id: &str) {
        let sent = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut connection| {
            connection.set_read_timeout(Some(Duration::from_secs(10)))?;
            write!(connection, "DELETE /session/{id} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
            // The answer comes when the browser has ended; the driver keeps the connection open after it.
            connection.read(&mut [0; 512])
        });
        if let Err(error) = sent {
            eprintln!("a browser could not be ended: {error}");
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
