//! A server that speaks Redis' protocol, on a port of its own.

use std::process::{Child, Command, Stdio};

use ringback_test_postgres::free_port;

use crate::eventually::eventually;

/// The server; it ends with this value.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    password: &'static str,
    process: Option<Child>,
}

impl Redis {
    /// Starts a server that asks for that password; empty: for none.
    pub async fn start(password: &'static str) -> Self {
        let mut redis = Self { port: free_port(), password, process: None };
        redis.restart().await;
        redis
    }

    /// Starts it again on its port, with nothing in it.
    pub async fn restart(&mut self) {
        let process = Command::new("redis-server")
            .args([
                "--port",
                &self.port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .args(["--requirepass", self.password])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is not installed; hint: run the tests with `cargo xtask test`");
        self.process = Some(process);
        let client = self.client();
        eventually("Redis answers", async || client.get_multiplexed_async_connection().await.ok()).await;
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It is gone in either case.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Its address without the password.
    pub fn open_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its address.
    pub fn url(&self) -> String {
        match self.password {
            "" => self.open_url(),
            password => format!("redis://:{password}@127.0.0.1:{}", self.port),
        }
    }

    /// Every key that it holds.
    pub async fn keys(&self) -> Vec<String> {
        let mut connection = self.client().get_multiplexed_async_connection().await.expect("a connection");
        redis::cmd("KEYS").arg("*").query_async(&mut connection).await.expect("the keys")
    }

    fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).expect("an address")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
